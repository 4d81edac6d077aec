#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <utility>

#include "runtime/base/file.h"
#include "runtime/base/sys.h"
#include "runtime/container/directory.h"
#include "tests/container/support.h"

namespace capsule::container::test {
namespace {

Record begin(const TempStore& root, const std::string& id) {
  Result<Record> begun = Record::begin(root.store(), record_of(id));
  INFO(message_of(begun));
  REQUIRE(begun.has_value());
  return std::move(begun).value();
}

class NoDiskSpace {  // writes to files fail with EFBIG, which is as close as a test comes to a full disk
 public:
  NoDiskSpace() : before_handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    (void)::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit none{0, before_.rlim_max};
    (void)::setrlimit(RLIMIT_FSIZE, &none);
  }
  NoDiskSpace(const NoDiskSpace&) = delete;
  NoDiskSpace& operator=(const NoDiskSpace&) = delete;
  ~NoDiskSpace() {
    (void)::setrlimit(RLIMIT_FSIZE, &before_);
    (void)std::signal(SIGXFSZ, before_handler_);
  }

 private:
  rlimit before_{};
  void (*before_handler_)(int);
};

}  // namespace

TEST_CASE("a record that begins is on disk, complete but for its process", "[container][record]") {
  const TempStore root;
  spec::Record given = record_of("c1");
  given.pid = 4711;
  given.start_time = 99;

  Result<Record> begun = Record::begin(root.store(), given);

  REQUIRE(begun.has_value());
  Record record = std::move(begun).value();
  CHECK(record.path() == root.path_of("c1"));
  REQUIRE(record.keep_config("{\"frozen\": true}").has_value());
  CHECK(read_text(root.path_of("c1") + "/config.json") == "{\"frozen\": true}");
  const Container found = open(root, "c1");
  CHECK(found.record().pid == 0);
  CHECK(found.record().start_time == 0);
  CHECK(found.record().bundle == "/bundles/c1");
  CHECK(found.record().annotations.at("org.example.colour") == "blue");
}

TEST_CASE("modes are exact, whatever the umask", "[container][record]") {
  for (const mode_t mask : {mode_t{0}, mode_t{0077}}) {
    const TempDir dir;
    const Store store = Store::open(dir.path() + "/deep/er/root").value();
    const mode_t before = ::umask(mask);
    Result<Record> begun = Record::begin(store, record_of("c1"));
    INFO(message_of(begun));
    REQUIRE(begun.has_value());
    Record record = std::move(begun).value();
    REQUIRE(record.keep_config("{}").has_value());
    (void)::umask(before);

    CHECK(mode_of(store.root()) == 0711);
    CHECK(mode_of(record.path()) == 0711);
    CHECK(mode_of(record.path() + "/state.json") == 0600);
    CHECK(mode_of(record.path() + "/config.json") == 0600);
  }
}

TEST_CASE("a root that exists keeps its mode", "[container][record]") {
  const TempStore root;
  REQUIRE(::chmod(root.path().c_str(), 0750) == 0);

  const Record record = begin(root, "c1");

  CHECK(mode_of(root.path()) == 0750);
}

TEST_CASE("a second container with the same id is refused and the first stays", "[container][record]") {
  const TempStore root;
  Record first = begin(root, "c1");
  first.keep();

  const Result<Record> second = Record::begin(root.store(), record_of("c1"));

  REQUIRE(!second.has_value());
  CHECK(second.error().kind() == ErrorKind::wrong_state);
  CHECK(second.error().message() == "c1: container with given ID already exists");
  CHECK(exists(root.path_of("c1") + "/state.json"));
}

TEST_CASE("the refusal does not wait for whoever is making the first", "[container][record][lock]") {
  const TempStore root;
  put(root, record_of("c1"));
  const LockHolder holder(root.path_of("c1"));

  CHECK(says(Record::begin(root.store(), record_of("c1")), "container with given ID already exists"));
}

TEST_CASE("a record that is not kept takes its directory with it, gate and all", "[container][record]") {
  const TempStore root;
  {
    const Record record = begin(root, "c1");
    put_gate(root, "c1");
    REQUIRE(exists(root.path_of("c1") + "/gate"));
  }
  CHECK(!exists(root.path_of("c1")));
  CHECK(exists(root.path()));
}

