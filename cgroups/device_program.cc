// The program: registers are loaded once, then each match is one or two conditional jumps to a shared exit.
//
// A container's start waits for the verifier, whose work grows with the number of instructions. Nearly all
// rules name one device, so major and minor are compared as one 32-bit key, and all rules of a type stand
// behind one test of the type.
#include "cgroups/device_program.h"

#include <linux/bpf.h>

#include <bit>
#include <utility>

#include "cgroups/device_policy.h"

namespace capsule::cgroups {
namespace {

static_assert(std::endian::native == std::endian::little,
              "struct bpf_insn holds its registers as bit fields");
static_assert(kAccessMknod == BPF_DEVCG_ACC_MKNOD && kAccessRead == BPF_DEVCG_ACC_READ &&
              kAccessWrite == BPF_DEVCG_ACC_WRITE);

enum Register : std::uint8_t {
  kVerdict = BPF_REG_0,
  kContext = BPF_REG_1,  // struct bpf_cgroup_dev_ctx, on entry
  kKey = BPF_REG_1,      // major << 20 | minor, once the context is read
  kType = BPF_REG_2,
  kAccess = BPF_REG_3,
  kMajor = BPF_REG_4,
  kMinor = BPF_REG_5,
};

constexpr std::int32_t key_of(std::uint32_t major, std::uint32_t minor) {
  return static_cast<std::int32_t>(major << 20U | minor);
}

class Assembler {
 public:
  using Label = std::vector<std::size_t>;  // the jumps that wait for their target

  void add(int code, Register destination, int source, int offset, std::int32_t immediate) {
    program_.push_back({static_cast<std::uint8_t>(code), static_cast<std::uint8_t>(destination | source << 4),
                        static_cast<std::int16_t>(offset), immediate});
  }
  // 32-bit comparisons (Linux 5.1): a 64-bit one would extend the sign of the key.
  void jump_if(int comparison, Register left, std::int32_t right, Label& target) {
    target.push_back(program_.size());
    add(BPF_JMP32 | comparison | BPF_K, left, 0, 0, right);
  }
  void jump(Label& target) {
    target.push_back(program_.size());
    add(BPF_JMP | BPF_JA, kVerdict, 0, 0, 0);
  }
  void bind(const Label& label) {
    for (const std::size_t from : label) {
      program_[from].offset =
          static_cast<std::int16_t>(program_.size() - from - 1);  // fits: kMostDeviceRules
    }
  }
  std::vector<BpfInstruction> take() { return std::move(program_); }

 private:
  std::vector<BpfInstruction> program_;
};

struct Exits {
  Assembler::Label allow;
  Assembler::Label deny;
};

void add_prologue(Assembler& out) {
  out.add(BPF_LDX | BPF_MEM | BPF_W, kType, kContext, 0, 0);  // access << 16 | type
  out.add(BPF_LDX | BPF_MEM | BPF_W, kMajor, kContext, 4, 0);
  out.add(BPF_LDX | BPF_MEM | BPF_W, kMinor, kContext, 8, 0);
  out.add(BPF_ALU | BPF_MOV | BPF_X, kAccess, kType, 0, 0);
  out.add(BPF_ALU | BPF_RSH | BPF_K, kAccess, 0, 0, 16);
  out.add(BPF_ALU | BPF_AND | BPF_K, kType, 0, 0, 0xffff);
  out.add(BPF_ALU | BPF_MOV | BPF_X, kKey, kMajor, 0, 0);
  out.add(BPF_ALU | BPF_LSH | BPF_K, kKey, 0, 0, 20);
  out.add(BPF_ALU | BPF_OR | BPF_X, kKey, kMinor, 0, 0);
  out.add(BPF_ALU | BPF_MOV | BPF_K, kVerdict, 0, 0, 1);
}

// Jumps on whether the numbers are those of the match; unconditionally if it takes any.
void jump_on_numbers(Assembler& out, const DeviceMatch& match, int comparison, Assembler::Label& target) {
  if (match.major && match.minor) {
    out.jump_if(comparison, kKey, key_of(*match.major, *match.minor), target);
  } else if (match.major) {
    out.jump_if(comparison, kMajor, static_cast<std::int32_t>(*match.major), target);
  } else if (match.minor) {
    out.jump_if(comparison, kMinor, static_cast<std::int32_t>(*match.minor), target);
  } else if (comparison == BPF_JEQ) {
    out.jump(target);
  }
}

void add_allow(Assembler& out, const DeviceMatch& match, Exits& exits) {
  Assembler::Label next;
  const std::uint32_t others = kAccessAll & ~match.access;
  if (others != 0) out.jump_if(BPF_JSET, kAccess, static_cast<std::int32_t>(others), next);
  jump_on_numbers(out, match, BPF_JEQ, exits.allow);
  out.bind(next);
}

void add_deny(Assembler& out, const DeviceMatch& match, Exits& exits) {
  if (match.access == kAccessAll) return jump_on_numbers(out, match, BPF_JEQ, exits.deny);
  Assembler::Label next;
  jump_on_numbers(out, match, BPF_JNE, next);
  out.jump_if(BPF_JSET, kAccess, static_cast<std::int32_t>(match.access), exits.deny);
  out.bind(next);
}

void add_matches(Assembler& out, const std::vector<DeviceMatch>& matches, Exits& exits) {
  for (std::size_t i = 0; i < matches.size();) {
    const DeviceType type = matches[i].type;
    Assembler::Label next_type;
    if (type != DeviceType::any) {
      const std::int32_t number = type == DeviceType::block ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR;
      out.jump_if(BPF_JNE, kType, number, next_type);
    }
    for (; i < matches.size() && matches[i].type == type; ++i) {
      if (matches[i].allow) {
        add_allow(out, matches[i], exits);
      } else {
        add_deny(out, matches[i], exits);
      }
    }
    out.bind(next_type);
  }
}

// The verdict is 1 from the start: to allow is to jump to the exit, to deny is to pass the instruction before
// it.
void add_epilogue(Assembler& out, bool allow_rest, Exits& exits) {
  if (allow_rest) out.jump(exits.allow);
  out.bind(exits.deny);
  out.add(BPF_ALU | BPF_MOV | BPF_K, kVerdict, 0, 0, 0);
  out.bind(exits.allow);
  out.add(BPF_JMP | BPF_EXIT, kVerdict, 0, 0, 0);
}

}  // namespace

Result<DeviceProgram> plan_device_program(const std::vector<spec::DeviceRule>& rules) {
  const DevicePolicy policy = TRY(plan_device_policy(rules));
  // A policy ends in a match that contradicts the rest, so with one there is always a way to each exit (else
  // the verifier objects).
  if (policy.matches.empty()) return DeviceProgram{{}, policy.allow_rest};

  Assembler out;
  Exits exits;
  add_prologue(out);
  add_matches(out, policy.matches, exits);
  add_epilogue(out, policy.allow_rest, exits);
  return DeviceProgram{out.take(), false};
}

}  // namespace capsule::cgroups
