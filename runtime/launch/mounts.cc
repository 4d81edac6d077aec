// `mounts add` and `mounts remove`: a process enters a container that lives, mounts or unmounts, and is gone.
#include <cstdint>
#include <vector>

#include "runtime/base/file.h"
#include "runtime/base/log.h"
#include "runtime/base/text.h"
#include "runtime/launch/donations.h"
#include "runtime/launch/init_image.h"
#include "runtime/launch/launch.h"
#include "runtime/launch/plan_mounts.h"
#include "runtime/launch/sync_socket.h"
#include "spec/read.h"
#include "spec/validate.h"

namespace capsule::launch {
namespace {

using container::Container;
using container::ContainerStatus;

constexpr int kLowestDescriptor = 3;

// A paused container is not at a point where anybody could say what it sees.
Status check_status(ContainerStatus status) {
  if (status == ContainerStatus::created || status == ContainerStatus::running) return {};
  return Error::wrong_state(
      cat({"cannot change the mounts of a container that is ", container::name_of(status)}));
}

Result<std::vector<spec::Mount>> read_mounts_file(const std::string& path) {
  const std::string json = TRY(read_file(FdRef::cwd(), path.c_str()));
  std::vector<spec::Mount> mounts = TRY(spec::read_mounts(json));
  TRY(spec::validate_mounts(mounts));
  return mounts;
}

Result<InitProcess> spawn_in(const Container& container, MountsPlan& plan, UniqueFd their_sync) {
  const Pidfd init = TRY(container.init());
  Donations donations(kLowestDescriptor);
  TRY(donations.put(plan::kSyncSlot, std::move(their_sync)));
  TRY(donations.put(plan.joins.process_slot, TRY(sys::dup_above(init.fd(), kLowestDescriptor))));
  TRY(donations.open(plan.builder.donations()));

  const UniqueFd init_memfd = TRY(make_init_memfd());
  std::string image = plan.builder.finish();
  fill_descriptor_table(image, donations.table());
  const int plan_number = TRY(donations.keep(TRY(make_plan_memfd(image))));

  SpawnRequest request;
  request.pid_namespace = plan.joins.pid_from_outside ? init.fd().get() : -1;
  request.init_memfd = init_memfd;
  request.plan_memfd = FdRef(plan_number);
  request.sync = donations.slot(plan::kSyncSlot);
  request.inherited = donations.numbers();
  return spawn_init(request);
}

//   attached   what is known of it when the process has said its last line: the number after each of the
//   mounts
Status follow(FdRef sync, const MountsPlan& plan, InitProcess& process, std::vector<std::int32_t>& attached) {
  while (attached.size() < plan.lines)
    attached.push_back(TRY(expect_frame(sync, protocol::Line::mounted, process, FdRef(-1))).value);
  return expect_line(sync, protocol::Line::ready, process);
}

Status enter(const Container& container, MountsPlan& plan, std::vector<std::int32_t>& attached) {
  sys::SocketPair sync = TRY(sys::socketpair_seqpacket());
  InitProcess process = TRY(spawn_in(container, plan, std::move(sync.theirs)));
  if (plan.joins.forks) process = TRY(expect_forked(sync.ours, process));
  return follow(sync.ours, plan, process, attached);
}

Status take_off(const Container& container,
                const Host& host,
                spec::Spec& frozen,
                std::vector<spec::Mount> mounts) {
  if (mounts.empty()) return {};
  frozen.mounts = std::move(mounts);
  MountsPlan plan = TRY(plan_remove_mounts(frozen, container.record(), host));
  std::vector<std::int32_t> none;
  return enter(container, plan, none);
}

}  // namespace

Status add_mounts(const container::Store& store, const std::string& id, const std::string& file) {
  const Container container = TRY(Container::open(store, id, Container::Lock::exclusive));
  TRY(check_status(container.status()));
  spec::Spec frozen = TRY(spec::read(TRY(container.frozen_config())));
  frozen.mounts = TRY(read_mounts_file(file).context("mounts file"));
  const Host host = TRY(probe_host({}));
  MountsPlan plan = TRY(plan_add_mounts(frozen, container.record(), host));

  std::vector<std::int32_t> attached;
  Status added = enter(container, plan, attached);
  if (added.has_value()) return added;
  const Status undone = take_off(container, host, frozen, plan_undo(frozen.mounts, attached));
  if (!undone.has_value()) log::warning(undone.error().message());
  return added;
}

Status remove_mounts(const container::Store& store, const std::string& id, const std::string& file) {
  const Container container = TRY(Container::open(store, id, Container::Lock::exclusive));
  TRY(check_status(container.status()));
  spec::Spec frozen = TRY(spec::read(TRY(container.frozen_config())));
  return take_off(container, TRY(probe_host({})), frozen, TRY(read_mounts_file(file).context("mounts file")));
}

}  // namespace capsule::launch
