// capsule-init, linked on its own (runtime/init), embedded.
    .section .rodata.capsule_init, "a"
    .balign 32768   // the kernel maps 64 KiB around what is used: all of it lies in one such piece
    .globl capsule_init_begin
    .globl capsule_init_end
capsule_init_begin:
    .incbin CAPSULE_INIT_PATH
capsule_init_end:
    .section .note.GNU-stack, "", %progbits
