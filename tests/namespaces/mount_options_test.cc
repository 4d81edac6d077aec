#include "namespaces/mount_options.h"

#include <algorithm>

#include "namespaces/plan.h"
#include "runtime/base/kernel_abi.h"
#include "runtime/base/text.h"
#include "tests/support/catch.h"

namespace capsule::ns {
namespace {

// What a list of options adds up to, as words in a fixed order.
std::string summary(const std::vector<std::string>& options) {
  const MountOptions o = parse_mount_options(options);
  std::vector<std::string> words;
  const auto flag = [&](bool on, const char* name) {
    if (on) words.emplace_back(name);
  };
  const auto mask = [&](std::uint64_t value, const char* name) {
    if (value != 0) words.push_back(cat({name, "=", std::to_string(value)}));
  };
  flag(o.bind, "bind");
  flag(o.recursive, "recursive");
  flag(o.remount, "remount");
  flag(o.tmpcopyup, "tmpcopyup");
  flag(o.idmap, "idmap");
  flag(o.recursive_idmap, "recursive_idmap");
  flag(o.dest_nofollow, "dest_nofollow");
  flag(o.source_nofollow, "source_nofollow");
  flag(o.copy_symlink, "copy_symlink");
  mask(o.attributes.set, "set");
  mask(o.attributes.clear, "clear");
  mask(o.attributes.recursive_set, "rset");
  mask(o.attributes.recursive_clear, "rclear");
  mask(o.attributes.propagation, "propagation");
  mask(o.attributes.recursive_propagation, "rpropagation");
  for (const std::string& name : o.superblock)
    words.push_back("sb:" + name);
  for (const MountOptions::Data& data : o.data)
    words.push_back("data:" + data.text);
  return join(words, " ");
}

struct Single {
  std::string option, meaning;
};

// Numbers: MOUNT_ATTR_RDONLY 1, NOSUID 2, NODEV 4, NOEXEC 8, NOATIME 16, STRICTATIME 32, __ATIME 112,
// NODIRATIME 128, NOSYMFOLLOW 2097152; MS_UNBINDABLE 131072, MS_PRIVATE 262144, MS_SLAVE 524288, MS_SHARED
// 1048576.
const Single kSpecified[] = {
    {"async", ""},
    {"atime", "clear=112"},
    {"bind", "bind"},
    {"defaults", ""},
    {"dev", "clear=4"},
    {"diratime", "clear=128"},
    {"dirsync", "sb:dirsync"},
    {"exec", "clear=8"},
    {"idmap", "idmap"},
    {"iversion", ""},
    {"lazytime", "sb:lazytime"},
    {"loud", ""},
    {"mand", "sb:mand"},
    {"noatime", "set=16 clear=112"},
    {"nodev", "set=4"},
    {"nodiratime", "set=128"},
    {"noexec", "set=8"},
    {"noiversion", ""},
    {"nolazytime", ""},
    {"nomand", ""},
    {"norelatime", ""},
    {"nostrictatime", "clear=112"},
    {"nosuid", "set=2"},
    {"nosymfollow", "set=2097152"},
    {"private", "propagation=262144"},
    {"ratime", "rclear=112"},
    {"rbind", "bind recursive"},
    {"rdev", "rclear=4"},
    {"rdiratime", "rclear=128"},
    {"relatime", "clear=112"},
    {"remount", "remount"},
    {"rexec", "rclear=8"},
    {"ridmap", "idmap recursive_idmap"},
    {"rnoatime", "rset=16 rclear=112"},
    {"rnodev", "rset=4"},
    {"rnodiratime", "rset=128"},
    {"rnoexec", "rset=8"},
    {"rnorelatime", ""},
    {"rnostrictatime", "rclear=112"},
    {"rnosuid", "rset=2"},
    {"rnosymfollow", "rset=2097152"},
    {"ro", "set=1 sb:ro"},
    {"rprivate", "rpropagation=262144"},
    {"rrelatime", "rclear=112"},
    {"rro", "rset=1"},
    {"rrw", "rclear=1"},
    {"rshared", "rpropagation=1048576"},
    {"rslave", "rpropagation=524288"},
    {"rstrictatime", "rset=32 rclear=112"},
    {"rsuid", "rclear=2"},
    {"rsymfollow", "rclear=2097152"},
    {"runbindable", "rpropagation=131072"},
    {"rw", "clear=1"},
    {"shared", "propagation=1048576"},
    {"silent", ""},
    {"slave", "propagation=524288"},
    {"strictatime", "set=32 clear=112"},
    {"suid", "clear=2"},
    {"symfollow", "clear=2097152"},
    {"sync", "sb:sync"},
    {"tmpcopyup", "tmpcopyup"},
    {"unbindable", "propagation=131072"},
};
const Single kExtensions[] = {
    {"copy-symlink", "copy_symlink"},
    {"dest-nofollow", "dest_nofollow"},
    {"rasync", ""},
    {"rdirsync", "sb:dirsync"},
    {"rmand", "sb:mand"},
    {"rnomand", ""},
    {"rsync", "sb:sync"},
    {"src-nofollow", "source_nofollow"},
};

TEST_CASE("every option of the specification's table has its effect", "[namespaces][mount_options]") {
  for (const Single& single : kSpecified) {
    INFO(single.option);
    CHECK(summary({single.option}) == single.meaning);
  }
}

TEST_CASE("crun's own options are known too", "[namespaces][mount_options]") {
  for (const Single& single : kExtensions) {
    INFO(single.option);
    CHECK(summary({single.option}) == single.meaning);
  }
}

TEST_CASE("the options that features prints are those that have a meaning, sorted",
          "[namespaces][mount_options]") {
  std::vector<std::string> expected;
  for (const Single& single : kSpecified)
    expected.push_back(single.option);
  for (const Single& single : kExtensions)
    expected.push_back(single.option);
  std::sort(expected.begin(), expected.end());

  CHECK(known_mount_options() == expected);
}

TEST_CASE("no known option is passed on as data", "[namespaces][mount_options]") {
  for (const std::string& name : known_mount_options()) {
    INFO(name);
    CHECK(parse_mount_options({name}).data.empty());
  }
}

TEST_CASE("the last of two contradicting options wins", "[namespaces][mount_options]") {
  struct Case {
    std::vector<std::string> options;
    std::string meaning, because;
  };
  const Case cases[] = {
      {{"ro", "rw"}, "clear=1", "writable in the end, mount and superblock"},
      {{"rw", "ro"}, "set=1 sb:ro", "read-only in the end"},
      {{"nosuid", "suid", "nosuid"}, "set=2", "each word changes what was before"},
      {{"noatime", "strictatime"}, "set=32 clear=112", "one way to keep access times replaces another"},
      {{"strictatime", "relatime"}, "clear=112", "relatime is the absence of the other two"},
      {{"noatime", "atime"}, "clear=112", "taken back: the kernel's default"},
      {{"strictatime", "atime"}, "set=32 clear=112", "atime only takes back noatime"},
      {{"noatime", "nostrictatime"}, "set=16 clear=112", "nostrictatime only takes back strictatime"},
      {{"relatime", "norelatime"}, "", "the default again, as if nothing had been said"},
      {{"noatime", "norelatime"}, "set=16 clear=112", "norelatime leaves noatime alone"},
      {{"sync", "async"}, "", "the superblock flag is gone"},
      {{"async", "sync", "sync"}, "sb:sync", "a flag is listed once"},
      {{"lazytime", "dirsync", "nolazytime"}, "sb:dirsync", "other flags stay"},
      {{"shared", "private"}, "propagation=262144", "one propagation"},
      {{"shared", "rprivate"}, "rpropagation=262144", "a recursive one covers the top as well"},
      {{"rprivate", "shared"}, "propagation=1048576 rpropagation=262144", "shared at the top, private below"},
      {{"bind", "rbind"}, "bind recursive", "recursive if either says so"},
      {{"rbind", "bind"}, "bind recursive", "engines list both, in any order"},
      {{"idmap", "ridmap"}, "idmap recursive_idmap", "the recursive one came last"},
  };
  for (const Case& c : cases) {
    INFO(c.because);
    CHECK(summary(c.options) == c.meaning);
  }
}

TEST_CASE("recursive attributes and those of the top follow each other", "[namespaces][mount_options]") {
  struct Case {
    std::vector<std::string> options;
    std::string meaning, because;
  };
  const Case cases[] = {
      {{"rro", "rw"}, "clear=1 rset=1", "applied recursive part first: read-only below, writable at the top"},
      {{"rw", "rro"}, "rset=1", "rro came last and means the top too"},
      {{"ro", "rrw"}, "rclear=1", "rrw came last, for the superblock as well"},
      {{"rnosuid", "rsuid"}, "rclear=2", "among recursive ones the last wins"},
      {{"noatime", "rstrictatime"}, "rset=32 rclear=112", "what was chosen for the top is forgotten"},
      {{"noatime", "ratime"}, "rclear=112", "ratime takes back noatime at the top too"},
      {{"strictatime", "ratime"}, "set=32 clear=112 rclear=112", "but not strictatime"},
      {{"rnoatime", "rnoexec"}, "rset=24 rclear=112", "attributes add up"},
  };
  for (const Case& c : cases) {
    INFO(c.because);
    CHECK(summary(c.options) == c.meaning);
  }
}

TEST_CASE("what no table knows is data, with its place in the list", "[namespaces][mount_options]") {
  const MountOptions options = parse_mount_options({"nosuid", "size=64k", "", "newinstance", "ro=1"});

  REQUIRE(options.data.size() == 3);
  CHECK(options.data[0].text == "size=64k");
  CHECK(options.data[0].index == 1);
  CHECK(options.data[1].text == "newinstance");
  CHECK(options.data[1].index == 3);
  CHECK(options.data[2].text == "ro=1");  // a known name with a value is not the known option
}

TEST_CASE("only idmap and ridmap take a value", "[namespaces][mount_options]") {
  const MountOptions options = parse_mount_options({"bind", "ridmap=uids=0-1-2;gids=3-4-5"});

  CHECK(options.idmap);
  CHECK(options.recursive_idmap);
  CHECK(options.idmap_maps == "uids=0-1-2;gids=3-4-5");
  CHECK(options.idmap_index == 1);
  CHECK(options.data.empty());
}

TEST_CASE("data is split where mount(2) would have split it", "[namespaces][mount_options]") {
  struct Case {
    std::string text;
    std::vector<std::string> words;
    std::string because;
  };
  const Case cases[] = {
      {"size=1k", {"size=1k"}, "one word"},
      {"size=1k,mode=755", {"size=1k", "mode=755"}, "two in one option"},
      {"context=\"u:o:r:s0:c1,c2\"",
       {"context=u:o:r:s0:c1,c2"},
       "a comma in quotes does not separate, and the quotes go"},
      {"lowerdir=/a\\,b,xino=off", {"lowerdir=/a\\,b", "xino=off"}, "an escaped comma is part of a path"},
      {"a\\\\,b", {"a\\\\", "b"}, "an escaped backslash escapes nothing"},
      {",,a,", {"a"}, "empty words say nothing"},
      {"", {}, "nothing at all"},
  };
  for (const Case& c : cases) {
    INFO(c.because);
    CHECK(split_data(c.text) == c.words);
  }
}

}  // namespace
}  // namespace capsule::ns
