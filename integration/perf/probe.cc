// The payload of the parity check: prints what a container looks like from inside, one fact per line, as
// `TOPIC<tab>FACT`. Runtimes that do the same work print the same lines; peers.py normalises (device numbers,
// order) and compares them.
#include <fcntl.h>
#include <linux/keyctl.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <dirent.h>
#include <fstream>
#include <net/if.h>
#include <string>
#include <vector>

namespace {

void print(const std::string& topic, const std::string& fact) {
  std::printf("%s\t%s\n", topic.c_str(), fact.c_str());
}

std::string outcome(long result) {
  return result < 0 ? strerrorname_np(errno) : "ok";
}

std::string read_link(const std::string& path) {
  char target[4096];
  const ssize_t size = readlink(path.c_str(), target, sizeof target);
  return size < 0 ? "" : std::string(target, static_cast<size_t>(size));
}

std::vector<std::string> list(const std::string& path) {
  std::vector<std::string> names;
  DIR* const directory = opendir(path.c_str());
  if (directory == nullptr) {
    return names;
  }
  while (const dirent* entry = readdir(directory)) {
    if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0) {
      names.emplace_back(entry->d_name);
    }
  }
  closedir(directory);
  std::sort(names.begin(), names.end());
  return names;
}

void print_lines(const std::string& topic, const char* path) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    print(topic, line);
  }
}

void print_tree(const std::string& path) {
  for (const std::string& name : list(path)) {
    const std::string entry = path + "/" + name;
    struct stat status {};
    if (lstat(entry.c_str(), &status) != 0) {
      continue;
    }
    char description[128];
    std::snprintf(description, sizeof description, "%o %u:%u device %u:%u", status.st_mode, status.st_uid,
                  status.st_gid, major(status.st_rdev), minor(status.st_rdev));
    print("dev", entry + " " + description + " " + read_link(entry));
    if (S_ISDIR(status.st_mode)) {
      print_tree(entry);
    }
  }
}

void print_writability() {
  for (const char* path :
       {"/", "/proc/sys/kernel", "/proc/bus", "/proc/fs", "/sys", "/sys/fs/cgroup", "/dev", "/dev/shm"}) {
    print("write", std::string(path) + " " + outcome(access(path, W_OK)));
  }
  const int file = open("/new-file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  print("write", "create /new-file " + outcome(file));
}

// A masked file reads as nothing and a masked directory lists as nothing; an absent one stays absent.
void print_masks() {
  for (const char* path :
       {"/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
        "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware"}) {
    char byte = 0;
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    const std::string opened = outcome(file);
    const ssize_t size = read(file, &byte, 1);
    print("mask", std::string(path) + " open " + opened + (size > 0 ? " readable" : "") + " entries " +
                      std::to_string(list(path).size()));
    close(file);
  }
}

// /forbidden is a device node that the test put into the rootfs and that no rule allows. Without a device
// policy the kernel would look for a driver and say ENXIO.
void print_device_policy() {
  print("device", "/forbidden " + outcome(open("/forbidden", O_RDONLY | O_CLOEXEC)));
  for (const char* path :
       {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/ptmx"}) {
    print("device", std::string(path) + " " + outcome(open(path, O_RDWR | O_CLOEXEC)));
  }
}

void print_limits() {
  for (int resource = 0; resource < RLIMIT_NLIMITS; ++resource) {
    rlimit limit{};
    getrlimit(static_cast<__rlimit_resource>(resource), &limit);
    print("rlimit", std::to_string(resource) + " " + std::to_string(limit.rlim_cur) + " " +
                        std::to_string(limit.rlim_max));
  }
}

void print_namespaces() {
  for (const std::string& name : list("/proc/self/ns")) {
    print("namespace", read_link("/proc/self/ns/" + name));
  }
}

void print_loopback() {
  const int socket_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq interface {};
  std::strcpy(interface.ifr_name, "lo");
  ioctl(socket_fd, SIOCGIFFLAGS, &interface);
  print("network", "lo " + std::string((interface.ifr_flags & IFF_UP) != 0 ? "up" : "down"));
  close(socket_fd);
}

// Before anything else is opened: these are what the runtime left open.
void print_descriptors() {
  for (const std::string& name : list("/proc/self/fd")) {
    if (std::stoi(name) > 3) {  // 3 is the listing itself
      print("descriptor", read_link("/proc/self/fd/" + name));
    }
  }
}

void print_process(char** environment) {
  utsname names{};
  uname(&names);
  print("hostname", names.nodename);
  print("process", "cwd " + read_link("/proc/self/cwd") + " pid " + std::to_string(getpid()) + " session " +
                       std::to_string(getsid(0)) + " group " + std::to_string(getpgid(0)));
  for (; *environment != nullptr; ++environment) {
    print("environment", *environment);
  }
  char description[256] = "";
  syscall(SYS_keyctl, KEYCTL_DESCRIBE, KEY_SPEC_SESSION_KEYRING, description, sizeof description - 1);
  const bool own =
      std::strstr(description, ";_ses") == nullptr && std::strstr(description, ";_uid") == nullptr;
  print("keyring", own ? "own session" : "inherited");
}

}  // namespace

int main(int, char**, char** environment) {
  print_descriptors();
  print_lines("mount", "/proc/self/mountinfo");
  print_lines("status", "/proc/self/status");
  print_lines("cgroup", "/proc/self/cgroup");
  print_tree("/dev");
  print_writability();
  print_masks();
  print_device_policy();
  print_limits();
  print_namespaces();
  print_loopback();
  print_process(environment);
}
