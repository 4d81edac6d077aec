# What every target of the project shares: options, and one call to make a folder a library.
if(CAPSULE_STATIC)
  set(CMAKE_FIND_LIBRARY_SUFFIXES .a)  # what pkg-config names is then found as an archive
endif()
find_package(PkgConfig REQUIRED)
pkg_check_modules(SECCOMP REQUIRED IMPORTED_TARGET libseccomp)
pkg_check_modules(CAP REQUIRED IMPORTED_TARGET libcap)
pkg_check_modules(DBUS REQUIRED IMPORTED_TARGET dbus-1)
find_package(nlohmann_json REQUIRED)

# capsule_options: what all code is compiled with. capsule_libc: which C library; capsule-systemd alone is not asked.
if(CAPSULE_MUSL)
  include(cmake/musl.cmake)
endif()
add_library(capsule_libc INTERFACE)
if(CAPSULE_MUSL)
  target_link_libraries(capsule_libc INTERFACE capsule_musl)
endif()

add_library(capsule_options INTERFACE)
target_include_directories(capsule_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(capsule_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wold-style-cast
  $<$<CXX_COMPILER_ID:Clang>:-Wno-gnu-statement-expression>
  $<$<CXX_COMPILER_ID:GNU>:-Wno-missing-field-initializers>
  # g++ 12 takes the other alternative of a variant in Result for an uninitialised value once it inlines (GCC bug 80635).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>
  -ffunction-sections -fdata-sections)
if(CAPSULE_STATIC)
  target_compile_options(capsule_options INTERFACE -fPIE)  # for -static-pie, where it is not the compiler's default
endif()
if(CAPSULE_WERROR)
  target_compile_options(capsule_options INTERFACE -Werror)
endif()
if(CAPSULE_SANITIZE)
  target_compile_options(capsule_options INTERFACE -fsanitize=${CAPSULE_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  target_link_options(capsule_options INTERFACE -fsanitize=${CAPSULE_SANITIZE})
endif()
if(CAPSULE_FUZZ)
  target_compile_options(capsule_options INTERFACE -fsanitize=fuzzer-no-link)  # or the libraries give libFuzzer no coverage
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_options(capsule_options INTERFACE -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()

# Nothing unwinds through code that throws nothing, so a release leaves the tables for it out.
set(CAPSULE_NO_EXCEPTIONS $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions> $<$<CONFIG:Release>:-fno-asynchronous-unwind-tables>)

# capsule_library(<name> [NO_EXCEPTIONS] SOURCES <file>... DEPENDS <target>... PRIVATE_DEPENDS <target>...)
# The folder is the library; DEPENDS is its whole place in the layer map.
function(capsule_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "NO_EXCEPTIONS" "" "SOURCES;DEPENDS;PRIVATE_DEPENDS")
  add_library(capsule_${name} STATIC ${arg_SOURCES})
  add_library(capsule::${name} ALIAS capsule_${name})
  target_link_libraries(capsule_${name} PUBLIC capsule_options ${arg_DEPENDS} PRIVATE capsule_libc ${arg_PRIVATE_DEPENDS})
  target_compile_options(capsule_${name} PRIVATE -Wnull-dereference)  # not in tests: g++ 12 sees some in <streambuf>
  if(arg_NO_EXCEPTIONS)
    target_compile_options(capsule_${name} PRIVATE ${CAPSULE_NO_EXCEPTIONS})
  endif()
endfunction()

# capsule_test(<name> SOURCES <file>... DEPENDS <target>...): one Catch2 program for a folder, run by CTest as one test.
function(capsule_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPENDS;LABELS")
  add_executable(${name}_test ${arg_SOURCES})
  target_link_libraries(${name}_test PRIVATE capsule_options capsule_test_main ${arg_DEPENDS})
  target_precompile_headers(${name}_test REUSE_FROM capsule_test_pch)
  add_test(NAME ${name} COMMAND ${name}_test)
  if(arg_LABELS)
    set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}" SKIP_RETURN_CODE 4)
  endif()
endfunction()

# capsule_fuzz(<name> DEPENDS <target>...): tests/fuzz/fuzz_<name>.cc, with clang as a libFuzzer program; everywhere also a test that
# replays tests/fuzz/corpus/<name> and tests/fuzz/crashes/<name>.
function(capsule_fuzz name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "DEPENDS")
  add_executable(fuzz_${name} fuzz_${name}.cc)
  target_link_libraries(fuzz_${name} PRIVATE capsule_options ${arg_DEPENDS})
  if(CAPSULE_FUZZ)
    target_compile_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    set(replay -runs=0)
  else()
    target_sources(fuzz_${name} PRIVATE replay_main.cc)
  endif()
  set(inputs ${CMAKE_CURRENT_SOURCE_DIR}/corpus/${name})
  if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/crashes/${name})
    list(APPEND inputs ${CMAKE_CURRENT_SOURCE_DIR}/crashes/${name})
  endif()
  add_test(NAME replay_${name} COMMAND fuzz_${name} ${replay} ${inputs})
endfunction()
