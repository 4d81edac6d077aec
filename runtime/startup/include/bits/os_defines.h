// What libstdc++'s own asks glibc's <features.h>.
#pragma once
#include <features.h>
#define __NO_CTYPE 1
#define _GLIBCXX_NATIVE_THREAD_ID pthread_self()
#define _GLIBCXX_GTHREAD_USE_WEAK 0
