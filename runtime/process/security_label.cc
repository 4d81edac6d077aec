#include "runtime/process/security_label.h"

#include <fcntl.h>

#include <cerrno>

#include "runtime/base/file.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"

namespace capsule::process {
namespace {

constexpr const char* kUnconfined = "unconfined";

bool is_set(const std::optional<std::string>& text) {
  return text.has_value() && !text->empty();
}

// Absent: not in force. Anything else that keeps us from reading is worth knowing.
Result<std::string> read_if_there(FdRef root, const char* path) {
  Result<std::string> text = read_file(root, path);
  if (text.has_value()) return text;
  const int err = text.error().code();
  return err == ENOENT || err == ENOTDIR || err == EINVAL ? Result<std::string>(std::string())
                                                          : std::move(text);
}

Status probe_apparmor(FdRef root, SecurityModules& modules) {
  const std::string enabled = TRY(read_if_there(root, "sys/module/apparmor/parameters/enabled"));
  modules.apparmor = enabled.starts_with('Y');
  if (!modules.apparmor) return {};
  const bool has_own_files = sys::fstatat(root, "proc/self/attr/apparmor", 0).has_value();
  if (!has_own_files) modules.apparmor_file = "attr/exec";
  const std::string current =
      TRY(read_if_there(root, has_own_files ? "proc/self/attr/apparmor/current" : "proc/self/attr/current"));
  modules.confined = !current.empty() && !current.starts_with(kUnconfined);
  return {};
}

void add_label(std::string_view field, std::string_view file, std::string_view text, plan::Builder& builder) {
  builder.add(field, plan::SecurityLabel{.file = builder.text(file), .text = builder.text(text)});
}

Error not_in_force(const std::string& field, std::string_view what) {
  return Error::unsupported(cat({field, ": ", what}));
}

Status plan_profile(const spec::Process& process, const LabelContext& context, plan::Builder& builder) {
  if (!is_set(process.apparmor_profile)) return {};
  const std::string field = cat({context.pointer, "/apparmorProfile"});
  const std::string& profile = *process.apparmor_profile;
  if (!context.modules->apparmor) {
    if (profile == kUnconfined) return {};
    return not_in_force(field, cat({"the profile ", quoted(profile),
                                    " cannot be applied: AppArmor is not enabled on this host "
                                    "(/sys/module/apparmor/parameters/enabled)"}));
  }
  // Under no_new_privs the kernel lets a confined process only add confinement: both profiles then apply.
  const bool stacks = process.no_new_privileges && context.modules->confined;
  add_label(field, context.modules->apparmor_file, cat({stacks ? "stack " : "exec ", profile}), builder);
  return {};
}

Status check_selinux(const std::string& field, const SecurityModules& modules) {
  if (modules.selinux) return {};
  return not_in_force(
      field, "the label cannot be applied: SELinux is not enabled on this host (/sys/fs/selinux/enforce)");
}

}  // namespace

LabelsAsked labels_asked(const spec::Process* process, const spec::Linux* linux) {
  LabelsAsked asked;
  if (process != nullptr) {
    asked.apparmor = is_set(process->apparmor_profile);
    asked.selinux = is_set(process->selinux_label);
  }
  if (linux != nullptr && is_set(linux->mount_label)) asked.selinux = true;
  return asked;
}

Result<SecurityModules> probe_security_modules(const LabelsAsked& asked, FdRef root) {
  SecurityModules modules;
  if (asked.apparmor) TRY(probe_apparmor(root, modules).context("look for AppArmor"));
  if (asked.selinux) {
    modules.selinux = !TRY(read_if_there(root, "sys/fs/selinux/enforce").context("look for SELinux")).empty();
  }
  return modules;
}

Result<SecurityModules> probe_security_modules(const LabelsAsked& asked) {
  if (!asked.apparmor && !asked.selinux) return SecurityModules();
  const UniqueFd root = TRY(sys::openat(FdRef::cwd(), "/", O_PATH | O_DIRECTORY));
  return probe_security_modules(asked, root);
}

Status plan_key_label(const spec::Process& process, const LabelContext& context, plan::Builder& builder) {
  if (!is_set(process.selinux_label)) return {};
  const std::string field = cat({context.pointer, "/selinuxLabel"});
  TRY(check_selinux(field, *context.modules));
  add_label(field, "attr/keycreate", *process.selinux_label, builder);
  return {};
}

Status plan_exec_labels(const spec::Process& process, const LabelContext& context, plan::Builder& builder) {
  if (is_set(process.selinux_label)) {
    const std::string field = cat({context.pointer, "/selinuxLabel"});
    TRY(check_selinux(field, *context.modules));
    add_label(field, "attr/exec", *process.selinux_label, builder);
  }
  return plan_profile(process, context, builder);
}

Status check_mount_label(const std::optional<std::string>& label, const SecurityModules& modules) {
  if (!is_set(label)) return {};
  if (label->find('\0') != std::string::npos)
    return Error::invalid_config("/linux/mountLabel", "label contains null byte");
  return check_selinux("/linux/mountLabel", modules);
}

}  // namespace capsule::process
