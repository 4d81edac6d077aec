// The device program of the floor: which devices the container's cgroup may use.
#include <linux/bpf.h>

#include "floor.h"

namespace floor {
namespace {

// Allows mknod of everything (both peers do; it is harmless, opening is what counts) and the use of the
// default devices. Major and minor are folded into one word, so each allowed device costs one comparison and
// all share one exit.
class DeviceProgram {
 public:
  int load() {
    emit(BPF_LDX | BPF_MEM | BPF_W, kType, kContext, 0, 0);
    emit(BPF_LDX | BPF_MEM | BPF_W, kMajor, kContext, 4, 0);
    emit(BPF_LDX | BPF_MEM | BPF_W, kMinor, kContext, 8, 0);
    emit(BPF_ALU | BPF_MOV | BPF_K, kVerdict, 0, 0, 1);
    emit(BPF_ALU | BPF_MOV | BPF_X, kAccess, kType, 0, 0);
    emit(BPF_ALU | BPF_RSH | BPF_K, kAccess, 0, 0, 16);
    exit_if(kAccess, BPF_DEVCG_ACC_MKNOD);
    emit(BPF_ALU | BPF_AND | BPF_K, kType, 0, 0, 0xffff);
    const int not_a_character_device = size_;
    emit(BPF_JMP32 | BPF_JNE | BPF_K, kType, 0, 0, BPF_DEVCG_DEV_CHAR);
    exit_if(kMajor, 136);  // the terminals of devpts
    emit(BPF_ALU | BPF_LSH | BPF_K, kMajor, 0, 0, 20);
    emit(BPF_ALU | BPF_OR | BPF_X, kMajor, kMinor, 0, 0);
    for (const auto& [major, minor] : kAllowed) {
      exit_if(kMajor, major << 20 | minor);
    }
    jump_here(not_a_character_device);
    emit(BPF_ALU | BPF_MOV | BPF_K, kVerdict, 0, 0, 0);
    for (int i = 0; i < exit_count_; ++i) {
      jump_here(exits_[i]);
    }
    emit(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);

    bpf_attr attributes{};
    attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
    attributes.insn_cnt = static_cast<uint32_t>(size_);
    attributes.insns = reinterpret_cast<uint64_t>(code_);
    attributes.license = reinterpret_cast<uint64_t>("GPL");
    return static_cast<int>(
        must("load device program", SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof attributes));
  }

 private:
  enum Register : uint8_t { kVerdict = 0, kContext = 1, kType = 2, kMajor = 3, kMinor = 4, kAccess = 5 };
  struct Device {
    int major, minor;
  };
  // null zero full random urandom tty ptmx
  static constexpr Device kAllowed[] = {{1, 3}, {1, 5}, {1, 7}, {1, 8}, {1, 9}, {5, 0}, {5, 2}};

  void emit(int code, int target_register, int source_register, int offset, int immediate) {
    bpf_insn& instruction = code_[size_++];
    instruction.code = static_cast<uint8_t>(code);
    instruction.dst_reg = static_cast<uint8_t>(target_register & 0xf);
    instruction.src_reg = static_cast<uint8_t>(source_register & 0xf);
    instruction.off = static_cast<int16_t>(offset);
    instruction.imm = immediate;
  }

  void exit_if(Register left, int right) {
    exits_[exit_count_++] = size_;
    emit(BPF_JMP32 | BPF_JEQ | BPF_K, left, 0, 0, right);
  }

  void jump_here(int from) { code_[from].off = static_cast<int16_t>(size_ - from - 1); }

  bpf_insn code_[32]{};
  int size_ = 0;
  int exits_[16]{};
  int exit_count_ = 0;
};

}  // namespace

void apply_device_program(int cgroup) {
  DeviceProgram program;
  bpf_attr attributes{};
  attributes.target_fd = static_cast<uint32_t>(cgroup);
  attributes.attach_bpf_fd = static_cast<uint32_t>(program.load());
  attributes.attach_type = BPF_CGROUP_DEVICE;
  attributes.attach_flags = BPF_F_ALLOW_MULTI;
  must("attach device program", SYS_bpf, BPF_PROG_ATTACH, &attributes, sizeof attributes);
}

}  // namespace floor
