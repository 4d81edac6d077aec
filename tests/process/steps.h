// Looks into the plan that a planner made.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/plan/builder.h"
#include "runtime/plan/view.h"

namespace capsule::test {

class Steps {
 public:
  explicit Steps(const plan::Builder& builder)
      : image_(builder.finish()), view_(plan::View::verify(image_.data(), image_.size())) {}
  Steps(const Steps&) = delete;  // view_ points into image_
  Steps& operator=(const Steps&) = delete;

  [[nodiscard]] bool ok() const { return view_.ok(); }
  [[nodiscard]] std::vector<plan::StepKind> kinds() const {
    std::vector<plan::StepKind> kinds;
    for (const plan::StepHeader* step = view_.first(); step != nullptr; step = view_.next(step))
      kinds.push_back(step->kind);
    return kinds;
  }
  // The nth step of that type, or nullptr.
  template <class Step>
  [[nodiscard]] const Step* find(unsigned nth = 0) const {
    for (const plan::StepHeader* step = view_.first(); step != nullptr; step = view_.next(step)) {
      if (step->kind == Step::kKind && nth-- == 0) return &plan::as<Step>(step);
    }
    return nullptr;
  }

  [[nodiscard]] std::string text(plan::Text text) const { return {view_.text(text), text.size}; }
  [[nodiscard]] std::string bytes(plan::Blob blob) const {
    return {static_cast<const char*>(view_.bytes(blob)), blob.size};
  }
  [[nodiscard]] std::vector<std::string> list(plan::TextList list) const {
    std::vector<std::string> texts;
    for (std::uint32_t i = 0; i < list.count; ++i)
      texts.push_back(text(view_.item(list, i)));
    return texts;
  }

 private:
  std::string image_;
  plan::View view_;
};

}  // namespace capsule::test
