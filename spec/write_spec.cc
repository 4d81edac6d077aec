// config.json: the top level, mounts and hooks.
#include "spec/json_out.h"
#include "spec/write.h"

namespace capsule::spec {
namespace {

Json json_of_root(const Root& root) {
  Json json = Json::object();
  json["path"] = root.path;
  put(json, "readonly", root.readonly);
  return json;
}

Json json_of_mount(const Mount& mount) {
  Json json = Json::object();
  json["destination"] = mount.destination;
  put(json, "type", mount.type);
  put(json, "source", mount.source);
  put(json, "options", mount.options);
  put_objects(json, "uidMappings", mount.uid_mappings, json_of_id_mapping);
  put_objects(json, "gidMappings", mount.gid_mappings, json_of_id_mapping);
  return json;
}

Json json_of_hook(const Hook& hook) {
  Json json = Json::object();
  json["path"] = hook.path;
  put(json, "args", hook.args);
  put(json, "env", hook.env);
  put(json, "timeout", hook.timeout);
  return json;
}

void put_hooks(Json& object, const Hooks& hooks) {
  Json json = Json::object();
  put_objects(json, "prestart", hooks.prestart, json_of_hook);
  put_objects(json, "createRuntime", hooks.create_runtime, json_of_hook);
  put_objects(json, "createContainer", hooks.create_container, json_of_hook);
  put_objects(json, "startContainer", hooks.start_container, json_of_hook);
  put_objects(json, "poststart", hooks.poststart, json_of_hook);
  put_objects(json, "poststop", hooks.poststop, json_of_hook);
  if (!json.empty()) object["hooks"] = std::move(json);
}

}  // namespace

std::string write(const Spec& spec) {
  Json json = Json::object();
  json["ociVersion"] = spec.oci_version;
  put_object(json, "process", spec.process, json_of_process);
  put_object(json, "root", spec.root, json_of_root);
  put(json, "hostname", spec.hostname);
  put(json, "domainname", spec.domainname);
  put_objects(json, "mounts", spec.mounts, json_of_mount);
  put_hooks(json, spec.hooks);
  put(json, "annotations", spec.annotations);
  put_object(json, "linux", spec.linux, json_of_linux);
  return to_text(json, Layout::tabs);
}

}  // namespace capsule::spec
