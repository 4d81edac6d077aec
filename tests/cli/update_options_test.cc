#include "runtime/cli/update_options.h"

#include "runtime/cli/app.h"
#include "tests/cli/words.h"
#include "tests/support/catch.h"

using namespace capsule;
using namespace capsule::cli;

namespace {

UpdateOptions parsed(std::string_view line) {
  Result<UpdateOptions> options = parse_update(arguments_of(line));
  INFO(line);
  REQUIRE(options.has_value());
  return std::move(options).value();
}

}  // namespace

TEST_CASE("sizes are bytes, with a unit of 1024 if they like", "[cli][update]") {
  struct Case {
    std::string_view text;
    std::int64_t bytes;
  };
  const Case cases[] = {
      {"0", 0},          {"1048576", 1048576}, {"-1", -1},
      {"512k", 524288},  {"512K", 524288},     {"2m", 2097152},
      {"2MB", 2097152},  {"2MiB", 2097152},    {"1g", 1073741824},
      {"1.5k", 1536},    {"100b", 100},        {"0.5m", 524288},
      {"1t", 1LL << 40}, {"1p", 1LL << 50},    {"9223372036854775807", 9223372036854775807},
  };
  for (const Case& c : cases) {
    INFO(c.text);
    const Result<std::int64_t> size = parse_size("memory", c.text);
    REQUIRE(size.has_value());
    CHECK(size.value() == c.bytes);
  }
}

TEST_CASE("what is no size is refused by its option's name", "[cli][update]") {
  for (const std::string_view text :
       {"", "m", "-2", "1x", "1mm", "1 m", "+1", ".5m", "1.2.3m", "0x10", "1mbb", "9223372036854775808",
        "9999999999999g", "18446744073709551616"}) {
    INFO(text);
    const Result<std::int64_t> size = parse_size("memory", text);
    REQUIRE_FALSE(size.has_value());
    CHECK(size.error().message().find(" for --memory: ") != std::string::npos);
  }
}

TEST_CASE("every limit has its option", "[cli][update]") {
  const UpdateOptions options = parsed(
      "update --blkio-weight 10 --cpu-period 1 --cpu-quota -1 --cpu-burst 2 --cpu-share 3 --cpu-rt-period 4 "
      "--cpu-rt-runtime 5 --cpu-idle 1 --cpuset-cpus 0-1 --cpuset-mems 0 --memory 1k --memory-reservation 2k "
      "--memory-swap -1 --pids-limit 6 --l3-cache-schema L3:0=f --mem-bw-schema MB:0=20 c1");

  const spec::LinuxResources& r = options.change.resources;
  CHECK(options.id == "c1");
  CHECK_FALSE(options.file.has_value());
  CHECK(r.block_io->weight == 10);
  CHECK(r.cpu->period == 1U);
  CHECK(r.cpu->quota == -1);
  CHECK(r.cpu->burst == 2U);
  CHECK(r.cpu->shares == 3U);
  CHECK(r.cpu->realtime_period == 4U);
  CHECK(r.cpu->realtime_runtime == 5);
  CHECK(r.cpu->idle == 1);
  CHECK(r.cpu->cpus == "0-1");
  CHECK(r.cpu->mems == "0");
  CHECK(r.memory->limit == 1024);
  CHECK(r.memory->reservation == 2048);
  CHECK(r.memory->swap == -1);
  CHECK(r.pids->limit == 6);
  CHECK(options.change.l3_cache_schema == "L3:0=f");
  CHECK(options.change.mem_bw_schema == "MB:0=20");
}

TEST_CASE("a lone dash is the standard input, however it is joined", "[cli][update]") {
  for (const std::string_view line :
       {"update -r - c1", "update -r=- c1", "update --resources - c1", "update --resources=- c1"}) {
    CHECK(parsed(line).file == "-");
    CHECK(parsed(line).id == "c1");
  }
}

TEST_CASE("kernel memory is accepted and remembered as ignored", "[cli][update]") {
  CHECK(parsed("update --kernel-memory 1m --kernel-memory-tcp 1m c1").ignored ==
        std::vector<std::string>{"--kernel-memory", "--kernel-memory-tcp"});
}
