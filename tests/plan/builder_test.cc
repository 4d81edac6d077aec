#include "runtime/plan/builder.h"

#include <cstddef>

#include "tests/plan/image.h"
#include "tests/support/catch.h"

namespace capsule::plan {
namespace {

TEST_CASE("equal short texts are stored once, long ones as often as they are given", "[plan][builder]") {
  Builder builder;
  const Text first = builder.text("/mounts/0");
  CHECK(builder.text("/mounts/0").offset == first.offset);
  CHECK(builder.text("/mounts/1").offset != first.offset);

  const std::string large(65, 'x');
  CHECK(builder.text(large).offset != builder.text(large).offset);
}

TEST_CASE("the empty text takes no room", "[plan][builder]") {
  Builder builder;
  CHECK(builder.text("").offset == 0);
  CHECK(builder.text("").size == 0);
  const std::size_t before = builder.finish().size();
  (void)builder.text("");
  CHECK(builder.finish().size() == before);
}

TEST_CASE("texts come back with their size and end with a NUL", "[plan][builder]") {
  Builder builder;
  builder.add("/hostname", Hostname{.name = builder.text("box")});
  const test::Image image(builder.finish());
  const View view = image.verify();
  REQUIRE(view.ok());
  const auto& step = as<Hostname>(view.first());
  CHECK(step.name.size == 3);
  CHECK(std::string(view.text(step.name)) == "box");
  CHECK(std::string(view.text(step.header.field)) == "/hostname");
}

TEST_CASE("lists keep their order and their empty entries", "[plan][builder]") {
  Builder builder;
  builder.add("", Exec{.args = builder.list({"sh", "", "-c", "sh"}), .env = builder.list({})});
  const test::Image image(builder.finish());
  const View view = image.verify();
  REQUIRE(view.ok());
  const auto& step = as<Exec>(view.first());
  std::string args;
  for (std::uint32_t i = 0; i < step.args.count; ++i)
    args += std::string(view.text(view.item(step.args, i))) + ".";
  CHECK(args == "sh..-c.sh.");
  CHECK(step.env.count == 0);
}

TEST_CASE("whatever was stored before, lists and blobs are aligned for the kernel", "[plan][builder]") {
  for (std::size_t before = 0; before < 9; ++before) {
    Builder builder;
    (void)builder.text(std::string(before, 'x'));
    CHECK(builder.list({"a", "bc"}).offset % 4 == 0);
    (void)builder.text("odd");
    const std::uint64_t mask = 5;
    CHECK(builder.blob(&mask, sizeof(mask)).offset % 8 == 0);
    builder.add("", Pivot{});

    const test::Image image(builder.finish());
    REQUIRE(image.verify().ok());
    CHECK(image.verify().header().data_offset % 8 == 0);
    CHECK(image.verify().header().steps_offset % 8 == 0);
  }
}

TEST_CASE("slots are numbered behind the two that always exist, and nothing is open in them",
          "[plan][builder]") {
  Builder builder;
  CHECK(builder.donate({.kind = Donation::Kind::rootfs}) == kFirstFreeSlot);
  CHECK(builder.donate({.kind = Donation::Kind::bind_source}) == kFirstFreeSlot + 1);
  REQUIRE(builder.donations().size() == 4);
  CHECK(builder.donations()[kSyncSlot].kind == Donation::Kind::sync_socket);
  CHECK(builder.donations()[kGateSlot].kind == Donation::Kind::gate_socket);

  const test::Image image(builder.finish());
  const View view = image.verify();
  REQUIRE(view.ok());
  for (std::uint64_t slot = 0; slot < 4; ++slot)
    CHECK(view.descriptor(slot) == -1);
  CHECK(view.descriptor(4) == -1);
  CHECK(view.descriptor(kNoSlot) == -1);
}

TEST_CASE("the header counts steps, slots and the application's descriptors", "[plan][builder]") {
  Builder builder;
  builder.preserve_fds(3);
  test::add_every_step(builder);
  const std::string bytes = builder.finish();
  const test::Image image(bytes);
  REQUIRE(image.verify().ok());
  const PlanHeader& header = image.verify().header();
  CHECK(header.total_size == bytes.size());
  CHECK(header.step_count == static_cast<std::uint32_t>(StepKind::exec));  // the last kind: all of them
  CHECK(header.descriptor_count == 2);
  CHECK(header.preserved_fds == 3);
}

TEST_CASE("finishing twice gives the same bytes", "[plan][builder]") {
  Builder builder;
  test::add_every_step(builder);
  CHECK(builder.finish() == builder.finish());
}

}  // namespace
}  // namespace capsule::plan
