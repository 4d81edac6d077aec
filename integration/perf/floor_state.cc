// What the floor keeps about a container, and the two commands that only read it.
//
// DIR/ID/status holds "PID IDENTITY BUNDLE"; DIR/ID/start is the FIFO the container waits at until `start`
// removes it.
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <csignal>
#include <poll.h>

#include "floor.h"

namespace floor {

Text state_path(const char* file) {
  return Text(request.root, "/", request.id, file);
}

// Since Linux 6.9 a pidfd's inode number is never given to another process, so it tells a container from a
// later process with the same pid for half of what the start time in /proc/PID/stat costs.
uint64_t read_identity(int pidfd) {
  struct statx status {};
  must("statx pidfd", SYS_statx, pidfd, "", AT_EMPTY_PATH, STATX_INO, &status);
  return status.stx_ino;
}

void write_state(Container container) {
  const Text text(static_cast<uint64_t>(container.pid), " ", container.identity, " ", request.bundle);
  const long file =
      must("state file", SYS_open, state_path("/status").c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600);
  must("write state", SYS_write, file, text.c_str(), text.size());
  call(SYS_close, file);
}

namespace {

// The file's text stays here until the next one is read: `list` prints the bundle from it.
char state_text[1024];

struct Record {
  Container container;
  const char* bundle;
};

Record read_record() {
  const long file = must("state file", SYS_open, state_path("/status").c_str(), O_RDONLY | O_CLOEXEC);
  const long size = must("read state", SYS_read, file, state_text, sizeof state_text - 1);
  call(SYS_close, file);
  state_text[size] = '\0';
  const char* cursor = state_text;
  const int pid = static_cast<int>(bare::take_number(cursor));
  const uint64_t identity = bare::take_number(cursor);
  return {{pid, identity}, cursor};
}

struct Situation {
  uint64_t pid;  // 0 of a stopped container
  const char* status;
};

// Nobody but the container's cgroup knows: others than its runtime may pause it.
bool is_paused() {
  const Text file("/sys/fs/cgroup/", request.id, "/cgroup.freeze");
  const long freeze = must("cgroup.freeze", SYS_open, file.c_str(), O_RDONLY | O_CLOEXEC);
  char digit = '0';
  must("read cgroup.freeze", SYS_read, freeze, &digit, 1);
  call(SYS_close, freeze);
  return digit == '1';
}

Situation find_situation(Container container) {
  const int pidfd = open_container(container);
  const bool waiting = call(SYS_access, state_path("/start").c_str(), 0) == 0;
  if (pidfd < 0) {
    return {0, "stopped"};
  }
  call(SYS_close, pidfd);  // a list may be longer than the limit of open files
  const uint64_t pid = static_cast<uint64_t>(container.pid);
  return {pid, is_paused() ? "paused" : waiting ? "created" : "running"};
}

struct DirectoryEntry {  // the kernel's struct linux_dirent64, which no header of its own declares
  uint64_t inode;
  int64_t offset;
  uint16_t size;
  uint8_t type;
  char name[];
};

void print_line_of_list(const char* name) {
  request.id = name;
  const Record record = read_record();
  const Situation situation = find_situation(record.container);
  const Text line(name, "\t", situation.pid, "\t", situation.status, "\t", record.bundle, "\n");
  must("write", SYS_write, 1, line.c_str(), line.size());
}

}  // namespace

Container read_state() {
  const Record record = read_record();
  request.bundle = record.bundle;
  return record.container;
}

int open_container(Container container) {
  const int pidfd = static_cast<int>(call(SYS_pidfd_open, container.pid, 0));
  if (pidfd < 0) {
    return -1;
  }
  pollfd exited{pidfd, POLLIN, 0};
  const bool alive = call(SYS_poll, &exited, 1, 0) == 0;
  if (alive && read_identity(pidfd) == container.identity) {
    return pidfd;
  }
  call(SYS_close, pidfd);
  return -1;
}

int state_command() {
  const Situation situation = find_situation(read_state());
  const Text text("{\"ociVersion\": \"1.0.0\", \"id\": \"", request.id, "\", \"status\": \"",
                  situation.status, "\", \"pid\": ", situation.pid, "}\n");
  must("write", SYS_write, 1, text.c_str(), text.size());
  return 0;
}

int list_command() {
  alignas(DirectoryEntry) static char entries[32768];
  const long directory = must("state root", SYS_open, request.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  for (;;) {
    const long size = must("read state root", SYS_getdents64, directory, entries, sizeof entries);
    if (size == 0) {
      return 0;
    }
    for (long at = 0; at < size;) {
      const DirectoryEntry* entry = reinterpret_cast<const DirectoryEntry*>(entries + at);
      at += entry->size;
      if (entry->name[0] != '.') {
        print_line_of_list(entry->name);
      }
    }
  }
}

}  // namespace floor
