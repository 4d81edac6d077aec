// Puts a plan together, step by step. The encoded form is the only form: what planners append here is what
// init will read.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "runtime/plan/plan.h"

namespace capsule::plan {

// A descriptor that the host side opens before the clone and init inherits under the slot it was given.
struct Donation {
  enum class Kind : std::uint8_t {
    sync_socket,      // always slot 0
    gate_socket,      // always slot 1; closed (-1) unless the gate listens
    rootfs,           // open_tree(OPEN_TREE_CLONE | AT_RECURSIVE) of `source`, `attributes` applied
    bind_source,      // the same, recursive if asked for
    filesystem,       // a detached mount of a new file system of `type`
    name_space,       // open(`source`), checked to be a namespace of `clone_flag`
    process,          // the pidfd of the container's init
    process_root,     // its /proc/PID/root
    console_socket,   // connected: from --console-socket, or our own when in the foreground
    seccomp_listener  // connected to linux.seccomp.listenerPath
  };
  Kind kind = Kind::sync_socket;
  bool recursive = false;
  bool ignore_missing = false;  // absent source: the slot stays closed
  bool nofollow = false;        // bind_source: a symlink is cloned itself (AT_SYMLINK_NOFOLLOW)
  std::string source;
  std::string field;  // JSON pointer of what asked for it
  std::uint64_t clone_flag = 0;
  std::string type;                     // filesystem: its type and, as MountFilesystem's options,
  std::vector<std::string> parameters;  // its parameters
  MountAttributes attributes;
  // Id-mapped mounts (mount_setattr MOUNT_ATTR_IDMAP): the maps as lines for uid_map and gid_map; empty: not
  // id-mapped.
  std::string uid_map, gid_map;
  bool recursive_idmap = false;
};

class Builder {
 public:
  static constexpr std::size_t kOfContainer = 4000;  // one of the default kind takes less
  static constexpr std::size_t kOfProcess = 1000;
  //   usual   bytes that the steps, and their texts, take most of the time
  explicit Builder(std::size_t usual = kOfContainer);

  Text text(std::string_view bytes);  // equal short strings are stored once
  TextList list(const std::vector<std::string>& texts);
  Blob blob(const void* bytes, std::size_t size);

  std::uint16_t donate(Donation donation);  // the slot

  // Appends one step. `field` is the JSON pointer of what asked for it.
  template <class Step>
  void add(std::string_view field, Step step) {
    static_assert(std::is_trivially_copyable_v<Step> && sizeof(Step) % 8 == 0 && sizeof(Step) < 65536);
    step.header.kind = Step::kKind;
    step.header.size = sizeof(Step);
    step.header.field = text(field);
    append(&step, sizeof(Step));
  }

  void preserve_fds(std::uint32_t count) { preserved_fds_ = count; }
  // What is donated is numbered from here on, above the application's descriptors.
  [[nodiscard]] int lowest_donation() const { return static_cast<int>(3 + preserved_fds_); }

  [[nodiscard]] const std::vector<Donation>& donations() const { return donations_; }
  // The image, with -1 in every entry of the descriptor table.
  [[nodiscard]] std::string finish() const;

 private:
  struct Interned {
    std::uint32_t hash;
    Text text;
    std::uint16_t next;  // with the same lower bits of the hash; of the first one kNone
  };
  static constexpr std::uint16_t kNone = UINT16_MAX;
  static constexpr std::size_t kChains = 64;

  void append(const void* step, std::size_t size);
  Text store(std::string_view bytes);

  std::string steps_;
  std::string data_;
  std::vector<Donation> donations_;
  std::vector<Interned> interned_;
  std::array<std::uint16_t, kChains> newest_{};
  std::uint32_t step_count_ = 0;
  std::uint32_t preserved_fds_ = 0;
};

}  // namespace capsule::plan
