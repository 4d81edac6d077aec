// An optional whose value lies on the heap: for large parts of a structure that is handed on often.
#pragma once

#include <memory>
#include <optional>
#include <utility>

namespace capsule {

// Names follow std::optional. Copied with its value; moved by its pointer, and empty then.
template <class T>
class Boxed {
 public:
  Boxed() = default;
  Boxed(std::nullopt_t) {}                                           // NOLINT(google-explicit-constructor)
  Boxed(T value) : value_(std::make_unique<T>(std::move(value))) {}  // NOLINT(google-explicit-constructor)
  Boxed(const Boxed& other) : value_(other.has_value() ? std::make_unique<T>(*other) : nullptr) {}
  Boxed(Boxed&&) noexcept = default;
  Boxed& operator=(const Boxed& other) {
    if (this != &other) *this = Boxed(other);
    return *this;
  }
  Boxed& operator=(Boxed&&) noexcept = default;
  ~Boxed() = default;

  [[nodiscard]] bool has_value() const noexcept { return value_ != nullptr; }
  void reset() noexcept { value_.reset(); }
  T& emplace() { return *(value_ = std::make_unique<T>()); }
  // Of what has a value.
  T& operator*() noexcept { return *value_; }
  const T& operator*() const noexcept { return *value_; }
  T* operator->() noexcept { return value_.get(); }
  const T* operator->() const noexcept { return value_.get(); }
  T& value() noexcept { return *value_; }
  [[nodiscard]] const T& value() const noexcept { return *value_; }
  [[nodiscard]] T value_or(T otherwise) const { return has_value() ? *value_ : std::move(otherwise); }

 private:
  std::unique_ptr<T> value_;
};

}  // namespace capsule
