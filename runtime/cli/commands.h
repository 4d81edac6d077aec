// One function per command, each in the file of its name. They parse, call the folder that does the work, and
// print what it answers.
#pragma once

#include <string_view>

#include "runtime/base/result.h"
#include "runtime/cli/arguments.h"
#include "runtime/cli/options.h"
#include "runtime/container/container.h"

namespace capsule::cli {

// Each returns the exit code. A failure is reported by main.cc, and is exit code 1.
using Run = Result<int> (*)(const Globals& globals, const Arguments& arguments);

Result<int> create(const Globals& globals, const Arguments& arguments);
Result<int> start(const Globals& globals, const Arguments& arguments);
Result<int> run(const Globals& globals, const Arguments& arguments);
Result<int> state(const Globals& globals, const Arguments& arguments);
Result<int> kill(const Globals& globals, const Arguments& arguments);
Result<int> remove(const Globals& globals, const Arguments& arguments);  // `delete`
Result<int> list(const Globals& globals, const Arguments& arguments);
Result<int> exec(const Globals& globals, const Arguments& arguments);
Result<int> ps(const Globals& globals, const Arguments& arguments);
Result<int> events(const Globals& globals, const Arguments& arguments);
Result<int> mounts(const Globals& globals, const Arguments& arguments);
Result<int> pause(const Globals& globals, const Arguments& arguments);
Result<int> resume(const Globals& globals, const Arguments& arguments);
Result<int> update(const Globals& globals, const Arguments& arguments);
Result<int> spec(const Globals& globals, const Arguments& arguments);
Result<int> features(const Globals& globals, const Arguments& arguments);
Result<int> plan(const Globals& globals, const Arguments& arguments);

Run find_run(std::string_view command);  // nullptr: no such command

// The store that --root names, or the default.
Result<container::Store> open_store(const Globals& globals);

}  // namespace capsule::cli
