// Debian 12 ships Catch2 2.13, Debian 13 ships 3.7: the same tests for both. Only what both have may be used.
#pragma once

#if __has_include(<catch2/catch_test_macros.hpp>)
#include <catch2/catch_test_macros.hpp>
#else
#include <catch2/catch.hpp>
#endif
