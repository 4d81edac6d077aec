#include <csignal>
#include <string>

#include "tests/container/support.h"

namespace capsule::container::test {

TEST_CASE("a signal reaches init of a running and of a created container", "[container][kill]") {
  for (const bool is_created : {false, true}) {
    const TempStore root;
    Sleeper init;
    put(root, record_of("c1", init));
    if (is_created) put_gate(root, "c1");

    CHECK(kill(open(root, "c1"), {.signal = SIGTERM}).has_value());

    CHECK(init.wait_for_signal() == SIGTERM);
  }
}

TEST_CASE("signal 0 only asks whether init lives", "[container][kill]") {
  const TempStore root;
  Sleeper init;
  put(root, record_of("c1", init));
  const Container container = open(root, "c1");

  CHECK(kill(container, {.signal = 0}).has_value());
  CHECK(init.is_alive());

  init.become_zombie();
  CHECK(says(kill(container, {.signal = 0}), "container not running"));
}

TEST_CASE("a container that is stopped is not running, whatever the signal", "[container][kill]") {
  const TempStore root;
  Sleeper init;
  put(root, record_of("c1", init));
  init.become_zombie();

  for (const int signal : {SIGTERM, SIGKILL, SIGUSR1}) {
    const Status sent = kill(open(root, "c1"), {.signal = signal});
    REQUIRE(!sent.has_value());
    CHECK(sent.error().kind() == ErrorKind::wrong_state);
    CHECK(sent.error().message() == "container not running");
  }
}

TEST_CASE("a process that only has init's pid is left alone", "[container][kill]") {
  const TempStore root;
  const Sleeper somebody_else;
  spec::Record record = record_of("c1", somebody_else);
  record.start_time += 1;
  put(root, record);

  CHECK(says(kill(open(root, "c1"), {.signal = SIGKILL}), "container not running"));
  CHECK(kill(open(root, "c1"), {.signal = SIGKILL, .all = true}).has_value());

  CHECK(somebody_else.is_alive());
}

TEST_CASE("with --all a stopped container whose cgroup is gone, or never was, is success",
          "[container][kill]") {
  const TempStore root;
  Sleeper init;
  spec::Record without = record_of("without", init);
  spec::Record gone = record_of("gone", init);
  gone.cgroup_mount = root.path();
  gone.cgroup_path = "/no/such/cgroup";
  init.become_zombie();

  for (const spec::Record& record : {without, gone}) {
    put(root, record);
    for (const int signal : {SIGKILL, SIGTERM}) {
      const Status sent = kill(open(root, record.id), {.signal = signal, .all = true});
      INFO(record.id << ": " << message_of(sent));
      CHECK(sent.has_value());
    }
  }
}

TEST_CASE("a record that names the root cgroup does not make the whole host a container",
          "[container][kill]") {
  const TempStore root;
  const Sleeper somebody_else;
  write_text(root.path() + "/cgroup.procs", std::to_string(somebody_else.pid()));  // as in a hierarchy's root
  write_text(root.path() + "/cgroup.events", "populated 1\n");
  write_text(root.path() + "/cgroup.kill", "");
  Sleeper init;
  spec::Record record = record_of("c1", init);
  record.cgroup_mount = root.path();
  record.cgroup_path = "/";
  init.become_zombie();
  put(root, record);

  CHECK(kill(open(root, "c1"), {.signal = SIGKILL, .all = true}).has_value());
  CHECK(kill(open(root, "c1"), {.signal = SIGTERM, .all = true}).has_value());

  CHECK(remove(root.store(), "c1", true, {}).has_value());

  CHECK(read_text(root.path() + "/cgroup.kill").empty());
  CHECK(somebody_else.is_alive());
}

TEST_CASE("with --all, init gets the signal when there is no cgroup to ask", "[container][kill]") {
  for (const int signal : {SIGTERM, SIGKILL}) {
    const TempStore root;
    Sleeper init;
    put(root, record_of("c1", init));

    CHECK(kill(open(root, "c1"), {.signal = signal, .all = true}).has_value());

    CHECK(init.wait_for_signal() == signal);
  }
}

TEST_CASE("a container that shares its pid namespace and has no cgroup loses at least its init",
          "[container][kill]") {
  const TempStore root;
  Sleeper init;
  spec::Record record = record_of("c1", init);
  record.own_pid_namespace = false;
  put(root, record);

  CHECK(kill(open(root, "c1"), {.signal = SIGKILL}).has_value());

  CHECK(init.wait_for_signal() == SIGKILL);
}

TEST_CASE("--all is refused where neither a cgroup nor a pid namespace knows who belongs to the container",
          "[container][kill]") {
  const TempStore root;
  Sleeper init;
  spec::Record record = record_of("c1", init);
  record.own_pid_namespace = false;
  put(root, record);

  for (const int signal : {SIGTERM, SIGKILL}) {
    const Status sent = kill(open(root, "c1"), {.signal = signal, .all = true});
    CHECK(says(sent, "container has no cgroup, and only that knows all its processes"));
  }
  CHECK(init.is_alive());
}

TEST_CASE("a signal that does not exist is refused by number", "[container][kill]") {
  const TempStore root;
  const Sleeper init;
  put(root, record_of("c1", init));

  const Status sent = kill(open(root, "c1"), {.signal = 4711});

  CHECK(says(sent, "signal 4711 to init"));
  CHECK(says(sent, "invalid argument"));
  CHECK(init.is_alive());
}

}  // namespace capsule::container::test
