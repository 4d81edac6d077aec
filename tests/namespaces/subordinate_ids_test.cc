#include "namespaces/plan.h"
#include "tests/support/catch.h"

namespace capsule::ns {
namespace {

std::string describe(const std::vector<IdRange>& ranges) {
  std::string text;
  for (const IdRange& range : ranges)
    text += std::to_string(range.first) + "+" + std::to_string(range.size) + " ";
  return text;
}

TEST_CASE("subordinate ids are a user's by name or by number, and only whole lines count",
          "[namespaces][idmap]") {
  struct Case {
    const char* table;
    const char* ranges;
    const char* because;
  };
  for (const Case& c : {
           Case{"walter:100000:65536\n", "100000+65536 ", "by name"},
           Case{"1000:100000:65536", "100000+65536 ", "by number, without an end of line"},
           Case{"walter:1:2\nother:5:6\nwalter:10:20\n", "1+2 10+20 ", "several, in their order"},
           Case{"", "", "an empty table"},
           Case{"walter:100000:0\n", "", "no ids at all"},
           Case{"walter:100000\nwalter:1:2:3\n", "", "too few and too many fields"},
           Case{"walter:1x:2\nwalter: 1:2\nwalter:-1:2\nwalter:+1:2\nwalter:0x1:2\n", "",
                "R19: no half numbers"},
           Case{"walter:4294967296:1\nwalter:1:4294967296\n", "", "beyond 32 bits"},
           Case{"walter:4294967294:1\n", "4294967294+1 ", "the last id"},
           Case{"walter:4294967294:2\nwalter:4294967295:1\n", "", "one past the last id"},
           Case{"walte:1:2\nwalterx:1:2\nWALTER:1:2\n", "", "another name"},
           Case{":1:2\n", "", "no name"},
       }) {
    INFO(c.because);
    CHECK(describe(parse_subordinate_ids(c.table, "walter", 1000)) == c.ranges);
  }
}

TEST_CASE("a user without a name has the ranges of its number, not those of nobody", "[namespaces][idmap]") {
  CHECK(describe(parse_subordinate_ids(":1:2\n1000:3:4\n", "", 1000)) == "3+4 ");
}

TEST_CASE("container root is the user itself, and its subordinate ids follow", "[namespaces][idmap]") {
  struct Case {
    std::vector<IdRange> ranges;
    const char* map;
    const char* because;
  };
  for (const Case& c : {
           Case{{}, "0 1000 1\n", "nothing but oneself"},
           Case{{{100000, 65536}}, "0 1000 1\n1 100000 65536\n", "the usual range"},
           Case{{{5000, 10}, {7000, 20}}, "0 1000 1\n1 5000 10\n11 7000 20\n", "one after the other"},
           Case{{{999, 10}, {7000, 20}}, "0 1000 1\n1 7000 20\n", "a range that holds the user itself"},
           Case{{{5000, 10}, {5009, 20}, {5010, 1}}, "0 1000 1\n1 5000 10\n11 5010 1\n", "the first of two"},
           Case{{{2000, 4294960000U}, {7, 9}}, "0 1000 1\n1 2000 4294960000\n4294960001 7 9\n", "nearly all"},
           Case{{{2000, 4294960000U}, {0, 999}, {1001, 999}, {4294962000U, 5294}},
                "0 1000 1\n1 2000 4294960000\n4294960001 0 999\n4294961000 1001 999\n4294961999 4294962000 "
                "5294\n",
                "up to the last id"},
       }) {
    INFO(c.because);
    CHECK(describe_id_map(automatic_map(1000, c.ranges)) == c.map);
  }
}

TEST_CASE("an automatic map has no more ranges than the kernel takes", "[namespaces][idmap]") {
  std::vector<IdRange> many;
  for (std::uint32_t i = 0; i < 1000; ++i)
    many.push_back({.first = 10000 + 10 * i, .size = 5});
  CHECK(automatic_map(1000, many).size() == kMostRanges);
}

}  // namespace
}  // namespace capsule::ns
