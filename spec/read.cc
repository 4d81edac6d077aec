#include "spec/read.h"

#include "spec/json_cursor.h"
#include "spec/read_parts.h"

namespace capsule::spec {
namespace {

Result<Root> parse_root(const Cursor& at) {
  Root root;
  root.path = TRY(at.required<std::string>("path"));
  root.readonly = TRY(at.value_or("readonly", false));
  return root;
}

Result<Mount> parse_mount(const Cursor& at) {
  Mount mount;
  mount.destination = TRY(at.required<std::string>("destination"));
  mount.type = TRY(at.text("type"));
  mount.source = TRY(at.text("source"));
  mount.options = TRY(at.values<std::string>("options"));
  mount.uid_mappings = TRY(at.objects("uidMappings", parse_id_mapping));
  mount.gid_mappings = TRY(at.objects("gidMappings", parse_id_mapping));
  return mount;
}

Result<Hook> parse_hook(const Cursor& at) {
  Hook hook;
  hook.path = TRY(at.required<std::string>("path"));
  hook.args = TRY(at.values<std::string>("args"));
  hook.env = TRY(at.optional_values<std::string>("env"));
  hook.timeout = TRY(at.optional<std::int32_t>("timeout"));
  return hook;
}

Result<Hooks> parse_hooks(const Cursor& at) {
  Hooks hooks;
  hooks.prestart = TRY(at.objects("prestart", parse_hook));
  hooks.create_runtime = TRY(at.objects("createRuntime", parse_hook));
  hooks.create_container = TRY(at.objects("createContainer", parse_hook));
  hooks.start_container = TRY(at.objects("startContainer", parse_hook));
  hooks.poststart = TRY(at.objects("poststart", parse_hook));
  hooks.poststop = TRY(at.objects("poststop", parse_hook));
  return hooks;
}

Result<Spec> parse_spec(const Cursor& at) {
  Spec spec;
  spec.oci_version = TRY(at.required<std::string>("ociVersion"));
  spec.root = TRY(at.object("root", parse_root));
  spec.mounts = TRY(at.objects("mounts", parse_mount));
  spec.process = TRY(at.boxed("process", parse_process));
  spec.hostname = TRY(at.text("hostname"));
  spec.domainname = TRY(at.text("domainname"));
  spec.hooks = TRY(at.object("hooks", parse_hooks)).value_or(Hooks{});
  spec.annotations = TRY(at.texts("annotations"));
  spec.linux = TRY(at.boxed("linux", parse_linux));
  return spec;
}

Result<std::vector<Namespace>> parse_namespaces(const Cursor& root) {
  const Cursor linux_part = root.member("linux");
  if (!linux_part.is_present()) return std::vector<Namespace>();
  TRY(linux_part.expect_object());
  return linux_part.objects("namespaces", parse_namespace);
}

template <class T>
Result<T> read_document(std::string_view json, std::string_view name, Cursor::Parse<T> parse) {
  const Document document = TRY(Document::parse(json, name));
  const Cursor root = document.root();
  TRY(root.expect_object());
  return parse(root);
}

}  // namespace

Result<Spec> read(std::string_view json, const Foresee& foresee) {
  const Document document = TRY(Document::parse(json, ""));
  const Cursor root = document.root();
  TRY(root.expect_object());
  if (foresee) {
    const Result<std::vector<Namespace>> listed = parse_namespaces(root);
    foresee(listed.has_value() ? listed.value() : std::vector<Namespace>());
  }
  return parse_spec(root);
}

Result<Process> read_process(std::string_view json) {
  return read_document<Process>(json, "the process object", parse_process);
}

Result<std::vector<Mount>> read_mounts(std::string_view json) {
  const Document document = TRY(Document::parse(json, "the array of mounts"));
  return document.root_at("/mounts").all<Mount>(parse_mount);
}

Result<LinuxResources> read_resources(std::string_view json) {
  return read_document<LinuxResources>(json, "the resources object", parse_resources);
}

}  // namespace capsule::spec
