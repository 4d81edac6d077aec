// Descriptors: one type that owns, one that borrows.
#pragma once

#include <fcntl.h>

#include <utility>

namespace capsule {

class FdRef {  // borrowed: valid while its owner lives, never closed by the holder
 public:
  constexpr explicit FdRef(int fd) noexcept : fd_(fd) {}
  static constexpr FdRef cwd() noexcept { return FdRef(AT_FDCWD); }
  [[nodiscard]] constexpr int get() const noexcept { return fd_; }

 private:
  int fd_;
};

class UniqueFd {  // owned; always opened with O_CLOEXEC
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) noexcept : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    UniqueFd(std::move(other)).swap(*this);
    return *this;
  }
  ~UniqueFd() { reset(); }

  operator FdRef() const& noexcept {
    return FdRef(fd_);
  }                              // NOLINT(google-explicit-constructor): lending is the common case
  operator FdRef() && = delete;  // never from a temporary that is about to close

  [[nodiscard]] bool is_open() const noexcept { return fd_ >= 0; }
  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
  // close() is called once and never retried on EINTR: on Linux the descriptor is gone by then (close(2),
  // NOTES).
  void reset() noexcept;
  void swap(UniqueFd& other) noexcept { std::swap(fd_, other.fd_); }

 private:
  int fd_ = -1;
};

}  // namespace capsule
