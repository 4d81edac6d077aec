// A command line, one word a line: understood or refused in one line, never a crash.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/text.h"
#include "runtime/cli/app.h"
#include "runtime/cli/arguments.h"
#include "runtime/cli/output.h"

namespace {

using namespace capsule;

template <class T>
void require_one_line(const Result<T>& parsed) {
  if (parsed.has_value()) return;
  for (const char c : cli::describe_failure(parsed.error().message()))
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) __builtin_trap();
}

template <auto kParse>
void parse(const cli::Arguments& arguments) {
  require_one_line(kParse(arguments));
}

// As the commands do: each parses what was split for it.
constexpr std::array<std::pair<std::string_view, void (*)(const cli::Arguments&)>, 14> kParsers = {{
    {"create", parse<cli::parse_create>},
    {"delete", parse<cli::parse_delete>},
    {"events", parse<cli::parse_events>},
    {"exec", parse<cli::parse_exec>},
    {"kill", parse<cli::parse_kill>},
    {"list", parse<cli::parse_list>},
    {"mounts", parse<cli::parse_mounts>},
    {"pause", parse<cli::parse_id>},
    {"plan", parse<cli::parse_plan>},
    {"ps", parse<cli::parse_ps>},
    {"run", parse<cli::parse_run>},
    {"spec", parse<cli::parse_spec>},
    {"state", parse<cli::parse_id>},
    {"update", parse<cli::parse_update>},
}};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (bytes.find('\0') != std::string_view::npos) return 0;  // execve(2) could not have passed it on
  std::vector<std::string> argv;
  for (const std::string_view word : split(bytes, '\n'))
    argv.emplace_back(word);
  const cli::Arguments arguments = cli::split_arguments(argv);
  require_one_line(cli::parse_globals(arguments));
  for (const auto& [command, parser] : kParsers)
    if (command == arguments.command) parser(arguments);
  return 0;
}
