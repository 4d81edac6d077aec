// glibc's word for "nobody else is there", which shared_ptr asks; library.cc gives it.
#pragma once
extern "C" char __libc_single_threaded;
