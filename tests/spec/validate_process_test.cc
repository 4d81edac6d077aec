#include <functional>
#include <vector>

#include "spec/validate.h"
#include "tests/spec/documents.h"

using namespace capsule::spec;

namespace {

Process good_process() {
  Process process;
  process.cwd = "/";
  process.args = {"true"};
  return process;
}

struct Bad {
  std::function<void(Process&)> spoil;
  const char* message;
  const char* because;
};

Scheduler scheduler(const char* policy) {
  Scheduler scheduler;
  scheduler.policy = policy;
  return scheduler;
}

Rlimit rlimit(const char* type, std::uint64_t soft = 1, std::uint64_t hard = 1) {
  return {type, soft, hard};
}

std::string affinity_message(const char* list) {
  Process process = good_process();
  process.exec_cpu_affinity = ExecCpuAffinity{.initial = list, .final_set = std::nullopt};
  return message_of(validate_process(process, "/process"));
}

}  // namespace

TEST_CASE("an ordinary process is valid", "[spec][validate][process]") {
  CHECK(message_of(validate_process(good_process(), "/process")).empty());
}

TEST_CASE("a broken rule of the process is named", "[spec][validate][process]") {
  const std::vector<Bad> table = {
      {[](Process& p) { p.cwd = "tmp"; }, "/process/cwd: Cwd must be an absolute path", "runc's words"},
      {[](Process& p) { p.cwd = ""; }, "/process/cwd: Cwd must be an absolute path", "runc's words"},
      {[](Process& p) { p.args.clear(); }, "/process/args: args must not be empty",
       "there is nothing to run"},
      {[](Process& p) {
         p.env = {"A=1", "B"};
       },
       "/process/env/1: must have the form NAME=value, not \"B\"", "no value"},
      {[](Process& p) { p.env = {"=1"}; }, "/process/env/0: must have the form NAME=value, not \"=1\"",
       "no name"},
      {[](Process& p) { p.env = {""}; }, "/process/env/0: must have the form NAME=value, not \"\"",
       "nothing"},
      {[](Process& p) { p.rlimits = {rlimit("NOFILE")}; },
       "/process/rlimits/0/type: wrong rlimit value: NOFILE",
       "runc's words; crun would want the prefix, too"},
      {[](Process& p) {
         p.rlimits = {rlimit("RLIMIT_NOFILE"), rlimit("RLIMIT_CORE"), rlimit("RLIMIT_NOFILE")};
       },
       "/process/rlimits/2/type: duplicated rlimit RLIMIT_NOFILE", "config.md says MUST"},
      {[](Process& p) { p.rlimits = {rlimit("RLIMIT_NOFILE", 99, 9)}; },
       "/process/rlimits/0: the soft limit of RLIMIT_NOFILE is above the hard limit",
       "setrlimit(2) says EINVAL"},
      {[](Process& p) { p.oom_score_adj = 1001; }, "/process/oomScoreAdj: must be between -1000 and 1000",
       "proc(5)"},
      {[](Process& p) { p.oom_score_adj = -1001; }, "/process/oomScoreAdj: must be between -1000 and 1000",
       "proc(5)"},
      {[](Process& p) { p.scheduler = Scheduler{}; },
       "/process/scheduler/policy: scheduler policy is required", "runc's words"},
      {[](Process& p) { p.scheduler = scheduler("SCHED_NICE"); },
       "/process/scheduler/policy: invalid scheduler policy \"SCHED_NICE\"", "no such policy"},
      {[](Process& p) {
         p.scheduler = scheduler("SCHED_BATCH");
         p.scheduler->nice = 20;
       },
       "/process/scheduler/nice: invalid scheduler.nice: 20 when scheduler.policy is SCHED_BATCH",
       "runc's words"},
      {[](Process& p) {
         p.scheduler = scheduler("SCHED_OTHER");
         p.scheduler->priority = 1;
       },
       "/process/scheduler/priority: scheduler.priority can only be specified for SchedFIFO or SchedRR "
       "policy",
       "runc's words"},
      {[](Process& p) {
         p.scheduler = scheduler("SCHED_RR");
         p.scheduler->period = 1;
       },
       "/process/scheduler: scheduler runtime/deadline/period can only be specified for SchedDeadline policy",
       "runc's words"},
      {[](Process& p) {
         p.scheduler = scheduler("SCHED_RR");
         p.scheduler->flags = {"SCHED_FLAG_RECLAIM", "RECLAIM"};
       },
       "/process/scheduler/flags/1: invalid scheduler flag \"RECLAIM\"", "no such flag"},
      {[](Process& p) {
         p.io_priority = IoPriority{"IOPRIO_CLASS_NONE", 0};
       },
       "/process/ioPriority/class: invalid ioPriority.Class: \"IOPRIO_CLASS_NONE\"", "runc's words"},
      {[](Process& p) {
         p.io_priority = IoPriority{"IOPRIO_CLASS_BE", 8};
       },
       "/process/ioPriority/priority: invalid ioPriority.Priority: 8", "runc's words"},
      {[](Process& p) { p.exec_cpu_affinity = ExecCpuAffinity{.initial = "0-3", .final_set = "3-0"}; },
       "/process/execCPUAffinity/final: must be a list of CPUs such as \"0-3,7\", not \"3-0\"", "backwards"},
  };
  for (const Bad& bad : table) {
    Process process = good_process();
    bad.spoil(process);
    INFO(bad.because);
    CHECK(message_of(validate_process(process, "/process")) == bad.message);
  }
}

