// The words of /mounts/N/options: one table of names and effects, and what a list of them adds up to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/plan/plan.h"

namespace capsule::ns {

struct MountOptions {
  bool bind = false;
  bool recursive = false;  // rbind
  bool remount = false;
  bool tmpcopyup = false;
  bool dest_nofollow = false;
  bool source_nofollow = false;
  bool copy_symlink = false;

  bool idmap = false;
  bool recursive_idmap = false;
  // Of crun's "idmap=uids=0-1-10;gids=0-1-10", what follows "idmap=". Empty: maps from elsewhere.
  std::string idmap_maps;
  std::size_t idmap_index = 0;

  // Made to be applied recursive part first: ["rro", "rw"] is read-only below and writable at the top, as the
  // last word has it.
  plan::MountAttributes attributes;
  std::vector<std::string> superblock;  // flags of the whole file system: "ro", "sync"
  std::vector<std::string> superblock_cleared;

  struct Data {  // what the table does not know: a parameter of the file system
    std::string text;
    std::size_t index;  // in /mounts/N/options
  };
  std::vector<Data> data;
};

// Each word changes what the words before it asked for, so the last of two contradicting ones wins.
MountOptions parse_mount_options(const std::vector<std::string>& options);

// "size=1m,context=\"a,b\",x" -> {"size=1m", "context=a,b", "x"}: the words in one option as mount(2) would
// have split them, since fsconfig(2) takes one at a time. A comma inside double quotes or after a backslash
// does not separate; the quotes go.
std::vector<std::string> split_data(std::string_view text);

}  // namespace capsule::ns
