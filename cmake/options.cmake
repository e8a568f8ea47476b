# SPDX-License-Identifier: Apache-2.0
# Flags of every target (interface library sonde_options), the compiler cache and the one precompiled header.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1")
set(CMAKE_C_FLAGS_RELEASE "-O2 -g1")

find_program(SONDE_CCACHE ccache)
if(SONDE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Paths relative to the source tree let several build folders share the cache; the sloppiness is what a
  # precompiled header needs, and -fno-pch-timestamp below makes its contents reproducible.
  set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_SLOPPINESS=pch_defines,time_macros
      CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 CCACHE_PCH_EXTSUM=1 ${SONDE_CCACHE})
endif()

add_library(sonde_options INTERFACE)
target_include_directories(sonde_options INTERFACE "${CMAKE_SOURCE_DIR}/src" "${CMAKE_BINARY_DIR}/generated")
target_compile_options(sonde_options INTERFACE
  -fno-omit-frame-pointer -ffunction-sections -fdata-sections "-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=" -fdebug-compilation-dir=.
  # A designated initialiser leaves the rest at its default on purpose.
  # std::stable_sort of libstdc++ 12 uses what it deprecates itself.
  "$<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wshadow;-Werror;-Wno-missing-designated-field-initializers;-Wno-deprecated-declarations>"
  $<$<COMPILE_LANGUAGE:CXX>:SHELL:-Xclang -fno-pch-timestamp>)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|amd64|AMD64")
  target_compile_options(sonde_options INTERFACE -march=x86-64-v2)
endif()
target_compile_definitions(sonde_options INTERFACE SONDE_VERSION="${PROJECT_VERSION}")
target_link_options(sonde_options INTERFACE -fuse-ld=lld-19 -Wl,--gc-sections)
find_package(Threads REQUIRED)
target_link_libraries(sonde_options INTERFACE Threads::Threads)

set(sanitize "${SONDE_SANITIZE}")
if(SONDE_FUZZ AND NOT sanitize)
  set(sanitize "address,undefined")
endif()
if(sanitize)
  target_compile_options(sonde_options INTERFACE -fsanitize=${sanitize} -fno-sanitize-recover=all)
  target_link_options(sonde_options INTERFACE -fsanitize=${sanitize})
endif()
if(SONDE_FUZZ)
  target_compile_options(sonde_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

# One precompiled header of the standard headers that nearly every file needs, shared by all targets.
file(WRITE "${CMAKE_BINARY_DIR}/generated/pch.cc.in" "// Holds the precompiled header.\n")
configure_file("${CMAKE_BINARY_DIR}/generated/pch.cc.in" "${CMAKE_BINARY_DIR}/generated/pch.cc" COPYONLY)
add_library(sonde_pch OBJECT "${CMAKE_BINARY_DIR}/generated/pch.cc")
target_link_libraries(sonde_pch PRIVATE sonde_options)
set(pch_headers
  <algorithm> <array> <atomic> <chrono> <cstdint> <cstring> <deque> <expected> <functional> <map> <memory>
  <mutex> <optional> <span> <string> <string_view> <unordered_map> <utility> <variant> <vector> <fmt/format.h>)
target_precompile_headers(sonde_pch PRIVATE ${pch_headers})
set(SONDE_PCH "${CMAKE_BINARY_DIR}/CMakeFiles/sonde_pch.dir/cmake_pch.hxx.pch")
# The precompiled header holds absolute paths, and CMake's own way of naming it hides it from the compiler cache:
# named here, and known to the cache by what went into it, it lets every clone on a machine share one cache.
file(CONFIGURE OUTPUT "${SONDE_PCH}.sum" CONTENT "${CMAKE_CXX_COMPILER_VERSION} ${pch_headers}")

# sonde_use_pch(name): compile the sources of this target with the precompiled header.
function(sonde_use_pch name)
  target_compile_options(${name} PRIVATE "$<$<COMPILE_LANGUAGE:CXX>:SHELL:-include-pch ${SONDE_PCH}>")
  get_target_property(sources ${name} SOURCES)
  list(FILTER sources INCLUDE REGEX "\\.cc$")
  set_property(SOURCE ${sources} APPEND PROPERTY OBJECT_DEPENDS "${SONDE_PCH}")
endfunction()

# Finds the static archive of a library when Debian ships one, else the shared one: what ships should need little.
function(sonde_find_library out name)
  find_library(${out} NAMES lib${name}.a ${name} REQUIRED)
endfunction()
sonde_find_library(SONDE_FMT fmt)
sonde_find_library(SONDE_SPDLOG spdlog)
