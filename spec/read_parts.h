// The reader, split by part of config.json: each function turns one object into one struct.
#pragma once

#include "runtime/base/result.h"
#include "spec/json_cursor.h"
#include "spec/spec.h"

namespace capsule::spec {

Result<Process> parse_process(const Cursor& at);           // read_process.cc
Result<IdMapping> parse_id_mapping(const Cursor& at);      // read_linux.cc
Result<Namespace> parse_namespace(const Cursor& at);       // read_linux.cc
Result<Linux> parse_linux(const Cursor& at);               // read_linux.cc
Result<LinuxResources> parse_resources(const Cursor& at);  // read_resources.cc
Result<Seccomp> parse_seccomp(const Cursor& at);           // read_seccomp.cc

}  // namespace capsule::spec
