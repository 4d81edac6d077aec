#include "tests/plan/image.h"

#include <array>

#include "runtime/plan/fields.h"

namespace capsule::test {
namespace {

using plan::Builder;

// Fills the members that name something in the data area. visit_fields hands them out as constants; the step
// is ours.
class Filler {
 public:
  explicit Filler(Builder& builder) : builder_(builder) {}
  void operator()(const char* name, const plan::Text& t) { set(t, builder_.text(name)); }
  void operator()(const char* name, const plan::TextList& t) { set(t, builder_.list({name, "", name})); }
  void operator()(const char* /*name*/, const plan::Blob& b) {
    constexpr std::array<std::uint64_t, 2> kWords{1, 2};
    set(b, builder_.blob(kWords.data(), sizeof(kWords)));
  }
  template <class Other>
  void operator()(const char* /*name*/, const Other& /*value*/) {}

 private:
  template <class T>
  static void set(const T& member, const T& value) {
    const_cast<T&>(member) = value;
  }
  Builder& builder_;
};

template <class... Steps>
void add_each(Builder& builder, Steps... steps) {
  const auto add_one = [&builder](auto step) {
    plan::visit_fields(step, Filler(builder));
    builder.add("/field", step);
  };
  (add_one(steps), ...);
}

}  // namespace

void add_every_step(Builder& builder) {
  using namespace plan;
  add_each(builder, JoinNamespace{}, BecomeRoot{}, Unshare{}, ForkInit{}, NewTimeNamespace{}, Say{}, Expect{},
           LoopbackUp{}, SessionKeyring{}, PrepareRoot{}, MountFilesystem{}, Bind{}, SetAttributes{},
           Reconfigure{}, Unmount{}, OpenRoot{}, OpenDev{}, DeviceNode{}, Symlink{}, Sysctl{}, RunHook{},
           Mask{}, MakeReadonly{});
  add_each(builder, MakeCwd{}, Console{}, SecurityLabel{}, Pivot{}, EnterRoot{}, Hostname{}, Domainname{},
           Stdio{}, Personality{}, Scheduler{}, IoPriority{}, MemoryPolicy{}, CpuAffinity{}, ResourceLimit{},
           NoNewPrivileges{}, Seccomp{}, Confine{}, ChangeDirectory{}, FindExecutable{}, Gate{}, Exec{});
}

Image::Image(const std::string& bytes) : words_((bytes.size() + 7) / 8), size_(bytes.size()) {
  if (!bytes.empty()) std::memcpy(words_.data(), bytes.data(), bytes.size());
}

}  // namespace capsule::test
