#include "runtime/startup/heap.h"

#include <algorithm>
#include <cstdint>
#include <random>
#include <set>
#include <vector>

#include "tests/support/catch.h"

using capsule::startup::Heap;

namespace {

struct World {
  alignas(16) std::array<char, 4096> first{};
  Heap heap{first.data(), first.size()};
  [[nodiscard]] bool is_in_first(const void* block) const {
    const auto at = reinterpret_cast<std::uintptr_t>(block);
    const auto begin = reinterpret_cast<std::uintptr_t>(first.data());
    return at >= begin && at < begin + first.size();
  }
};

struct Piece {
  unsigned char* bytes;
  std::size_t size;
  unsigned char mark;
};

bool is_whole(const Piece& piece) {
  return std::all_of(piece.bytes, piece.bytes + piece.size, [&](unsigned char c) { return c == piece.mark; });
}

}  // namespace

TEST_CASE("what is freed is what the next of its size gets", "[startup][heap]") {
  World world;
  for (const std::size_t size : {1U, 16U, 17U, 1008U, 1009U, 5000U, 70000U}) {
    CAPTURE(size);
    void* first = world.heap.allocate(size);
    void* second = world.heap.allocate(size);
    CHECK(first != second);
    world.heap.release(first);
    CHECK(world.heap.allocate(size) == first);
  }
}

TEST_CASE("small blocks come from the memory that was given, until it is used up", "[startup][heap]") {
  World world;
  CHECK(world.is_in_first(world.heap.allocate(100)));
  void* more = world.heap.allocate(4096);
  REQUIRE(more != nullptr);
  CHECK_FALSE(world.is_in_first(more));
}

TEST_CASE("every block is aligned to 16 bytes, also one of no bytes", "[startup][heap]") {
  World world;
  std::set<void*> all;
  for (std::size_t size = 0; size < 3000; size += 7) {
    void* block = world.heap.allocate(size);
    CHECK(reinterpret_cast<std::uintptr_t>(block) % 16 == 0);
    CHECK(all.insert(block).second);
  }
}

TEST_CASE("a block of more than a kibibyte is at most a fourth larger than asked for", "[startup][heap]") {
  World world;
  constexpr std::size_t kHeader = 16;
  (void)world.heap.allocate(5000);  // what follows comes from one chunk
  for (const std::size_t size : {1009U, 1100U, 1265U, 2032U, 2033U, 4000U, 5000U, 8192U, 20000U}) {
    CAPTURE(size);
    const auto* first = static_cast<char*>(world.heap.allocate(size));
    const auto* second = static_cast<char*>(world.heap.allocate(size));
    const auto taken = static_cast<std::size_t>(second - first);
    CHECK(taken >= size + kHeader);
    CHECK(taken <= (size + kHeader) * 5 / 4);
  }
}

TEST_CASE("a size that no machine has is refused, not wrapped around", "[startup][heap]") {
  World world;
  for (const std::size_t size : {SIZE_MAX, SIZE_MAX - 8, SIZE_MAX / 2 + 1, SIZE_MAX / 2})
    CHECK(world.heap.allocate(size) == nullptr);
  CHECK(world.heap.allocate(10) != nullptr);
}

TEST_CASE("nothing is a block to release", "[startup][heap]") {
  World world;
  world.heap.release(nullptr);
  CHECK(world.heap.allocate(10) != nullptr);
}

TEST_CASE("blocks of all sizes keep what was written to them, in any order of freeing", "[startup][heap]") {
  World world;
  std::mt19937 chance(7);
  std::vector<Piece> pieces;
  unsigned char mark = 0;
  for (int round = 0; round < 20000; ++round) {
    if (pieces.size() < 200 && chance() % 3 != 0) {
      const std::size_t size = 1 + chance() % (std::size_t{2} << chance() % 18U);
      auto* bytes = static_cast<unsigned char*>(world.heap.allocate(size));
      REQUIRE(bytes != nullptr);
      std::fill_n(bytes, size, ++mark);
      pieces.push_back({bytes, size, mark});
    } else if (!pieces.empty()) {
      const std::size_t at = chance() % pieces.size();
      REQUIRE(is_whole(pieces[at]));
      world.heap.release(pieces[at].bytes);
      pieces.erase(pieces.begin() + static_cast<std::ptrdiff_t>(at));
    }
  }
  CHECK(std::all_of(pieces.begin(), pieces.end(), is_whole));
}
