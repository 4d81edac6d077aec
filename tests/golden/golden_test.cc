// config.json → plan.txt: every decision about a container, readable, without performing any of them.
//
// A case is a folder with config.json and plan.txt. A file named `unprivileged` in it says that the caller is
// an ordinary user, one named `no-pivot` that --no-pivot is given, one named `terminal` that --console-socket
// is. The host is always the same made-up one.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>

#include "runtime/base/text.h"
#include "runtime/launch/plan_create.h"
#include "runtime/plan/describe.h"
#include "spec/read.h"
#include "spec/validate.h"
#include "spec/write.h"
#include "tests/support/catch.h"

namespace capsule::launch {
namespace {

namespace fs = std::filesystem;

std::string slurp(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Host made_up_host(bool privileged) {
  Host host;
  host.privileged = privileged;
  host.euid = host.egid = privileged ? 0 : 1000;
  host.cgroups.mount = "/sys/fs/cgroup";
  host.cgroups.controllers = {"cpuset", "cpu", "io", "memory", "hugetlb", "pids", "rdma"};
  host.cgroups.own_path = "/test.slice/leaf";
  return host;
}

LaunchOptions options_of(const fs::path& folder) {
  LaunchOptions options;
  options.id = "c1";
  options.no_pivot = fs::exists(folder / "no-pivot");
  if (fs::exists(folder / "terminal")) options.console_socket = "/run/console.sock";
  return options;
}

std::string describe_lines(std::string_view what, const std::string& map) {
  std::string text;
  for (const std::string_view line : split(map, '\n')) {
    if (!line.empty()) text.append(cat({what, " ", line, "\n"}));
  }
  return text;
}

std::string describe_write(const cgroups::Write& write) {
  std::string text = cat({"cgroup ", write.file, " ", write.value});
  if (write.optional) text.append(" (if there)");
  if (!write.fallback_file.empty())
    text.append(cat({" (else ", write.fallback_file, " ", write.fallback_value, ")"}));
  if (!write.usage_file.empty()) text.append(cat({" (above ", write.usage_file, ")"}));
  return text.append(cat({"   # ", write.field, "\n"}));
}

std::string describe_clone(const ns::NamespaceSet& set) {
  std::string text = "clone";
  for (const auto type : {spec::NamespaceType::user, spec::NamespaceType::pid, spec::NamespaceType::network,
                          spec::NamespaceType::mount, spec::NamespaceType::ipc, spec::NamespaceType::uts}) {
    if ((set.clone_flags & ns::clone_flag_of(type)) != 0) text.append(" ").append(ns::name_of(type));
  }
  if (!set.pid_path.empty()) text.append(" into ").append(set.pid_path);
  return text.append("\n");
}

// What the launcher does, then what init does. The size of a seccomp program is its library's business.
std::string describe_plan(const CreatePlan& plan) {
  std::string text = describe_clone(plan.namespaces);
  text.append(plan::describe_donations(plan.builder.donations()));
  if (plan.denies_setgroups) text.append("setgroups deny\n");
  text.append(describe_lines("uid_map", plan.uid_map)).append(describe_lines("gid_map", plan.gid_map));
  text.append(cat({"cgroup ", plan.cgroup.path, "\n"}));
  for (const cgroups::Write& write : plan.cgroup.writes)
    text.append(describe_write(write));
  for (const process::ResourceLimit& limit : plan.rlimits) {
    text.append(cat({"rlimit ", std::to_string(limit.resource), " ", std::to_string(limit.soft), " ",
                     std::to_string(limit.hard), "   # ", limit.field, "\n"}));
  }
  for (const ns::NetDeviceMove& move : plan.net_devices)
    text.append(cat({"network device ", move.host_name, " ", move.name, "   # ", move.field, "\n"}));
  text.append("\n").append(cgroups::describe_device_program(plan.cgroup.devices)).append("\n");
  const std::string image = plan.builder.finish();
  text.append(plan::describe(plan::View::verify(image.data(), image.size())));
  return std::regex_replace(text, std::regex("program=[0-9]+ bytes"), "program=(compiled)");
}

std::string plan_text(const fs::path& folder) {
  Bundle bundle{.path = "/bundle", .rootfs = "/bundle/rootfs", .config = slurp(folder / "config.json")};
  Result<spec::Spec> spec = spec::read(bundle.config);
  if (!spec.has_value()) return cat({"refused: ", spec.error().message(), "\n"});
  bundle.spec = std::move(spec).value();
  const Status valid = spec::validate(bundle.spec);
  if (!valid.has_value()) return cat({"refused: ", valid.error().message(), "\n"});
  const Host host = made_up_host(!fs::exists(folder / "unprivileged"));
  const Result<CreatePlan> plan = plan_create(bundle, options_of(folder), host, plan::GateMode::listen);
  if (!plan.has_value()) return cat({"refused: ", plan.error().message(), "\n"});
  return describe_plan(plan.value());
}

bool is_approving() {
  return std::getenv("APPROVE") != nullptr;
}

std::vector<fs::path> cases() {
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(GOLDEN_DIR)) {
    if (entry.is_directory()) folders.push_back(entry.path());
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

// Approves its half first: the plans below are made from these files.
TEST_CASE("the default cases are what `capsule spec` writes", "[launch][golden]") {
  const fs::path golden = GOLDEN_DIR;
  const struct {
    const char* folder;
    std::string written;
  } defaults[] = {{"default", spec::write(spec::default_spec())},
                  {"rootless", spec::write(spec::default_rootless_spec(1000, 1000))}};
  for (const auto& [folder, written] : defaults) {
    const fs::path config = golden / folder / "config.json";
    if (is_approving()) std::ofstream(config, std::ios::binary) << written;
    CHECK(slurp(config) == written);
  }
}

TEST_CASE("every golden bundle plans to exactly the approved text", "[launch][golden]") {
  REQUIRE(cases().size() >= 15);
  for (const fs::path& folder : cases()) {
    const std::string planned = plan_text(folder);
    const fs::path approved = folder / "plan.txt";
    if (is_approving()) std::ofstream(approved, std::ios::binary) << planned;
    INFO("golden: " << folder.filename()
                    << "  (APPROVE=1 rewrites plan.txt; read the diff before you commit)");
    CHECK(planned == slurp(approved));
  }
}

TEST_CASE("no golden bundle is refused, except the one that says so", "[launch][golden]") {
  for (const fs::path& folder : cases()) {
    INFO(folder.filename() << ": " << plan_text(folder).substr(0, 200));
    CHECK(plan_text(folder).starts_with("refused: ") == folder.filename().string().starts_with("refused-"));
  }
}

TEST_CASE("planning the same bundle twice gives the same text", "[launch][golden]") {
  for (const fs::path& folder : cases())
    CHECK(plan_text(folder) == plan_text(folder));
}

}  // namespace
}  // namespace capsule::launch
