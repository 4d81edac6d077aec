#include "runtime/base/clock.h"

#include <chrono>

namespace capsule {
namespace {

void append_padded(std::string& text, unsigned long long value, std::size_t width) {
  const std::string digits = std::to_string(value);
  if (digits.size() < width) text.append(width - digits.size(), '0');
  text.append(digits);
}

}  // namespace

std::string now_rfc3339(Fraction fraction) {
  using std::chrono::days;
  using std::chrono::floor;
  const auto now = floor<std::chrono::nanoseconds>(std::chrono::system_clock::now());
  const auto today = floor<days>(now);
  const std::chrono::year_month_day date(today);
  const std::chrono::hh_mm_ss time(now - today);

  std::string text;
  append_padded(text, static_cast<unsigned>(static_cast<int>(date.year())), 4);
  append_padded(text.append("-"), static_cast<unsigned>(date.month()), 2);
  append_padded(text.append("-"), static_cast<unsigned>(date.day()), 2);
  append_padded(text.append("T"), static_cast<unsigned>(time.hours().count()), 2);
  append_padded(text.append(":"), static_cast<unsigned>(time.minutes().count()), 2);
  append_padded(text.append(":"), static_cast<unsigned>(time.seconds().count()), 2);
  if (fraction == Fraction::nanoseconds) {
    append_padded(text.append("."), static_cast<unsigned long long>(time.subseconds().count()), 9);
  }
  return text.append("Z");
}

}  // namespace capsule
