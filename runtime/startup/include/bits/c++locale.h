// Enough for the headers that mention locales: nothing here uses one, and what would does not link.
#pragma once
#include <clocale>
#define _GLIBCXX_NUM_CATEGORIES 6
namespace std {
using __c_locale = locale_t;
int __convert_from_v(const __c_locale&, char*, int, const char*, ...);
}  // namespace std
