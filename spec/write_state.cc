// What `state`, `list`, `ps` print and hooks read.
#include "spec/json_flat.h"
#include "spec/json_out.h"
#include "spec/write.h"

namespace capsule::spec {
namespace {

// runc prints `owner` always, and for `state` empty.
std::string object_of(const ContainerState& state, FlatObject::Layout layout) {
  FlatObject json(layout);
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

}  // namespace

std::string write_state(const ContainerState& state) {
  return object_of(state, FlatObject::Layout::two_spaces) + "\n";
}

std::string write_state_list(const std::vector<ContainerState>& states) {
  std::string list = "[";
  for (const ContainerState& state : states) {
    if (list.size() > 1) list.push_back(',');
    list.append(object_of(state, FlatObject::Layout::one_line));
  }
  return list.append("]\n");
}

std::string write_hook_state(const ContainerState& state) {
  FlatObject json(FlatObject::Layout::one_line);
  json.text("ociVersion", state.oci_version);
  json.text("id", state.id);
  json.text("status", state.status);
  if (state.pid != 0) json.number("pid", state.pid);
  json.text("bundle", state.bundle);
  if (!state.rootfs.empty()) json.text("root", state.rootfs);
  json.texts("annotations", state.annotations);
  return std::move(json).finish() + "\n";
}

std::string write_pids(const std::vector<std::int64_t>& pids) {
  return to_text(Json(pids), Layout::one_line);
}

}  // namespace capsule::spec
