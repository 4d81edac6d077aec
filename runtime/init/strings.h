// The few string operations init needs.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace capsule::init {

inline size_t length(const char* s) {
  size_t n = 0;
  while (s[n] != '\0')
    ++n;
  return n;
}

inline bool equal(const char* a, const char* b) {
  while (*a != '\0' && *a == *b) {
    ++a;
    ++b;
  }
  return *a == *b;
}

inline bool has_prefix(const char* s, const char* prefix) {
  while (*prefix != '\0') {
    if (*s++ != *prefix++) return false;
  }
  return true;
}

inline const char* find(const char* s, char c) {
  for (; *s != '\0'; ++s) {
    if (*s == c) return s;
  }
  return nullptr;
}

inline void copy(char* to, const char* from, size_t size) {
  for (size_t i = 0; i < size; ++i)
    to[i] = from[i];
}

// Text put together in a buffer; what does not fit is cut, and `whole` says so.
template <size_t Capacity>
class Line {
 public:
  Line& add(const char* s) { return add(s, length(s)); }
  Line& add(const char* s, size_t size) {
    for (size_t i = 0; i < size; ++i) {
      if (size_ + 1 >= Capacity) {
        cut_ = true;
        break;
      }
      text_[size_++] = s[i];
    }
    text_[size_] = '\0';
    return *this;
  }
  Line& add_number(uint64_t value, unsigned base = 10) {
    char digits[24];
    size_t n = 0;
    do {
      digits[n++] = static_cast<char>('0' + value % base);
      value /= base;
    } while (value != 0);
    while (n > 0)
      add(&digits[--n], 1);
    return *this;
  }
  const char* c_str() const { return text_; }
  size_t size() const { return size_; }
  bool whole() const { return !cut_; }

 private:
  char text_[Capacity] = {};
  size_t size_ = 0;
  bool cut_ = false;  // all zero at first, so that a static Line costs no bytes in the image
};

}  // namespace capsule::init
