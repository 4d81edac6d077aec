// The payloads of the benchmark's containers, one program built twice:
//   nop    exits at once, so a timed `run` or `exec` contains no work of the payload's own
//   pause  blocks until it is killed: for containers that must be alive while another operation is timed
//
// Neither links a C library: the start-up of a static glibc alone (0.35-0.6 ms where CPUID traps) would be
// added to every runtime's time and pull all ratios towards one.
#include "bare.h"

extern "C" [[noreturn]] void bare_main(long*) {
#ifdef PAYLOAD_PAUSE
  for (;;) {
    bare::call(SYS_pause);
  }
#else
  bare::exit(0);
#endif
}

BARE_ENTRY_POINT;
