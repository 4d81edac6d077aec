// Text inside a table, not beside it. A std::string_view is a pointer, and in a position-independent program
// each pointer in data is a word to relocate and makes its page the process's own before main() begins; a
// table of FixedText stays in read-only pages that all processes share.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

namespace capsule {

// At most `Capacity` bytes; a longer literal does not compile. A view of it is a view of the entry that holds
// it: take it from the table, not from a copy.
template <std::size_t Capacity>
class FixedText {
 public:
  constexpr FixedText() = default;

  template <std::size_t Size>
  // NOLINTNEXTLINE(google-explicit-constructor): a table's entries are literals
  consteval FixedText(const char (&literal)[Size]) : size_(Size - 1) {
    static_assert(Size - 1 <= Capacity && Capacity <= std::numeric_limits<std::uint8_t>::max());
    std::copy_n(literal, Size - 1, bytes_.begin());
  }

  // NOLINTNEXTLINE(google-explicit-constructor): it is a text wherever one is read
  constexpr operator std::string_view() const { return view(); }
  [[nodiscard]] constexpr std::string_view view() const { return {bytes_.data(), size_}; }
  [[nodiscard]] constexpr bool empty() const { return size_ == 0; }
  friend constexpr bool operator==(const FixedText& text, std::string_view other) {
    return text.view() == other;
  }

 private:
  std::array<char, Capacity> bytes_{};
  std::uint8_t size_ = 0;
};

}  // namespace capsule
