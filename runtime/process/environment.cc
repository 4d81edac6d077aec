// The application's environment: what config.json says and nothing of ours.
#include "runtime/process/environment.h"

#include <algorithm>

#include "runtime/process/plan.h"

namespace capsule::process {
namespace {

constexpr std::string_view kDefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::string_view name_of(std::string_view entry) {
  return entry.substr(0, entry.find('='));
}

void set_variable(std::vector<std::string>& environment, const std::string& entry) {
  const auto same_name = [&entry](const std::string& other) { return name_of(other) == name_of(entry); };
  const auto place = std::find_if(environment.begin(), environment.end(), same_name);
  if (place == environment.end()) {
    environment.push_back(entry);
  } else {
    *place = entry;
  }
}

}  // namespace

std::vector<std::string> plan_environment(const spec::Process& process,
                                          const std::vector<std::string>& extra_env) {
  std::vector<std::string> environment;
  environment.reserve(process.env.size() + extra_env.size());
  for (const std::string& entry : process.env)
    set_variable(environment, entry);
  for (const std::string& entry : extra_env)
    set_variable(environment, entry);
  std::erase(environment, "HOME=");
  return environment;
}

std::optional<std::string_view> find_variable(const std::vector<std::string>& environment,
                                              std::string_view name) {
  for (const std::string_view entry : environment) {
    if (entry.size() > name.size() && entry[name.size()] == '=' && entry.starts_with(name))
      return entry.substr(name.size() + 1);
  }
  return std::nullopt;
}

std::string_view search_path(const std::vector<std::string>& environment) {
  return find_variable(environment, "PATH").value_or(kDefaultPath);
}

}  // namespace capsule::process
