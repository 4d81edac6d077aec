// Packed relocations (DT_RELR): a position-independent program adds its address to each pointer in its data
// before anything else. As musl reads them, 24 bytes each, they were 34 KB at every start; packed they are 2.
// Before 1.2.4 musl does not know them, so it is done here, and later versions are left nothing to do.
//
// Nothing is relocated yet: no pointer in data, no call through a table, no stack protector.
#include <cstddef>
#include <elf.h>
#include <link.h>

extern "C" {
extern ElfW(Dyn) _DYNAMIC[] __attribute__((visibility("hidden")));
extern const char __ehdr_start[]
    __attribute__((visibility("hidden")));  // the program's first byte; at 0 when it was linked
__attribute__((visibility("hidden"))) void capsule_relocate();
}

namespace {

using Word = ElfW(Addr);

// Of the dynamic section; not in every <elf.h>.
constexpr int kRelrSize = 35;  // DT_RELRSZ
constexpr int kRelr = 36;      // DT_RELR

// A word is the address of a pointer, or, if its lowest bit is set, a map of which of the next 63 are
// pointers too.
void relocate(const Word* word, std::size_t count, Word base) {
  constexpr unsigned kMapped = sizeof(Word) * 8 - 1;
  Word* place = nullptr;
  for (; count != 0; --count, ++word) {
    if ((*word & 1U) == 0) {
      place = reinterpret_cast<Word*>(base + *word);
      *place++ += base;
      continue;
    }
    for (Word map = *word >> 1U, *at = place; map != 0; map >>= 1U, ++at) {
      if ((map & 1U) != 0) *at += base;
    }
    place += kMapped;
  }
}

}  // namespace

void capsule_relocate() {
  const auto base = reinterpret_cast<Word>(__ehdr_start);
  // Read first, the page would be mapped from the file, only to be copied when it is written: a fault more.
  (void)__atomic_fetch_or(&_DYNAMIC->d_tag, 0, __ATOMIC_RELAXED);
  const Word* table = nullptr;
  ElfW(Dyn)* size = nullptr;
  for (ElfW(Dyn)* entry = _DYNAMIC; entry->d_tag != DT_NULL; ++entry) {
    if (entry->d_tag == kRelr) table = reinterpret_cast<const Word*>(base + entry->d_un.d_ptr);
    if (entry->d_tag == kRelrSize) size = entry;
  }
  if (table == nullptr || size == nullptr) return;
  relocate(table, size->d_un.d_val / sizeof(Word), base);
  size->d_un.d_val = 0;
}
