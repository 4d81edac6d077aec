// capsule-systemd: the program inside capsule that speaks D-Bus. It is given one request, answers in one
// line, and after start_around_me stays where systemd has put it.
//
// A program of its own, because libdbus and what it brings along would otherwise lie in memory at every start
// of a container (240 KiB), and because it must be somebody else in a user namespace.
#include <unistd.h>

#include <cstddef>
#include <string>
#include <vector>

#include "cgroups/systemd_bus.h"
#include "cgroups/systemd_request.h"
#include "runtime/base/file.h"
#include "runtime/base/sys.h"

namespace {

using namespace capsule;
using namespace capsule::cgroups;
using Verb = SystemdRequest::Verb;

std::vector<UnitProperty> known_to(unsigned version, const std::vector<PlannedProperty>& planned) {
  std::vector<UnitProperty> properties;
  for (const PlannedProperty& p : planned)
    if (version >= p.since) properties.push_back(p.property);
  return properties;
}

Status start(SystemdBus& bus, const SystemdRequest& request) {
  std::vector<UnitProperty> properties = known_to(TRY(bus.version()), request.properties);
  if (request.verb == Verb::start_around_me) properties.push_back({"PIDs", pids_of({::getpid()})});
  return bus.start_transient_unit(request.unit, properties);
}

Status stop(SystemdBus& bus, const std::string& unit) {
  TRY(bus.stop_unit(unit));
  bus.reset_failed_unit(unit);
  return {};
}

Status change(SystemdBus& bus, const SystemdRequest& request) {
  return bus.set_unit_properties(request.unit, known_to(TRY(bus.version()), request.properties));
}

Result<Verb> perform() {
  const std::string text = TRY(read_fd(FdRef(kRequestDescriptor), "request"));
  const SystemdRequest request = TRY(decode_request(text));
  SystemdBus bus =
      TRY(SystemdBus::connect(bus_addresses(request.manager, request.uid), Deadline(kSystemdTimeoutMs)));
  if (request.verb == Verb::stop) {
    TRY(stop(bus, request.unit));
  } else if (request.verb == Verb::change) {
    TRY(change(bus, request));
  } else {
    TRY(start(bus, request));
  }
  return request.verb;
}

}  // namespace

int main() {
  const Result<Verb> done = perform();
  const std::string words = done.has_value() ? std::string(1, kAnswerDone) : done.error().message();
  (void)sys::write_all(FdRef(kAnswerDescriptor), words);
  (void)::close(kAnswerDescriptor);
  if (!done.has_value()) return 1;
  if (done.value() != Verb::start_around_me) return 0;
  (void)::alarm(0);
  for (;;)
    (void)::pause();
}
