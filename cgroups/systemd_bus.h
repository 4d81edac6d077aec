// systemd's Manager over D-Bus: the only file pair that knows libdbus.
//
// Every call has a deadline, so that a manager that is slow or gone ends in a sentence. libdbus keeps state
// of its own, reads the environment and may be made to wait in a lookup: systemd.cc calls this in a process
// of its own, which can be killed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cgroups/systemd_unit.h"
#include "cgroups/systemd_value.h"
#include "cgroups/wait.h"
#include "runtime/base/result.h"

struct DBusConnection;
struct DBusMessage;

namespace capsule::cgroups {

class SystemdBus {
 public:
  // `addresses` in their order until one answers: D-Bus addresses (D-Bus Specification, "Server Addresses").
  //   fails   peer "no D-Bus to reach systemd by: …", with what each said
  static Result<SystemdBus> connect(const std::vector<std::string>& addresses, const Deadline& deadline);
  SystemdBus(SystemdBus&&) noexcept;
  SystemdBus& operator=(SystemdBus&&) noexcept;
  ~SystemdBus();

  // "257.9-1" -> 257.
  Result<unsigned> version();
  // Makes a transient unit and waits until its job is done. What an earlier container of this name left as
  // failed is reset first, if that is in the way.
  Status start_transient_unit(const std::string& unit, const std::vector<UnitProperty>& properties);
  // Stops it and waits; a unit that is not loaded is stopped already.
  Status stop_unit(const std::string& unit);
  // Makes systemd forget a unit that failed; says nothing of one that did not.
  void reset_failed_unit(const std::string& unit);
  // Until the next boot.
  Status set_unit_properties(const std::string& unit, const std::vector<UnitProperty>& properties);

 private:
  struct Reply {
    std::string error_name;  // empty: it is no error
    std::string text;        // of the error, or the first argument if that is a string or an object path
  };
  struct Free {
    void operator()(DBusMessage* message) const noexcept;
    void operator()(DBusConnection* connection) const noexcept;
  };
  using Message = std::unique_ptr<DBusMessage, Free>;
  using Connection = std::unique_ptr<DBusConnection, Free>;

  SystemdBus(Connection connection, const Deadline& deadline);
  Status say_hello();
  Status watch_jobs();
  Result<Reply> call(const std::string& what, Message message);
  Result<Reply> call_manager(const std::string& what, const char* method, Message message);
  Status wait_for_job(const std::string& unit, const std::string& verb, const std::string& job);
  Result<Message> next_message(const std::string& what);

  Connection connection_;
  Deadline deadline_;
};

// Where the manager's bus is: $DBUS_SYSTEM_BUS_ADDRESS or the usual socket, then systemd's own; for a user
// $DBUS_SESSION_BUS_ADDRESS, then $XDG_RUNTIME_DIR/bus, then /run/user/UID/bus.
std::vector<std::string> bus_addresses(Manager manager, std::uint32_t uid);

}  // namespace capsule::cgroups
