#include "runtime/startup/heap.h"

#include <sys/mman.h>

#include <bit>
#include <cstdint>

namespace capsule::startup {
namespace {

constexpr std::size_t kPage = 4096;

char* map(std::size_t size) {
  void* pages = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return pages == MAP_FAILED ? nullptr : static_cast<char*>(pages);
}

}  // namespace

// A fourth of the power of two below.
std::size_t Heap::step_above_small(std::size_t size) {
  return std::bit_ceil(size) / 2 / kSteps;
}

// With the header. A size near the end of the address space does not wrap: mmap refuses it.
std::size_t Heap::rounded(std::size_t size) {
  if (size > SIZE_MAX / 2) return SIZE_MAX & ~(kPage - 1);
  size += sizeof(Block);
  if (size <= kSmall) return (size + kStep - 1) & ~(kStep - 1);
  if (size > kLarge) return (size + kPage - 1) & ~(kPage - 1);
  const std::size_t step = step_above_small(size);
  return (size + step - 1) & ~(step - 1);
}

std::size_t Heap::list_of(std::size_t size) {
  if (size <= kSmall) return size / kStep;
  const std::size_t step = step_above_small(size);
  const auto doublings = static_cast<std::size_t>(std::countr_zero(step) - std::countr_zero(kSmall / kSteps));
  return kSmall / kStep + doublings * kSteps + size / step - kSteps;
}

// From what is left of the current chunk; what a new one leaves of the old is lost.
char* Heap::take(std::size_t size) {
  if (static_cast<std::size_t>(end_ - next_) < size) {
    char* chunk = map(kChunk);
    if (chunk == nullptr) return nullptr;
    next_ = chunk;
    end_ = chunk + kChunk;
  }
  char* block = next_;
  next_ += size;
  return block;
}

void* Heap::allocate(std::size_t size) {
  size = rounded(size);
  Block* block = nullptr;
  if (size > kLarge) {
    block = reinterpret_cast<Block*>(map(size));
  } else if (Block*& list = free_[list_of(size)]; list != nullptr) {
    block = list;
    list = block->next_free;
  } else {
    block = reinterpret_cast<Block*>(take(size));
  }
  if (block == nullptr) return nullptr;
  block->size = size;
  return block + 1;
}

void Heap::release(void* pointer) {
  if (pointer == nullptr) return;
  Block* block = static_cast<Block*>(pointer) - 1;
  if (block->size > kLarge) {
    (void)::munmap(block, block->size);
    return;
  }
  Block*& list = free_[list_of(block->size)];
  block->next_free = list;
  list = block;
}

}  // namespace capsule::startup
