// Strict numbers, splitting and joining. Numbers are parsed whole or not at all: "1x", "+1", " 1" and "" are
// refused, because a lenient parser once turned a user id into 0 (CVE-2026-30892).
#pragma once

#include <charconv>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace capsule {

template <std::integral T>
std::optional<T> parse_integer(std::string_view text, int base = 10) {
  T value{};
  const char* end = text.data() + text.size();
  const auto [stopped_at, error] = std::from_chars(text.data(), end, value, base);
  if (text.empty() || error != std::errc{} || stopped_at != end) return std::nullopt;
  return value;
}

// "a,b,,c" -> {"a","b","","c"}; "" -> {}.
std::vector<std::string_view> split(std::string_view text, char separator);

std::string join(const std::vector<std::string>& parts, std::string_view separator);

// Concatenates views with one allocation: cat("/proc/", pid, "/ns").
std::string cat(std::initializer_list<std::string_view> parts);

// "quoted \"text\"": the form Go's %q prints and engines parse, for names that users chose.
std::string quoted(std::string_view text);

// A JSON string with its quotes (RFC 8259, section 7). Bytes above 0x7f pass through: paths are not always
// UTF-8.
std::string json_string(std::string_view text);

// A path as proc_pid_mountinfo(5) writes it, "/two\040words": blank, tab, line feed and backslash are \ooo
// there.
std::string unescape_mountinfo(std::string_view text);

std::string to_upper(std::string_view text);
std::string to_lower(std::string_view text);

}  // namespace capsule
