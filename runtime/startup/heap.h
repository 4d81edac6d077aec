// Memory for a command that lives some milliseconds: what is freed is kept for the next of its size, and
// nothing is given back but what is large.
//
// One thread. Blocks are aligned to 16 bytes, as operator new promises. A size of up to 1 KiB has a list of
// its own in steps of 16 bytes, above that four to each power of two; from 128 KiB a block is a mapping of
// its own, which the kernel takes back.
#pragma once

#include <array>
#include <cstddef>

namespace capsule::startup {

class Heap {
 public:
  constexpr Heap(char* first, std::size_t size) : next_(first), end_(first + size) {}
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;
  ~Heap() = default;  // what came from the kernel stays: the program ends

  // nullptr: the kernel has no more.
  void* allocate(std::size_t size);
  void release(void* block);  // what allocate gave, or nullptr

 private:
  struct Block {
    std::size_t size;  // of all of it, this header included
    Block* next_free;  // in a list; the header is 16 bytes either way
  };
  static constexpr std::size_t kStep = 16;
  static constexpr std::size_t kSmall = 1024;
  static constexpr std::size_t kLarge = std::size_t{128} << 10U;
  static constexpr std::size_t kChunk = std::size_t{256} << 10U;
  static constexpr std::size_t kSteps = 4;                                // from a power of two to the next
  static constexpr std::size_t kLists = kSmall / kStep + 1 + 7 * kSteps;  // 2 KiB to 128 KiB are seven

  static std::size_t step_above_small(std::size_t size);
  static std::size_t rounded(std::size_t size);
  static std::size_t list_of(std::size_t size);
  char* take(std::size_t size);

  char* next_;
  char* end_;
  std::array<Block*, kLists> free_{};
};

}  // namespace capsule::startup
