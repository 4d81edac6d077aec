// state.json: written when a container is made, read by every later command.
//
// The reader trusts nothing although the file is root's: a pid is signalled, a cgroup path is removed with
// all that is in it, and a half-written or foreign file must not choose which.
#include <array>
#include <limits>

#include "runtime/base/text.h"
#include "spec/json_cursor.h"
#include "spec/json_flat.h"
#include "spec/names.h"
#include "spec/write.h"

namespace capsule::spec {
namespace {

constexpr const char* kSchema = "capsule.record/v1";
constexpr std::array<std::string_view, 4> kManagers = {"", "cgroupfs", "systemd", "disabled"};

Status check_schema(const Cursor& at) {
  const std::string schema = TRY(at.required<std::string>("schema"));
  if (schema == kSchema) return {};
  return at.member("schema").error(
      cat({"is ", capsule::quoted(schema), ", but this version reads ", kSchema}));
}

// An id is one component of a path below the state directory.
Result<std::string> parse_id(const Cursor& at) {
  std::string id = TRY(at.required<std::string>("id"));
  if (id.empty() || id == "." || id == ".." || id.find('/') != std::string::npos) {
    return at.member("id").error(cat({"is no container id: ", capsule::quoted(id)}));
  }
  return id;
}

Result<std::string> parse_path(const Cursor& at, std::string_view key) {
  std::string path = TRY(at.required<std::string>(key));
  if (!path.empty() && path.front() != '/') return at.member(key).error("must be an absolute path");
  return path;
}

Result<std::string> parse_cgroup_path(const Cursor& at) {
  std::string path = TRY(parse_path(at, "cgroupPath"));
  for (const std::string_view component : split(path, '/')) {
    if (component == "..") return at.member("cgroupPath").error("must not contain \"..\"");
  }
  return path;
}

Result<std::int64_t> parse_pid(const Cursor& at) {
  const std::int64_t pid = TRY(at.required<std::int64_t>("pid"));
  if (pid < 0 || pid > std::numeric_limits<std::int32_t>::max())
    return at.member("pid").error("is no process id");
  return pid;
}

Result<std::string> parse_manager(const Cursor& at) {
  std::string manager = TRY(at.required<std::string>("cgroupManager"));
  if (!contains(kManagers, manager)) {
    return at.member("cgroupManager")
        .error(cat({"must be cgroupfs, systemd or disabled, not ", capsule::quoted(manager)}));
  }
  return manager;
}

// Not there in records of containers without RDT, nor in older ones.
Result<std::string> parse_rdt_path(const Cursor& at, std::string_view key) {
  std::string path = TRY(at.value_or(key, std::string()));
  if (!path.empty() && path.front() != '/') return at.member(key).error("must be an absolute path");
  for (const std::string_view component : split(path, '/')) {
    if (component == "..") return at.member(key).error("must not contain \"..\"");
  }
  return path;
}

// Of containers under systemd alone.
Result<std::string> parse_unit(const Cursor& at) {
  std::string unit = TRY(at.value_or("systemdUnit", std::string()));
  if (!unit.empty() && !unit.ends_with(".scope"))
    return at.member("systemdUnit").error(cat({"must be a scope, not ", capsule::quoted(unit)}));
  return unit;
}

Status parse_rdt(const Cursor& at, Record& record) {
  record.rdt_group = TRY(parse_rdt_path(at, "rdtGroup"));
  record.rdt_group_is_ours = TRY(at.value_or("rdtGroupIsOurs", false));
  record.rdt_monitor = TRY(parse_rdt_path(at, "rdtMonitor"));
  return {};
}

Result<Record> parse_record(const Cursor& at) {
  TRY(check_schema(at));
  Record record;
  record.id = TRY(parse_id(at));
  record.bundle = TRY(parse_path(at, "bundle"));
  record.rootfs = TRY(parse_path(at, "rootfs"));
  record.created = TRY(at.required<std::string>("created"));
  record.pid = TRY(parse_pid(at));
  record.start_time = TRY(at.required<std::uint64_t>("startTime"));
  record.pidfd_inode = TRY(at.value_or("pidfdInode", std::uint64_t{0}));
  record.cgroup_path = TRY(parse_cgroup_path(at));
  record.cgroup_mount = TRY(parse_path(at, "cgroupMount"));
  record.cgroup_manager = TRY(parse_manager(at));
  record.systemd_unit = TRY(parse_unit(at));
  record.own_pid_namespace = TRY(at.required<bool>("ownPidNamespace"));
  record.no_new_keyring = TRY(at.required<bool>("noNewKeyring"));
  record.start_needs_config = TRY(at.value_or("startNeedsConfig", true));  // older records do not say
  record.delete_needs_config = TRY(at.value_or("deleteNeedsConfig", true));
  record.owner_uid = TRY(at.required<std::uint32_t>("ownerUid"));
  record.annotations = TRY(at.texts("annotations"));
  TRY(parse_rdt(at, record));
  return record;
}

}  // namespace

std::string write_record(const Record& record) {
  FlatObject json;
  json.text("schema", kSchema);
  json.text("id", record.id);
  json.text("bundle", record.bundle);
  json.text("rootfs", record.rootfs);
  json.text("created", record.created);
  json.number("pid", record.pid);
  json.natural("startTime", record.start_time);
  if (record.pidfd_inode != 0) json.natural("pidfdInode", record.pidfd_inode);
  json.text("cgroupPath", record.cgroup_path);
  json.text("cgroupMount", record.cgroup_mount);
  json.text("cgroupManager", record.cgroup_manager);
  if (!record.systemd_unit.empty()) json.text("systemdUnit", record.systemd_unit);
  if (!record.rdt_group.empty()) {
    json.text("rdtGroup", record.rdt_group);
    json.boolean("rdtGroupIsOurs", record.rdt_group_is_ours);
    json.text("rdtMonitor", record.rdt_monitor);
  }
  json.boolean("ownPidNamespace", record.own_pid_namespace);
  json.boolean("noNewKeyring", record.no_new_keyring);
  json.boolean("startNeedsConfig", record.start_needs_config);
  json.boolean("deleteNeedsConfig", record.delete_needs_config);
  json.natural("ownerUid", record.owner_uid);
  json.texts("annotations", record.annotations);
  return std::move(json).finish() + "\n";
}

Result<Record> read_record(std::string_view json) {
  const Document document = TRY(Document::parse(json, "state.json"));
  const Cursor root = document.root();
  TRY(root.expect_object());
  return parse_record(root);
}

}  // namespace capsule::spec
