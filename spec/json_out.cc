#include "spec/json_out.h"

namespace capsule::spec {

std::string to_text(const Json& json, Layout layout) {
  const int indent = layout == Layout::one_line      ? -1
                     : layout == Layout::two_spaces  ? 2
                     : layout == Layout::four_spaces ? 4
                                                     : 1;
  const char filler = layout == Layout::tabs ? '\t' : ' ';
  return json.dump(indent, filler, /*ensure_ascii=*/false, Json::error_handler_t::replace) + "\n";
}

}  // namespace capsule::spec