TEST_CASE("who made a container comes back to it without reading it again", "[container][record][lock]") {
  const TempStore root;
  Record record = begin(root, "c1");
  record.keep();
  REQUIRE(record.unlock().has_value());
  CHECK(!is_locked(open(root, "c1").dir()));
  write_text(root.path_of("c1") + "/state.json", "not read");
  spec::Record data = record_of("c1");
  data.bundle = "/bundles/mine";

  const Result<Container> again = Container::reopen(std::move(record), std::move(data));

  REQUIRE(again.has_value());
  CHECK(again.value().record().bundle == "/bundles/mine");
  CHECK(again.value().path() == root.path_of("c1"));
  CHECK(is_locked(again.value().dir()));
}

TEST_CASE("who made a container finds no other one that has its id by now", "[container][record][lock]") {
  const TempStore root;
  for (const bool is_replaced : {false, true}) {
    Record record = begin(root, "c1");
    record.keep();
    REQUIRE(record.unlock().has_value());
    REQUIRE(remove(root.store(), "c1", true, nullptr).has_value());
    if (is_replaced) put(root, record_of("c1"));

    const Result<Container> again = Container::reopen(std::move(record), record_of("c1"));

    REQUIRE(!again.has_value());
    CHECK(again.error().kind() == ErrorKind::not_found);
    CHECK(again.error().message() == "c1: container does not exist");
    CHECK(exists(root.path_of("c1")) == is_replaced);
  }
}

TEST_CASE("a record that is kept stays, unlocked", "[container][record]") {
  const TempStore root;
  {
    Record record = begin(root, "c1");
    const UniqueFd other = sys::openat(FdRef::cwd(), record.path().c_str(), O_RDONLY | O_DIRECTORY).value();
    CHECK(is_locked(other));
    record.keep();
  }
  const Container kept = open(root, "c1");
  CHECK(kept.record().id == "c1");
  CHECK(!is_locked(kept.dir()));
}

TEST_CASE("a record moves: only the last holder removes it", "[container][record]") {
  const TempStore root;
  {
    Record first = begin(root, "c1");
    Record second = std::move(first);
    CHECK(second.path() == root.path_of("c1"));
    Record third = begin(root, "c2");
    third = std::move(second);
    CHECK(third.path() == root.path_of("c1"));
    CHECK(exists(root.path_of("c1")));
  }
  CHECK(!exists(root.path_of("c1")));
  CHECK(!exists(root.path_of("c2")));
}

TEST_CASE("a record that cannot be written leaves no directory behind", "[container][record]") {
  const TempStore root;
  {
    const NoDiskSpace full;

    const Result<Record> begun = Record::begin(root.store(), record_of("c1"));

    REQUIRE(!begun.has_value());
    CHECK(begun.error().kind() == ErrorKind::system);
  }
  CHECK(!exists(root.path_of("c1")));
}

TEST_CASE("an id that is none makes nothing", "[container][record]") {
  const TempDir dir;
  const Store store = Store::open(dir.path() + "/root").value();

  CHECK(says(Record::begin(store, record_of("../c1")), "invalid container ID format"));

  CHECK(!exists(dir.path() + "/root"));
  CHECK(!exists(dir.path() + "/c1"));
}

TEST_CASE("whoever reads a record while it is written sees the old one or the new one",
          "[container][record]") {
  const TempStore root;
  Record record = begin(root, "c1");
  spec::Record small = record_of("c1");
  spec::Record large = small;
  large.annotations["long"] = std::string(200'000, 'x');

  const pid_t reader = ::fork();
  if (reader == 0) {
    for (int i = 0; i < 300; ++i) {
      const Result<std::string> json = read_file(record.dir(), "state.json");
      if (!json.has_value() || !spec::read_record(json.value()).has_value()) ::_exit(1);
    }
    ::_exit(0);
  }
  int status = 0;
  while (::waitpid(reader, &status, WNOHANG) == 0) {
    CHECK(record.write(large).has_value());
    CHECK(record.write(small).has_value());
  }

  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

}  // namespace capsule::container::test
