// What `spec` writes: runc's defaults (three capabilities, none of them ambient or inheritable; a read-only
// rootfs; every namespace but user and time), so that instructions written for runc hold.
#include <algorithm>

#include "spec/write.h"

namespace capsule::spec {
namespace {

Process default_process() {
  const std::vector<std::string> granted = {"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"};
  Process process;
  process.terminal = true;
  process.cwd = "/";
  process.env = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"};
  process.args = {"sh"};
  process.rlimits = {{.type = "RLIMIT_NOFILE", .soft = 1024, .hard = 1024}};
  process.capabilities = Capabilities{
      .bounding = granted, .effective = granted, .inheritable = {}, .permitted = granted, .ambient = {}};
  process.no_new_privileges = true;
  return process;
}

Mount mount(const char* destination, const char* type, const char* source, std::vector<std::string> options) {
  Mount mount;
  mount.destination = destination;
  mount.type = type;
  mount.source = source;
  mount.options = std::move(options);
  return mount;
}

std::vector<Mount> default_mounts() {
  return {
      mount("/proc", "proc", "proc", {}),
      mount("/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}),
      mount("/dev/pts", "devpts", "devpts",
            {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}),
      mount("/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}),
      mount("/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}),
      mount("/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}),
      mount("/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "relatime", "ro"}),
  };
}

Linux default_linux() {
  Linux linux_part;
  linux_part.resources = LinuxResources{};
  linux_part.resources->devices.push_back({.allow = false, .access = "rwm"});
  for (const NamespaceType type : {NamespaceType::pid, NamespaceType::network, NamespaceType::ipc,
                                   NamespaceType::uts, NamespaceType::mount, NamespaceType::cgroup}) {
    linux_part.namespaces.push_back({.type = type, .path = std::nullopt});
  }
  linux_part.masked_paths = {
      "/proc/acpi",       "/proc/asound",      "/proc/kcore",       "/proc/keys",    "/proc/latency_stats",
      "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/sys/firmware", "/proc/scsi"};
  linux_part.readonly_paths = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"};
  return linux_part;
}

bool names_an_id(const std::string& option) {
  return option.starts_with("uid=") || option.starts_with("gid=");
}

// With one id mapped there is no gid 5 to own terminals, and sysfs belongs to the owner of the network
// namespace, who is not us.
void adapt_mounts(std::vector<Mount>& mounts) {
  for (Mount& mount : mounts) {
    std::erase_if(mount.options, names_an_id);
    if (mount.destination != "/sys") continue;
    mount.type = "none";
    mount.source = "/sys";
    mount.options = {"rbind", "nosuid", "noexec", "nodev", "ro"};
  }
}

}  // namespace

Spec default_spec() {
  Spec spec;
  spec.oci_version = "1.3.0";
  spec.root = Root{.path = "rootfs", .readonly = true};
  spec.mounts = default_mounts();
  spec.process = default_process();
  spec.hostname = "capsule";
  spec.linux = default_linux();
  return spec;
}

Spec default_rootless_spec(std::uint32_t euid, std::uint32_t egid) {
  Spec spec = default_spec();
  adapt_mounts(spec.mounts);
  Linux& linux_part = *spec.linux;
  std::erase_if(linux_part.namespaces, [](const Namespace& ns) { return ns.type == NamespaceType::network; });
  linux_part.namespaces.push_back({.type = NamespaceType::user, .path = std::nullopt});
  linux_part.uid_mappings = {{.container_id = 0, .host_id = euid, .size = 1}};
  linux_part.gid_mappings = {{.container_id = 0, .host_id = egid, .size = 1}};
  linux_part.resources.reset();
  return spec;
}

}  // namespace capsule::spec
