// Network devices moved between two network namespaces, and back again unless told otherwise: the one
// executor of this folder. It runs on the host side, while init waits.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "namespaces/net_link.h"
#include "namespaces/plan.h"
#include "runtime/base/fd.h"
#include "runtime/base/result.h"

namespace capsule::ns {

// One network namespace as seen from outside: itself, and a routing socket that was opened in it.
class Network {
 public:
  Network() = default;
  static Result<Network> open_own();
  //   space   a descriptor of the namespace; the calling process visits it to open the socket
  //   fails   if it cannot be entered, or is `own`
  static Result<Network> open(UniqueFd space, const Network& own);

  [[nodiscard]] FdRef space() const noexcept { return space_; }
  using Reader = std::function<Status(const NetlinkMessage&)>;
  // Sends the request, hands every answer to `read` and returns how the request ended.
  //   object   what it is about, for the error
  Status ask(const NetlinkRequest& request, std::string_view object, const Reader& read = {});
  // A dump, which covers all of the namespace: begun again when anything changes in it meanwhile.
  //   begin   forgets what was read
  Status list(const NetlinkRequest& request,
              std::string_view object,
              const std::function<void()>& begin,
              const Reader& read);

 private:
  Network(UniqueFd space, UniqueFd socket) : space_(std::move(space)), socket_(std::move(socket)) {}

  UniqueFd space_;
  UniqueFd socket_;
  std::uint32_t sequence_ = 0;
};

// Devices that are in a container which may still fail. They go back where they came from, with their names,
// addresses and state, when this goes out of scope; unless kept. Routes and the bridge that a device was a
// port of do not survive a move, and so not its undoing either.
class MovedNetDevices {
 public:
  MovedNetDevices() = default;
  MovedNetDevices(MovedNetDevices&& other) noexcept { swap(other); }
  MovedNetDevices& operator=(MovedNetDevices&& other) noexcept {
    swap(other);
    return *this;
  }
  ~MovedNetDevices() { put_back(); }

  // Looks at everything first, so that what can be known beforehand is refused with nothing moved.
  //   container   descriptor of the container's network namespace
  //   fails       with the field of the device; those moved already are back then
  static Result<MovedNetDevices> move(const std::vector<NetDeviceMove>& moves, UniqueFd container);
  void keep() noexcept { moved_.clear(); }

 private:
  struct Device {
    Link link;                       // as it was outside
    std::vector<Address> addresses;  // in the order in which they are added again
    int index_inside = 0;
  };

  Result<Device> look(const NetDeviceMove& move);
  Status move_one(const NetDeviceMove& move, Device device);
  void put_back() noexcept;
  Status put_back_one(const Device& device);
  void swap(MovedNetDevices& other) noexcept;

  Network outside_;
  Network inside_;
  std::vector<Device> moved_;
};

}  // namespace capsule::ns
