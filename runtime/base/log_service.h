// What the two services that collect a host's logs want to read: one datagram for one event.
#pragma once

#include <string>
#include <string_view>

namespace capsule::log {

enum class Level : unsigned char { error, warning, info, debug };

// syslog(3): "<11>IDENT[PID]: MESSAGE". The time is left to the daemon, which knows better.
std::string format_syslog(std::string_view identifier, int pid, Level level, std::string_view message);

// journald's native protocol: a line for each field, or, for what has line feeds, its length and the bytes
// (systemd.io/JOURNAL_NATIVE_PROTOCOL).
std::string format_journal(std::string_view identifier, Level level, std::string_view message);

}  // namespace capsule::log
