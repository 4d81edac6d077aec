// Reads an image: checks it once, then walks it. Freestanding, shared by init, the launcher and the tests.
//
// The image comes from our own sealed memfd, so a damaged one is a bug and not an attack; it is checked all
// the same, since init acts on offsets with root's rights.
#pragma once

#include "runtime/plan/plan.h"

namespace capsule::plan {

class View {
 public:
  View() = default;
  // Every offset in `image` lies inside it and every step has its own size, or an empty view that is not
  // ok().
  static View verify(const void* image, size_t size);

  [[nodiscard]] bool ok() const { return base_ != nullptr; }
  [[nodiscard]] const PlanHeader& header() const { return *reinterpret_cast<const PlanHeader*>(base_); }
  [[nodiscard]] int descriptor(uint64_t slot) const {
    return slot < header().descriptor_count ? descriptors()[slot] : -1;
  }
  [[nodiscard]] const StepHeader* first() const { return header().step_count == 0 ? nullptr : step_at(0); }
  [[nodiscard]] const StepHeader* next(const StepHeader* step) const {
    const auto offset = static_cast<uint32_t>(reinterpret_cast<const char*>(step) - base_) -
                        header().steps_offset + step->size;
    return offset >= header().steps_size ? nullptr : step_at(offset);
  }

  // NUL-terminated.
  [[nodiscard]] const char* text(Text t) const { return base_ + header().data_offset + t.offset; }
  [[nodiscard]] Text item(TextList list, uint32_t index) const {
    return reinterpret_cast<const Text*>(base_ + header().data_offset + list.offset)[index];
  }
  [[nodiscard]] const void* bytes(Blob b) const { return base_ + header().data_offset + b.offset; }

 private:
  explicit View(const char* base) : base_(base) {}
  [[nodiscard]] const int32_t* descriptors() const {
    return reinterpret_cast<const int32_t*>(base_ + sizeof(PlanHeader));
  }
  [[nodiscard]] const StepHeader* step_at(uint32_t offset) const {
    return reinterpret_cast<const StepHeader*>(base_ + header().steps_offset + offset);
  }

  const char* base_ = nullptr;
};

// The step as its own type; the caller has looked at kind.
template <class Step>
const Step& as(const StepHeader* header) {
  return *reinterpret_cast<const Step*>(header);
}

}  // namespace capsule::plan
