#include "runtime/base/result.h"

namespace capsule {

Error::Error(ErrorKind kind, int err, std::string text) : rep_(new Rep{kind, err, std::move(text)}) {}

void Error::Delete::operator()(Rep* rep) const noexcept {
  delete rep;
}

Error Error::system(std::string_view call, int err, std::string_view object) {
  std::string text(call);
  if (!object.empty()) text.append(" ").append(object);
  text.append(": ").append(describe_errno(err));
  return {ErrorKind::system, err, std::move(text)};
}

Error Error::invalid_config(std::string_view json_pointer, std::string_view why) {
  std::string text(json_pointer.empty() ? "config.json" : json_pointer);
  text.append(": ").append(why);
  return {ErrorKind::invalid_config, 0, std::move(text)};
}

Error Error::unsupported(std::string_view why) {
  return {ErrorKind::unsupported, 0, std::string(why)};
}
Error Error::wrong_state(std::string_view why) {
  return {ErrorKind::wrong_state, 0, std::string(why)};
}
Error Error::not_found(std::string_view why) {
  return {ErrorKind::not_found, 0, std::string(why)};
}
Error Error::peer(std::string_view why) {
  return {ErrorKind::peer, 0, std::string(why)};
}

Error Error::hook(std::string_view why) {
  return {ErrorKind::hook, 0, std::string(why)};
}

Error&& Error::with(std::initializer_list<std::string_view> words) && {
  std::string prefix;
  for (const std::string_view word : words)
    prefix.append(word);
  rep_->text.insert(0, prefix.append(": "));
  return std::move(*this);
}

Error&& Error::hint(std::string_view words) && {
  if (!words.empty()) rep_->text.append("; ").append(words);
  return std::move(*this);
}

}  // namespace capsule
