#include "runtime/plan/view.h"

#include "runtime/plan/fields.h"

namespace capsule::plan {
namespace {

// Checks that what a step names by offset lies in the data area.
class Checker {
 public:
  Checker(const char* data, uint32_t size) : data_(data), size_(size) {}

  void operator()(const char* /*name*/, Text t) {
    require(fits(t.offset, uint64_t{t.size} + 1) && data_[t.offset + t.size] == '\0');
  }
  void operator()(const char* /*name*/, TextList list) {
    const bool inside =
        list.offset % alignof(Text) == 0 && fits(list.offset, uint64_t{list.count} * sizeof(Text));
    require(inside);
    for (uint32_t i = 0; inside && i < list.count; ++i) {
      (*this)("", reinterpret_cast<const Text*>(data_ + list.offset)[i]);
    }
  }
  void operator()(const char* /*name*/, Blob b) { require(b.offset % 8 == 0 && fits(b.offset, b.size)); }
  template <class Number>
  void operator()(const char* /*name*/, const Number& /*value*/) {
  }  // any value is well formed; meaning is init's business

  template <class Step>
  void operator()(const Step& step) {
    require(step.header.size == sizeof(Step));
    if (!good_) return;
    (*this)("field", step.header.field);
    visit_fields(step, *this);
  }

  [[nodiscard]] bool good() const { return good_; }

 private:
  [[nodiscard]] bool fits(uint32_t offset, uint64_t size) const {
    return offset <= size_ && size <= size_ - offset;
  }
  void require(bool condition) { good_ = good_ && condition; }

  const char* data_;
  uint32_t size_;
  bool good_ = true;
};

bool header_is_sound(const PlanHeader& h, size_t size) {
  if (h.magic != kMagic || h.version != kVersion || h.total_size != size) return false;
  const uint64_t table_end = sizeof(PlanHeader) + uint64_t{h.descriptor_count} * sizeof(int32_t);
  return h.steps_offset % 8 == 0 && h.data_offset % 8 == 0 && h.steps_offset >= table_end &&
         uint64_t{h.steps_offset} + h.steps_size <= h.data_offset &&
         uint64_t{h.data_offset} + h.data_size <= size;
}

bool steps_are_sound(const char* base, const PlanHeader& h) {
  Checker check(base + h.data_offset, h.data_size);
  uint32_t count = 0;
  for (uint32_t at = 0; at < h.steps_size; ++count) {
    if (h.steps_size - at < sizeof(StepHeader)) return false;
    const auto* step = reinterpret_cast<const StepHeader*>(base + h.steps_offset + at);
    if (step->size < sizeof(StepHeader) || step->size % 8 != 0 || step->size > h.steps_size - at)
      return false;
    // The size is compared with the type's before a member is read (Checker); a larger type than what is left
    // would be read past the end otherwise.
    bool known = dispatch(step, [&](const auto& typed) { check(typed); });
    if (!known || !check.good()) return false;
    at += step->size;
  }
  return count == h.step_count;
}

}  // namespace

View View::verify(const void* image, size_t size) {
  const char* base = static_cast<const char*>(image);
  if (size < sizeof(PlanHeader) || size > kMaxImageSize || reinterpret_cast<uintptr_t>(base) % 8 != 0)
    return {};
  const PlanHeader& header = *reinterpret_cast<const PlanHeader*>(base);
  if (!header_is_sound(header, size) || !steps_are_sound(base, header)) return {};
  return View(base);
}

}  // namespace capsule::plan
