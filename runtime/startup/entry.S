// Where the kernel enters the program: relocations first, then musl's own start, on the stack as it was.
    .text
    .global capsule_entry
    .hidden capsule_relocate
    .type capsule_entry, @function
capsule_entry:
#if defined(__x86_64__)
    push %rdx                 // rdx is what a dynamic linker wants run at the end; the push aligns the stack for the call
    sub $8, %rsp
    call capsule_relocate
    add $8, %rsp
    pop %rdx
    jmp _start
#elif defined(__aarch64__)
    mov x19, x0
    bl capsule_relocate
    mov x0, x19
    b _start
#else
#error "entry.S knows x86-64 and aarch64"
#endif
    .size capsule_entry, . - capsule_entry
    .section .note.GNU-stack, "", @progbits
