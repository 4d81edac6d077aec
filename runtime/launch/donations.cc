#include "runtime/launch/donations.h"

#include <fcntl.h>
#include <sys/ioctl.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/launch/id_mapped.h"

namespace capsule::launch {
namespace {

using plan::Donation;

constexpr unsigned long kNsGetNstype = 0xb703;  // NS_GET_NSTYPE (ioctl_ns(2)), Linux 4.11

Status set_mount_attributes(FdRef mount, const plan::MountAttributes& a, const std::string& object) {
  if ((a.recursive_set | a.recursive_clear | a.recursive_propagation) != 0) {
    TRY(sys::mount_setattr(mount, AT_RECURSIVE,
                           mount_attr{a.recursive_set, a.recursive_clear, a.recursive_propagation, 0},
                           object));
  }
  if ((a.set | a.clear | a.propagation) != 0) {
    TRY(sys::mount_setattr(mount, 0, mount_attr{a.set, a.clear, a.propagation, 0}, object));
  }
  return {};
}

Status prepare_mount(FdRef mount, const Donation& d, const std::string& object) {
  if (!d.uid_map.empty()) {
    const UniqueFd maps = TRY(make_user_namespace(d.uid_map, d.gid_map));
    TRY(set_id_map(mount, maps, d.recursive_idmap, object));
  }
  return set_mount_attributes(mount, d.attributes, object);
}

Result<UniqueFd> open_mount(const Donation& d) {
  const bool recursive = d.recursive || d.kind == Donation::Kind::rootfs;
  const unsigned flags = OPEN_TREE_CLONE | (recursive ? unsigned{AT_RECURSIVE} : 0U) |
                         (d.nofollow ? unsigned{AT_SYMLINK_NOFOLLOW} : 0U);
  Result<UniqueFd> tree = sys::open_tree(FdRef::cwd(), d.source.c_str(), flags);
  if (!tree.has_value() && tree.error().code() == ENOENT && d.ignore_missing) return UniqueFd();
  UniqueFd mount = TRY(std::move(tree));
  TRY(prepare_mount(mount, d, d.source));
  return mount;
}

// The kernel explains a refused parameter in the context's log: "e tmpfs: Bad value for 'size'".
Status explain(Status refused, FdRef context) {
  std::array<char, 256> log{};
  const Result<std::size_t> got = sys::read(context, log);
  if (!got.has_value() || got.value() <= 2) return refused;
  return std::move(refused).error().hint(std::string_view(log.data() + 2, got.value() - 2));
}

Status set_parameter(FdRef context, const Donation& d, const std::string& parameter) {
  const std::size_t equals = parameter.find('=');
  const std::string object = cat({d.type, " ", parameter});
  if (equals == std::string::npos)
    return sys::fsconfig(context, FSCONFIG_SET_FLAG, parameter.c_str(), nullptr, object);
  return sys::fsconfig(context, FSCONFIG_SET_STRING, parameter.substr(0, equals).c_str(),
                       parameter.c_str() + equals + 1, object);
}

Status configure(FdRef context, const Donation& d) {
  TRY(sys::fsconfig(context, FSCONFIG_SET_STRING, "source", d.source.c_str(), cat({d.type, " ", d.source})));
  for (const std::string& parameter : d.parameters)
    TRY(set_parameter(context, d, parameter));
  return sys::fsconfig(context, FSCONFIG_CMD_CREATE, nullptr, nullptr, d.type);
}

Result<UniqueFd> make_filesystem(const Donation& d) {
  const UniqueFd context = TRY(sys::fsopen(d.type.c_str()));
  Status configured = configure(context, d);
  if (!configured.has_value()) return std::move(explain(std::move(configured), context)).error();
  UniqueFd mount = TRY(sys::fsmount(context, 0, d.type));
  TRY(prepare_mount(mount, d, d.type));
  return mount;
}

Result<UniqueFd> open_namespace(const Donation& d) {
  UniqueFd ns = TRY(sys::openat(FdRef::cwd(), d.source.c_str(), O_RDONLY | O_NOCTTY | O_NONBLOCK));
  const int type = ::ioctl(ns.get(), kNsGetNstype);
  if (type < 0) return Error::peer(cat({quoted(d.source), " is not a namespace"}));
  if (static_cast<std::uint64_t>(type) != d.clone_flag)
    return Error::peer(cat({quoted(d.source), " is a namespace of another type"}));
  return ns;
}

Result<UniqueFd> open_donation(const Donation& d) {
  using Kind = Donation::Kind;
  switch (d.kind) {
    case Kind::rootfs:
    case Kind::bind_source:
      return open_mount(d);
    case Kind::filesystem:
      return make_filesystem(d);
    case Kind::name_space:
      return open_namespace(d);
    case Kind::process_root:
      return sys::openat(FdRef::cwd(), d.source.c_str(), O_PATH | O_DIRECTORY);
    case Kind::console_socket:
    case Kind::seccomp_listener:
      return connect_to_listener(d.source);
    case Kind::sync_socket:
    case Kind::gate_socket:
    case Kind::process:
      break;
  }
  return UniqueFd();
}

}  // namespace

Result<UniqueFd> connect_to_listener(const std::string& path) {
  constexpr int kPatience = 5;  // seconds
  UniqueFd socket = TRY(sys::unix_socket(SOCK_STREAM));
  TRY(sys::set_send_timeout(socket, kPatience));
  TRY(sys::unix_connect_path(socket, path));
  return socket;
}

Result<UniqueFd> Donations::raise(UniqueFd fd) const {
  if (!fd.is_open() || fd.get() >= lowest_) return fd;
  return sys::dup_above(fd, lowest_);
}

Status Donations::open(const std::vector<Donation>& donations) {
  slots_.resize(donations.size());
  for (std::size_t slot = 0; slot < donations.size(); ++slot) {
    const Donation& d = donations[slot];
    if (slots_[slot].is_open() || (d.kind == Donation::Kind::console_socket && d.source.empty())) continue;
    Result<UniqueFd> opened = open_donation(d);
    if (!opened.has_value()) {
      return d.field.empty() ? std::move(opened).error() : std::move(opened).error().with({d.field});
    }
    slots_[slot] = TRY(raise(std::move(opened).value()));
  }
  return {};
}

Status Donations::put(std::uint16_t slot, UniqueFd fd) {
  if (slots_.size() <= slot) slots_.resize(slot + std::size_t{1});
  slots_[slot] = TRY(raise(std::move(fd)));
  return {};
}

Result<int> Donations::keep(UniqueFd fd) {
  others_.push_back(TRY(raise(std::move(fd))));
  return others_.back().get();
}

std::vector<std::int32_t> Donations::table() const {
  std::vector<std::int32_t> table;
  table.reserve(slots_.size());
  for (const UniqueFd& fd : slots_)
    table.push_back(fd.get());
  return table;
}

std::vector<int> Donations::numbers() const {
  std::vector<int> numbers;
  for (const auto* group : {&slots_, &others_}) {
    for (const UniqueFd& fd : *group) {
      if (fd.is_open()) numbers.push_back(fd.get());
    }
  }
  return numbers;
}

void fill_descriptor_table(std::string& image, const std::vector<std::int32_t>& table) {
  std::memcpy(image.data() + sizeof(plan::PlanHeader), table.data(), table.size() * sizeof(std::int32_t));
}

}  // namespace capsule::launch
