#include <sched.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <net/if.h>

#include "tests/kernel/world.h"
#include "tests/support/catch.h"

namespace capsule::test {
namespace {

using plan::Builder;
using plan::Confine;

// A line of our own /proc/PID/status: "CapEff:\t00…" → "00…".
std::string status_of(const std::string& name) {
  const std::string status = read_text("/proc/thread-self/status");
  const std::size_t at = status.find("\n" + name + ":\t");
  if (at == std::string::npos) return "none";
  const std::size_t begin = at + name.size() + 3;
  return status.substr(begin, status.find('\n', begin) - begin);
}

std::string capabilities() {
  std::string sets;
  for (const char* name : {"CapBnd", "CapEff", "CapPrm", "CapInh", "CapAmb"}) {
    const std::string digits = status_of(name);
    const std::size_t at = digits.find_first_not_of('0');
    sets += (at == std::string::npos ? "0" : digits.substr(at)) + " ";
  }
  return sets;
}

template <class Step>
std::string perform(Step step) {
  Builder builder;
  builder.add("/process/user", step);
  return Performance(builder).perform();
}

TEST_CASE("the capability sets are the ones asked for", "[kernel][identity]") {
  struct Case {
    Confine step;
    const char* sets;
    const char* because;
  };
  for (const Case& c : {
           Case{{.set_groups = 0}, "0 0 0 0 0 ", "none"},
           Case{{.set_groups = 0, .bounding = 0x21, .effective = 0x1, .permitted = 0x21},
                "21 1 21 0 0 ",
                "each set on its own"},
           Case{{.set_groups = 0,
           .bounding = 0x20,
           .effective = 0x20,
           .permitted = 0x20,
           .inheritable = 0x20,
           .ambient = 0x20},
                "20 20 20 20 20 ",
                "ambient needs permitted and inheritable"},
           Case{{.set_groups = 0, .bounding = 0x21, .permitted = 0x1, .inheritable = 0x1, .ambient = 0x20},
                "21 0 1 1 0 ",
                "ambient is left out where it cannot be"},
           Case{{.set_groups = 0, .bounding = ~0ULL, .effective = 1ULL << 63U, .permitted = 1ULL << 63U},
                nullptr,
                "what the kernel does not know is left out"},
       }) {
    INFO(c.because);
    const std::string found = in_new_namespaces([&] {
      const std::string failed = perform(c.step);
      return failed + capabilities();
    });
    if (c.sets != nullptr) CHECK(found == c.sets);
    if (c.sets == nullptr) CHECK(found.ends_with(" 0 0 0 0 "));
  }
}

TEST_CASE("the user's ids, groups and capabilities are its own at once", "[kernel][identity]") {
  if (!has_many_ids()) {
    WARN("skipped: only root can map more ids than one");
    return;
  }
  CHECK(in_new_namespaces([] {
          const std::array<std::uint32_t, 2> groups{20, 1001};
          Builder builder;
          builder.add("", Confine{.groups = builder.blob(groups.data(), sizeof(groups)),
                                  .uid = 1000,
                                  .gid = 100,
                                  .umask = 027,
                                  .bounding = 0x21,
                                  .effective = 0x20,
                                  .permitted = 0x20});
          const std::string failed = Performance(builder).perform();
          return failed + status_of("Uid") + " " + status_of("Gid") + " " + status_of("Groups") + " " +
                 status_of("Umask") + " " + capabilities();
        }) == "1000\t1000\t1000\t1000 100\t100\t100\t100 20 1001  0027 21 20 20 0 0 ");
}

TEST_CASE("an id without a mapping is told as such", "[kernel][identity]") {
  const std::string problem =
      "problem " + std::to_string(static_cast<int>(protocol::Problem::unmapped_id)) + " ";
  CHECK(in_new_namespaces([] { return perform(Confine{.uid = 70000, .set_groups = 0}); }) ==
        "step 0 confine /process/user: " + problem + "setresuid uid EINVAL");
  CHECK(in_new_namespaces([] { return perform(Confine{.gid = 70000, .set_groups = 0}); }) ==
        "step 0 confine /process/user: " + problem + "setresgid gid EINVAL");
}

TEST_CASE("no_new_privs cannot be missed", "[kernel][identity]") {
  CHECK(in_new_namespaces([] {
          const std::string failed = perform(plan::NoNewPrivileges{});
          return failed + status_of("NoNewPrivs");
        }) == "1");
}

TEST_CASE("names of the host are the container's own", "[kernel][identity]") {
  CHECK(in_new_namespaces([] {
          Builder builder;
          builder.add("/hostname", plan::Hostname{.name = builder.text("box")});
          builder.add("/domainname", plan::Domainname{.name = builder.text("example.org")});
          const std::string failed = Performance(builder).perform();
          utsname names{};
          ::uname(&names);
          return failed + names.nodename + " " + names.domainname;
        }) == "box example.org");
}

TEST_CASE("a sysctl is written through the host's procfs, and a missing one is named", "[kernel][identity]") {
  const auto write = [](const char* path) {
    return in_new_namespaces([path] {
      Builder builder;
      builder.add("/linux/sysctl/x", plan::Sysctl{.path = builder.text(path), .value = builder.text("77")});
      const std::string failed = Performance(builder).perform();
      return failed + read_text("/proc/sys/net/ipv4/ip_default_ttl");
    });
  };
  CHECK(write("net/ipv4/ip_default_ttl") == "77\n");
  CHECK(write("net/ipv4/nothing") == "step 0 sysctl /linux/sysctl/x: openat sys/net/ipv4/nothing ENOENT64\n");
}

TEST_CASE("loopback is up in a network namespace of its own", "[kernel][identity]") {
  CHECK(in_new_namespaces([] {
          const auto flags = [] {
            ifreq request{};
            std::strcpy(request.ifr_name, "lo");
            const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
            (void)::ioctl(socket, SIOCGIFFLAGS, &request);
            ::close(socket);
            return (request.ifr_flags & IFF_UP) != 0 ? "up" : "down";
          };
          const std::string before = flags();
          const std::string failed = perform(plan::LoopbackUp{});
          return before + " " + failed + flags();
        }) == "down up");
}

TEST_CASE("personality, priority and processors are as planned", "[kernel][identity]") {
  CHECK(in_new_namespaces([] {
          const int cpu = ::sched_getcpu();
          std::array<unsigned long, 16> mask{};
          mask[static_cast<unsigned>(cpu) / 64] = 1UL << (static_cast<unsigned>(cpu) % 64);
          Builder builder;
          builder.add("", plan::Personality{.persona = ADDR_NO_RANDOMIZE});
          builder.add("", plan::IoPriority{.value = (2U << 13U) | 6U});
          builder.add("", plan::CpuAffinity{.cpus = builder.blob(mask.data(), sizeof(mask))});
          const std::string failed = Performance(builder).perform();
          cpu_set_t allowed;
          (void)::sched_getaffinity(0, sizeof(allowed), &allowed);
          const bool only_one = CPU_COUNT(&allowed) == 1 && CPU_ISSET(cpu, &allowed);
          return failed + ((::personality(0xffffffff) & ADDR_NO_RANDOMIZE) != 0 ? "fixed " : "random ") +
                 std::to_string(::syscall(SYS_ioprio_get, 1, 0)) + (only_one ? " one" : " others");
        }) == "fixed 16390 one");
}

TEST_CASE("without a list of its own init takes all processors that it may have", "[kernel][identity]") {
  CHECK(in_new_namespaces([] {
          cpu_set_t before, after;
          (void)::sched_getaffinity(0, sizeof(before), &before);
          cpu_set_t one;
          CPU_ZERO(&one);
          CPU_SET(::sched_getcpu(), &one);
          (void)::sched_setaffinity(0, sizeof(one), &one);
          Builder builder;
          builder.add("", plan::CpuAffinity{});
          const std::string failed = Performance(builder).perform();
          (void)::sched_getaffinity(0, sizeof(after), &after);
          return failed + (CPU_COUNT(&after) >= CPU_COUNT(&before) ? "all" : "fewer");
        }) == "all");
}

TEST_CASE("init limits itself, and tells what it may not raise", "[kernel][identity]") {
  CHECK(in_new_namespaces([] {
          Builder builder;
          builder.add("/process/rlimits/0",
                      plan::ResourceLimit{.soft = 60, .hard = 70, .resource = RLIMIT_NOFILE});
          builder.add("/process/rlimits/1",
                      plan::ResourceLimit{.soft = 60, .hard = 80, .resource = RLIMIT_NOFILE});
          const std::string failed = Performance(builder).perform();
          rlimit now{};
          (void)::getrlimit(RLIMIT_NOFILE, &now);
          return failed + " " + std::to_string(now.rlim_cur) + " " + std::to_string(now.rlim_max);
        }) == "step 1 resource_limit /process/rlimits/1: prlimit  EPERM 60 70");
}

TEST_CASE("a session keyring of the container's own is joined", "[kernel][identity]") {
  CHECK(in_new_namespaces([] {
          constexpr int kDescribe = 6, kSession = -3;
          Builder builder;
          builder.add("", plan::SessionKeyring{.name = builder.text("_ses.kernel-test")});
          const std::string failed = Performance(builder).perform();
          std::array<char, 256> text{};
          const long got = ::syscall(SYS_keyctl, kDescribe, kSession, text.data(), text.size());
          if (got < 0 && errno == ENOSYS) return std::string("_ses.kernel-test");  // a kernel without keys
          const std::string described = text.data();
          return failed + described.substr(described.rfind(';') + 1);
        }) == "_ses.kernel-test");
}

}  // namespace
}  // namespace capsule::test
