#include "namespaces/net_move.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "runtime/base/log.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"

namespace capsule::ns {
namespace {

constexpr std::size_t kDatagramSize = 32768;  // what the kernel fills at most in one go of a dump
constexpr int kAttempts = 32;                 // to list what others are changing

Status check_end(const NetlinkMessage& message, std::string_view object) {
  const NetlinkEnd end = TRY(parse_netlink_end(message));
  if (end.err == 0) return {};
  return Error::system("rtnetlink", end.err, object).hint(end.words);
}

Error changed_meanwhile(std::string_view object) {
  return Error::system("rtnetlink", EAGAIN, object).hint("the devices changed while they were listed");
}

Result<bool> is_same(FdRef one, FdRef other) {
  const struct stat a = TRY(sys::fstat(one));
  const struct stat b = TRY(sys::fstat(other));
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

// A socket belongs to the namespace in which it was made, and a namespace is no argument of socket(2). There
// are no other threads that could notice the visit.
Result<UniqueFd> open_socket_in(FdRef space, FdRef own) {
  TRY(sys::setns(space, CLONE_NEWNET, "the container's network namespace"));
  Result<UniqueFd> socket = sys::netlink_socket();
  TRY(sys::setns(own, CLONE_NEWNET, "the own network namespace"));
  return socket;
}

// nullopt: there is no such device.
Result<std::optional<Link>> find_link(Network& network,
                                      const NetlinkRequest& request,
                                      std::string_view name) {
  std::optional<Link> found;
  Status asked = network.ask(request, name, [&](const NetlinkMessage& message) -> Status {
    found = TRY(parse_link(message));
    return {};
  });
  if (!asked.has_value() && asked.error().code() == ENODEV) return std::optional<Link>();
  TRY(std::move(asked));
  return found;
}

// The same as before if nobody has it: what a program outside may remember stays right.
Result<int> find_free_index(Network& network, int wanted, std::string_view name) {
  std::vector<int> taken;
  const auto begin = [&] { taken = {wanted}; };
  TRY(network.list(all_links_request(), name, begin, [&](const NetlinkMessage& message) -> Status {
    taken.push_back(TRY(parse_link(message)).index);
    return {};
  }));
  const bool is_free = std::count(taken.begin(), taken.end(), wanted) == 1;
  return is_free ? wanted : *std::max_element(taken.begin(), taken.end()) + 1;
}

// In the order in which they must be added to be in the same order again: the kernel appends IPv4 addresses
// and puts IPv6 ones first.
Result<std::vector<Address>> read_addresses(Network& network, const Link& link) {
  std::vector<Address> addresses;
  const auto begin = [&] { addresses.clear(); };
  TRY(network.list(addresses_request(link.index), link.name, begin,
                   [&](const NetlinkMessage& message) -> Status {
                     Address address = TRY(parse_address(message));
                     if (address.index != link.index || !is_preserved(address)) return {};
                     addresses.insert(address.family == AF_INET6 ? addresses.begin() : addresses.end(),
                                      std::move(address));
                     return {};
                   }));
  return addresses;
}

// The kernel took addresses and state from the device when it changed its namespace.
Status restore_addresses(Network& network,
                         const std::vector<Address>& addresses,
                         std::string_view old_name,
                         const Link& link) {
  for (const Address& address : addresses) {
    const std::string label = label_after_rename(address.label, old_name, link.name);
    TRY(network.ask(add_address_request(address, link.index, label), link.name).context("add its address"));
  }
  return {};
}

Status move_link(Network& from, const Link& link, const std::string& name, FdRef to, int new_index) {
  // Not set down before: the kernel does so itself (dev_close in __dev_change_net_namespace), and a device
  // that may not be moved at all is then left alone.
  return from.ask(move_request(link.index, name, to.get(), new_index), link.name).context("move it");
}

}  // namespace

Result<Network> Network::open_own() {
  UniqueFd space = TRY(sys::openat(FdRef::cwd(), "/proc/self/ns/net", O_RDONLY));
  return Network(std::move(space), TRY(sys::netlink_socket()));
}

Result<Network> Network::open(UniqueFd space, const Network& own) {
  if (TRY(is_same(space, own.space_)))
    return Error::wrong_state("the container's network namespace is the one that the devices are in already");
  UniqueFd socket = TRY(open_socket_in(space, own.space_));
  return Network(std::move(space), std::move(socket));
}

Status Network::ask(const NetlinkRequest& request, std::string_view object, const Reader& read) {
  TRY(sys::send_with_fd(socket_, request.finish(++sequence_), -1).context("rtnetlink ", object));
  std::array<char, kDatagramSize> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): received into
  bool is_mixed = false;                   // of what was before a change and what is after it
  for (;;) {
    const std::size_t got = TRY(sys::recv(socket_, buffer).context("rtnetlink ", object));
    for (const NetlinkMessage& message : TRY(parse_netlink_datagram({buffer.data(), got}))) {
      if (message.sequence != sequence_) continue;  // left over from a request that was given up
      is_mixed = is_mixed || (message.flags & NLM_F_DUMP_INTR) != 0;
      if (message.type == NLMSG_ERROR || message.type == NLMSG_DONE) {
        TRY(check_end(message, object));
        return is_mixed ? changed_meanwhile(object) : Status();
      }
      if (read) TRY(read(message));
    }
  }
}

Status Network::list(const NetlinkRequest& request,
                     std::string_view object,
                     const std::function<void()>& begin,
                     const Reader& read) {
  for (int left = kAttempts; left > 0; --left) {
    begin();
    Status listed = ask(request, object, read);
    if (listed.has_value() || listed.error().code() != EAGAIN) return listed;
  }
  return changed_meanwhile(object);
}

Result<MovedNetDevices> MovedNetDevices::move(const std::vector<NetDeviceMove>& moves, UniqueFd container) {
  MovedNetDevices moved;
  moved.outside_ = TRY(Network::open_own());
  moved.inside_ = TRY(Network::open(std::move(container), moved.outside_).context("/linux/netDevices"));
  std::vector<Device> devices;
  for (const NetDeviceMove& move : moves)
    devices.push_back(TRY(moved.look(move).context(move.field)));
  for (std::size_t i = 0; i < moves.size(); ++i)
    TRY(moved.move_one(moves[i], std::move(devices[i])).context(moves[i].field));
  return moved;
}

// config-linux.md#network-devices: a name that exists in the container is an error, a template is not.
Result<MovedNetDevices::Device> MovedNetDevices::look(const NetDeviceMove& move) {
  const std::string& name = move.host_name;
  std::optional<Link> link = TRY(find_link(outside_, link_request(name), name));
  if (!link.has_value()) return Error::not_found(cat({"there is no network device ", quoted(name)}));
  if (link->name != name) return Error::not_found(cat({"is only another name of ", quoted(link->name)}));
  if (link->is_loopback()) return Error::unsupported("a loopback device cannot be moved");

  const bool is_template = move.name.find('%') != std::string::npos;
  if (!is_template && TRY(find_link(inside_, link_request(move.name), move.name)).has_value()) {
    return Error::wrong_state(
        cat({"the container's network namespace has a device ", quoted(move.name), " already"}));
  }
  std::vector<Address> addresses = TRY(read_addresses(outside_, *link));
  return Device{*std::move(link), std::move(addresses)};
}

Status MovedNetDevices::move_one(const NetDeviceMove& move, Device device) {
  const Link& link = device.link;
  device.index_inside = TRY(find_free_index(inside_, link.index, link.name));
  Status moved = move_link(outside_, link, move.name, inside_.space(), device.index_inside);
  // The request moves first and renames then: when it fails, the device may be on either side.
  if (!moved.has_value() && TRY(find_link(outside_, link_request(link.index), link.name)).has_value())
    return moved;
  moved_.push_back(std::move(device));
  TRY(std::move(moved));

  // By its index, for the kernel has chosen the name if that was a template.
  const Device& here = moved_.back();
  const std::optional<Link> inside = TRY(find_link(inside_, link_request(here.index_inside), here.link.name));
  if (!inside.has_value()) return Error::peer("the device did not arrive in the container");
  TRY(restore_addresses(inside_, here.addresses, here.link.name, *inside));
  return inside_.ask(up_request(inside->index), inside->name).context("set it up");
}

void MovedNetDevices::put_back() noexcept {
  for (auto device = moved_.rbegin(); device != moved_.rend(); ++device) {
    const Status back = put_back_one(*device);
    if (!back.has_value())
      log::warning(cat({"network device ", device->link.name, " is not back: ", back.error().message()}));
  }
  moved_.clear();
}

Status MovedNetDevices::put_back_one(const Device& device) {
  const std::string& name = device.link.name;
  const std::optional<Link> inside = TRY(find_link(inside_, link_request(device.index_inside), name));
  if (!inside.has_value()) return Error::not_found("it is no longer in the container");
  const int index = TRY(find_free_index(outside_, device.link.index, name));
  TRY(move_link(inside_, *inside, name, outside_.space(), index));
  TRY(restore_addresses(outside_, device.addresses, name, Link{index, device.link.flags, name}));
  return device.link.is_up() ? outside_.ask(up_request(index), name) : Status();
}

void MovedNetDevices::swap(MovedNetDevices& other) noexcept {
  std::swap(outside_, other.outside_);
  std::swap(inside_, other.inside_);
  std::swap(moved_, other.moved_);
}

}  // namespace capsule::ns
