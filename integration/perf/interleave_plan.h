// The plan of the measuring program: what it runs, as the driver wrote it down.
//
// Lines of tab-separated fields. `case` opens a case; the other lines belong to the last one opened:
//   case     OPERATION  RUNTIME
//   before   PROGRAM  ARGUMENT...    untimed, every round; may occur several times
//   empty    CGROUP                  untimed: wait until no process lives in that cgroup
//   timed    PROGRAM  ARGUMENT...
//   after    PROGRAM  ARGUMENT...    untimed, every round; its failure is ignored
//   rescue   PROGRAM  ARGUMENT...    only when the timed command failed, so that the next round can work
#pragma once

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace interleave {

using Command = std::vector<std::string>;

struct Step {
  enum class Kind { run, await_empty } kind;
  Command command;
};

struct Case {
  std::string operation;
  std::string runtime;
  std::vector<Step> before;
  Command timed;
  std::vector<Command> after;
  std::vector<Command> rescue;
};

[[noreturn]] inline void fail(const std::string& what) {
  std::fprintf(stderr, "interleave: %s\n", what.c_str());
  std::exit(1);
}

inline std::vector<std::string> split_at_tabs(const std::string& line) {
  std::vector<std::string> fields;
  std::istringstream stream(line);
  for (std::string field; std::getline(stream, field, '\t');) {
    fields.push_back(field);
  }
  return fields;
}

inline void add_line(std::vector<Case>& cases, const std::string& line) {
  std::vector<std::string> fields = split_at_tabs(line);
  if (fields.size() < 2 || (fields[0] == "case" && fields.size() != 3)) {
    fail("bad line in plan: " + line);
  }
  const std::string keyword = fields[0];
  fields.erase(fields.begin());
  if (keyword == "case") {
    cases.push_back(
        {.operation = fields[0], .runtime = fields[1], .before = {}, .timed = {}, .after = {}, .rescue = {}});
    return;
  }
  if (cases.empty()) {
    fail("plan does not begin with a case: " + line);
  }
  Case& current = cases.back();
  if (keyword == "before") {
    current.before.push_back({Step::Kind::run, fields});
  } else if (keyword == "empty") {
    current.before.push_back({Step::Kind::await_empty, fields});
  } else if (keyword == "timed") {
    current.timed = fields;
  } else if (keyword == "after") {
    current.after.push_back(fields);
  } else if (keyword == "rescue") {
    current.rescue.push_back(fields);
  } else {
    fail("unknown keyword in plan: " + keyword);
  }
}

inline std::vector<Case> read_plan(const std::string& path) {
  std::ifstream file(path);
  if (!file) {
    fail("cannot read " + path);
  }
  std::vector<Case> cases;
  for (std::string line; std::getline(file, line);) {
    add_line(cases, line);
  }
  return cases;
}

}  // namespace interleave
