// Joining and making namespaces, and what belongs to having just entered one.
#include "runtime/init/context.h"
#include "runtime/init/loopback.h"
#include "runtime/init/strings.h"

namespace capsule::init {
namespace {

bool write_host_proc(Context& ctx, const char* path, const char* value, size_t size) {
  const int proc = host_proc(ctx);
  if (proc < 0) return false;
  const long fd = raw::openat(proc, path, raw::kOWronly);
  if (fd < 0) return fail(ctx, "openat", fd, path);
  const long wrote = raw::write(static_cast<int>(fd), value, size);
  raw::close(static_cast<int>(fd));
  return wrote < 0 ? fail(ctx, "write", wrote, path) : true;
}

bool say_forked(Context& ctx, int pid, int pidfd) {
  protocol::Frame frame{protocol::Line::forked, {}, pid};
  raw::IoVec part{&frame, sizeof(frame)};
  raw::FdControl control{sizeof(raw::FdControl) - sizeof(int), 1 /* SOL_SOCKET */, 1 /* SCM_RIGHTS */, pidfd,
                         0};
  const raw::MsgHdr message{nullptr, 0, &part, 1, &control, sizeof(control), 0};
  const long sent = raw::sendmsg(ctx.sync, &message);
  return sent < 0 ? fail(ctx, "sendmsg", sent, "forked") : true;
}

}  // namespace

bool perform(Context& ctx, const plan::JoinNamespace& s) {
  const int ns = ctx.plan.descriptor(s.slot);
  const long joined = raw::setns(ns, static_cast<int>(s.flags));
  raw::close(ns);
  return joined < 0 ? fail(ctx, "setns", joined, text(ctx, s.source)) : true;
}

bool perform(Context& ctx, const plan::BecomeRoot&) {
  raw::setgroups(0, nullptr);  // denied where the namespace's owner gave up setgroups (user_namespaces(7)):
                               // then there are none to drop
  long changed = raw::setresgid(0, 0, 0);
  if (changed == 0) changed = raw::setresuid(0, 0, 0);
  return changed < 0 ? fail_with(ctx, Problem::unmapped_id, "setresuid", changed, "0") : true;
}

bool perform(Context& ctx, const plan::Unshare& s) {
  const long unshared = raw::unshare(s.flags);
  return unshared < 0 ? fail(ctx, "unshare", unshared, "") : true;
}

bool perform(Context& ctx, const plan::ForkInit& s) {
  int ends[2];
  long made = raw::pipe2(ends, raw::kOCloexec);
  if (made < 0) return fail(ctx, "pipe2", made, "");

  int pidfd = -1;
  clone_args args{};
  args.flags = s.flags | CLONE_PARENT | CLONE_PIDFD;
  args.pidfd = reinterpret_cast<uint64_t>(&pidfd);
  const long pid = raw::call(__NR_clone3, &args, sizeof(args));
  if (pid < 0) return fail(ctx, "clone3", pid, "");
  if (pid == 0) {
    // Wait until the first process has introduced us and is gone: our own lines must come after its.
    char byte;
    raw::close(ends[1]);
    raw::read(ends[0], &byte, 1);
    raw::close(ends[0]);
    raw::setsid();  // the first process led a session; who is to have the terminal must lead one too
    return find_host_pid(ctx);  // another process than the one that looked it up
  }
  const bool said = say_forked(ctx, static_cast<int>(pid), pidfd);
  if (!said) {
    raw::pidfd_send_signal(pidfd, 9);
    return false;
  }
  raw::exit(0);
}

bool perform(Context& ctx, const plan::NewTimeNamespace& s) {
  const long unshared = raw::unshare(CLONE_NEWTIME);
  if (unshared < 0) return fail(ctx, "unshare", unshared, "time");
  if (s.offsets.size != 0 &&
      !write_host_proc(ctx, "self/timens_offsets", text(ctx, s.offsets), s.offsets.size))
    return false;

  // unshare moves only future children; entering it ourselves works while nobody else is inside
  // (time_namespaces(7)).
  const int proc = host_proc(ctx);
  if (proc < 0) return false;
  const long ns = raw::openat(proc, "self/ns/time_for_children", raw::kORdonly);
  if (ns < 0) return fail(ctx, "openat", ns, "time_for_children");
  const long joined = raw::setns(static_cast<int>(ns), CLONE_NEWTIME);
  raw::close(static_cast<int>(ns));
  return joined < 0 ? fail(ctx, "setns", joined, "time_for_children") : true;
}

bool perform(Context& ctx, const plan::LoopbackUp&) {
  const char* call = "";
  const long up = raise_loopback(call);
  return up < 0 ? fail(ctx, call, up, "lo") : true;
}

bool perform(Context& ctx, const plan::SessionKeyring& s) {
  const long joined = raw::keyctl_join(text(ctx, s.name));
  if (joined < 0 && joined != -raw::kENOSYS) return fail(ctx, "keyctl", joined, text(ctx, s.name));
  return true;
}

bool perform(Context& ctx, const plan::Hostname& s) {
  const long set = raw::call(__NR_sethostname, text(ctx, s.name), s.name.size);
  return set < 0 ? fail(ctx, "sethostname", set, text(ctx, s.name)) : true;
}

bool perform(Context& ctx, const plan::Domainname& s) {
  const long set = raw::call(__NR_setdomainname, text(ctx, s.name), s.name.size);
  return set < 0 ? fail(ctx, "setdomainname", set, text(ctx, s.name)) : true;
}

bool perform(Context& ctx, const plan::Sysctl& s) {
  Line<512> path;
  path.add("sys/").add(text(ctx, s.path));
  if (!path.whole()) return fail(ctx, "openat", raw::kENAMETOOLONG, text(ctx, s.path));
  return write_host_proc(ctx, path.c_str(), text(ctx, s.value), s.value.size);
}

}  // namespace capsule::init
