// Options to structs.
//
// Each function reads the arguments of one command, and refuses what the command does not know, in one line
// as runc words it.
#pragma once

#include <string>

#include "runtime/base/result.h"
#include "runtime/cli/arguments.h"
#include "runtime/cli/options.h"
#include "runtime/launch/launch.h"

namespace capsule::cli {

Result<Globals> parse_globals(const Arguments& arguments);

// start, state, pause, resume: nothing but an id.
Result<std::string> parse_id(const Arguments& arguments);
// features: nothing at all.
Status parse_nothing(const Arguments& arguments);

Result<launch::LaunchOptions> parse_create(const Arguments& arguments);
Result<launch::LaunchOptions> parse_run(const Arguments& arguments);
Result<launch::LaunchOptions> parse_plan(const Arguments& arguments);
Result<launch::ExecOptions> parse_exec(const Arguments& arguments);
Result<KillOptions> parse_kill(const Arguments& arguments);
Result<DeleteOptions> parse_delete(const Arguments& arguments);
Result<MountsOptions> parse_mounts(const Arguments& arguments);
Result<UpdateOptions> parse_update(const Arguments& arguments);
Result<ListOptions> parse_list(const Arguments& arguments);
Result<PsOptions> parse_ps(const Arguments& arguments);
Result<EventsOptions> parse_events(const Arguments& arguments);
Result<SpecOptions> parse_spec(const Arguments& arguments);

}  // namespace capsule::cli
