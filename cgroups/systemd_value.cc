#include "cgroups/systemd_value.h"

#include <array>
#include <cstdlib>
#include <limits>
#include <optional>

#include "runtime/base/fixed_text.h"
#include "runtime/base/text.h"

namespace capsule::cgroups {
namespace {

constexpr int kDeepest = 32;  // nesting that D-Bus allows in a signature

// The words that may stand before a number or a string, and what type they make of it.
struct Keyword {
  FixedText<10> word;
  char type;
};
constexpr auto kKeywords = std::to_array<Keyword>({{"boolean", 'b'},
                                                   {"byte", 'y'},
                                                   {"int16", 'n'},
                                                   {"uint16", 'q'},
                                                   {"int32", 'i'},
                                                   {"uint32", 'u'},
                                                   {"int64", 'x'},
                                                   {"uint64", 't'},
                                                   {"double", 'd'},
                                                   {"string", 's'},
                                                   {"objectpath", 'o'},
                                                   {"signature", 'g'}});

struct Bounds {
  char type;
  std::int64_t least;
  std::uint64_t most;
};
constexpr std::array<Bounds, 7> kBounds = {{
    {'y', 0, 0xff},
    {'n', std::numeric_limits<std::int16_t>::min(), 0x7fff},
    {'q', 0, 0xffff},
    {'i', std::numeric_limits<std::int32_t>::min(), 0x7fffffff},
    {'u', 0, 0xffffffff},
    {'x', std::numeric_limits<std::int64_t>::min(), 0x7fffffffffffffff},
    {'t', 0, std::numeric_limits<std::uint64_t>::max()},
}};

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool is_number_character(char c) {
  return is_word(c) || c == '+' || c == '-' || c == '.';
}

// The complete type at the front of `signature`; empty: there is none.
std::string_view first_type(std::string_view signature, int depth = 0) {
  constexpr std::string_view kBasic = "ybnqiuxtdsog";
  if (signature.empty() || depth > kDeepest) return {};
  if (kBasic.find(signature.front()) != std::string_view::npos) return signature.substr(0, 1);
  if (signature.front() == 'a') {
    const std::string_view item = first_type(signature.substr(1), depth + 1);
    return item.empty() ? item : signature.substr(0, 1 + item.size());
  }
  if (signature.front() != '(') return {};
  std::size_t at = 1;
  while (at < signature.size() && signature[at] != ')') {
    const std::string_view item = first_type(signature.substr(at), depth + 1);
    if (item.empty()) return {};
    at += item.size();
  }
  return at < signature.size() && at > 1 ? signature.substr(0, at + 1) : std::string_view();
}

void append_utf8(std::string& text, std::uint32_t code) {
  const auto tail = [&](int shift) { text.push_back(static_cast<char>(0x80U | ((code >> shift) & 0x3fU))); };
  if (code < 0x80) {
    text.push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    text.push_back(static_cast<char>(0xc0U | (code >> 6U)));
    tail(0);
  } else if (code < 0x10000) {
    text.push_back(static_cast<char>(0xe0U | (code >> 12U)));
    tail(6);
    tail(0);
  } else {
    text.push_back(static_cast<char>(0xf0U | (code >> 18U)));
    tail(12);
    tail(6);
    tail(0);
  }
}

std::string describe_text(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string quoted = "'";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      quoted.append("\\u00").append({kDigits[byte >> 4U], kDigits[byte & 0xfU]});
      continue;
    }
    if (c == '\'' || c == '\\') quoted.push_back('\\');
    quoted.push_back(c);
  }
  return quoted.append("'");
}

