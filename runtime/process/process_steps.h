// Single steps of plan_confinement: each maps the names of one object of config.json and appends the step
// that applies it.
//
// `field` is the JSON pointer of that object. All fail with invalid_config and the pointer of the name they
// do not know.
#pragma once

#include <string_view>

#include "runtime/base/result.h"
#include "runtime/plan/builder.h"
#include "runtime/process/plan.h"
#include "spec/spec.h"

namespace capsule::process {

Status plan_personality(const spec::Personality& personality, std::string_view field, plan::Builder& builder);
Status plan_scheduler(const spec::Scheduler& scheduler, std::string_view field, plan::Builder& builder);
Status plan_io_priority(const spec::IoPriority& priority, std::string_view field, plan::Builder& builder);
Status plan_memory_policy(const spec::MemoryPolicy& policy, std::string_view field, plan::Builder& builder);

// Expect(filter), if it is sent.
void await_filter(const ProcessContext& context, plan::Builder& builder);
// The Seccomp step of context.seccomp, and the donated listener if the profile notifies one. Nothing without
// a profile.
Status plan_filter(const ProcessContext& context, plan::Builder& builder);

}  // namespace capsule::process
