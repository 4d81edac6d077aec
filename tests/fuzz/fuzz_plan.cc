// Bytes as an image: what verify accepts can be walked and described, inside its own bounds. Bytes as
// config.json: every target of a plan is absolute and holds no "..", for init resolves it as it stands.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>
#include <vector>

#include "runtime/launch/plan_create.h"
#include "runtime/plan/describe.h"
#include "runtime/plan/fields.h"
#include "spec/read.h"
#include "spec/validate.h"

namespace {

using namespace capsule;

void require(bool condition) {
  if (!condition) __builtin_trap();
}

void require_one_line_each(std::string_view description) {
  for (const char c : description)
    require(c == '\n' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f));
}

void try_as_image(const std::uint8_t* data, std::size_t size) {
  std::vector<std::uint64_t> aligned((size + 7) / 8);
  if (size != 0) std::memcpy(aligned.data(), data, size);
  const plan::View view = plan::View::verify(aligned.data(), size);
  if (view.ok()) require_one_line_each(plan::describe(view));
}

// Visits a step's members; looks at those called `target`.
class TargetChecker {
 public:
  explicit TargetChecker(const plan::View& view) : view_(view) {}
  void operator()(std::string_view name, plan::Text t) const {
    if (name != "target") return;
    const std::string target(view_.text(t), t.size);
    require(target.starts_with('/') && (target + "/").find("/../") == std::string::npos);
    require(target.find('\0') == std::string::npos);
  }
  template <class Other>
  void operator()(std::string_view /*name*/, const Other& /*value*/) const {}

 private:
  const plan::View& view_;
};

// The working directory is the process's own business: it is entered as the user, and may be a link.
template <class Step>
constexpr bool kHasTargetBelowRoot = !std::is_same_v<Step, plan::ChangeDirectory>;

void check_plan(const launch::CreatePlan& created) {
  const std::string image = created.builder.finish();
  const plan::View view = plan::View::verify(image.data(), image.size());
  require(view.ok());
  require_one_line_each(plan::describe(view));
  for (const plan::StepHeader* step = view.first(); step != nullptr; step = view.next(step)) {
    require(plan::dispatch(step, [&](const auto& typed) {
      using Step = std::remove_cvref_t<decltype(typed)>;
      if constexpr (kHasTargetBelowRoot<Step>) plan::visit_fields(typed, TargetChecker(view));
    }));
  }
}

void try_as_config(std::string_view bytes) {
  launch::Bundle bundle{.path = "/bundle", .rootfs = "/bundle/rootfs"};
  Result<spec::Spec> spec = spec::read(bytes);
  if (!spec.has_value() || !spec::validate(spec.value()).has_value()) return;
  bundle.spec = std::move(spec).value();
  // Compiling the filter is its library's part and takes most of the time.
  if (bundle.spec.linux.has_value()) bundle.spec.linux->seccomp.reset();

  launch::LaunchOptions options;
  options.id = "c1";
  if (bundle.spec.process.has_value() && bundle.spec.process->terminal) options.console_socket = "/socket";
  launch::Host host;
  host.cgroups.mount = "/sys/fs/cgroup";
  host.cgroups.own_path = "/";
  for (const bool privileged : {true, false}) {
    host.privileged = privileged;
    host.euid = privileged ? 0 : 1000;
    const auto created = launch::plan_create(bundle, options, host, plan::GateMode::listen);
    if (created.has_value()) check_plan(created.value());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try_as_image(data, size);
  try_as_config({reinterpret_cast<const char*>(data), size});
  return 0;
}
