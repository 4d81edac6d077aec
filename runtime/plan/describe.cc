#include "runtime/plan/describe.h"

#include <algorithm>
#include <array>
#include <span>

#include "runtime/base/fixed_text.h"
#include "runtime/base/kernel_abi.h"
#include "runtime/base/text.h"
#include "runtime/plan/fields.h"
#include "runtime/plan/protocol.h"

namespace capsule::plan {
namespace {

struct FlagName {
  std::uint64_t bit;
  FixedText<16> name;
};

constexpr auto kCloneFlags = std::to_array({
    FlagName{CLONE_NEWUSER, "user"},
    FlagName{CLONE_NEWPID, "pid"},
    FlagName{CLONE_NEWNET, "network"},
    FlagName{CLONE_NEWNS, "mount"},
    FlagName{CLONE_NEWIPC, "ipc"},
    FlagName{CLONE_NEWUTS, "uts"},
    FlagName{CLONE_NEWCGROUP, "cgroup"},
    FlagName{CLONE_NEWTIME, "time"},
});
constexpr auto kMountFlags = std::to_array({
    FlagName{kMountCreateTarget, "create_target"},
    FlagName{kMountNoSymlinks, "no_symlinks"},
    FlagName{kMountAllowBelowProc, "allow_below_proc"},
    FlagName{kMountRecursive, "recursive"},
    FlagName{kMountIsBind, "bind"},
    FlagName{kMountIgnoreMissingSource, "ignore_missing"},
    FlagName{kMountDestNofollow, "dest_nofollow"},
    FlagName{kMountTmpcopyup, "tmpcopyup"},
    FlagName{kMountFallbackBind, "fallback_bind"},
    FlagName{kMountSourceNofollow, "source_nofollow"},
    FlagName{kMountCopySymlink, "copy_symlink"},
});
constexpr auto kAttributes = std::to_array({
    FlagName{MOUNT_ATTR_RDONLY, "ro"},
    FlagName{MOUNT_ATTR_NOSUID, "nosuid"},
    FlagName{MOUNT_ATTR_NODEV, "nodev"},
    FlagName{MOUNT_ATTR_NOEXEC, "noexec"},
    FlagName{MOUNT_ATTR_NOATIME, "noatime"},
    FlagName{MOUNT_ATTR_STRICTATIME, "strictatime"},
    FlagName{MOUNT_ATTR_NODIRATIME, "nodiratime"},
    FlagName{MOUNT_ATTR_NOSYMFOLLOW, "nosymfollow"},
    FlagName{MOUNT_ATTR_IDMAP, "idmap"},
});
constexpr auto kPropagations = std::to_array({
    FlagName{1U << 20U, "shared"},
    FlagName{1U << 19U, "slave"},
    FlagName{1U << 18U, "private"},
    FlagName{1U << 17U, "unbindable"},
});

std::string hex(std::uint64_t value) {
  std::array<char, 20> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, 16).ptr;
  return cat({"0x", std::string_view(digits.data(), static_cast<std::size_t>(end - digits.data()))});
}

std::string spell(std::uint64_t value, std::span<const FlagName> names) {
  std::vector<std::string> words;
  for (const FlagName& flag : names) {
    if ((value & flag.bit) != flag.bit) continue;
    words.emplace_back(flag.name.view());
    value &= ~flag.bit;
  }
  if (value != 0) words.push_back(hex(value));
  return join(words, "|");
}

std::string spell_clear(std::uint64_t value) {
  // The access-time modes are one field of three bits: clearing it is one decision.
  std::string words = spell(value & ~std::uint64_t{MOUNT_ATTR__ATIME}, kAttributes);
  if ((value & MOUNT_ATTR__ATIME) != 0) words.append(words.empty() ? "atime" : "|atime");
  return words;
}

std::string octal(std::uint32_t mode) {
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), mode, 8).ptr;
  return cat({"0", std::string_view(digits.data(), static_cast<std::size_t>(end - digits.data()))});
}

// Spaces, quotes and control characters would make a line ambiguous, or do things to a terminal.
bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte > 0x20 && byte != 0x7f && c != '"' && c != '|' && c != '#';
}

std::string word(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_plain) ? std::string(text) : quoted(text);
}

// Appends " name=value" for each member that says something. `Step` picks the spelling of numbers that share
// a type.
template <class Step>
class Describer {
 public:
  Describer(const View& view, std::string& out) : view_(view), out_(out) {}