TEST_CASE("a process file has pointers of its own", "[spec][validate][process]") {
  Process process = good_process();
  process.args.clear();
  CHECK(message_of(validate_process(process, "")) == "/args: args must not be empty");
}

TEST_CASE("all sixteen rlimits are known", "[spec][validate][process]") {
  Process process = good_process();
  for (const char* type :
       {"RLIMIT_AS", "RLIMIT_CORE", "RLIMIT_CPU", "RLIMIT_DATA", "RLIMIT_FSIZE", "RLIMIT_LOCKS",
        "RLIMIT_MEMLOCK", "RLIMIT_MSGQUEUE", "RLIMIT_NICE", "RLIMIT_NOFILE", "RLIMIT_NPROC", "RLIMIT_RSS",
        "RLIMIT_RTPRIO", "RLIMIT_RTTIME", "RLIMIT_SIGPENDING", "RLIMIT_STACK"}) {
    process.rlimits.push_back(rlimit(type));
  }
  CHECK(message_of(validate_process(process, "/process")).empty());
}

// Normative: B27
TEST_CASE("an unknown capability is not an error", "[spec][validate][process]") {
  Process process = good_process();
  process.capabilities = Capabilities{};
  process.capabilities->bounding = {"CAP_UNHEARD_OF"};
  CHECK(message_of(validate_process(process, "/process")).empty());
}

TEST_CASE("scheduler values of 0 count as absent, as Go writes them", "[spec][validate][process]") {
  Process process = good_process();
  process.scheduler = scheduler("SCHED_OTHER");
  process.scheduler->nice = -20;
  process.scheduler->priority = 0;
  process.scheduler->runtime = 0;
  CHECK(message_of(validate_process(process, "/process")).empty());
}

TEST_CASE("priorities and times go with the policies that know them", "[spec][validate][process]") {
  Process process = good_process();
  process.scheduler = scheduler("SCHED_FIFO");
  process.scheduler->priority = 10;
  process.scheduler->flags = {"SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_UTIL_CLAMP_MAX"};
  CHECK(message_of(validate_process(process, "/process")).empty());

  process.scheduler = scheduler("SCHED_DEADLINE");
  process.scheduler->runtime = 10;
  process.scheduler->deadline = 20;
  process.scheduler->period = 30;
  CHECK(message_of(validate_process(process, "/process")).empty());
}

TEST_CASE("CPU lists are spelled as cpuset(7) spells them", "[spec][validate][process]") {
  for (const char* list : {"0", "0-3,7", "0-0", "7,0", " 1 - 2 , 4", ",1,,2,", "65535"}) {
    INFO(list);
    CHECK(affinity_message(list).empty());
  }
  for (const char* list : {"a", "1-", "-1", "1-2-3", "0x1", "1;2", "65536", "4294967296", ",", "1 2", "+1"}) {
    INFO(list);
    CHECK(affinity_message(list).find("/process/execCPUAffinity/initial: must be a list of CPUs") == 0);
  }
}
