#include "runtime/cli/matching.h"

#include <array>
#include <regex.h>

#include "runtime/base/text.h"

namespace capsule::cli {
namespace {

class Expression {
 public:
  Expression() = default;
  Expression(const Expression&) = delete;
  Expression& operator=(const Expression&) = delete;
  ~Expression() {
    if (compiled_) ::regfree(&regex_);
  }

  Status compile(const std::string& text) {
    const int failed = ::regcomp(&regex_, text.c_str(), REG_EXTENDED | REG_NOSUB);
    compiled_ = failed == 0;
    if (compiled_) return {};
    std::array<char, 128> why{};
    (void)::regerror(failed, &regex_, why.data(), why.size());
    return Error::unsupported(cat({"--regex ", quoted(text), ": ", why.data()}));
  }
  [[nodiscard]] bool matches(const std::string& id) const {
    return ::regexec(&regex_, id.c_str(), 0, nullptr, 0) == 0;
  }

 private:
  regex_t regex_{};
  bool compiled_ = false;
};

}  // namespace

Status for_each_matching(const container::Store& store,
                         const std::string& expression,
                         const std::function<Status(const std::string& id)>& act) {
  Expression regex;
  TRY(regex.compile(expression));
  Status first;
  for (const std::string& id : TRY(store.ids())) {
    if (!regex.matches(id)) continue;
    Status done = act(id).context(id);
    const bool failed = !done.has_value() && done.error().kind() != ErrorKind::not_found;
    if (failed && first.has_value()) first = std::move(done);
  }
  return first;
}

}  // namespace capsule::cli
