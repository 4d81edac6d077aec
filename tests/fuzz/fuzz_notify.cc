// Datagrams from inside the container: what is passed on holds known names alone, no pid, no control
// character, and never more than arrived; passed through again it stays as it is.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/launch/notify_message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view datagram(reinterpret_cast<const char*>(data), size);
  const capsule::launch::Notification told = capsule::launch::filter_notification(datagram);
  if (told.lines.size() > datagram.size() + 1) __builtin_trap();
  if (told.ready && datagram.find("READY=1") == std::string_view::npos) __builtin_trap();
  const std::string lines = "\n" + told.lines;
  for (const char* forbidden : {"\nREADY", "\nMAINPID", "\nFDSTORE", "\nBARRIER", "\nNOTIFYACCESS"}) {
    if (lines.find(forbidden) != std::string::npos) __builtin_trap();
  }
  for (const char c : told.lines) {
    if (static_cast<unsigned char>(c) < 0x20 && c != '\n') __builtin_trap();
  }
  const capsule::launch::Notification again = capsule::launch::filter_notification(told.lines);
  if (again.ready || again.lines != told.lines) __builtin_trap();
  return 0;
}
