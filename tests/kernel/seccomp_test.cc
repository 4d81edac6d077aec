// The filter is installed for real, and its listener handed to a socket that plays the agent.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "tests/kernel/world.h"
#include "tests/support/catch.h"

namespace capsule::test {
namespace {

using plan::Builder;

constexpr sock_filter kAllowAll{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};

plan::Seccomp installing(Builder& builder, std::uint64_t flags) {
  plan::Seccomp step;
  step.program = builder.blob(&kAllowAll, sizeof(kAllowAll));
  step.flags = flags;
  return step;
}

// What arrived at the agent: how many descriptors, the text, and whether the connection was closed behind it.
std::string received(int agent) {
  std::string message(1U << 20U, '\0');
  std::size_t size = 0;
  int descriptors = 0;
  for (;;) {
    alignas(cmsghdr) std::array<char, CMSG_SPACE(8 * sizeof(int))> control{};
    iovec part{message.data() + size, message.size() - size};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    const ssize_t got = ::recvmsg(agent, &header, MSG_DONTWAIT);
    if (got < 0) return "still open after " + std::to_string(size);
    if (const cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr)
      descriptors += static_cast<int>((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  return std::to_string(descriptors) + " " + message.substr(0, size);
}

struct Agent {
  int ours = -1, inits = -1;
  Agent() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) < 0) ::_exit(3);
    ours = ends[0];
    inits = ends[1];
  }
};

// Performs a step that hands its listener over with `message`; the pid is 4711.
std::string hand_over(const Agent& agent, const std::string& message) {
  Builder builder;
  plan::Seccomp step = installing(builder, SECCOMP_FILTER_FLAG_NEW_LISTENER);
  step.listener_slot = builder.donate({.kind = plan::Donation::Kind::seccomp_listener, .source = "agent"});
  step.listener_message = builder.text(message);
  builder.add("/linux/seccomp", step);
  Performance performance(builder);
  performance.set_descriptor(static_cast<std::uint16_t>(step.listener_slot), agent.inits);
  performance.context().host_pid = 4711;
  return performance.perform();
}

TEST_CASE("the listener goes out in one message, and the connection is closed", "[kernel][seccomp]") {
  CHECK(in_new_namespaces([] {
          const Agent agent;
          const std::string failed = hand_over(agent, "{\"pid\":\x01,\"state\":{\"pid\":\x01}}");
          return failed + received(agent.ours);
        }) == R"(1 {"pid":4711,"state":{"pid":4711}})");
}

TEST_CASE("R20: a message of any length arrives whole", "[kernel][seccomp]") {
  const std::string annotations(100'000, 'a');
  CHECK(in_new_namespaces([&] {
          const Agent agent;
          const std::string failed = hand_over(agent, annotations + "\x01 and \x01.");
          return failed + received(agent.ours);
        }) == "1 " + annotations + "4711 and 4711.");
}

TEST_CASE("an agent that has gone is a failure, not a signal", "[kernel][seccomp]") {
  CHECK(in_new_namespaces([] {
          const Agent agent;
          ::close(agent.ours);
          return hand_over(agent, "{}");
        }) == "step 0 seccomp /linux/seccomp: sendmsg seccomp listener EPIPE");
}

// A filter that makes the kernel look as if it did not know `flag`.
void forget_flag(std::uint32_t flag) {
  std::array<sock_filter, 6> program{{
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
      {BPF_JMP | BPF_K | BPF_JEQ, 0, 3, __NR_seccomp},
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, args[1])},
      {BPF_JMP | BPF_K | BPF_JSET, 0, 1, flag},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EINVAL},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
  }};
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  if (::syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) != 0) ::_exit(3);
}

TEST_CASE("a flag that the kernel does not know is named", "[kernel][seccomp]") {
  struct Case {
    std::uint32_t flag;
    const char* name;
  };
  for (const Case& c :
       {Case{SECCOMP_FILTER_FLAG_LOG, "SECCOMP_FILTER_FLAG_LOG"},
        Case{SECCOMP_FILTER_FLAG_SPEC_ALLOW, "SECCOMP_FILTER_FLAG_SPEC_ALLOW"}, Case{1U << 20U, ""}}) {
    CHECK(in_new_namespaces([&] {
            if (c.name[0] != '\0') forget_flag(c.flag);
            Builder builder;
            builder.add("/linux/seccomp", installing(builder, c.flag));
            return Performance(builder).perform();
          }) == std::string("step 0 seccomp /linux/seccomp: seccomp ") + c.name + " EINVAL");
  }
}

struct SentFilter {
  protocol::Frame frame{protocol::Line::filter, {}, 16};
  std::uint64_t flags = 0;
  sock_filter program = kAllowAll;
};

// Performs a plan that awaits its filter; `sent` waits in the socket.
std::string install_sent(const void* sent, std::size_t size) {
  const Agent launcher;
  if (size != 0) (void)!::write(launcher.ours, sent, size);
  Builder builder;
  builder.add("/linux/seccomp", plan::Expect{.line = static_cast<std::uint64_t>(protocol::Line::filter)});
  builder.add("/linux/seccomp", plan::Seccomp{});
  Performance performance(builder);
  performance.context().reply = launcher.inits;
  const std::string failed = performance.perform();
  const std::string status = read_text("/proc/self/status");
  return failed + status.substr(status.find("Seccomp:"), 10);
}

TEST_CASE("a filter that the launcher sends is installed", "[kernel][seccomp]") {
  CHECK(in_new_namespaces([] {
          const SentFilter sent;
          return install_sent(&sent, sizeof(sent));
        }) == "Seccomp:\t2");
}

TEST_CASE("the flags of a filter that was sent are its own", "[kernel][seccomp]") {
  CHECK(in_new_namespaces([] {
          SentFilter sent;
          sent.flags = 1U << 20U;
          return install_sent(&sent, sizeof(sent));
        }) == "step 1 seccomp /linux/seccomp: seccomp  EINVALSeccomp:\t0");
}

TEST_CASE("a filter that did not come whole is not installed", "[kernel][seccomp]") {
  const std::string refused = "step 0 expect /linux/seccomp: problem " +
                              std::to_string(static_cast<int>(protocol::Problem::unexpected_line)) +
                              " recv filter 0Seccomp:\t0";
  CHECK(in_new_namespaces([] {
          const SentFilter sent;
          return install_sent(&sent, sizeof(sent) - 1);
        }) == refused);
  CHECK(in_new_namespaces([] {
          SentFilter sent;
          sent.frame.line = protocol::Line::start;
          return install_sent(&sent, sizeof(sent));
        }) == refused);
  CHECK(in_new_namespaces([] {
          SentFilter sent;
          sent.frame.value = 8;  // flags alone
          return install_sent(&sent, 16);
        }) == "step 1 seccomp /linux/seccomp: seccomp  EINVALSeccomp:\t0");
}

TEST_CASE("flags that need a listener are looked for with one", "[kernel][seccomp]") {
  constexpr std::uint64_t kFlags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
  CHECK(in_new_namespaces([] {
          forget_flag(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
          Builder builder;
          builder.add("/linux/seccomp", installing(builder, kFlags));
          return Performance(builder).perform();
        }) == "step 0 seccomp /linux/seccomp: seccomp SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV EINVAL");
}

}  // namespace
}  // namespace capsule::test
