// What C++ code calls and libstdc++'s archive would bring with an unwinder, a demangler and stdio: operator
// new and delete, and the functions that throw. This program throws nothing and has one thread.
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <stdexcept>
#include <string_view>

#include "runtime/startup/heap.h"

extern "C" char __libc_single_threaded;
char __libc_single_threaded = 1;

namespace {

[[gnu::section(".bss.large")]] alignas(16) constinit char first_chunk[std::size_t{192} << 10U];
constinit capsule::startup::Heap heap(first_chunk, sizeof(first_chunk));

void say(std::string_view line) {
  (void)!::write(STDERR_FILENO, line.data(), line.size());
}

// One line and exit code 1, as for any failure.
void* allocate(std::size_t size) {
  void* block = heap.allocate(size);
  if (block != nullptr) return block;
  say("capsule: out of memory\n");
  ::_exit(1);
}

// A broken rule of ours: a value asked of an empty optional, an index past the end.
[[noreturn]] void die(std::string_view line) {
  say(line);
  std::abort();
}

}  // namespace

void* operator new(std::size_t size) {
  return allocate(size);
}
void* operator new[](std::size_t size) {
  return allocate(size);
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return heap.allocate(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return heap.allocate(size);
}
void operator delete(void* block) noexcept {
  heap.release(block);
}
void operator delete[](void* block) noexcept {
  heap.release(block);
}
void operator delete(void* block, std::size_t) noexcept {
  heap.release(block);
}
void operator delete[](void* block, std::size_t) noexcept {
  heap.release(block);
}

const std::nothrow_t std::nothrow{};

// Nothing runs at the end: what is left of statics the kernel takes back, and no stream of ours is buffered.
// musl's own would touch three pages more to find that out.
extern "C" [[noreturn, gnu::used]] void exit(int code) {
  ::_exit(code);
}
extern "C" [[gnu::used]] int __cxa_atexit(void (*)(void*), void*, void*) {
  return 0;
}

// Whether somebody asks a shared_ptr for its deleter: nobody does.
bool std::_Sp_make_shared_tag::_S_eq(const std::type_info&) noexcept {
  return false;
}

// The JSON library makes one of these for the handler of a syntax error, which does not look at it.
std::__cow_string::__cow_string() : _M_p(nullptr) {}
std::__cow_string::~__cow_string() {}
std::exception::~exception() = default;
const char* std::exception::what() const noexcept {
  return "";
}
std::runtime_error::runtime_error(const char*) {}
std::runtime_error::~runtime_error() = default;
const char* std::runtime_error::what() const noexcept {
  return "";
}

// libseccomp's archive was compiled against glibc, and prints a filter for people with this. We ask it for
// bytes only.
extern "C" int __fprintf_chk(void*, int, const char*, ...) {
  return -1;
}

namespace std {
void __throw_length_error(const char*) {
  die("capsule: internal error: a length beyond all limits\n");
}
void __throw_logic_error(const char*) {
  die("capsule: internal error: a null pointer for a text\n");
}
void __throw_out_of_range_fmt(const char*, ...) {
  die("capsule: internal error: a position outside of a text\n");
}
void __throw_bad_function_call() {
  die("capsule: internal error: an empty function was called\n");
}
void __throw_bad_array_new_length() {
  die("capsule: internal error: an array beyond all limits\n");
}
void __throw_bad_alloc() {
  die("capsule: out of memory\n");
}
}  // namespace std
