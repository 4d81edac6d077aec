// The plain floor: P1 goes on in P0's memory until it executes the payload, and nobody talks.
#include "floor.h"

namespace floor {

void (*const become_for_run)() = become_container;
void (*const become_for_exec)() = become_exec_process;

void stay_on_processor() {}

void prepare_conversation() {}

void converse(bool /*awaits_ready*/) {}

}  // namespace floor