std::string describe_items(const BusValue& value) {
  std::vector<std::string> parts;
  for (const BusValue& item : value.items)
    parts.push_back(describe(item));
  const std::string inside = join(parts, ", ");
  if (value.signature.front() == '(') return cat({"(", inside, ")"});
  return value.items.empty() ? cat({"@", value.signature, " []"}) : cat({"[", inside, "]"});
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<BusValue> parse_whole() {
    BusValue value = TRY(parse_value({}, 0));
    skip_blanks();
    if (at_ != text_.size()) return fail("more follows the value");
    return value;
  }

 private:
  [[nodiscard]] Error fail(std::string_view why) const {
    return Error::unsupported(cat({"byte ", std::to_string(at_), ": ", why}));
  }
  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n'))
      ++at_;
  }
  [[nodiscard]] char here() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(char c) {
    skip_blanks();
    if (here() != c || at_ == text_.size()) return false;
    ++at_;
    return true;
  }
  std::string_view take_while(bool (*wanted)(char)) {
    const std::size_t start = at_;
    while (at_ < text_.size() && wanted(text_[at_]))
      ++at_;
    return text_.substr(start, at_ - start);
  }

  // `wanted`: the signature that the surroundings demand; empty: whatever the text says.
  Result<BusValue> parse_value(std::string_view wanted, int depth) {
    if (depth > kDeepest) return fail("is nested too deeply");
    skip_blanks();
    if (at_ == text_.size()) return fail("a value is missing");
    if (take('@')) return parse_typed(wanted, depth);
    if (here() == '[') return parse_array(wanted, depth);
    if (here() == '(') return parse_struct(wanted, depth);
    if (here() == '\'' || here() == '"') return parse_string(wanted);
    if (here() == 'b' && at_ + 1 < text_.size() && (text_[at_ + 1] == '\'' || text_[at_ + 1] == '"')) {
      ++at_;
      return parse_bytestring(wanted);
    }
    if (here() == '{' || here() == '<') return fail("dictionaries and variants are not supported");
    return parse_word(wanted, depth);
  }

  Result<BusValue> parse_typed(std::string_view wanted, int depth) {
    const std::string_view type = first_type(text_.substr(at_));
    if (type.empty()) return fail("is no type");
    if (!wanted.empty() && type != wanted) return fail(cat({"must be of type ", wanted, ", not ", type}));
    at_ += type.size();
    return parse_value(type, depth + 1);
  }

  Result<BusValue> parse_word(std::string_view wanted, int depth) {
    const std::size_t start = at_;
    const std::string_view word = take_while(is_number_character);
    if (word.empty()) return fail("is no value");
    if (word == "true" || word == "false") {
      if (!wanted.empty() && wanted != "b") return fail(cat({"must be of type ", wanted}));
      return BusValue::of_bool(word == "true");
    }
    for (const auto& [keyword, type] : kKeywords) {
      if (keyword != word) continue;
      const std::string_view signature(&type, 1);
      if (!wanted.empty() && wanted != signature)
        return fail(cat({"must be of type ", wanted, ", not ", signature}));
      return parse_value(signature, depth + 1);
    }
    at_ = start;
    return parse_number(word, wanted);
  }

  Result<BusValue> parse_number(std::string_view word, std::string_view wanted) {
    const bool is_hex = word.find("0x") != std::string_view::npos;
    const bool is_real = !is_hex && word.find_first_of(".eE") != std::string_view::npos;
    const char type = !wanted.empty() ? wanted.front() : is_real ? 'd' : 'i';
    BusValue value{.signature = std::string(1, type)};
    if (type == 'd') {
      value.text = word;
      char* end = nullptr;
      (void)std::strtod(value.text.c_str(), &end);
      if (end != value.text.c_str() + value.text.size()) return fail("is no number");
    } else {
      const std::optional<std::uint64_t> number = parse_whole_number(word, type);
      if (!number.has_value()) return fail(cat({"is no number of type ", value.signature}));
      value.number = *number;
    }
    at_ += word.size();
    return value;
  }

  static std::optional<std::uint64_t> parse_whole_number(std::string_view word, char type) {
    const bool is_negative = word.starts_with('-');
    if (is_negative || word.starts_with('+')) word.remove_prefix(1);
    int base = 10;
    if (word.starts_with("0x")) {
      base = 16;
      word.remove_prefix(2);
    } else if (word.size() > 1 && word.front() == '0') {
      base = 8;
    }
    const auto magnitude = parse_integer<std::uint64_t>(word, base);
    if (!magnitude.has_value()) return std::nullopt;
    for (const Bounds& bounds : kBounds) {
      if (bounds.type != type) continue;
      const std::uint64_t lowest = ~static_cast<std::uint64_t>(bounds.least) + 1;  // 0 for unsigned types
      if (is_negative ? *magnitude > lowest : *magnitude > bounds.most) return std::nullopt;
      return is_negative ? ~*magnitude + 1 : *magnitude;
    }
    return std::nullopt;  // not a type of whole numbers
  }

  Result<BusValue> parse_string(std::string_view wanted) {
    if (!wanted.empty() && wanted != "s" && wanted != "o" && wanted != "g")
      return fail(cat({"must be of type ", wanted}));
    BusValue value{.signature = wanted.empty() ? "s" : std::string(wanted)};
    value.text = TRY(parse_quoted());
    if (value.text.find('\0') != std::string::npos) return fail("holds a zero byte");
    return value;
  }

  Result<BusValue> parse_bytestring(std::string_view wanted) {
    if (!wanted.empty() && wanted != "ay") return fail(cat({"must be of type ", wanted}));
    std::string bytes = TRY(parse_quoted());
    bytes.push_back('\0');  // as GVariant has it
    return BusValue::of_bytes(bytes);
  }

  Result<std::string> parse_quoted() {
    const char quote = text_[at_++];
    std::string text;
    while (at_ < text_.size() && text_[at_] != quote) {
      if (text_[at_] != '\\') {
        text.push_back(text_[at_++]);
        continue;
      }
      ++at_;
      TRY(parse_escape(text));
    }
    if (at_ == text_.size()) return fail("the quotes do not end");
    ++at_;
    return text;
  }

  Status parse_escape(std::string& text) {
    constexpr std::string_view kNames = "abfnrtv";
    constexpr std::string_view kBytes = "\a\b\f\n\r\t\v";
    if (at_ == text_.size()) return fail("the quotes do not end");
    const char c = text_[at_++];
    if (c == 'u' || c == 'U') return parse_code_point(c == 'u' ? 4 : 8, text);
    const std::size_t named = kNames.find(c);
    text.push_back(named == std::string_view::npos ? c : kBytes[named]);
    return {};
  }

  Status parse_code_point(std::size_t digits, std::string& text) {
    const std::string_view word = text_.substr(at_, digits);
    const auto code = parse_integer<std::uint32_t>(word, 16);
    const bool is_surrogate = code.has_value() && *code >= 0xd800 && *code < 0xe000;
    if (word.size() != digits || !code.has_value() || *code > 0x10ffff || is_surrogate)
      return fail("is no code point");
    append_utf8(text, *code);
    at_ += digits;
    return {};
  }

  Result<BusValue> parse_array(std::string_view wanted, int depth) {
    if (!wanted.empty() && wanted.front() != 'a') return fail(cat({"must be of type ", wanted}));
    ++at_;
    std::string item = wanted.empty() ? std::string() : std::string(wanted.substr(1));
    std::vector<BusValue> items;
    while (!take(']')) {
      if (!items.empty() && !take(',')) return fail("a comma or ] is missing");
      items.push_back(TRY(parse_value(item, depth + 1)));
      item = items.back().signature;
    }
    if (item.empty()) return fail("an empty array needs a type, as in @as []");
    return BusValue::of_array(item, std::move(items));
  }

  Result<BusValue> parse_struct(std::string_view wanted, int depth) {
    if (!wanted.empty() && wanted.front() != '(') return fail(cat({"must be of type ", wanted}));
    ++at_;
    std::string_view rest = wanted.empty() ? wanted : wanted.substr(1, wanted.size() - 2);
    std::vector<BusValue> items;
    while (!take(')')) {
      if (!items.empty() && !take(',')) return fail("a comma or ) is missing");
      const std::string_view type = first_type(rest);
      if (!wanted.empty() && type.empty()) return fail(cat({"must be of type ", wanted}));
      items.push_back(TRY(parse_value(type, depth + 1)));
      rest.remove_prefix(type.size());
    }
    if (items.empty() || !rest.empty()) return fail("has too few members");
    return BusValue::of_struct(std::move(items));
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::string describe(const BusValue& value) {
  const char type = value.signature.front();
  if (type == '(' || type == 'a') return describe_items(value);
  if (type == 'b') return value.number != 0 ? "true" : "false";
  if (type == 'd') return cat({"double ", value.text});
  if (type == 's') return describe_text(value.text);
  const bool is_signed = type == 'n' || type == 'i' || type == 'x';
  std::string text = type == 'o' || type == 'g' ? describe_text(value.text)
                     : is_signed                ? std::to_string(static_cast<std::int64_t>(value.number))
                                                : std::to_string(value.number);
  if (type == 'i') return text;
  for (const auto& [keyword, of_type] : kKeywords)
    if (of_type == type) return cat({keyword, " ", text});
  return text;
}

BusValue pids_of(const std::vector<std::int32_t>& pids) {
  std::vector<BusValue> items;
  for (const std::int32_t pid : pids)
    items.push_back({.signature = "u", .number = static_cast<std::uint64_t>(pid)});
  return BusValue::of_array("u", std::move(items));
}

BusValue BusValue::of_bytes(std::string_view bytes) {
  std::vector<BusValue> items;
  for (const char c : bytes)
    items.push_back({.signature = "y", .number = static_cast<unsigned char>(c)});
  return of_array("y", std::move(items));
}

BusValue BusValue::of_struct(std::vector<BusValue> items) {
  std::string signature = "(";
  for (const BusValue& item : items)
    signature.append(item.signature);
  return {.signature = signature.append(")"), .items = std::move(items)};
}

BusValue BusValue::of_array(std::string_view item_signature, std::vector<BusValue> items) {
  return {.signature = cat({"a", item_signature}), .items = std::move(items)};
}

Result<BusValue> parse_gvariant(std::string_view text) {
  return Parser(text).parse_whole();
}

}  // namespace capsule::cgroups
