// A floor under the benchmark: the kernel work that config.json asks for, and nothing else.
//
// Everything is hard-coded and there is no C library: no JSON, no option parser, no validation, no hooks, no
// error messages worth the name, no protection of the host's binary. What a runtime takes beyond this
// program's time is its own work and can be argued about; what this program takes cannot be had for much less
// without leaving steps out. The distance to the floor also survives a change of machine, which no number of
// microseconds does.
//
// Two processes: P0, the command (floor.cc, floor_state.cc), and P1, which becomes the container
// (floor_init.cc). They share memory (CLONE_VM saves copying page tables), so these globals are all their
// conversation.
#pragma once

#include "bare.h"

namespace floor {

using bare::call;
using bare::Text;

struct Request {
  const char* root = "";
  const char* bundle = "";  // of a container that exists: as its state tells it
  const char* netns =
      nullptr;  // a file of the network namespace to join; without it the container gets its own
  const char* id = "";
  char** program = nullptr;
  bool force = false;
};

enum Signal : uint32_t { kNotYet = 0, kDone = 1, kFailed = 2 };

inline Request request;
inline volatile uint32_t go = kNotYet;     // P0 to P1: the device program and the state file are in place
inline volatile uint32_t ready = kNotYet;  // P1 to P0: the container is set up and waits for `start`
inline int start_fifo = -1;                // where P1 waits for `start`, if it has to
inline int target = -1;                    // exec: pidfd of the container
inline int init_pid = 0;                   // P1, while it depends on P0

void wake(volatile uint32_t& word, Signal value);
Signal await(volatile uint32_t& word);
[[noreturn]] void give_up(const char* step, long error);

template <class... Args>
long must(const char* step, long number, Args... args) {
  const long result = call(number, args...);
  if (result < 0) {
    give_up(step, result);
  }
  return result;
}

// The two things P1 can be. Neither returns.
void become_container();
void become_exec_process();

// How `run` and `exec` get to their program, and what P0 says to it meanwhile: floor_plain.cc, or
// floor_sealed.cc.
extern void (*const become_for_run)();
extern void (*const become_for_exec)();
void stay_on_processor();          // for an exec, as capsule does; the plain floor leaves it to the kernel
void prepare_conversation();       // before there is a P1
void converse(bool awaits_ready);  // when P0 has done all else

struct Container {
  int pid;
  uint64_t identity;  // of its pidfd: a later process may have the same pid
};

Text state_path(const char* file);
uint64_t read_identity(int pidfd);
void write_state(Container container);
Container read_state();

// A pidfd of the living container, or -1.
int open_container(Container container);

int state_command();
int list_command();

// Loads the device program and attaches it to the open cgroup.
void apply_device_program(int cgroup);

}  // namespace floor
