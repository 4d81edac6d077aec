// capsule-systemd, linked on its own, embedded.
    .section .capsule_systemd, "a"  // apart from .rodata: a page fault brings neighbours into memory
    .balign 4096
    .globl capsule_systemd_begin
    .globl capsule_systemd_end
capsule_systemd_begin:
    .incbin CAPSULE_SYSTEMD_PATH
capsule_systemd_end:
    .balign 4096
    .section .note.GNU-stack, "", %progbits
