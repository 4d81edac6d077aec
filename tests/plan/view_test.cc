#include "runtime/plan/view.h"

#include <cstddef>
#include <functional>

#include "runtime/plan/describe.h"
#include "tests/plan/image.h"
#include "tests/support/catch.h"

namespace capsule::plan {
namespace {

std::string ordinary_image() {
  Builder builder;
  (void)builder.donate({.kind = Donation::Kind::rootfs});
  builder.add("/hostname", Hostname{.name = builder.text("box")});
  builder.add("/process",
              Exec{.args = builder.list({"sh", "-c", "exit"}), .env = builder.list({"PATH=/bin"})});
  const std::uint64_t cpus = 3;
  builder.add("", CpuAffinity{.cpus = builder.blob(&cpus, sizeof(cpus))});
  return builder.finish();
}

PlanHeader& header_of(std::string& image) {
  return *reinterpret_cast<PlanHeader*>(image.data());
}
template <class Step>
Step& step_of(std::string& image, std::size_t skip) {
  return *reinterpret_cast<Step*>(image.data() + header_of(image).steps_offset + skip);
}
Hostname& hostname_of(std::string& image) {
  return step_of<Hostname>(image, 0);
}
Exec& exec_of(std::string& image) {
  return step_of<Exec>(image, sizeof(Hostname));
}
CpuAffinity& affinity_of(std::string& image) {
  return step_of<CpuAffinity>(image, sizeof(Hostname) + sizeof(Exec));
}

TEST_CASE("a plan is walked step by step, each as its own type", "[plan][view]") {
  const test::Image image(ordinary_image());
  const View view = image.verify();
  REQUIRE(view.ok());
  const StepHeader* step = view.first();
  CHECK(step->kind == StepKind::hostname);
  step = view.next(step);
  REQUIRE(step != nullptr);
  CHECK(step->kind == StepKind::exec);
  step = view.next(step);
  REQUIRE(step != nullptr);
  CHECK(step->kind == StepKind::cpu_affinity);
  CHECK(*static_cast<const std::uint64_t*>(view.bytes(as<CpuAffinity>(step).cpus)) == 3);
  CHECK(view.next(step) == nullptr);
}

TEST_CASE("a plan without steps is sound and has no first step", "[plan][view]") {
  const test::Image image(Builder().finish());
  REQUIRE(image.verify().ok());
  CHECK(image.verify().first() == nullptr);
}

TEST_CASE("an image that was cut anywhere is refused", "[plan][view]") {
  Builder builder;
  test::add_every_step(builder);
  const std::string whole = builder.finish();
  REQUIRE(test::Image(whole).verify().ok());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    INFO("cut after " << size << " bytes");
    REQUIRE_FALSE(test::Image(whole.substr(0, size)).verify().ok());
  }
  CHECK_FALSE(test::Image(whole + std::string(8, '\0')).verify().ok());
}

TEST_CASE("an image at an odd address is refused", "[plan][view]") {
  const std::string whole = ordinary_image();
  alignas(8) char bytes[4096] = {};
  REQUIRE(whole.size() + 8 < sizeof(bytes));
  std::memcpy(bytes + 4, whole.data(), whole.size());
  CHECK_FALSE(View::verify(bytes + 4, whole.size()).ok());
  std::memmove(bytes, bytes + 4, whole.size());
  CHECK(View::verify(bytes, whole.size()).ok());
}

TEST_CASE("an image with any of these damages is refused", "[plan][view]") {
  struct Case {
    std::function<void(std::string&)> damage;
    const char* because;
  };
  const std::uint32_t far = 0xffff'fff8U;
  const Case cases[] = {
      {[](std::string& i) { header_of(i).magic ^= 1; }, "not a plan"},
      {[](std::string& i) { ++header_of(i).version; }, "a plan of another version"},
      {[](std::string& i) { ++header_of(i).total_size; }, "claims to be longer than it is"},
      {[](std::string& i) { header_of(i).descriptor_count = 1000; }, "the table reaches into the steps"},
      {[&](std::string& i) { header_of(i).descriptor_count = far; }, "the table's end overflows 32 bits"},
      {[](std::string& i) { header_of(i).steps_offset += 4; }, "steps that are not aligned"},
      {[&](std::string& i) { header_of(i).steps_offset = far; }, "steps outside"},
      {[](std::string& i) { header_of(i).steps_offset = 0; }, "steps on top of the header"},
      {[&](std::string& i) { header_of(i).steps_size = far; }, "the steps' end overflows 32 bits"},
      {[](std::string& i) { header_of(i).steps_size -= 8; }, "the last step is cut"},
      {[](std::string& i) { header_of(i).data_offset += 4; }, "data that is not aligned"},
      {[&](std::string& i) { header_of(i).data_offset = far; }, "data outside"},
      {[](std::string& i) { header_of(i).data_size += 8; }, "data past the end"},
      {[&](std::string& i) { header_of(i).data_size = far; }, "the data's end overflows 32 bits"},
      {[](std::string& i) { header_of(i).data_size = 0; }, "no data, and texts in it"},
      {[](std::string& i) { ++header_of(i).step_count; }, "fewer steps than counted"},
      {[](std::string& i) { --header_of(i).step_count; }, "more steps than counted"},
      {[](std::string& i) { hostname_of(i).header.kind = static_cast<StepKind>(0); }, "no such kind"},
      {[](std::string& i) { hostname_of(i).header.kind = static_cast<StepKind>(999); }, "no such kind"},
      {[](std::string& i) { hostname_of(i).header.kind = StepKind::exec; }, "a kind of another size"},
      {[](std::string& i) { hostname_of(i).header.size = 0; }, "a walk that would never end"},
      {[](std::string& i) { hostname_of(i).header.size -= 8; }, "smaller than its type"},
      {[](std::string& i) { hostname_of(i).header.size += 8; }, "larger than its type"},
      {[](std::string& i) { hostname_of(i).header.size += 1; }, "a size that is not a multiple of 8"},
      {[](std::string& i) { affinity_of(i).header.size = 0xfff8; }, "the last step reaches past all"},
      {[&](std::string& i) { hostname_of(i).header.field.offset = far; }, "the field lies outside"},
      {[&](std::string& i) { hostname_of(i).name.offset = far; }, "a text outside"},
      {[](std::string& i) { hostname_of(i).name.size = 0xffff'ffffU; }, "a text without an end"},
      {[](std::string& i) { hostname_of(i).name.size -= 1; }, "a text that does not end with a NUL"},
      {[](std::string& i) { exec_of(i).args.offset += 1; }, "a list that is not aligned"},
      {[&](std::string& i) { exec_of(i).args.offset = far; }, "a list outside"},
      {[](std::string& i) { exec_of(i).args.count = 0x2000'0001U; }, "a list whose size overflows 32 bits"},
      {[](std::string& i) { exec_of(i).args.count += 100; }, "a list longer than the data"},
      {[](std::string& i) { affinity_of(i).cpus.offset += 4; }, "a blob that is not aligned"},
      {[](std::string& i) { affinity_of(i).cpus.size += 8; }, "a blob longer than the data"},
      {[&](std::string& i) { affinity_of(i).cpus.offset = far; }, "a blob outside"},
  };
  for (const Case& c : cases) {
    std::string image = ordinary_image();
    c.damage(image);
    INFO(c.because);
    CHECK_FALSE(test::Image(image).verify().ok());
  }
}

TEST_CASE("a list whose entry lies outside is refused", "[plan][view]") {
  std::string image = ordinary_image();
  const std::uint32_t at = header_of(image).data_offset + exec_of(image).args.offset;
  reinterpret_cast<Text*>(image.data() + at)[2].offset = 0x7fff'ffffU;
  CHECK_FALSE(test::Image(image).verify().ok());
}

TEST_CASE("flipping any one bit gives a refusal or a plan that can still be read", "[plan][view]") {
  Builder builder;
  test::add_every_step(builder);
  const std::string whole = builder.finish();
  int accepted = 0;
  for (std::size_t bit = 0; bit < whole.size() * 8; bit += 3) {
    std::string image = whole;
    image[bit / 8] = static_cast<char>(image[bit / 8] ^ (1 << (bit % 8)));
    const test::Image damaged(image);
    const View view = damaged.verify();
    if (view.ok()) accepted += describe(view).empty() ? 0 : 1;  // reads every member; sanitizers watch
  }
  CHECK(accepted > 0);
}

}  // namespace
}  // namespace capsule::plan
