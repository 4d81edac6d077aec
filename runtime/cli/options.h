// What the command line asked for, as plain structs. Those of create, run and exec are runtime/launch's own.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/log.h"
#include "runtime/container/container.h"
#include "runtime/launch/launch.h"

namespace capsule::cli {

struct Globals {
  std::optional<std::string> root;  // as given; never "/" or ""
  log::Options log;
  launch::CgroupManager cgroup_manager = launch::CgroupManager::cgroupfs;
};

enum class OutputFormat : unsigned char { table, json };

struct KillOptions {
  std::string id;
  std::string signal = "TERM";  // as given
  bool all = false;
  bool regex = false;  // id is a regular expression
};

struct DeleteOptions {
  std::string id;
  bool force = false;
  bool regex = false;  // id is a regular expression
};

struct MountsOptions {
  std::string id;
  std::string file;  // an array of mounts
  bool remove = false;
};

struct UpdateOptions {
  std::string id;
  std::optional<std::string> file;  // a resources object; "-": standard input. The rest then means nothing
  container::Change change;
  std::vector<std::string> ignored;  // options given for the sake of cgroup v1
};

struct ListOptions {
  OutputFormat format = OutputFormat::table;
  bool quiet = false;
};

struct PsOptions {
  std::string id;
  OutputFormat format = OutputFormat::table;
  std::vector<std::string> ps_arguments;  // for ps(1); never empty
};

struct EventsOptions {
  std::string id;
  std::chrono::milliseconds interval{5000};
  bool stats_only = false;  // one line, and no waiting
};

struct SpecOptions {
  std::string bundle;  // empty: the current directory
  std::string file;    // empty: config.json in the bundle, which must not exist
  bool rootless = false;
};

}  // namespace capsule::cli
