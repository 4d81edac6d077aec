// How a failure travels from the system call that noticed it to the line the user reads.
//
// Failures are values. An Error is one pointer wide, so Result<UniqueFd> stays small and success never
// allocates; it is built where something went wrong, gains purpose on its way up (context), and is printed
// once, by runtime/cli/main.cc.
#pragma once

#include <concepts>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "runtime/base/errno_text.h"

namespace capsule {

enum class ErrorKind : unsigned char {
  system,
  invalid_config,
  unsupported,
  wrong_state,
  not_found,
  peer,
  hook
};

class [[nodiscard]] Error {
 public:
  // "openat nope: no such file or directory (ENOENT)". `call` is the system call, `object` what it was called
  // on.
  static Error system(std::string_view call, int err, std::string_view object = {});
  // "/linux/namespaces/2/path: must be absolute". `json_pointer` is RFC 6901, as seen from the root of
  // config.json.
  static Error invalid_config(std::string_view json_pointer, std::string_view why);
  static Error unsupported(std::string_view why);
  static Error wrong_state(std::string_view why);
  static Error not_found(std::string_view why);
  static Error peer(std::string_view why);  // what another process (init) told us or failed to tell us
  static Error hook(std::string_view why);  // a hook of the container failed

  // Prepends "words: ", the purpose the caller had.
  Error&& with(std::initializer_list<std::string_view> words) &&;
  // Appends "; words", advice that comes after what engines parse; nothing if empty.
  Error&& hint(std::string_view words) &&;

  [[nodiscard]] ErrorKind kind() const noexcept { return rep_->kind; }
  [[nodiscard]] int code() const noexcept { return rep_->err; }  // errno, 0 if no system call failed
  [[nodiscard]] const std::string& message() const noexcept { return rep_->text; }

 private:
  struct Rep {
    ErrorKind kind;
    int err;
    std::string text;
  };
  Error(ErrorKind kind, int err, std::string text);
  // Not inlined: each Result ends with it, most of them without one.
  struct Delete {
    void operator()(Rep* rep) const noexcept;
  };
  std::unique_ptr<Rep, Delete> rep_;
};

template <class T>
class [[nodiscard]] Result {  // names follow std::expected, so that one `using` can replace it in C++23
 public:
  Result(T value) : v_(std::in_place_index<0>, std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Result(Error error)
      : v_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool has_value() const noexcept { return v_.index() == 0; }
  [[nodiscard]] T&& value() && { return std::move(*alternative<0>(v_)); }
  [[nodiscard]] const T& value() const& { return *alternative<0>(v_); }
  [[nodiscard]] Error&& error() && { return std::move(*alternative<1>(v_)); }
  [[nodiscard]] const Error& error() const& { return *alternative<1>(v_); }

  // The words are views: nothing is concatenated on success.
  template <std::convertible_to<std::string_view>... W>
  Result&& context(const W&... words) && {
    if (!has_value()) [[unlikely]] {
      Error with_purpose = std::move(*this).error().with({std::string_view(words)...});
      v_.template emplace<1>(std::move(with_purpose));
    }
    return std::move(*this);
  }

 private:
  // Asking for what is not there is a mistake of the caller's; telling the compiler so keeps
  // -Wnull-dereference quiet.
  template <std::size_t I, class Variant>
  static auto* alternative(Variant& variant) noexcept {
    auto* held = std::get_if<I>(&variant);
    if (held == nullptr) __builtin_unreachable();
    return held;
  }
  std::variant<T, Error> v_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error)
      : error_(std::make_unique<Error>(std::move(error))) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool has_value() const noexcept { return error_ == nullptr; }
  void value() && {}
  [[nodiscard]] Error&& error() && { return std::move(*error_); }
  [[nodiscard]] const Error& error() const& { return *error_; }

  template <std::convertible_to<std::string_view>... W>
  Result&& context(const W&... words) && {
    if (!has_value()) [[unlikely]] {
      Error with_purpose = std::move(*error_).with({std::string_view(words)...});
      *error_ = std::move(with_purpose);
    }
    return std::move(*this);
  }

 private:
  std::unique_ptr<Error> error_;
};
using Status = Result<void>;

}  // namespace capsule

// TRY(expr): the value of a Result, or return its Error from the enclosing function. Numbered, so that nested
// TRYs do not trip -Wshadow. Not inside braces after a member with a destructor: g++ 12 and clang 14 leak it
// when the function returns from there.
#define CAPSULE_CAT_(a, b) a##b
#define CAPSULE_TRY_(name, ...)         \
  (__extension__({                      \
    auto name = (__VA_ARGS__);          \
    if (!name.has_value()) [[unlikely]] \
      return std::move(name).error();   \
    std::move(name).value();            \
  }))
#define CAPSULE_TRY_NUMBERED_(n, ...) CAPSULE_TRY_(CAPSULE_CAT_(try_, n), __VA_ARGS__)
#define TRY(...) CAPSULE_TRY_NUMBERED_(__COUNTER__, __VA_ARGS__)
