// runtime-spec 1.3.0 config.md#mounts "Linux mount options", mount_setattr(2), and crun's additions.
//
// With the new mount API an option belongs to one of two things: the mount (attributes, MOUNT_ATTR_*) or the
// superblock (flags that fsconfig takes by name). mount(2) mixed both into one word of bits.
#include "namespaces/mount_options.h"

#include <algorithm>
#include <array>
#include <utility>

#include "namespaces/plan.h"
#include "runtime/base/fixed_text.h"
#include "runtime/base/kernel_abi.h"

namespace capsule::ns {
namespace {

enum class Effect : std::uint8_t {
  nothing,  // known, and without meaning here
  set,
  clear,
  choose_atime,    // one of three ways to keep access times: choosing one drops the others
  withdraw_atime,  // no longer that one: back to the kernel's default, relatime
  propagation,
  bind,
  remount,
  tmpcopyup,
  idmap,
  dest_nofollow,
  source_nofollow,
  copy_symlink,
};

struct Option {
  FixedText<15> name;
  Effect effect = Effect::nothing;
  bool recursive = false;
  std::uint64_t bits = 0;         // MOUNT_ATTR_*, or MS_* for propagation
  FixedText<15> superblock = {};  // set or cleared as well
};

// iversion and silent have no effect, since fsconfig knows neither (EINVAL for every file system): those that
// count versions do so by themselves, and the kernel's log is nothing a container decides about.
// Sorted by name, for the binary search and for `features`.
constexpr auto kOptions = std::to_array({
    Option{"async", Effect::clear, false, 0, "sync"},
    Option{"atime", Effect::withdraw_atime, false, MOUNT_ATTR_NOATIME},
    Option{"bind", Effect::bind},
    Option{"copy-symlink", Effect::copy_symlink},
    Option{"defaults"},
    Option{"dest-nofollow", Effect::dest_nofollow},
    Option{"dev", Effect::clear, false, MOUNT_ATTR_NODEV},
    Option{"diratime", Effect::clear, false, MOUNT_ATTR_NODIRATIME},
    Option{"dirsync", Effect::set, false, 0, "dirsync"},
    Option{"exec", Effect::clear, false, MOUNT_ATTR_NOEXEC},
    Option{"idmap", Effect::idmap},
    Option{"iversion"},
    Option{"lazytime", Effect::set, false, 0, "lazytime"},
    Option{"loud"},
    Option{"mand", Effect::set, false, 0, "mand"},
    Option{"noatime", Effect::choose_atime, false, MOUNT_ATTR_NOATIME},
    Option{"nodev", Effect::set, false, MOUNT_ATTR_NODEV},
    Option{"nodiratime", Effect::set, false, MOUNT_ATTR_NODIRATIME},
    Option{"noexec", Effect::set, false, MOUNT_ATTR_NOEXEC},
    Option{"noiversion"},
    Option{"nolazytime", Effect::clear, false, 0, "lazytime"},
    Option{"nomand", Effect::clear, false, 0, "mand"},
    Option{"norelatime", Effect::withdraw_atime, false, MOUNT_ATTR_RELATIME},
    Option{"nostrictatime", Effect::withdraw_atime, false, MOUNT_ATTR_STRICTATIME},
    Option{"nosuid", Effect::set, false, MOUNT_ATTR_NOSUID},
    Option{"nosymfollow", Effect::set, false, MOUNT_ATTR_NOSYMFOLLOW},
    Option{"private", Effect::propagation, false, MS_PRIVATE},
    Option{"rasync", Effect::clear, false, 0, "sync"},
    Option{"ratime", Effect::withdraw_atime, true, MOUNT_ATTR_NOATIME},
    Option{"rbind", Effect::bind, true},
    Option{"rdev", Effect::clear, true, MOUNT_ATTR_NODEV},
    Option{"rdiratime", Effect::clear, true, MOUNT_ATTR_NODIRATIME},
    Option{"rdirsync", Effect::set, false, 0, "dirsync"},
    Option{"relatime", Effect::choose_atime, false, MOUNT_ATTR_RELATIME},
    Option{"remount", Effect::remount},
    Option{"rexec", Effect::clear, true, MOUNT_ATTR_NOEXEC},
    Option{"ridmap", Effect::idmap, true},
    Option{"rmand", Effect::set, false, 0, "mand"},
    Option{"rnoatime", Effect::choose_atime, true, MOUNT_ATTR_NOATIME},
    Option{"rnodev", Effect::set, true, MOUNT_ATTR_NODEV},
    Option{"rnodiratime", Effect::set, true, MOUNT_ATTR_NODIRATIME},
    Option{"rnoexec", Effect::set, true, MOUNT_ATTR_NOEXEC},
    Option{"rnomand", Effect::clear, false, 0, "mand"},
    Option{"rnorelatime", Effect::withdraw_atime, true, MOUNT_ATTR_RELATIME},
    Option{"rnostrictatime", Effect::withdraw_atime, true, MOUNT_ATTR_STRICTATIME},
    Option{"rnosuid", Effect::set, true, MOUNT_ATTR_NOSUID},
    Option{"rnosymfollow", Effect::set, true, MOUNT_ATTR_NOSYMFOLLOW},
    Option{"ro", Effect::set, false, MOUNT_ATTR_RDONLY, "ro"},
    Option{"rprivate", Effect::propagation, true, MS_PRIVATE},
    Option{"rrelatime", Effect::choose_atime, true, MOUNT_ATTR_RELATIME},
    Option{"rro", Effect::set, true, MOUNT_ATTR_RDONLY},
    Option{"rrw", Effect::clear, true, MOUNT_ATTR_RDONLY, "ro"},
    Option{"rshared", Effect::propagation, true, MS_SHARED},
    Option{"rslave", Effect::propagation, true, MS_SLAVE},
    Option{"rstrictatime", Effect::choose_atime, true, MOUNT_ATTR_STRICTATIME},
    Option{"rsuid", Effect::clear, true, MOUNT_ATTR_NOSUID},
    Option{"rsymfollow", Effect::clear, true, MOUNT_ATTR_NOSYMFOLLOW},
    Option{"rsync", Effect::set, false, 0, "sync"},
    Option{"runbindable", Effect::propagation, true, MS_UNBINDABLE},
    Option{"rw", Effect::clear, false, MOUNT_ATTR_RDONLY, "ro"},
    Option{"shared", Effect::propagation, false, MS_SHARED},
    Option{"silent"},
    Option{"slave", Effect::propagation, false, MS_SLAVE},
    Option{"src-nofollow", Effect::source_nofollow},
    Option{"strictatime", Effect::choose_atime, false, MOUNT_ATTR_STRICTATIME},
    Option{"suid", Effect::clear, false, MOUNT_ATTR_NOSUID},
    Option{"symfollow", Effect::clear, false, MOUNT_ATTR_NOSYMFOLLOW},
    Option{"sync", Effect::set, false, 0, "sync"},
    Option{"tmpcopyup", Effect::tmpcopyup},
    Option{"unbindable", Effect::propagation, false, MS_UNBINDABLE},
});

constexpr bool is_before(const Option& option, std::string_view name) {
  return option.name.view() < name;
}
static_assert(std::is_sorted(kOptions.begin(), kOptions.end(), [](const Option& a, const Option& b) {
  return is_before(a, b.name);
}));

const Option* find_option(std::string_view name) {
  const auto* found = std::lower_bound(kOptions.begin(), kOptions.end(), name, is_before);
  return found != kOptions.end() && found->name == name ? found : nullptr;
}

struct Bits {
  std::uint64_t& set;
  std::uint64_t& clear;
};

// The pair of masks that an option changes. A recursive option covers the top as well, so what was said about
// the top alone is forgotten.
Bits bits_for(plan::MountAttributes& a, const Option& option, std::uint64_t mask) {
  if (!option.recursive) return {a.set, a.clear};
  a.set &= ~mask;
  a.clear &= ~mask;
  return {a.recursive_set, a.recursive_clear};
}

void set_bits(plan::MountAttributes& a, const Option& option) {
  const Bits bits = bits_for(a, option, option.bits);
  bits.set |= option.bits;
  bits.clear &= ~option.bits;
}

void clear_bits(plan::MountAttributes& a, const Option& option) {
  const Bits bits = bits_for(a, option, option.bits);
  bits.set &= ~option.bits;
  bits.clear |= option.bits;
}

// MOUNT_ATTR__ATIME is a field of three bits, not three flags: to change it the kernel wants all of it
// cleared first (mount_setattr(2)).
void choose_atime(plan::MountAttributes& a, const Option& option) {
  const Bits bits = bits_for(a, option, MOUNT_ATTR__ATIME);
  bits.clear |= MOUNT_ATTR__ATIME;
  bits.set = (bits.set & ~std::uint64_t{MOUNT_ATTR__ATIME}) | option.bits;
}

bool has_chosen(const Bits& bits, std::uint64_t kind) {
  return (bits.clear & MOUNT_ATTR__ATIME) != 0 && (bits.set & MOUNT_ATTR__ATIME) == kind;
}

void withdraw_atime(plan::MountAttributes& a, const Option& option) {
  const Bits top{a.set, a.clear};
  const Bits bits = option.recursive ? Bits{a.recursive_set, a.recursive_clear} : top;
  if (option.recursive && has_chosen(top, option.bits)) {
    top.set &= ~std::uint64_t{MOUNT_ATTR__ATIME};
    top.clear &= ~std::uint64_t{MOUNT_ATTR__ATIME};
  }
  const bool chosen = (bits.clear & MOUNT_ATTR__ATIME) != 0;
  if (chosen && !has_chosen(bits, option.bits)) return;  // another one was chosen, this one is off already

  bits.set &= ~std::uint64_t{MOUNT_ATTR__ATIME};
  if (option.bits == MOUNT_ATTR_RELATIME) {
    bits.clear &= ~std::uint64_t{MOUNT_ATTR__ATIME};  // the default itself: nothing is asked for any more
  } else {
    bits.clear |= MOUNT_ATTR__ATIME;
  }
}

void set_propagation(plan::MountAttributes& a, const Option& option) {
  a.propagation = option.recursive ? 0 : option.bits;
  if (option.recursive) a.recursive_propagation = option.bits;
}

void set_superblock_flag(MountOptions& options, const Option& option) {
  if (option.superblock.empty()) return;
  for (std::vector<std::string>* flags : {&options.superblock, &options.superblock_cleared}) {
    flags->erase(std::remove(flags->begin(), flags->end(), option.superblock.view()), flags->end());
  }
  const bool sets = option.effect == Effect::set;
  (sets ? options.superblock : options.superblock_cleared).emplace_back(option.superblock.view());
}

void set_idmap(MountOptions& options, const Option& option, std::string_view maps, std::size_t index) {
  options.idmap = true;
  options.recursive_idmap = option.recursive;
  options.idmap_maps = maps;
  options.idmap_index = index;
}

void apply(const Option& option, MountOptions& options) {
  set_superblock_flag(options, option);
  switch (option.effect) {
    case Effect::nothing:
    case Effect::idmap:
      break;  // carries a value: set_idmap
    case Effect::set:
      set_bits(options.attributes, option);
      break;
    case Effect::clear:
      clear_bits(options.attributes, option);
      break;
    case Effect::choose_atime:
      choose_atime(options.attributes, option);
      break;
    case Effect::withdraw_atime:
      withdraw_atime(options.attributes, option);
      break;
    case Effect::propagation:
      set_propagation(options.attributes, option);
      break;
    case Effect::bind:
      options.bind = true;
      options.recursive =
          options.recursive || option.recursive;  // "bind" does not contradict "rbind": engines list both
      break;
    case Effect::remount:
      options.remount = true;
      break;
    case Effect::tmpcopyup:
      options.tmpcopyup = true;
      break;
    case Effect::dest_nofollow:
      options.dest_nofollow = true;
      break;
    case Effect::source_nofollow:
      options.source_nofollow = true;
      break;
    case Effect::copy_symlink:
      options.copy_symlink = true;
      break;
  }
}

}  // namespace

MountOptions parse_mount_options(const std::vector<std::string>& options) {
  MountOptions parsed;
  for (std::size_t i = 0; i < options.size(); ++i) {
    const std::string_view text = options[i];
    const std::size_t equals = text.find('=');
    const Option* option = find_option(text.substr(0, equals));
    const bool is_idmap = option != nullptr && option->effect == Effect::idmap;

    if (is_idmap) {
      set_idmap(parsed, *option, equals == std::string_view::npos ? "" : text.substr(equals + 1), i);
    } else if (option != nullptr && equals == std::string_view::npos) {
      apply(*option, parsed);
    } else if (!text.empty()) {
      parsed.data.push_back({std::string(text), i});
    }
  }
  return parsed;
}

std::vector<std::string> split_data(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool quoted = false;
  bool escaped = false;
  for (const char c : text) {
    if (c == '"' && !escaped) {
      quoted = !quoted;
    } else if (c == ',' && !quoted && !escaped) {
      if (!word.empty()) words.push_back(std::exchange(word, {}));
    } else {
      word.push_back(c);
    }
    escaped = c == '\\' && !escaped;
  }
  if (!word.empty()) words.push_back(word);
  return words;
}

std::vector<std::string> known_mount_options() {
  std::vector<std::string> names;
  names.reserve(kOptions.size());
  for (const Option& option : kOptions)
    names.emplace_back(option.name.view());
  return names;
}

}  // namespace capsule::ns
