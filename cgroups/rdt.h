// A container's group in resctrl: looked up, made, joined, removed.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <utility>

#include "cgroups/plan_rdt.h"
#include "runtime/base/result.h"
#include "spec/spec.h"

namespace capsule::cgroups {

// Only for whoever asks for RDT: reads /proc/self/mountinfo, and the group's shares if there is one.
Result<RdtFacts> probe_rdt(const spec::IntelRdt& rdt, std::string_view id);
// The same below a resctrl that was found already.
Result<RdtFacts> probe_rdt_group(const spec::IntelRdt& rdt, std::string_view id, std::string mount);

// What a container has in resctrl, as its record keeps it.
struct RdtGroup {
  std::string group;     // absolute path; empty: nothing
  bool is_ours = false;  // made for this container
  std::string monitor;   // a monitoring group, always ours; empty: none
};
RdtGroup rdt_group_of(const RdtPlan& plan);

// Moves a process, and whatever it starts from then on.
Status enter_rdt(const RdtGroup& rdt, pid_t pid);

// The shares of a group that was made for the container: as the kernel prints them, which is how it takes
// them back.
//   fails   wrong_state for a group that was there before: others run in it; system with the kernel's words
Result<std::string> read_schemata(const RdtGroup& rdt);
Status write_schemata(const RdtGroup& rdt, std::string_view schemata);

// Only what was made for the container, and of a group with a name only if nobody else is in it: its
// processes would fall back to the default shares. Missing: done already.
Status remove_rdt(const RdtGroup& rdt);

// Owns what create() made: removes it unless kept.
class RdtOwner {
 public:
  RdtOwner() = default;
  RdtOwner(RdtOwner&& other) noexcept : rdt_(std::exchange(other.rdt_, {})) {}
  RdtOwner& operator=(RdtOwner&& other) noexcept {
    std::swap(rdt_, other.rdt_);
    return *this;
  }
  ~RdtOwner();

  // Makes the groups and writes the shares; nothing for an empty plan.
  //   fails   with the kernel's own words from info/last_cmd_status
  static Result<RdtOwner> create(const RdtPlan& plan);
  [[nodiscard]] Status enter(pid_t pid) const { return enter_rdt(rdt_, pid); }
  void keep() noexcept { rdt_ = {}; }

 private:
  RdtGroup rdt_;
};

}  // namespace capsule::cgroups
