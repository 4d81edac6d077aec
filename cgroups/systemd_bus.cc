#include "cgroups/systemd_bus.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <dbus/dbus.h>
#include <optional>
#include <utility>

#include "runtime/base/sys.h"
#include "runtime/base/text.h"

namespace capsule::cgroups {
namespace {

constexpr const char* kService = "org.freedesktop.systemd1";
constexpr const char* kPath = "/org/freedesktop/systemd1";
constexpr const char* kManager = "org.freedesktop.systemd1.Manager";
constexpr const char* kNoSuchUnit = "org.freedesktop.systemd1.NoSuchUnit";
constexpr const char* kUnitExists = "org.freedesktop.systemd1.UnitExists";
constexpr std::string_view kUnixPath = "unix:path=";

// libdbus's record of what went wrong.
class BusError {
 public:
  BusError() { ::dbus_error_init(&error_); }
  BusError(const BusError&) = delete;
  BusError& operator=(const BusError&) = delete;
  ~BusError() { ::dbus_error_free(&error_); }
  DBusError* get() { return &error_; }
  [[nodiscard]] std::string text() const {
    return error_.message == nullptr ? "no reason given" : error_.message;
  }
  [[nodiscard]] bool is(const char* name) const { return ::dbus_error_has_name(&error_, name) != 0; }

