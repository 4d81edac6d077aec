// The exact command lines engines send, and what they must come to mean.
#include <array>

#include "runtime/cli/app.h"
#include "tests/cli/words.h"
#include "tests/support/catch.h"

using namespace capsule;
using namespace capsule::cli;

namespace {

// Members that differ from their defaults, as "name=value" in the order of the struct.
class Description {
 public:
  Description& add(std::string_view name, const std::string& value) {
    if (!value.empty()) text_.append(text_.empty() ? "" : " ").append(name).append("=").append(value);
    return *this;
  }
  Description& add(std::string_view name, bool value) { return add(name, std::string(value ? "yes" : "")); }
  Description& add(std::string_view name, std::uint32_t value) {
    return add(name, value == 0 ? std::string() : std::to_string(value));
  }
  Description& add(std::string_view name, const std::vector<std::string>& values) {
    return add(name, join(values, ","));
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::string describe(const launch::LaunchOptions& o) {
  return Description()
      .add("id", o.id)
      .add("bundle", o.bundle)
      .add("config", o.config)
      .add("console", o.console_socket)
      .add("pidfd", o.pidfd_socket)
      .add("pid-file", o.pid_file)
      .add("no-pivot", o.no_pivot)
      .add("no-new-keyring", o.no_new_keyring)
      .add("fds", o.preserve_fds)
      .add("detach", o.detach)
      .add("keep", o.keep)
      .add("no-subreaper", o.no_subreaper)
      .text();
}

std::string describe(const launch::ExecOptions& o) {
  Description text;
  text.add("id", o.id)
      .add("process", o.process_file)
      .add("args", o.args)
      .add("cwd", o.cwd)
      .add("env", o.env)
      .add("tty", o.tty);
  if (o.uid) text.add("uid", std::to_string(*o.uid));
  if (o.gid) text.add("gid", std::to_string(*o.gid));
  for (const std::uint32_t gid : o.additional_gids)
    text.add("group", std::to_string(gid));
  text.add("console", o.console_socket)
      .add("pidfd", o.pidfd_socket)
      .add("pid-file", o.pid_file)
      .add("label", o.process_label);
  text.add("apparmor", o.apparmor);
  if (o.no_new_privs) text.add("nnp", std::string(*o.no_new_privs ? "yes" : "no"));
  return text.add("caps", o.capabilities)
      .add("fds", o.preserve_fds)
      .add("cgroup", o.cgroup)
      .add("detach", o.detach)
      .add("ignore-paused", o.ignore_paused)
      .text();
}

std::string describe(const KillOptions& o) {
  return Description().add("id", o.id).add("signal", o.signal).add("all", o.all).text();
}
std::string describe(const DeleteOptions& o) {
  return Description().add("id", o.id).add("force", o.force).text();
}
std::string describe(const ListOptions& o) {
  return Description().add("json", o.format == OutputFormat::json).add("quiet", o.quiet).text();
}
std::string describe(const PsOptions& o) {
  return Description()
      .add("id", o.id)
      .add("json", o.format == OutputFormat::json)
      .add("ps", o.ps_arguments)
      .text();
}
std::string describe(const SpecOptions& o) {
  return Description().add("bundle", o.bundle).add("file", o.file).add("rootless", o.rootless).text();
}
std::string describe(const std::string& id) {
  return Description().add("id", id).text();
}

std::string describe(const Globals& o) {
  constexpr std::array<std::string_view, 4> kLevels{"", "warning", "info", "debug"};
  constexpr std::array<std::string_view, 3> kManagers{"", "systemd", "disabled"};
  return Description()
      .add("root", o.root.value_or(""))
      .add("log", o.log.path)
      .add("log-identifier", o.log.identifier)
      .add("json", o.log.format == log::Format::json)
      .add("level", std::string(kLevels[static_cast<std::size_t>(o.log.threshold)]))
      .add("manager", std::string(kManagers[static_cast<std::size_t>(o.cgroup_manager)]))
      .text();
}

template <class T>
std::string outcome(const Result<T>& result) {
  return result.has_value() ? describe(result.value()) : "error: " + result.error().message();
}

std::string outcome_of_command(const Arguments& a) {
  if (a.command == "create") return outcome(parse_create(a));
  if (a.command == "run") return outcome(parse_run(a));
  if (a.command == "exec") return outcome(parse_exec(a));
  if (a.command == "kill") return outcome(parse_kill(a));
  if (a.command == "delete") return outcome(parse_delete(a));
  if (a.command == "list") return outcome(parse_list(a));
  if (a.command == "ps") return outcome(parse_ps(a));
  if (a.command == "spec") return outcome(parse_spec(a));
  return outcome(parse_id(a));
}

struct Case {
  std::string_view line;
  std::string_view globals;
  std::string_view command;
};

void check(const Case& c) {
  INFO(c.line);
  const Arguments arguments = arguments_of(c.line);
  CHECK(outcome(parse_globals(arguments)) == c.globals);
  CHECK(outcome_of_command(arguments) == c.command);
}

}  // namespace

TEST_CASE("containerd's shim is understood", "[cli][engines]") {
  const Case cases[] = {
      {"--root /run/containerd/runc/k8s.io --log /b/log.json --log-format json --systemd-cgroup create "
       "--bundle /b "
       "--pid-file /b/init.pid c1",
       "root=/run/containerd/runc/k8s.io log=/b/log.json json=yes manager=systemd",
       "id=c1 bundle=/b pid-file=/b/init.pid"},
      {"--root /r --log /b/log.json --log-format json create --bundle /b --pid-file /b/init.pid "
       "--console-socket /s/pty.sock "
       "--no-pivot --no-new-keyring c1",
       "root=/r log=/b/log.json json=yes",
       "id=c1 bundle=/b console=/s/pty.sock pid-file=/b/init.pid no-pivot=yes no-new-keyring=yes"},
      {"--root /r --log L --log-format json start c1", "root=/r log=L json=yes", "id=c1"},
      {"--root /r --log L --log-format json exec --process /tmp/runc-process123 --detach --pid-file "
       "/b/e1.pid c1",
       "root=/r log=L json=yes", "id=c1 process=/tmp/runc-process123 pid-file=/b/e1.pid detach=yes"},
      {"--root /r --log L --log-format json exec --process F --console-socket S --detach --pid-file P c1",
       "root=/r log=L json=yes", "id=c1 process=F console=S pid-file=P detach=yes"},
      {"--root /r --log L --log-format json kill c1 15", "root=/r log=L json=yes", "id=c1 signal=15"},
      {"--root /r --log L --log-format json kill --all c1 9", "root=/r log=L json=yes",
       "id=c1 signal=9 all=yes"},
      {"--root /r --log L --log-format json delete c1", "root=/r log=L json=yes", "id=c1"},
      {"--root /r --log L --log-format json delete --force c1", "root=/r log=L json=yes", "id=c1 force=yes"},
      {"--root /r --log L --log-format json pause c1", "root=/r log=L json=yes", "id=c1"},
      {"--root /r --log L --log-format json resume c1", "root=/r log=L json=yes", "id=c1"},
      {"--root /r --log L --log-format json ps --format json c1", "root=/r log=L json=yes",
       "id=c1 json=yes ps=-ef"},
      {"ps --format table c1 -ef", "", "id=c1 ps=-ef"},
      {"ps --format table c1 aux --sort pid", "", "id=c1 ps=aux,--sort,pid"},
      {"list --format=json", "", "json=yes"},
      {"--root /r state c1", "root=/r", "id=c1"},
      {"--root R --debug --log F --log-format json --systemd-cgroup --rootless=true state c1",
       "root=R log=F json=yes level=debug manager=systemd", "id=c1"},
      {"--rootless=false state c1", "", "id=c1"},
      {"create --bundle /b --pid-file P --pidfd-socket S --detach --preserve-fds 3 c1", "",
       "id=c1 bundle=/b pidfd=S pid-file=P fds=3"},
      {"run --bundle /b --detach --no-pivot -no-subreaper c1", "",
       "id=c1 bundle=/b no-pivot=yes detach=yes no-subreaper=yes"},
  };
  for (const Case& c : cases)
    check(c);
}

TEST_CASE("conmon, Podman and CRI-O are understood", "[cli][engines]") {
  const Case cases[] = {
      {"--systemd-cgroup create --bundle /b --pid-file /b/pidfile c1", "manager=systemd",
       "id=c1 bundle=/b pid-file=/b/pidfile"},
      {"create --bundle /b --pid-file /b/pidfile --no-pivot --no-new-keyring --preserve-fds 2 "
       "--console-socket /s c1",
       "", "id=c1 bundle=/b console=/s pid-file=/b/pidfile no-pivot=yes no-new-keyring=yes fds=2"},
      {"--log-format=json --log /run/oci-log --cgroup-manager disabled create --bundle /b --pid-file P c1",
       "log=/run/oci-log json=yes manager=disabled", "id=c1 bundle=/b pid-file=P"},
      {"--cgroup-manager=cgroupfs create --bundle /b c1", "", "id=c1 bundle=/b"},
      {"--log-format=json --log E exec --pid-file P --process SPEC --detach --preserve-fds 38 "
       "--console-socket S c1",
       "log=E json=yes", "id=c1 process=SPEC console=S pid-file=P fds=38 detach=yes"},
      {"exec --pid-file P --process SPEC --detach c1", "", "id=c1 process=SPEC pid-file=P detach=yes"},
      {"exec --tty --pid-file P --process SPEC c1", "", "id=c1 process=SPEC tty=yes pid-file=P"},
      {"kill c1 9", "", "id=c1 signal=9"},
      {"kill --all c1 15", "", "id=c1 signal=15 all=yes"},
      {"delete --force c1", "", "id=c1 force=yes"},
      {"--debug pause c1", "level=debug", "id=c1"},
      {"--systemd-cgroup --root=/run/runc create --bundle /b --pid-file /b/pidfile --no-pivot "
       "--console-socket S c1",
       "root=/run/runc manager=systemd", "id=c1 bundle=/b console=S pid-file=/b/pidfile no-pivot=yes"},
      {"--root=/run/runc exec --pid-file P --process F --detach c1", "root=/run/runc",
       "id=c1 process=F pid-file=P detach=yes"},
      {"--root /run/runc --systemd-cgroup exec --process F c1", "root=/run/runc manager=systemd",
       "id=c1 process=F"},
      {"--root /run/runc --systemd-cgroup kill c1 KILL", "root=/run/runc manager=systemd",
       "id=c1 signal=KILL"},
      {"--root /run/runc kill -a c1 9", "root=/run/runc", "id=c1 signal=9 all=yes"},
      {"--root /run/runc --systemd-cgroup delete --force c1", "root=/run/runc manager=systemd",
       "id=c1 force=yes"},
      {"--root=R --systemd-cgroup --root=R --systemd-cgroup create --bundle B --pid-file P "
       "--console-socket=S c1",
       "root=R manager=systemd", "id=c1 bundle=B console=S pid-file=P"},
      {"--root=R --systemd-cgroup --root=R --systemd-cgroup exec -d --console-socket=S --tty --pid-file=P c1 "
       "CMD -x --y=z",
       "root=R manager=systemd", "id=c1 args=CMD,-x,--y=z tty=yes console=S pid-file=P detach=yes"},
  };
  for (const Case& c : cases)
    check(c);
}

TEST_CASE("BuildKit, buildah and people are understood", "[cli][engines]") {
  const Case cases[] = {
      {"--log L --log-format json run --bundle /b --no-pivot --keep c1", "log=L json=yes",
       "id=c1 bundle=/b no-pivot=yes keep=yes"},
      {"--log L --log-format json exec --process F --pid-file P c1", "log=L json=yes",
       "id=c1 process=F pid-file=P"},
      {"--log L --log-format json state c1", "log=L json=yes", "id=c1"},
      {"--systemd-cgroup create --bundle B --pid-file B/pid --no-new-keyring --no-pivot --console-socket "
       "B/console.sock name",
       "manager=systemd",
       "id=name bundle=B console=B/console.sock pid-file=B/pid no-pivot=yes no-new-keyring=yes"},
      {"kill name", "", "id=name signal=TERM"},
      {"kill name SIGKILL", "", "id=name signal=SIGKILL"},
      {"run c1", "", "id=c1"},
      {"run -b /b -d --pid-file P c1", "", "id=c1 bundle=/b pid-file=P detach=yes"},
      {"create -f /c.json c1", "", "id=c1 config=/c.json"},
      {"--log file:/l --log-level warning run c1", "log=/l level=warning", "id=c1"},
      {"--log-level info --log-level=debug start c1", "level=debug", "id=c1"},
      {"--debug --log-level error start c1", "level=debug", "id=c1"},
      {"--cgroup-manager systemd start c1", "manager=systemd", "id=c1"},
      {"--systemd-cgroup --cgroup-manager disabled create c1", "manager=disabled", "id=c1"},
      {"--systemd-cgroup=false create c1", "", "id=c1"},
      {"--root /a --root /b state c1", "root=/b", "id=c1"},
      {"list", "", ""},
      {"list -q", "", "quiet=yes"},
      {"list -f table -f json", "", "json=yes"},
      {"spec", "", ""},
      {"spec --rootless -b /b", "", "bundle=/b rootless=yes"},
      {"spec -f out.json", "", "file=out.json"},
      {"exec c1 ls -l /", "", "id=c1 args=ls,-l,/"},
      {"exec -t -u 1000:100 -g 5 -g 6 --cwd /x -e A=1 -e B=2,3 c1 sh", "",
       "id=c1 args=sh cwd=/x env=A=1,B=2,3 tty=yes uid=1000 gid=100 group=5 group=6"},
      {"exec --user 7 c1 id", "", "id=c1 args=id uid=7"},
      {"exec --cap CAP_KILL -c CAP_CHOWN --no-new-privs c1 x", "",
       "id=c1 args=x nnp=yes caps=CAP_KILL,CAP_CHOWN"},
      {"exec --no-new-privs=false c1 x", "", "id=c1 args=x nnp=no"},
      {"exec --process-label L --apparmor A --cgroup sub --ignore-paused --pidfd-socket S c1 x", "",
       "id=c1 args=x pidfd=S label=L apparmor=A cgroup=sub ignore-paused=yes"},
      {"exec -e [a,b] -e {} c1 x", "", "id=c1 args=x env=[a,b],{}"},
      {"exec c1 [a,b] {}", "", "id=c1 args=[a,b],{}"},
      {"exec --cwd {} --apparmor [] c1 x", "", "id=c1 args=x cwd={} apparmor=[]"},
      {"exec --cwd --tty c1 x", "", "id=c1 args=x cwd=--tty"},
      {"delete --force=false c1", "", "id=c1"},
      {"delete --force=1 c1", "", "id=c1 force=yes"},
      {"ps -f json c1", "", "id=c1 json=yes ps=-ef"},
  };
  for (const Case& c : cases)
    check(c);
}
