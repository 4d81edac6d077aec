// Opens on the host side what init inherits: mount sources, namespaces, sockets.
#pragma once

#include <string>
#include <vector>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"
#include "runtime/plan/builder.h"

namespace capsule::launch {

// Descriptors of the plan's slots, all numbered above the ones that belong to the application.
class Donations {
 public:
  explicit Donations(int lowest) : lowest_(lowest) {}

  // Opens every donation but the sync and gate sockets (put() those) and the console socket if it is the
  // caller's own.
  Status open(const std::vector<plan::Donation>& donations);
  // Puts a descriptor of our own into `slot`.
  Status put(std::uint16_t slot, UniqueFd fd);
  // Keeps a descriptor that init needs but no slot names: the sync socket's end, the plan. Returns its
  // number.
  Result<int> keep(UniqueFd fd);

  // The slot table for the plan's image, -1 where nothing was opened.
  [[nodiscard]] std::vector<std::int32_t> table() const;
  // Every descriptor number that init must inherit.
  [[nodiscard]] std::vector<int> numbers() const;
  [[nodiscard]] FdRef slot(std::uint16_t slot) const { return slots_[slot]; }

 private:
  Result<UniqueFd> raise(UniqueFd fd) const;

  int lowest_;
  std::vector<UniqueFd> slots_;
  std::vector<UniqueFd> others_;
};

// A stream socket connected to `path`. A listener that hangs must not hang us with it, nor init, which sends
// the message: connecting and sending give up after five seconds (EAGAIN).
Result<UniqueFd> connect_to_listener(const std::string& path);

// Writes `table` into the descriptor table of a plan's image.
void fill_descriptor_table(std::string& image, const std::vector<std::int32_t>& table);

}  // namespace capsule::launch
