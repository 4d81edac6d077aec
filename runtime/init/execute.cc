// The last steps: the working directory, the program, its environment, and execve.
#include "runtime/init/context.h"
#include "runtime/init/strings.h"

namespace capsule::init {
namespace {

constexpr int kExecutable = 1;  // X_OK
constexpr long kPageErrors = -4096;

enum class Candidate : unsigned char { good, missing, directory, forbidden };

Candidate look_at(const char* path, long* err) {
  raw::Stat info{};
  *err = raw::fstatat(raw::kAtFdcwd, path, &info, 0);
  if (*err < 0) return *err == -raw::kEACCES ? Candidate::forbidden : Candidate::missing;
  if ((info.st_mode & raw::kSIfmt) == raw::kSIfdir) return Candidate::directory;
  *err = raw::faccessat2(raw::kAtFdcwd, path, kExecutable, raw::kAtEaccess);
  return *err == 0 ? Candidate::good : Candidate::forbidden;
}

void remember(Context& ctx, const char* path) {
  const size_t size = length(path);
  copy(ctx.executable, path, size < sizeof(ctx.executable) ? size + 1 : 0);
}

bool check_path(Context& ctx, const char* path) {
  long err = 0;
  switch (look_at(path, &err)) {
    case Candidate::good:
      break;
    case Candidate::missing:
      return fail(ctx, "stat", err, path);
    case Candidate::directory:
      return fail_with(ctx, Problem::is_directory, "stat", raw::kEISDIR, path);
    case Candidate::forbidden:
      return fail_with(ctx, Problem::not_executable, "access", err, path);
  }
  remember(ctx, path);
  return ctx.executable[0] != '\0' ? true : fail(ctx, "stat", raw::kENAMETOOLONG, path);
}

bool search(Context& ctx, const char* name, const char* search_path) {
  for (const char* at = search_path;; ++at) {
    const char* end = find(at, ':');
    const size_t size = end != nullptr ? static_cast<size_t>(end - at) : length(at);
    Line<sizeof(ctx.executable)> path;
    path.add(size == 0 ? "." : at, size == 0 ? 1 : size).add("/").add(name);
    long err = 0;
    if (path.whole() && look_at(path.c_str(), &err) == Candidate::good) {
      remember(ctx, path.c_str());
      return true;
    }
    if (end == nullptr) break;
    at = end;
  }
  return fail_with(ctx, Problem::not_in_path, "stat", raw::kENOENT, name);
}

// Outside the root the kernel answers "(unreachable)/…": then the cwd was reached through a leaked descriptor
// (CVE-2024-21626).
bool cwd_is_inside() {
  char usual[256];
  const long size = raw::getcwd(usual, sizeof(usual));
  if (size != -raw::kERANGE) return size > 0 && usual[0] == '/';
  static char longest[4096];
  return raw::getcwd(longest, sizeof(longest)) > 0 && longest[0] == '/';
}

// What execve is given, side by side: most of the time one page of it is touched, first by a write.
struct Room {
  size_t used;  // of `pointers`
  Line<512> home;
  const char* pointers[1024];
};
constinit Room room{};

char* map_memory(size_t size) {
  constexpr int kProtReadWrite = 3, kMapPrivateAnonymous = 0x22;
  const long at = raw::mmap(nullptr, size, kProtReadWrite, kMapPrivateAnonymous, -1, 0);
  return at < 0 && at > kPageErrors ? nullptr : reinterpret_cast<char*>(at);
}

// The field after `count` more colons on the line at `at`, or the line's end.
const char* skip_fields(const char* at, int count) {
  while (*at != '\0' && *at != '\n' && count > 0) {
    if (*at++ == ':') --count;
  }
  return at;
}

bool uid_is(const char* field, uint32_t uid) {
  uint64_t value = 0;
  const char* at = field;
  for (; *at >= '0' && *at <= '9' && value <= 0xffffffffU; ++at)
    value = value * 10 + static_cast<unsigned>(*at - '0');
  return at != field && *at == ':' && value == uid;
}

// Whole content of the container's /etc/passwd, NUL-terminated, or nullptr. Only a regular file: an image may
// have put a FIFO there.
char* read_passwd() {
  constexpr size_t kCapacity = 1U << 20U;
  const long fd = raw::openat(raw::kAtFdcwd, "/etc/passwd", raw::kORdonly | raw::kONonblock | raw::kONoctty);
  if (fd < 0) return nullptr;
  raw::Stat info{};
  char* bytes = nullptr;
  if (raw::fstat(static_cast<int>(fd), &info) == 0 && (info.st_mode & raw::kSIfmt) == raw::kSIfreg)
    bytes = map_memory(kCapacity);
  size_t size = 0;
  while (bytes != nullptr && size + 1 < kCapacity) {
    const long got = raw::read(static_cast<int>(fd), bytes + size, kCapacity - 1 - size);
    if (got <= 0) break;
    size += static_cast<size_t>(got);
  }
  raw::close(static_cast<int>(fd));
  return bytes;
}

// "HOME=/root", from the sixth field of the user's line, else "HOME=/".
const char* find_home(uint32_t uid) {
  Line<512>& home = room.home;
  home.add("HOME=");
  const char* line = read_passwd();
  while (line != nullptr && *line != '\0') {
    if (uid_is(skip_fields(line, 2), uid)) {
      const char* dir = skip_fields(line, 5);
      const char* end = dir;
      while (*end != '\0' && *end != ':' && *end != '\n')
        ++end;
      if (*dir == '/') return home.add(dir, static_cast<size_t>(end - dir)).c_str();
      break;
    }
    while (*line != '\0' && *line != '\n')
      ++line;
    if (*line == '\n') ++line;
  }
  return home.add("/").c_str();
}

// Static memory for what is usual: a filter that is in force already may refuse mmap.
const char** find_room(size_t count) {
  constexpr size_t kUsual = sizeof(room.pointers) / sizeof(*room.pointers);
  room.used += count;
  if (room.used <= kUsual) return room.pointers + room.used - count;
  room.used -= count;
  return reinterpret_cast<const char**>(map_memory(count * sizeof(char*)));
}

const char** make_vector(const Context& ctx, plan::TextList list, size_t extra) {
  const char** vector = find_room(list.count + extra + 1);
  for (uint32_t i = 0; vector != nullptr && i < list.count; ++i)
    vector[i] = text(ctx, ctx.plan.item(list, i));
  return vector;
}

}  // namespace

bool perform(Context& ctx, const plan::ChangeDirectory& s) {
  const char* target = text(ctx, s.target);
  const long changed = raw::chdir(target);
  const bool is_forbidden = changed == -raw::kEACCES || changed == -raw::kEPERM;
  if (is_forbidden && s.may_retry != 0) return true;
  if (changed < 0) return fail(ctx, "chdir", changed, target);
  return cwd_is_inside() ? true : fail_with(ctx, Problem::escaped_cwd, "getcwd", 0, target);
}

bool perform(Context& ctx, const plan::FindExecutable& s) {
  const char* name = text(ctx, s.name);
  return find(name, '/') != nullptr ? check_path(ctx, name) : search(ctx, name, text(ctx, s.search_path));
}

bool perform(Context& ctx, const plan::Exec& s) {
  const char** args = make_vector(ctx, s.args, 0);
  const char** env = make_vector(ctx, s.env, 1);
  if (args == nullptr || env == nullptr) return fail(ctx, "mmap", 12 /* ENOMEM */, "arguments");
  if (s.needs_home != 0) env[s.env.count] = find_home(s.home_uid);
  // Nothing between here and execve: a filter may be installed.
  const long executed = raw::execve(ctx.executable, args, env);
  return fail(ctx, "execve", executed, ctx.executable);
}

}  // namespace capsule::init
