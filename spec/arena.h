// Memory for many small things that live and die together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace capsule::spec {

class Arena {
 public:
  // `expected`: how much is likely to be asked for in all; the first block's size.
  explicit Arena(std::size_t expected) : block_size_(expected) {}

  // `alignment` is a power of two, and no more than that of std::max_align_t.
  void* allocate(std::size_t size, std::size_t alignment) {
    std::size_t padding = -reinterpret_cast<std::uintptr_t>(next_) & (alignment - 1);
    if (left_ < size + padding) {
      add_block(size);
      padding = 0;
    }
    char* place = next_ + padding;
    next_ = place + size;
    left_ -= size + padding;
    return place;
  }

 private:
  // What is left of the old block is lost. Each is twice as large as the one before, so that there are few.
  void add_block(std::size_t least) {
    left_ = block_size_ < least ? least : block_size_;
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(left_));
    next_ = blocks_.back().get();
    block_size_ = left_ * 2;
  }

  std::size_t block_size_;
  char* next_ = nullptr;
  std::size_t left_ = 0;
  std::vector<std::unique_ptr<char[]>> blocks_;
};

}  // namespace capsule::spec
