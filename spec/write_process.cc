#include "spec/json_out.h"

namespace capsule::spec {
namespace {

Json json_of_console_size(const ConsoleSize& size) {
  Json json = Json::object();
  json["height"] = size.height;
  json["width"] = size.width;
  return json;
}

Json json_of_user(const User& user) {
  Json json = Json::object();
  json["uid"] = user.uid;
  json["gid"] = user.gid;
  put(json, "umask", user.umask);
  put(json, "additionalGids", user.additional_gids);
  return json;
}

Json json_of_capabilities(const Capabilities& capabilities) {
  Json json = Json::object();
  put(json, "bounding", capabilities.bounding);
  put(json, "effective", capabilities.effective);
  put(json, "inheritable", capabilities.inheritable);
  put(json, "permitted", capabilities.permitted);
  put(json, "ambient", capabilities.ambient);
  return json;
}

Json json_of_rlimit(const Rlimit& rlimit) {
  Json json = Json::object();
  json["type"] = rlimit.type;
  json["hard"] = rlimit.hard;
  json["soft"] = rlimit.soft;
  return json;
}

Json json_of_scheduler(const Scheduler& scheduler) {
  Json json = Json::object();
  json["policy"] = scheduler.policy;
  put(json, "nice", scheduler.nice);
  put(json, "priority", scheduler.priority);
  put(json, "flags", scheduler.flags);
  put(json, "runtime", scheduler.runtime);
  put(json, "deadline", scheduler.deadline);
  put(json, "period", scheduler.period);
  return json;
}

Json json_of_io_priority(const IoPriority& io_priority) {
  Json json = Json::object();
  json["class"] = io_priority.io_class;
  json["priority"] = io_priority.priority;
  return json;
}

Json json_of_exec_cpu_affinity(const ExecCpuAffinity& affinity) {
  Json json = Json::object();
  put(json, "initial", affinity.initial);
  put(json, "final", affinity.final_set);
  return json;
}

}  // namespace

Json json_of_process(const Process& process) {
  Json json = Json::object();
  put(json, "terminal", process.terminal);
  put_object(json, "consoleSize", process.console_size, json_of_console_size);
  json["user"] = json_of_user(process.user);
  put(json, "args", process.args);
  put(json, "env", process.env);
  json["cwd"] = process.cwd;
  put_object(json, "capabilities", process.capabilities, json_of_capabilities);
  put_objects(json, "rlimits", process.rlimits, json_of_rlimit);
  put(json, "noNewPrivileges", process.no_new_privileges);
  put(json, "apparmorProfile", process.apparmor_profile);
  put(json, "oomScoreAdj", process.oom_score_adj);
  put_object(json, "scheduler", process.scheduler, json_of_scheduler);
  put(json, "selinuxLabel", process.selinux_label);
  put_object(json, "ioPriority", process.io_priority, json_of_io_priority);
  put_object(json, "execCPUAffinity", process.exec_cpu_affinity, json_of_exec_cpu_affinity);
  return json;
}

}  // namespace capsule::spec
