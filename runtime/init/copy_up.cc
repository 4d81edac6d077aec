#include "runtime/init/copy_up.h"

#include "runtime/init/strings.h"

namespace capsule::init {
namespace {

constexpr int kMaxDepth = 64;  // each level holds two descriptors and a buffer on the stack

struct DirectoryEntry {  // struct linux_dirent64
  uint64_t inode;
  int64_t offset;
  unsigned short size;
  unsigned char type;
  char name[1];
};

bool is_dot(const char* name) {
  return equal(name, ".") || equal(name, "..");
}

// Owner first: chown clears set-user-id bits, which the mode then brings back.
long copy_identity(int fd, const raw::Stat& info) {
  long done = raw::fchownat(fd, "", info.st_uid, info.st_gid, raw::kAtEmptyPath);
  if (done == 0) done = raw::call(__NR_fchmod, fd, info.st_mode & 07777U);
  raw::Timespec times[2] = {{static_cast<long>(info.times[0]), static_cast<long>(info.times[1])},
                            {static_cast<long>(info.times[2]), static_cast<long>(info.times[3])}};
  if (done == 0) done = raw::call(__NR_utimensat, fd, nullptr, times, 0);
  return done;
}

long copy_bytes(int from, int to) {
  constexpr size_t kChunk = 1U << 20U;
  long sent = 0;
  do {
    sent = raw::call(__NR_sendfile, to, from, nullptr, kChunk);
  } while (sent > 0 || sent == -raw::kEINTR);
  return sent;
}

long copy_file(int from_dir, int to_dir, const char* name, const raw::Stat& info) {
  const long from = raw::openat(from_dir, name, raw::kORdonly | raw::kONofollow | raw::kONonblock);
  if (from < 0) return from;
  const long to =
      raw::openat(to_dir, name, raw::kOWronly | raw::kOCreat | raw::kOExcl | raw::kONofollow, 0600);
  long done = to;
  if (to >= 0) {
    done = copy_bytes(static_cast<int>(from), static_cast<int>(to));
    if (done == 0) done = copy_identity(static_cast<int>(to), info);
    raw::close(static_cast<int>(to));
  }
  raw::close(static_cast<int>(from));
  return done;
}

long copy_link(int from_dir, int to_dir, const char* name, const raw::Stat& info) {
  char value[4096] = {};
  const long got = raw::readlinkat(from_dir, name, value, sizeof(value) - 1);
  if (got < 0) return got;
  const long made = raw::symlinkat(value, to_dir, name);
  return made < 0 ? made : raw::fchownat(to_dir, name, info.st_uid, info.st_gid, raw::kAtSymlinkNofollow);
}

long copy_special(int to_dir, const char* name, const raw::Stat& info) {
  const long made = raw::mknodat(to_dir, name, info.st_mode, info.st_rdev);
  return made < 0 ? made : raw::fchownat(to_dir, name, info.st_uid, info.st_gid, raw::kAtSymlinkNofollow);
}

long copy_directory(int from, int to, int depth);

long copy_subdirectory(int from_dir, int to_dir, const char* name, const raw::Stat& info, int depth) {
  long done = raw::mkdirat(to_dir, name, 0700);
  if (done < 0) return done;
  const long from = raw::openat(from_dir, name, raw::kORdonly | raw::kODirectory | raw::kONofollow);
  const long to = raw::openat(to_dir, name, raw::kORdonly | raw::kODirectory | raw::kONofollow);
  done = from < 0 ? from : to;
  if (from >= 0 && to >= 0) done = copy_directory(static_cast<int>(from), static_cast<int>(to), depth + 1);
  if (done == 0) done = copy_identity(static_cast<int>(to), info);
  if (from >= 0) raw::close(static_cast<int>(from));
  if (to >= 0) raw::close(static_cast<int>(to));
  return done;
}

long copy_entry(int from, int to, const char* name, int depth) {
  raw::Stat info{};
  const long known = raw::fstatat(from, name, &info, raw::kAtSymlinkNofollow);
  if (known < 0) return known;
  switch (info.st_mode & raw::kSIfmt) {
    case raw::kSIfdir:
      return copy_subdirectory(from, to, name, info, depth);
    case raw::kSIfreg:
      return copy_file(from, to, name, info);
    case raw::kSIflnk:
      return copy_link(from, to, name, info);
    default:
      return copy_special(to, name, info);
  }
}

long copy_directory(int from, int to, int depth) {
  if (depth > kMaxDepth) return -raw::kELOOP;
  alignas(8) char entries[2048];
  for (;;) {
    const long size = raw::call(__NR_getdents64, from, entries, sizeof(entries));
    if (size <= 0) return size;
    for (long at = 0; at < size;) {
      const auto* entry = reinterpret_cast<const DirectoryEntry*>(entries + at);
      at += entry->size;
      if (is_dot(entry->name)) continue;
      const long done = copy_entry(from, to, entry->name, depth);
      if (done < 0) return done;
    }
  }
}

}  // namespace

bool copy_up(Context& ctx, int from, int to, const char* name) {
  const long source = raw::openat(from, ".", raw::kORdonly | raw::kODirectory);
  if (source < 0) return fail(ctx, "openat", source, name);
  const long destination = raw::openat(to, ".", raw::kORdonly | raw::kODirectory);
  long done = destination;
  if (destination >= 0) {
    done = copy_directory(static_cast<int>(source), static_cast<int>(destination), 0);
    raw::close(static_cast<int>(destination));
  }
  raw::close(static_cast<int>(source));
  return done < 0 ? fail(ctx, "tmpcopyup", done, name) : true;
}

}  // namespace capsule::init
