#include "runtime/cli/values.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <vector>

#include "runtime/base/fixed_text.h"
#include "runtime/base/text.h"

namespace capsule::cli {
namespace {

template <class T>
struct Word {
  FixedText<10> text;
  T value;
};

template <class T, std::size_t N>
std::optional<T> find_word(const std::array<Word<T>, N>& words, std::string_view text) {
  const auto* found =
      std::find_if(words.begin(), words.end(), [text](const Word<T>& word) { return word.text == text; });
  if (found == words.end()) return std::nullopt;
  return found->value;
}

constexpr auto kSwitchWords = std::to_array({
    Word<bool>{"true", true},
    Word<bool>{"TRUE", true},
    Word<bool>{"True", true},
    Word<bool>{"t", true},
    Word<bool>{"T", true},
    Word<bool>{"1", true},
    Word<bool>{"false", false},
    Word<bool>{"FALSE", false},
    Word<bool>{"False", false},
    Word<bool>{"f", false},
    Word<bool>{"F", false},
    Word<bool>{"0", false},
});
constexpr auto kLevels = std::to_array({
    Word<log::Level>{"error", log::Level::error},
    Word<log::Level>{"warning", log::Level::warning},
    Word<log::Level>{"info", log::Level::info},
    Word<log::Level>{"debug", log::Level::debug},
});
constexpr auto kManagers = std::to_array({
    Word<launch::CgroupManager>{"cgroupfs", launch::CgroupManager::cgroupfs},
    Word<launch::CgroupManager>{"systemd", launch::CgroupManager::systemd},
    Word<launch::CgroupManager>{"disabled", launch::CgroupManager::disabled},
});
constexpr auto kLogFormats = std::to_array(
    {Word<log::Format>{"text", log::Format::text}, Word<log::Format>{"json", log::Format::json}});
constexpr auto kLogServices = std::to_array({Word<log::Service>{"syslog", log::Service::syslog},
                                             Word<log::Service>{"journald", log::Service::journald}});
constexpr auto kOutputFormats = std::to_array(
    {Word<OutputFormat>{"table", OutputFormat::table}, Word<OutputFormat>{"json", OutputFormat::json}});

// The largest id_t is no id: setuid(2) and chown(2) take it for "leave unchanged".
constexpr std::uint32_t kNoId = std::numeric_limits<std::uint32_t>::max();

std::optional<std::uint32_t> parse_id_number(std::string_view text) {
  const std::optional<std::uint32_t> id = parse_integer<std::uint32_t>(text);
  return id == kNoId ? std::nullopt : id;
}

bool is_root_directory(std::string_view path) {
  const std::vector<std::string_view> parts = split(path, '/');
  return path.substr(0, 1) == "/" && std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
           return part.empty() || part == "." || part == "..";
         });
}

}  // namespace

Result<bool> parse_switch(std::string_view option, std::string_view text) {
  const std::optional<bool> value = find_word(kSwitchWords, text);
  if (!value) return Error::unsupported(cat({"invalid boolean value ", quoted(text), " for ", option}));
  return *value;
}

Result<std::uint32_t> parse_number(std::string_view option, std::string_view text) {
  const std::optional<std::uint32_t> value = parse_integer<std::uint32_t>(text);
  if (!value)
    return Error::unsupported(cat({"invalid value ", quoted(text), " for ", option, ": must be a number"}));
  return *value;
}

Status parse_user(std::string_view text, launch::ExecOptions& options) {
  const std::size_t colon = text.find(':');
  options.uid = parse_id_number(text.substr(0, colon));
  options.gid = std::nullopt;
  if (colon != std::string_view::npos) options.gid = parse_id_number(text.substr(colon + 1));
  if (!options.uid || (colon != std::string_view::npos && !options.gid)) {
    return Error::unsupported(
        cat({"invalid value ", quoted(text), " for --user: must be uid or uid:gid in numbers"}));
  }
  return {};
}

Result<std::uint32_t> parse_group(std::string_view text) {
  const std::optional<std::uint32_t> gid = parse_id_number(text);
  if (!gid)
    return Error::unsupported(
        cat({"invalid value ", quoted(text), " for --additional-gids: must be a number"}));
  return *gid;
}

Result<OutputFormat> parse_output_format(std::string_view text) {
  const std::optional<OutputFormat> format = find_word(kOutputFormats, text);
  if (!format) return Error::unsupported(cat({"invalid format option: ", text, "; must be table or json"}));
  return *format;
}

Result<log::Format> parse_log_format(std::string_view text) {
  const std::optional<log::Format> format = find_word(kLogFormats, text);
  if (!format) return Error::unsupported(cat({"invalid log-format: ", text}));
  return *format;
}

Result<log::Level> parse_log_level(std::string_view text) {
  const std::optional<log::Level> level = find_word(kLevels, text);
  if (!level)
    return Error::unsupported(cat({"invalid log-level: ", text, "; must be error, warning, info or debug"}));
  return *level;
}

Status parse_log_target(std::string_view text, log::Options& options) {
  const std::size_t colon = text.find(':');
  const std::string_view kind = text.substr(0, colon);
  const std::string_view rest = colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  const std::optional<log::Service> service = find_word(kLogServices, kind);
  options.service = log::Service::none;
  options.identifier.clear();
  options.path.clear();
  if (colon != std::string_view::npos && service.has_value()) {
    if (rest.empty()) return Error::unsupported(cat({"invalid log: ", text, "; an identifier must follow"}));
    options.service = *service;
    options.identifier = rest;
    return {};
  }
  options.path = text.starts_with("file:") ? rest : text;
  return {};
}

Result<launch::CgroupManager> parse_cgroup_manager(std::string_view text) {
  const std::optional<launch::CgroupManager> manager = find_word(kManagers, text);
  if (!manager) {
    return Error::unsupported(
        cat({"invalid cgroup-manager: ", text, "; must be cgroupfs, systemd or disabled"}));
  }
  return *manager;
}

Status parse_rootless(std::string_view text) {
  if (text != "auto" && !find_word(kSwitchWords, text)) {
    return Error::unsupported(cat({"invalid rootless: ", text, "; must be true, false or auto"}));
  }
  return {};
}

Result<std::string> parse_root(std::string_view text) {
  if (text.empty()) return Error::unsupported("Option --root argument should not be empty");
  if (is_root_directory(text)) return Error::unsupported("Option --root argument should not be set to /");
  return std::string(text);
}

}  // namespace capsule::cli
