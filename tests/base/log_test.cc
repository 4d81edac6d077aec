#include "runtime/base/log.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <regex>

#include "runtime/base/sys.h"
#include "tests/support/catch.h"
#include "tests/support/child.h"
#include "tests/support/scratch.h"

namespace capsule::log {
namespace {

using test::in_child;

bool matches(const std::string& text, const char* pattern) {
  return std::regex_match(text, std::regex(pattern));
}

constexpr const char* kTime = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z";

TEST_CASE("a line of text has its time, level and a quoted message", "[base][log]") {
  const test::Scratch scratch;
  CHECK(in_child(scratch.at("stderr"), [&] {
          if (!open({.path = scratch.at("log")}).has_value()) return false;
          write(Level::error, "no \"such\" thing");
          return goes_to_file();
        }) == 0);
  const std::string expected =
      std::string("time=\"") + kTime + R"(" level=error msg="no \\"such\\" thing"\n)";
  INFO(scratch.content("log"));
  CHECK(matches(scratch.content("log"), expected.c_str()));
  CHECK(scratch.content("stderr").empty());
}

TEST_CASE("a JSON line is one object with level, msg and time", "[base][log]") {
  const test::Scratch scratch;
  CHECK(in_child(scratch.at("stderr"), [&] {
          if (!open({.path = scratch.at("log"), .format = Format::json}).has_value()) return false;
          write(Level::error, "a \"b\"\nc");
          return true;
        }) == 0);
  const std::string expected =
      std::string(R"(\{"level":"error","msg":"a \\"b\\"\\u000ac","time":")") + kTime + "\"\\}\n";
  INFO(scratch.content("log"));
  CHECK(matches(scratch.content("log"), expected.c_str()));
}

TEST_CASE("what lies below the threshold is not written, but the file is there", "[base][log]") {
  const test::Scratch scratch;
  CHECK(in_child(scratch.at("stderr"), [&] {
          if (!open({.path = scratch.at("log")}).has_value()) return false;
          debug("details");
          warning("careful");
          return is_enabled(Level::error) && !is_enabled(Level::warning);
        }) == 0);
  CHECK(scratch.listing().find("log ") != std::string::npos);
  CHECK(scratch.content("log").empty());
}

TEST_CASE("a lower threshold lets warnings and details through, and a log is appended to", "[base][log]") {
  const test::Scratch scratch;
  scratch.write("log", "earlier\n");
  CHECK(in_child(scratch.at("stderr"), [&] {
          if (!open({.path = scratch.at("log"), .threshold = Level::debug}).has_value()) return false;
          debug("details");
          warning("careful");
          return true;
        }) == 0);
  const std::string log = scratch.content("log");
  CHECK(log.find("earlier\n") == 0);
  CHECK(log.find("level=debug msg=\"details\"\n") != std::string::npos);
  CHECK(log.find("level=warning msg=\"careful\"\n") != std::string::npos);
}

TEST_CASE("without a file the log is standard error", "[base][log]") {
  const test::Scratch scratch;
  CHECK(in_child(scratch.at("stderr"), [] {
          write(Level::error, "broken");
          return !goes_to_file();
        }) == 0);
  CHECK(scratch.content("stderr").find("level=error msg=\"broken\"\n") != std::string::npos);
}

TEST_CASE("a log that cannot be opened is an error that names it", "[base][log]") {
  const test::Scratch scratch;
  CHECK(in_child(scratch.at("stderr"), [&] {
          const Status opened = open({.path = scratch.at("missing/log")});
          return !opened.has_value() && opened.error().message().find("open log file: ") == 0;
        }) == 0);
}

// What arrives at a datagram socket at `path` when `body` logs to it.
std::string received_from(const test::Scratch& scratch, Service service) {
  UniqueFd listener = sys::unix_socket(SOCK_DGRAM).value();
  UniqueFd dir = sys::openat(FdRef::cwd(), scratch.path().c_str(), O_PATH | O_DIRECTORY).value();
  if (!sys::unix_bind(listener, dir, "socket").has_value()) return "(cannot bind)";
  const int ended = in_child(scratch.at("stderr"), [&] {
    if (!open({.service = service, .identifier = "my-id", .socket = scratch.at("socket")}).has_value())
      return false;
    warning("not asked for");
    write(Level::error, "no such\nthing");
    return goes_to_file();
  });
  std::array<char, 512> bytes{};
  const Result<std::size_t> got = sys::recv(listener, bytes);
  return ended == 0 && got.has_value() ? std::string(bytes.data(), got.value()) : "(nothing)";
}

TEST_CASE("syslog gets priority, identifier, pid and one line", "[base][log]") {
  const test::Scratch scratch;
  const std::string datagram = received_from(scratch, Service::syslog);
  INFO(datagram);
  CHECK(matches(datagram, R"(<11>my-id\[[0-9]+\]: no such thing)"));
  CHECK(scratch.content("stderr").empty());
}

TEST_CASE("the journal gets its fields, a message of several lines with its length", "[base][log]") {
  const test::Scratch scratch;
  CHECK(received_from(scratch, Service::journald) ==
        std::string("MESSAGE\n\x0d\0\0\0\0\0\0\0no such\nthing\nPRIORITY=3\nSYSLOG_IDENTIFIER=my-id\n", 65));
  CHECK(format_journal("x", Level::warning, "plain") == "MESSAGE=plain\nPRIORITY=4\nSYSLOG_IDENTIFIER=x\n");
}

TEST_CASE("a service that nobody provides is an error that names its socket", "[base][log]") {
  const test::Scratch scratch;
  const std::string socket = scratch.at("nobody");
  CHECK(in_child(scratch.at("stderr"), [&] {
          const Status opened = open({.service = Service::syslog, .identifier = "x", .socket = socket});
          return !opened.has_value() && opened.error().message().find("open log: ") == 0 &&
                 opened.error().message().find(socket) != std::string::npos;
        }) == 0);
}

}  // namespace
}  // namespace capsule::log
