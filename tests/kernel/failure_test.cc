#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "tests/kernel/world.h"
#include "tests/support/catch.h"

namespace capsule::test {
namespace {

using plan::Builder;
using protocol::Failure;

// The record that init sends, as the launcher receives it; these steps need no namespaces.
Failure failure_of(Builder& builder, bool* performed = nullptr) {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
  Performance performance(builder);
  performance.context().reply = ends[1];
  const bool done = performance.perform().empty();
  if (performed != nullptr) *performed = done;
  init::send_failure(performance.context());
  Failure told;
  std::memset(&told, 0xff, sizeof(told));
  REQUIRE(::recv(ends[0], &told, sizeof(told), 0) == sizeof(told));
  ::close(ends[0]);
  ::close(ends[1]);
  return told;
}

void add_missing(Builder& builder, std::string_view field, const std::string& name) {
  builder.add(field, plan::FindExecutable{.name = builder.text(name)});
}

TEST_CASE("a failure tells step, kind, field, call, object and errno", "[kernel][failure]") {
  Builder builder;
  builder.add("", plan::FindExecutable{.name = builder.text("/bin/sh")});
  add_missing(builder, "/process/args/0", "/nonexistent/x");
  add_missing(builder, "/not/reached", "/nonexistent/y");

  const Failure told = failure_of(builder);
  CHECK(told.frame.line == protocol::Line::failed);
  CHECK(told.step == 1);
  CHECK(told.kind == static_cast<std::uint16_t>(plan::StepKind::find_executable));
  CHECK(told.problem == protocol::Problem::system_call);
  CHECK(told.err == ENOENT);
  CHECK(std::string(told.field) == "/process/args/0");
  CHECK(std::string(told.call) == "stat");
  CHECK(std::string(told.object) == "/nonexistent/x");
}

TEST_CASE("an object that is too long loses its beginning, not its end", "[kernel][failure]") {
  Builder builder;
  const std::string path = "/nonexistent/" + std::string(1000, 'x') + "/end";
  add_missing(builder, "/" + std::string(200, 'f') + "/7", path);

  const Failure told = failure_of(builder);
  const std::string object = told.object;
  CHECK(object.size() == protocol::kMaxObject - 1);
  CHECK(path.ends_with(object));
  CHECK(std::string(told.field).size() == protocol::kMaxField - 1);
  CHECK(std::string(told.field).ends_with("f/7"));
}

TEST_CASE("a plan whose steps are all done has no failure to tell", "[kernel][failure]") {
  Builder builder;
  builder.add("", plan::FindExecutable{.name = builder.text("/bin/sh")});
  bool performed = false;
  (void)failure_of(builder, &performed);
  CHECK(performed);
}

TEST_CASE("a failure before the first step has no step", "[kernel][failure]") {
  init::Context context;
  CHECK_FALSE(init::fail(context, "mmap", -ENOMEM, "plan"));
  CHECK(context.failure.step == protocol::kNoStep);
  CHECK(context.failure.err == ENOMEM);
  CHECK(context.failure.field[0] == '\0');
}

TEST_CASE("a proc file system is what is taken for one, and nothing else", "[kernel][failure][proc]") {
  init::Context context;
  const int proc = init::host_proc(context);
  CHECK(proc >= 0);
  CHECK(init::host_proc(context) == proc);
  ::close(proc);

  CHECK(in_new_namespaces([] {
          if (::chroot("/tmp") < 0) return std::string("chroot");
          make_directory("/proc");
          init::Context fooled;
          const bool refused = init::host_proc(fooled) < 0;
          return std::string(refused && fooled.failure.problem == protocol::Problem::not_procfs ? "refused"
                                                                                                : "taken");
        }) == "refused");
}

}  // namespace
}  // namespace capsule::test
