// Where init's steps are run for real: a child in new user, mount, pid, network, UTS and IPC namespaces, with
// a tmpfs of its own on /tmp to work in.
//
// The child's user namespace maps 0 to the caller; for root it maps 65536 ids, so that other users can be
// become. What the child finds it returns as text, since no assertion of its own would be seen. Where such
// namespaces are not to be had the whole program is skipped, with the reason.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "runtime/init/context.h"
#include "runtime/plan/builder.h"

namespace capsule::test {

// Runs `body` in such a child and returns what it returned; kDied if it did not end by returning.
std::string in_new_namespaces(const std::function<std::string()>& body);
inline constexpr const char* kDied = "(the child died)";

// More ids than one can be mapped: we are root.
bool has_many_ids();

// ---- inside the child

// A plan, its image and the context that performs it.
class Performance {
 public:
  explicit Performance(plan::Builder& builder);
  Performance(const Performance&) = delete;  // the context points into the image
  Performance& operator=(const Performance&) = delete;

  // "" if every step is done, otherwise what init would tell the launcher:
  // "step 1 mount_filesystem /mounts/0: fsopen nope ENODEV".
  std::string perform();
  [[nodiscard]] init::Context& context() { return *context_; }
  void set_descriptor(std::uint16_t slot, int fd);

 private:
  std::string image_;
  std::unique_ptr<init::Context> context_;
};

// Performs a plan that begins with PrepareRoot of /tmp/root, the others being `add`'s.
std::string perform_in_root(const std::function<void(plan::Builder&)>& add);
// The same, with /proc bound first and Pivot last: afterwards "/" is the container's root.
std::string pivot_after(const std::function<void(plan::Builder&)>& add);
void add_root(plan::Builder& builder);
void add_proc(plan::Builder& builder);

// Files of the test's own, made without ceremony; failing is a bug of the test and ends the child.
void make_directory(const std::string& path);
void make_file(const std::string& path, const std::string& content, unsigned mode = 0644);
void make_link(const std::string& path, const std::string& value);
std::string read_text(const std::string& path);
// "dir", "file 0644 0:0", "char 1:3", "link value", or errno's name.
std::string look_at(const std::string& path);
// Options of the mount at exactly `path`, as /proc/self/mountinfo lists them: "ro,nosuid tmpfs"; "" if none.
std::string mounted_at(const std::string& path);
// "" or errno's name.
std::string try_write(const std::string& path);

}  // namespace capsule::test
