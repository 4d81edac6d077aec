// Names the members of every step once, for whoever has to look at all of them: the checker and the
// describer.
//
// visit_fields(step, visitor) calls visitor(name, member) for each member after the header, in order.
#pragma once

#include "runtime/plan/plan.h"

namespace capsule::plan {

template <class V>
void visit_fields(const JoinNamespace& s, V&& v) {
  v("source", s.source);
  v("flags", s.flags);
  v("slot", s.slot);
}
template <class V>
void visit_fields(const BecomeRoot&, V&&) {}
template <class V>
void visit_fields(const Unshare& s, V&& v) {
  v("flags", s.flags);
}
template <class V>
void visit_fields(const ForkInit& s, V&& v) {
  v("flags", s.flags);
}
template <class V>
void visit_fields(const NewTimeNamespace& s, V&& v) {
  v("offsets", s.offsets);
}
template <class V>
void visit_fields(const Say& s, V&& v) {
  v("line", s.line);
}
template <class V>
void visit_fields(const Expect& s, V&& v) {
  v("line", s.line);
}
template <class V>
void visit_fields(const LoopbackUp&, V&&) {}
template <class V>
void visit_fields(const SessionKeyring& s, V&& v) {
  v("name", s.name);
}
template <class V>
void visit_fields(const PrepareRoot& s, V&& v) {
  v("source", s.source);
  v("mode", s.mode);
  v("slot", s.slot);
  v("host_propagation", s.host_propagation);
  v("root_propagation", s.root_propagation);
}
template <class V>
void visit_fields(const OpenRoot& s, V&& v) {
  v("slot", s.slot);
}
template <class V>
void visit_fields(const MountFilesystem& s, V&& v) {
  v("target", s.target);
  v("type", s.type);
  v("source", s.source);
  v("options", s.options);
  v("fallback_source", s.fallback_source);
  v("label", s.label);
  v("flags", s.flags);
  v("slot", s.slot);
  v("attributes", s.attributes);
}
template <class V>
void visit_fields(const Bind& s, V&& v) {
  v("target", s.target);
  v("source", s.source);
  v("flags", s.flags);
  v("slot", s.slot);
  v("attributes", s.attributes);
}
template <class V>
void visit_fields(const SetAttributes& s, V&& v) {
  v("target", s.target);
  v("attributes", s.attributes);
}
template <class V>
void visit_fields(const Reconfigure& s, V&& v) {
  v("target", s.target);
  v("options", s.options);
}
template <class V>
void visit_fields(const Unmount& s, V&& v) {
  v("target", s.target);
}
template <class V>
void visit_fields(const OpenDev&, V&&) {}
template <class V>
void visit_fields(const DeviceNode& s, V&& v) {
  v("target", s.target);
  v("mode", s.mode);
  v("flags", s.flags);
  v("major", s.major);
  v("minor", s.minor);
  v("uid", s.uid);
  v("gid", s.gid);
}
template <class V>
void visit_fields(const Symlink& s, V&& v) {
  v("target", s.target);
  v("value", s.value);
  v("replace", s.replace);
}
template <class V>
void visit_fields(const Sysctl& s, V&& v) {
  v("path", s.path);
  v("value", s.value);
}
template <class V>
void visit_fields(const RunHook& s, V&& v) {
  v("path", s.path);
  v("args", s.args);
  v("env", s.env);
  v("state_before_pid", s.state_before_pid);
  v("state_after_pid", s.state_after_pid);
  v("timeout_ms", s.timeout_ms);
}
template <class V>
void visit_fields(const Mask& s, V&& v) {
  v("target", s.target);
  v("label", s.label);
}
template <class V>
void visit_fields(const MakeReadonly& s, V&& v) {
  v("target", s.target);
}
template <class V>
void visit_fields(const MakeCwd& s, V&& v) {
  v("target", s.target);
}
template <class V>
void visit_fields(const Console& s, V&& v) {
  v("slot", s.slot);
  v("height", s.height);
  v("width", s.width);
  v("mount_console", s.mount_console);
  v("uid", s.uid);
}
template <class V>
void visit_fields(const SecurityLabel& s, V&& v) {
  v("file", s.file);
  v("text", s.text);
}
template <class V>
void visit_fields(const Pivot&, V&&) {}
template <class V>
void visit_fields(const EnterRoot& s, V&& v) {
  v("slot", s.slot);
}
template <class V>
void visit_fields(const Hostname& s, V&& v) {
  v("name", s.name);
}
template <class V>
void visit_fields(const Domainname& s, V&& v) {
  v("name", s.name);
}
template <class V>
void visit_fields(const Stdio& s, V&& v) {
  v("uid", s.uid);
}
template <class V>
void visit_fields(const Personality& s, V&& v) {
  v("persona", s.persona);
}
template <class V>
void visit_fields(const Scheduler& s, V&& v) {
  v("attr", s.attr);
}
template <class V>
void visit_fields(const IoPriority& s, V&& v) {
  v("value", s.value);
}
template <class V>
void visit_fields(const MemoryPolicy& s, V&& v) {
  v("nodes", s.nodes);
  v("mode", s.mode);
}
template <class V>
void visit_fields(const CpuAffinity& s, V&& v) {
  v("cpus", s.cpus);
}
template <class V>
void visit_fields(const ResourceLimit& s, V&& v) {
  v("resource", s.resource);
  v("soft", s.soft);
  v("hard", s.hard);
}
template <class V>
void visit_fields(const NoNewPrivileges&, V&&) {}
template <class V>
void visit_fields(const Seccomp& s, V&& v) {
  v("program", s.program);
  v("flags", s.flags);
  v("listener_slot", s.listener_slot);
  v("listener_message", s.listener_message);
}
template <class V>
void visit_fields(const Confine& s, V&& v) {
  v("groups", s.groups);
  v("uid", s.uid);
  v("gid", s.gid);
  v("umask", s.umask);
  v("set_groups", s.set_groups);
  v("bounding", s.bounding);
  v("effective", s.effective);
  v("permitted", s.permitted);
  v("inheritable", s.inheritable);
  v("ambient", s.ambient);
}
template <class V>
void visit_fields(const ChangeDirectory& s, V&& v) {
  v("target", s.target);
  v("may_retry", s.may_retry);
}
template <class V>
void visit_fields(const FindExecutable& s, V&& v) {
  v("name", s.name);
  v("search_path", s.search_path);
}
template <class V>
void visit_fields(const Gate& s, V&& v) {
  v("mode", s.mode);
}
template <class V>
void visit_fields(const Exec& s, V&& v) {
  v("args", s.args);
  v("env", s.env);
  v("home_uid", s.home_uid);
  v("needs_home", s.needs_home);
}

// Calls f(step) with the step as its own type. False: the kind is unknown, f was not called.
template <class F>
bool dispatch(const StepHeader* h, F&& f) {
  switch (h->kind) {
#define CAPSULE_STEP_(kind, Type)         \
  case StepKind::kind:                    \
    f(*reinterpret_cast<const Type*>(h)); \
    return true;
    CAPSULE_STEP_(join_namespace, JoinNamespace)
    CAPSULE_STEP_(become_root, BecomeRoot)
    CAPSULE_STEP_(unshare, Unshare)
    CAPSULE_STEP_(fork_init, ForkInit)
    CAPSULE_STEP_(new_time_namespace, NewTimeNamespace)
    CAPSULE_STEP_(say, Say)
    CAPSULE_STEP_(expect, Expect)
    CAPSULE_STEP_(loopback_up, LoopbackUp)
    CAPSULE_STEP_(session_keyring, SessionKeyring)
    CAPSULE_STEP_(prepare_root, PrepareRoot)
    CAPSULE_STEP_(open_root, OpenRoot)
    CAPSULE_STEP_(mount_filesystem, MountFilesystem)
    CAPSULE_STEP_(bind, Bind)
    CAPSULE_STEP_(set_attributes, SetAttributes)
    CAPSULE_STEP_(reconfigure, Reconfigure)
    CAPSULE_STEP_(unmount, Unmount)
    CAPSULE_STEP_(open_dev, OpenDev)
    CAPSULE_STEP_(device_node, DeviceNode)
    CAPSULE_STEP_(symlink, Symlink)
    CAPSULE_STEP_(sysctl, Sysctl)
    CAPSULE_STEP_(run_hook, RunHook)
    CAPSULE_STEP_(mask, Mask)
    CAPSULE_STEP_(make_readonly, MakeReadonly)
    CAPSULE_STEP_(make_cwd, MakeCwd)
    CAPSULE_STEP_(console, Console)
    CAPSULE_STEP_(security_label, SecurityLabel)
    CAPSULE_STEP_(pivot, Pivot)
    CAPSULE_STEP_(enter_root, EnterRoot)
    CAPSULE_STEP_(hostname, Hostname)
    CAPSULE_STEP_(domainname, Domainname)
    CAPSULE_STEP_(stdio, Stdio)
    CAPSULE_STEP_(personality, Personality)
    CAPSULE_STEP_(scheduler, Scheduler)
    CAPSULE_STEP_(io_priority, IoPriority)
    CAPSULE_STEP_(memory_policy, MemoryPolicy)
    CAPSULE_STEP_(cpu_affinity, CpuAffinity)
    CAPSULE_STEP_(resource_limit, ResourceLimit)
    CAPSULE_STEP_(no_new_privileges, NoNewPrivileges)
    CAPSULE_STEP_(seccomp, Seccomp)
    CAPSULE_STEP_(confine, Confine)
    CAPSULE_STEP_(change_directory, ChangeDirectory)
    CAPSULE_STEP_(find_executable, FindExecutable)
    CAPSULE_STEP_(gate, Gate)
    CAPSULE_STEP_(exec, Exec)
#undef CAPSULE_STEP_
  }
  return false;
}

constexpr const char* name_of(StepKind kind) {
  switch (kind) {
    case StepKind::join_namespace:
      return "join_namespace";
    case StepKind::become_root:
      return "become_root";
    case StepKind::unshare:
      return "unshare";
    case StepKind::fork_init:
      return "fork_init";
    case StepKind::new_time_namespace:
      return "new_time_namespace";
    case StepKind::say:
      return "say";
    case StepKind::expect:
      return "expect";
    case StepKind::loopback_up:
      return "loopback_up";
    case StepKind::session_keyring:
      return "session_keyring";
    case StepKind::prepare_root:
      return "prepare_root";
    case StepKind::open_root:
      return "open_root";
    case StepKind::mount_filesystem:
      return "mount_filesystem";
    case StepKind::bind:
      return "bind";
    case StepKind::set_attributes:
      return "set_attributes";
    case StepKind::reconfigure:
      return "reconfigure";
    case StepKind::unmount:
      return "unmount";
    case StepKind::open_dev:
      return "open_dev";
    case StepKind::device_node:
      return "device_node";
    case StepKind::symlink:
      return "symlink";
    case StepKind::sysctl:
      return "sysctl";
    case StepKind::run_hook:
      return "run_hook";
    case StepKind::mask:
      return "mask";
    case StepKind::make_readonly:
      return "make_readonly";
    case StepKind::make_cwd:
      return "make_cwd";
    case StepKind::console:
      return "console";
    case StepKind::security_label:
      return "security_label";
    case StepKind::pivot:
      return "pivot";
    case StepKind::enter_root:
      return "enter_root";
    case StepKind::hostname:
      return "hostname";
    case StepKind::domainname:
      return "domainname";
    case StepKind::stdio:
      return "stdio";
    case StepKind::personality:
      return "personality";
    case StepKind::scheduler:
      return "scheduler";
    case StepKind::io_priority:
      return "io_priority";
    case StepKind::memory_policy:
      return "memory_policy";
    case StepKind::cpu_affinity:
      return "cpu_affinity";
    case StepKind::resource_limit:
      return "resource_limit";
    case StepKind::no_new_privileges:
      return "no_new_privileges";
    case StepKind::seccomp:
      return "seccomp";
    case StepKind::confine:
      return "confine";
    case StepKind::change_directory:
      return "change_directory";
    case StepKind::find_executable:
      return "find_executable";
    case StepKind::gate:
      return "gate";
    case StepKind::exec:
      return "exec";
  }
  return "?";
}

}  // namespace capsule::plan
