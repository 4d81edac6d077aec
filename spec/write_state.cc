// What `state`, `list`, `ps` print and hooks read.
#include "spec/json_flat.h"
#include "spec/json_out.h"
#include "spec/write.h"

namespace capsule::spec {
namespace {

// runc prints `owner` always, and for `state` empty.
Json json_of_state(const ContainerState& state) {
  Json json = Json::object();
  json["ociVersion"] = state.oci_version;
  json["id"] = state.id;
  json["pid"] = state.pid;
  json["status"] = state.status;
  json["bundle"] = state.bundle;
  json["rootfs"] = state.rootfs;
  json["created"] = state.created;
  put(json, "annotations", state.annotations);
  json["owner"] = state.owner;
  return json;
}

}  // namespace

// The same members as above, without a tree: engines ask for one state again and again.
std::string write_state(const ContainerState& state) {
  FlatObject json;
  json.text("ociVersion", state.oci_version);
  json.text("id", state.id);
  json.number("pid", state.pid);
  json.text("status", state.status);
  json.text("bundle", state.bundle);
  json.text("rootfs", state.rootfs);
  json.text("created", state.created);
  json.texts("annotations", state.annotations);
  json.text("owner", state.owner);
  return std::move(json).finish();
}

std::string write_state_list(const std::vector<ContainerState>& states) {
  Json json = Json::array();
  for (const ContainerState& state : states)
    json.push_back(json_of_state(state));
  return to_text(json, Layout::one_line);
}

std::string write_hook_state(const ContainerState& state) {
  Json json = Json::object();
  json["ociVersion"] = state.oci_version;
  json["id"] = state.id;
  json["status"] = state.status;
  if (state.pid != 0) json["pid"] = state.pid;
  json["bundle"] = state.bundle;
  put(json, "root", state.rootfs);
  put(json, "annotations", state.annotations);
  return to_text(json, Layout::one_line);
}

std::string write_pids(const std::vector<std::int64_t>& pids) {
  return to_text(Json(pids), Layout::one_line);
}

}  // namespace capsule::spec
