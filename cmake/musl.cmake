# The release binary on musl instead of glibc (runtime/startup/README.md): g++ and libstdc++ as they are, musl's headers in place of
# glibc's, musl's archive and start files in place of glibc's.
#
# capsule_musl            compile options, an interface target
# capsule_link_musl(t)    links executable t, static-pie
if(CAPSULE_TESTS OR NOT CAPSULE_STATIC)
  message(FATAL_ERROR "CAPSULE_MUSL is for the static binary alone: set CAPSULE_STATIC, and not CAPSULE_TESTS")
endif()
if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  message(FATAL_ERROR "CAPSULE_MUSL needs g++, not ${CMAKE_CXX_COMPILER_ID}")
endif()
string(REPLACE "-gnu" "-musl" musl_triplet "${CMAKE_CXX_LIBRARY_ARCHITECTURE}")
set(musl_include /usr/include/${musl_triplet})
set(musl_lib /usr/lib/${musl_triplet})
if(NOT EXISTS ${musl_lib}/rcrt1.o)
  message(FATAL_ERROR "musl is not at ${musl_lib}: install musl-dev, or configure with -DCAPSULE_MUSL=OFF")
endif()

function(capsule_ask_compiler variable what)
  execute_process(COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=${what} OUTPUT_VARIABLE answer OUTPUT_STRIP_TRAILING_WHITESPACE
                  COMMAND_ERROR_IS_FATAL ANY)
  set(${variable} ${answer} PARENT_SCOPE)
endfunction()

# Of the directories g++ looks through only those of C++ and its own; of /usr/include only what is named here, by links, so that no
# header of glibc is found by mistake.
set(cxx_directories ${CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES})
list(FILTER cxx_directories INCLUDE REGEX "/c\\+\\+/")
capsule_ask_compiler(compiler_include include)
set(foreign ${CMAKE_BINARY_DIR}/musl-include)
file(MAKE_DIRECTORY ${foreign})
foreach(name linux asm-generic nlohmann seccomp.h seccomp-syscalls.h)
  file(CREATE_LINK /usr/include/${name} ${foreign}/${name} SYMBOLIC)
endforeach()
file(CREATE_LINK /usr/include/${CMAKE_CXX_LIBRARY_ARCHITECTURE}/asm ${foreign}/asm SYMBOLIC)

add_library(capsule_musl INTERFACE)
target_compile_options(capsule_musl INTERFACE -nostdinc -fno-rtti -fno-threadsafe-statics)
foreach(directory ${PROJECT_SOURCE_DIR}/runtime/startup/include ${cxx_directories} ${musl_include} ${compiler_include} ${foreign})
  target_compile_options(capsule_musl INTERFACE "SHELL:-isystem ${directory}")
endforeach()
target_compile_definitions(capsule_musl INTERFACE JSON_NO_IO=1)

function(capsule_link_musl target)
  foreach(name crtbeginS.o crtendS.o libstdc++.a libgcc.a)
    string(MAKE_C_IDENTIFIER ${name} variable)
    capsule_ask_compiler(${variable} ${name})
  endforeach()
  set(layout ${PROJECT_SOURCE_DIR}/runtime/startup/layout.ld)
  target_link_options(${target} PRIVATE -Wl,-T,${layout})
  set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS ${layout})
  target_link_options(${target} PRIVATE -static-pie -nostdlib -nostartfiles -Wl,-e,capsule_entry ${musl_lib}/rcrt1.o ${musl_lib}/crti.o ${crtbeginS_o})
  target_link_libraries(${target} PRIVATE -Wl,--start-group ${libstdc___a} ${musl_lib}/libc.a ${libgcc_a} -Wl,--end-group ${crtendS_o} ${musl_lib}/crtn.o)
endfunction()
