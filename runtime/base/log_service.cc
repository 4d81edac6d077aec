#include "runtime/base/log_service.h"

#include <array>
#include <cstdint>

#include "runtime/base/text.h"

namespace capsule::log {
namespace {

constexpr int kUserFacility = 1 << 3;  // LOG_USER

// syslog(3)'s severities, which the journal's PRIORITY shares.
int severity_of(Level level) {
  constexpr std::array<int, 4> kSeverities{3, 4, 6, 7};
  return kSeverities[static_cast<std::size_t>(level)];
}

void add_field(std::string_view name, std::string_view value, std::string& datagram) {
  datagram.append(name);
  if (value.find('\n') == std::string_view::npos) {
    datagram.append("=").append(value).append("\n");
    return;
  }
  datagram.append("\n");
  std::uint64_t size = value.size();
  for (unsigned byte = 0; byte < sizeof(size); ++byte, size >>= 8U)
    datagram.push_back(static_cast<char>(size & 0xffU));
  datagram.append(value).append("\n");
}

}  // namespace

std::string format_syslog(std::string_view identifier, int pid, Level level, std::string_view message) {
  std::string datagram = cat({"<", std::to_string(kUserFacility | severity_of(level)), ">", identifier, "[",
                              std::to_string(pid), "]: ", message});
  for (char& c : datagram) {
    if (c == '\n') c = ' ';  // a line feed would begin another event
  }
  return datagram;
}

std::string format_journal(std::string_view identifier, Level level, std::string_view message) {
  std::string datagram;
  add_field("MESSAGE", message, datagram);
  add_field("PRIORITY", std::to_string(severity_of(level)), datagram);
  add_field("SYSLOG_IDENTIFIER", identifier, datagram);
  return datagram;
}

}  // namespace capsule::log