  void operator()(std::string_view name, Text t) {
    if (t.size != 0) put(name, word({view_.text(t), t.size}));
  }
  void operator()(std::string_view name, TextList list) {
    std::vector<std::string> words;
    for (std::uint32_t i = 0; i < list.count; ++i) {
      const Text t = view_.item(list, i);
      words.push_back(word({view_.text(t), t.size}));
    }
    if (!words.empty()) put(name, cat({"[", join(words, " "), "]"}));
  }
  void operator()(std::string_view name, Blob b) {
    if (b.size == 0) return;
    if constexpr (std::is_same_v<Step, Confine>) {
      put(name, spell_ids(b));
    } else {
      put(name, cat({std::to_string(b.size), " bytes"}));
    }
  }
  void operator()(std::string_view /*name*/, const MountAttributes& a) {
    put_flags("set", spell(a.set, kAttributes));
    put_flags("clear", spell_clear(a.clear));
    put_flags("recursive_set", spell(a.recursive_set, kAttributes));
    put_flags("recursive_clear", spell_clear(a.recursive_clear));
    put_flags("propagation", spell(a.propagation, kPropagations));
    put_flags("recursive_propagation", spell(a.recursive_propagation, kPropagations));
  }
  void operator()(std::string_view name, RootMode mode) {
    constexpr std::array<std::string_view, 3> kNames{"pivot", "chroot", "plain"};
    put(name, std::string(kNames[static_cast<std::size_t>(mode) % 3]));
  }
  void operator()(std::string_view name, GateMode mode) {
    constexpr std::array<std::string_view, 3> kNames{"none", "sync", "listen"};
    put(name, std::string(kNames[static_cast<std::size_t>(mode) % 3]));
  }
  void operator()(std::string_view name, std::uint16_t value) {
    number(name, value, value == kNoSlot && name == "slot");
  }
  void operator()(std::string_view name, std::uint32_t value) { number(name, value, false); }
  void operator()(std::string_view name, std::uint64_t value) {
    number(name, value, value == kNoSlot && name.ends_with("slot"));
  }
  void operator()(std::string_view name, std::int64_t value) {
    if (value >= 0) put(name, std::to_string(value));
  }

 private:
  void number(std::string_view name, std::uint64_t value, bool absent) {
    constexpr bool kIdentity = std::is_same_v<Step, Confine> || std::is_same_v<Step, DeviceNode>;
    if (absent || (value == 0 && !kIdentity)) return;
    put(name, spell_number(name, value));
  }
  static std::string spell_number(std::string_view name, std::uint64_t value) {
    constexpr bool kNamespaces = std::is_same_v<Step, Unshare> || std::is_same_v<Step, ForkInit> ||
                                 std::is_same_v<Step, JoinNamespace>;
    constexpr bool kMounts = std::is_same_v<Step, MountFilesystem> || std::is_same_v<Step, Bind>;
    constexpr bool kCapabilities = std::is_same_v<Step, Confine>;
    if (kNamespaces && name == "flags") return spell(value, kCloneFlags);
    if (kMounts && name == "flags") return spell(value, kMountFlags);
    if (name == "line") return protocol::name_of(static_cast<protocol::Line>(value));
    if (name == "host_propagation" || name == "root_propagation") return spell(value, kPropagations);
    if (name == "umask" || (std::is_same_v<Step, DeviceNode> && name == "mode"))
      return octal(static_cast<std::uint32_t>(value));
    if (kCapabilities && name != "uid" && name != "gid" && name != "set_groups") return hex(value);
    return std::to_string(value);
  }
  std::string spell_ids(Blob b) const {
    std::vector<std::string> words;
    const auto* ids = static_cast<const std::uint32_t*>(view_.bytes(b));
    for (std::uint32_t i = 0; i < b.size / sizeof(std::uint32_t); ++i)
      words.push_back(std::to_string(ids[i]));
    return cat({"[", join(words, " "), "]"});
  }
  void put_flags(std::string_view name, const std::string& words) {
    if (!words.empty()) put(name, words);
  }
  void put(std::string_view name, const std::string& value) {
    out_.append(" ").append(name).append("=").append(value);
  }

  const View& view_;
  std::string& out_;
};

std::string_view kind_name(Donation::Kind kind) {
  using Kind = Donation::Kind;
  switch (kind) {
    case Kind::sync_socket:
      return "sync_socket";
    case Kind::gate_socket:
      return "gate_socket";
    case Kind::rootfs:
      return "rootfs";
    case Kind::bind_source:
      return "bind_source";
    case Kind::filesystem:
      return "filesystem";
    case Kind::name_space:
      return "namespace";
    case Kind::process:
      return "process";
    case Kind::process_root:
      return "process_root";
    case Kind::console_socket:
      return "console_socket";
    case Kind::seccomp_listener:
      return "seccomp_listener";
  }
  return "?";
}

}  // namespace

std::string describe_step(const View& view, const StepHeader* step) {
  std::string line = name_of(step->kind);
  dispatch(step, [&](const auto& typed) {
    Describer<std::remove_cvref_t<decltype(typed)>> describer(view, line);
    visit_fields(typed, describer);
  });
  if (step->field.size != 0) line.append("   # ").append(word({view.text(step->field), step->field.size}));
  return line;
}

std::string describe(const View& view) {
  std::string text;
  for (const StepHeader* step = view.first(); step != nullptr; step = view.next(step)) {
    text.append(describe_step(view, step)).append("\n");
  }
  return text;
}

std::string describe_donations(const std::vector<Donation>& donations) {
  std::string text;
  for (std::size_t slot = 0; slot < donations.size(); ++slot) {
    const Donation& donation = donations[slot];
    text.append(cat({"descriptor ", std::to_string(slot), " ", kind_name(donation.kind)}));
    if (!donation.type.empty()) text.append(" ").append(word(donation.type));
    if (!donation.source.empty()) text.append(" ").append(word(donation.source));
    if (donation.recursive) text.append(" recursive");
    if (!donation.uid_map.empty()) text.append(" idmap");
    text.append("\n");
  }
  return text;
}

}  // namespace capsule::plan
