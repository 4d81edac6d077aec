// A plan with every kind of step, for tests that go through all of them.
#pragma once

#include <string>
#include <vector>

#include "runtime/plan/builder.h"
#include "runtime/plan/view.h"

namespace capsule::test {

// Appends one step of each kind, every text, list and blob of which is filled.
void add_every_step(plan::Builder& builder);

// A copy on the heap, aligned as a mapping would be, and no longer than it must be: reading past the end is
// then noticed by the sanitizers.
class Image {
 public:
  explicit Image(const std::string& bytes);
  [[nodiscard]] plan::View verify() const { return plan::View::verify(words_.data(), size_); }

 private:
  std::vector<std::uint64_t> words_;
  std::size_t size_;
};

}  // namespace capsule::test