 private:
  DBusError error_{};
};

Error out_of_memory() {
  return Error::system("dbus_message_append", ENOMEM);
}

// ---- values to messages

bool append(DBusMessageIter* at, const BusValue& value);

bool append_items(DBusMessageIter* at, int kind, const char* signature, const std::vector<BusValue>& items) {
  DBusMessageIter inside;
  if (::dbus_message_iter_open_container(at, kind, signature, &inside) == 0) return false;
  for (const BusValue& item : items)
    if (!append(&inside, item)) return false;
  return ::dbus_message_iter_close_container(at, &inside) != 0;
}

template <class T>
bool append_as(DBusMessageIter* at, char type, T value) {
  return ::dbus_message_iter_append_basic(at, type, &value) != 0;
}

bool append(DBusMessageIter* at, const BusValue& value) {
  const char type = value.signature.front();
  switch (type) {
    case 'b':
      return append_as<dbus_bool_t>(at, type, value.number != 0 ? 1 : 0);
    case 'y':
      return append_as(at, type, static_cast<unsigned char>(value.number));
    case 'n':
    case 'q':
      return append_as(at, type, static_cast<dbus_uint16_t>(value.number));
    case 'i':
    case 'u':
      return append_as(at, type, static_cast<dbus_uint32_t>(value.number));
    case 'x':
    case 't':
      return append_as(at, type, static_cast<dbus_uint64_t>(value.number));
    case 'd':
      return append_as(at, type, std::strtod(value.text.c_str(), nullptr));
    case 'a':
      return append_items(at, DBUS_TYPE_ARRAY, value.signature.c_str() + 1, value.items);
    case '(':
      return append_items(at, DBUS_TYPE_STRUCT, nullptr, value.items);
    default:
      return append_as(at, type, value.text.c_str());
  }
}

bool append_text(DBusMessageIter* at, const std::string& text) {
  return append_as(at, 's', text.c_str());
}

// a(sv)
bool append_properties(DBusMessageIter* at, const std::vector<UnitProperty>& properties) {
  DBusMessageIter array;
  if (::dbus_message_iter_open_container(at, DBUS_TYPE_ARRAY, "(sv)", &array) == 0) return false;
  for (const UnitProperty& property : properties) {
    DBusMessageIter entry;
    DBusMessageIter variant;
    const bool is_appended =
        ::dbus_message_iter_open_container(&array, DBUS_TYPE_STRUCT, nullptr, &entry) != 0 &&
        append_text(&entry, property.name) &&
        ::dbus_message_iter_open_container(&entry, DBUS_TYPE_VARIANT, property.value.signature.c_str(),
                                           &variant) != 0 &&
        append(&variant, property.value) && ::dbus_message_iter_close_container(&entry, &variant) != 0 &&
        ::dbus_message_iter_close_container(&array, &entry) != 0;
    if (!is_appended) return false;
  }
  return ::dbus_message_iter_close_container(at, &array) != 0;
}

// a(sa(sv)), of which StartTransientUnit wants an empty one: units to make besides.
bool append_no_units(DBusMessageIter* at) {
  return append_items(at, DBUS_TYPE_ARRAY, "(sa(sv))", {});
}

DBusMessage* new_call(const char* method) {
  return ::dbus_message_new_method_call(kService, kPath, kManager, method);
}

// ---- reaching the bus

// libdbus waits in connect(2) for as long as a listener with a full queue lets it.
Status check_listener(const std::string& address) {
  if (!address.starts_with(kUnixPath)) return {};
  const std::string path = address.substr(kUnixPath.size(), address.find(',') - kUnixPath.size());
  const UniqueFd probe = TRY(sys::unix_socket(SOCK_STREAM | SOCK_NONBLOCK));
  return sys::unix_connect_path(probe, path);
}

Result<DBusConnection*> open_connection(const std::string& address) {
  Status listens = check_listener(address);
  if (!listens.has_value()) return std::move(listens).error();
  BusError error;
  DBusConnection* connection = ::dbus_connection_open_private(address.c_str(), error.get());
  if (connection == nullptr) return Error::peer(cat({address, ": ", error.text()}));
  ::dbus_connection_set_exit_on_disconnect(connection, 0);
  return connection;
}

std::string from_environment(const char* name) {
  const char* value = ::secure_getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

}  // namespace

void SystemdBus::Free::operator()(DBusMessage* message) const noexcept {
  ::dbus_message_unref(message);
}

void SystemdBus::Free::operator()(DBusConnection* connection) const noexcept {
  ::dbus_connection_close(connection);
  ::dbus_connection_unref(connection);
}

SystemdBus::SystemdBus(Connection connection, const Deadline& deadline)
    : connection_(std::move(connection)), deadline_(deadline) {}
SystemdBus::SystemdBus(SystemdBus&&) noexcept = default;
SystemdBus& SystemdBus::operator=(SystemdBus&&) noexcept = default;
SystemdBus::~SystemdBus() = default;

Result<SystemdBus> SystemdBus::connect(const std::vector<std::string>& addresses, const Deadline& deadline) {
  std::string refusals;
  for (const std::string& address : addresses) {
    Result<DBusConnection*> opened = open_connection(address);
    if (opened.has_value()) {
      SystemdBus bus(Connection(std::move(opened).value()), deadline);
      Status greeted = bus.say_hello();
      if (greeted.has_value()) greeted = bus.watch_jobs();
      if (greeted.has_value()) return bus;
      return std::move(greeted).error().with({"systemd at ", address});  // it listens: no other one to ask
    }
    refusals.append(cat({refusals.empty() ? "" : "; ", opened.error().message()}));
  }
  return Error::peer(cat({"systemd cannot be reached over D-Bus: ", refusals}));
}

// A bus wants to be greeted and tells our name on it; systemd's own socket is no bus, and knows no greeting.
Status SystemdBus::say_hello() {
  Message hello(::dbus_message_new_method_call("org.freedesktop.DBus", "/org/freedesktop/DBus",
                                               "org.freedesktop.DBus", "Hello"));
  if (hello == nullptr) return out_of_memory();
  const Reply reply = TRY(call("Hello", std::move(hello)));
  if (reply.error_name.empty() && !reply.text.empty())
    (void)::dbus_bus_set_unique_name(connection_.get(), reply.text.c_str());
  return {};
}

// Asked for before there is a job to wait for. Neither answer matters: without a bus there is nobody to
// match, and the one who made a job hears of its end in any case.
Status SystemdBus::watch_jobs() {
  const char* rule =
      "type='signal',sender='org.freedesktop.systemd1',path='/org/freedesktop/systemd1',"
      "interface='org.freedesktop.systemd1.Manager',member='JobRemoved'";
  const Message match(::dbus_message_new_method_call("org.freedesktop.DBus", "/org/freedesktop/DBus",
                                                     "org.freedesktop.DBus", "AddMatch"));
  const Message subscribe(new_call("Subscribe"));
  if (match == nullptr || subscribe == nullptr) return out_of_memory();
  if (::dbus_message_append_args(match.get(), DBUS_TYPE_STRING, &rule, DBUS_TYPE_INVALID) == 0)
    return out_of_memory();
  for (const Message* message : {&match, &subscribe}) {
    ::dbus_message_set_no_reply(message->get(), 1);
    if (::dbus_connection_send(connection_.get(), message->get(), nullptr) == 0) return out_of_memory();
  }
  return {};
}

Result<SystemdBus::Reply> SystemdBus::call(const std::string& what, Message message) {
  BusError error;
  const int timeout_ms = deadline_.remaining_ms();
  const Message answer(timeout_ms == 0 ? nullptr
                                       : ::dbus_connection_send_with_reply_and_block(
                                             connection_.get(), message.get(), timeout_ms, error.get()));
  const bool is_late = timeout_ms == 0 || error.is(DBUS_ERROR_NO_REPLY) || error.is(DBUS_ERROR_TIMEOUT);
  if (answer == nullptr && is_late)
    return deadline_.remaining_ms() > 0 ? Error::peer(cat({"systemd left without answering ", what}))
                                        : Error::peer(cat({"systemd has not answered ", what, " in time"}));
  if (answer == nullptr && error.is(DBUS_ERROR_DISCONNECTED))
    return Error::peer(cat({"the connection to systemd was lost during ", what}));
  if (answer == nullptr) return Reply{error.get()->name == nullptr ? "" : error.get()->name, error.text()};

  Reply reply;
  DBusMessageIter at;
  if (::dbus_message_iter_init(answer.get(), &at) == 0) return reply;
  const int type = ::dbus_message_iter_get_arg_type(&at);
  if (type == DBUS_TYPE_STRING || type == DBUS_TYPE_OBJECT_PATH) {
    const char* text = nullptr;
    ::dbus_message_iter_get_basic(&at, &text);
    reply.text = text;
  } else if (type == DBUS_TYPE_VARIANT) {
    DBusMessageIter inside;
    ::dbus_message_iter_recurse(&at, &inside);
    if (::dbus_message_iter_get_arg_type(&inside) != DBUS_TYPE_STRING) return reply;
    const char* text = nullptr;
    ::dbus_message_iter_get_basic(&inside, &text);
    reply.text = text;
  }
  return reply;
}

Result<unsigned> SystemdBus::version() {
  Message get(::dbus_message_new_method_call(kService, kPath, "org.freedesktop.DBus.Properties", "Get"));
  if (get == nullptr) return out_of_memory();
  DBusMessageIter at;
  ::dbus_message_iter_init_append(get.get(), &at);
  if (!append_text(&at, kManager) || !append_text(&at, "Version")) return out_of_memory();
  const Reply reply = TRY(call("Version", std::move(get)));
  if (!reply.error_name.empty()) return Error::peer(cat({"systemd does not tell its version: ", reply.text}));
  std::string_view digits = reply.text;
  const std::size_t start = std::min(digits.find_first_of("0123456789"), digits.size());
  digits = digits.substr(start, digits.find_first_not_of("0123456789", start) - start);
  return parse_integer<unsigned>(digits).value_or(0);
}

Status SystemdBus::start_transient_unit(const std::string& unit,
                                        const std::vector<UnitProperty>& properties) {
  for (bool is_first = true;; is_first = false) {
    Message start(new_call("StartTransientUnit"));
    if (start == nullptr) return out_of_memory();
    DBusMessageIter at;
    ::dbus_message_iter_init_append(start.get(), &at);
    if (!append_text(&at, unit) || !append_text(&at, "fail") || !append_properties(&at, properties) ||
        !append_no_units(&at))
      return out_of_memory();
    const Reply reply = TRY(call("StartTransientUnit", std::move(start)));
    if (reply.error_name.empty()) return wait_for_job(unit, "start", reply.text);
    if (reply.error_name != kUnitExists || !is_first)
      return Error::peer(cat({"systemd refused to start unit ", unit, ": ", reply.text}));
    reset_failed_unit(unit);
  }
}

Status SystemdBus::stop_unit(const std::string& unit) {
  Message stop(new_call("StopUnit"));
  if (stop == nullptr) return out_of_memory();
  DBusMessageIter at;
  ::dbus_message_iter_init_append(stop.get(), &at);
  if (!append_text(&at, unit) || !append_text(&at, "replace")) return out_of_memory();
  const Reply reply = TRY(call("StopUnit", std::move(stop)));
  if (reply.error_name == kNoSuchUnit) return {};
  if (!reply.error_name.empty())
    return Error::peer(cat({"systemd refused to stop unit ", unit, ": ", reply.text}));
  return wait_for_job(unit, "stop", reply.text);
}

void SystemdBus::reset_failed_unit(const std::string& unit) {
  Message reset(new_call("ResetFailedUnit"));
  if (reset == nullptr) return;
  DBusMessageIter at;
  ::dbus_message_iter_init_append(reset.get(), &at);
  if (append_text(&at, unit)) (void)call("ResetFailedUnit", std::move(reset));
}

Status SystemdBus::set_unit_properties(const std::string& unit, const std::vector<UnitProperty>& properties) {
  Message set(new_call("SetUnitProperties"));
  if (set == nullptr) return out_of_memory();
  DBusMessageIter at;
  ::dbus_message_iter_init_append(set.get(), &at);
  const bool is_appended =
      append_text(&at, unit) && append_as<dbus_bool_t>(&at, 'b', 1) && append_properties(&at, properties);
  if (!is_appended) return out_of_memory();
  const Reply reply = TRY(call("SetUnitProperties", std::move(set)));
  if (reply.error_name.empty()) return {};
  return Error::peer(cat({"systemd refused to change unit ", unit, ": ", reply.text}));
}

// Whatever comes: signals of other jobs too.
Result<SystemdBus::Message> SystemdBus::next_message(const std::string& what) {
  for (;;) {
    Message message(::dbus_connection_pop_message(connection_.get()));
    if (message != nullptr) return message;
    const int timeout_ms = deadline_.remaining_ms();
    if (timeout_ms == 0) return Error::peer(cat({"systemd did not finish ", what, " in time"}));
    if (::dbus_connection_read_write(connection_.get(), timeout_ms) == 0)
      return Error::peer(cat({"the connection to systemd was lost before it finished ", what}));
  }
}

Status SystemdBus::wait_for_job(const std::string& unit, const std::string& verb, const std::string& job) {
  const std::string what = cat({verb, "ing unit ", unit});
  for (;;) {
    const Message message = TRY(next_message(verb == "stop" ? cat({"stopping unit ", unit}) : what));
    if (::dbus_message_is_signal(message.get(), kManager, "JobRemoved") == 0) continue;
    dbus_uint32_t id = 0;
    const char* path = nullptr;
    const char* of_unit = nullptr;
    const char* result = nullptr;
    const bool is_understood =
        ::dbus_message_get_args(message.get(), nullptr, DBUS_TYPE_UINT32, &id, DBUS_TYPE_OBJECT_PATH, &path,
                                DBUS_TYPE_STRING, &of_unit, DBUS_TYPE_STRING, &result,
                                DBUS_TYPE_INVALID) != 0;
    if (!is_understood || path != job) continue;
    if (result == std::string_view("done")) return {};
    return Error::peer(
        cat({"systemd could not ", verb, " unit ", unit, ": its job ended with \"", result, "\""}));
  }
}

std::vector<std::string> bus_addresses(Manager manager, std::uint32_t uid) {
  std::vector<std::string> addresses;
  const auto add_path = [&](const std::string& path) {
    char* escaped = ::dbus_address_escape_value(path.c_str());
    if (escaped != nullptr) addresses.push_back(cat({kUnixPath, escaped}));
    ::dbus_free(escaped);
  };
  if (manager == Manager::system) {
    const std::string told = from_environment("DBUS_SYSTEM_BUS_ADDRESS");
    if (!told.empty()) return {told};
    add_path("/run/dbus/system_bus_socket");
    add_path("/run/systemd/private");
    return addresses;
  }
  const std::string told = from_environment("DBUS_SESSION_BUS_ADDRESS");
  if (!told.empty()) addresses.push_back(told);
  const std::string directory = from_environment("XDG_RUNTIME_DIR");
  if (!directory.empty()) add_path(cat({directory, "/bus"}));
  add_path(cat({"/run/user/", std::to_string(uid), "/bus"}));
  return addresses;
}

}  // namespace capsule::cgroups
