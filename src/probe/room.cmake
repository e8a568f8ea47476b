# SPDX-License-Identifier: Apache-2.0
# Compiles the kernel programs, embeds them as a skeleton header, and generates the protocol
# dispatch from protocol/*/*.def. A new protocol is a folder and edits no file here.
find_program(SONDE_BPF_CLANG NAMES clang-19 clang REQUIRED)
find_program(SONDE_BPFTOOL NAMES bpftool PATHS /usr/sbin /usr/lib/linux-tools REQUIRED)
find_library(SONDE_BPF NAMES libbpf.a bpf REQUIRED)
find_library(SONDE_ELF NAMES libelf.a elf REQUIRED)
find_library(SONDE_Z NAMES libz.a z REQUIRED)

set(SONDE_EXTRA_PROTOCOLS "" CACHE STRING "Folders of further protocols, in the form of those of src/probe/protocol")
set(probe_bpf "${SONDE_ROOM_DIR}/bpf")
if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  set(probe_arch arm64)
else()
  set(probe_arch x86)
endif()

# probe_generate(FOLDER PROTOCOL...): writes into FOLDER the list of these protocol folders for both
# compilers, and the kernel programs with them as a skeleton header. A protocol's number is its
# place in the list: no two can take the same, and both sides are always built together.
function(probe_generate gen)
  set(list "")
  set(includes "")
  set(number 0)
  set(headers "")
  foreach(folder IN LISTS ARGN)
    cmake_path(GET folder FILENAME name)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${folder}/${name}.def")
    file(STRINGS "${folder}/${name}.def" line REGEX "^PROTOCOL\\(${name}\\)$")
    if(NOT line)
      message(FATAL_ERROR "${folder}/${name}.def: there is no line PROTOCOL(${name}); write one")
    endif()
    math(EXPR number "${number} + 1")
    string(APPEND list "PROTOCOL(${number}, ${name})\n")
    string(APPEND includes "#include \"${folder}/${name}.bpf.h\"\n")
    file(GLOB of_protocol CONFIGURE_DEPENDS "${folder}/*.h")
    list(APPEND headers ${of_protocol})
  endforeach()
  file(CONFIGURE OUTPUT "${gen}/probe_protocols.def" CONTENT "${list}" @ONLY)
  file(CONFIGURE OUTPUT "${gen}/probe_protocols.bpf.h" @ONLY CONTENT
"/* Generated from the .def files: asks every protocol about the first bytes of a message. */
${includes}
static __always_inline enum sonde_match sonde_classify(u64 word, u32 n, u8* protocol) {
  enum sonde_match best = SONDE_MATCH_NO, m;
#define PROTOCOL(id, name)              \\
  m = sonde_classify_##name(word, n);   \\
  if (m == SONDE_MATCH_YES) {           \\
    *protocol = id;                     \\
    return m;                           \\
  }                                     \\
  if (m > best) best = m;
#include \"probe_protocols.def\"
#undef PROTOCOL
  return best;
}

/* Whether the head of a message ends with these four bytes, so that nobody asks for its body. */
static __always_inline bool sonde_head_ends(u8 protocol, u32 last_four) {
#define PROTOCOL(id, name) \\
  if (protocol == id) return sonde_head_ends_##name(last_four);
#include \"probe_protocols.def\"
#undef PROTOCOL
  return false;
}
")
  file(GLOB bpf_headers CONFIGURE_DEPENDS "${probe_bpf}/*.h")
  add_custom_command(
    OUTPUT "${gen}/probe_bpf.skel.h"
    COMMAND "${SONDE_BPF_CLANG}" -target bpf -mcpu=v3 -D__TARGET_ARCH_${probe_arch} -g -O2 -Wall -Werror
            -Wno-gnu-variable-sized-type-not-at-end -I/usr/include/${CMAKE_SYSTEM_PROCESSOR}-linux-gnu
            -I "${gen}" -c "${probe_bpf}/probe.bpf.c" -o "${gen}/probe.bpf.o"
    COMMAND "${SONDE_BPFTOOL}" gen object "${gen}/probe_bpf.o" "${gen}/probe.bpf.o"
    COMMAND "${SONDE_BPFTOOL}" gen skeleton "${gen}/probe_bpf.o" name probe_bpf > "${gen}/probe_bpf.skel.h"
    DEPENDS "${probe_bpf}/probe.bpf.c" ${bpf_headers} ${headers} "${gen}/probe_protocols.bpf.h"
            "${gen}/probe_protocols.def"
    VERBATIM)
endfunction()

set(probe_gen "${CMAKE_BINARY_DIR}/generated/probe")
file(GLOB probe_defs CONFIGURE_DEPENDS "${SONDE_ROOM_DIR}/protocol/*/*.def")
set(probe_protocols "")
foreach(def IN LISTS probe_defs)
  cmake_path(GET def PARENT_PATH folder)
  list(APPEND probe_protocols "${folder}")
endforeach()
probe_generate("${probe_gen}" ${probe_protocols} ${SONDE_EXTRA_PROTOCOLS})
foreach(folder IN LISTS SONDE_EXTRA_PROTOCOLS)
  file(GLOB sources CONFIGURE_DEPENDS "${folder}/*.cc")
  list(FILTER sources EXCLUDE REGEX "_(test|fuzz|bench)\\.cc$")
  target_sources(probe PRIVATE ${sources})
endforeach()
add_custom_target(probe_skeleton DEPENDS "${probe_gen}/probe_bpf.skel.h")
add_dependencies(probe probe_skeleton)
target_include_directories(probe SYSTEM PRIVATE "${probe_gen}")
target_link_libraries(probe PRIVATE ${SONDE_BPF} ${SONDE_ELF} ${SONDE_Z})
if(TARGET probe_test)
  add_test(NAME probe_bpf_root COMMAND probe_test "--gtest_filter=ProbeBpf*:RingBpf.*")
  add_test(NAME probe_bpf_system_calls COMMAND probe_test "--gtest_filter=ProbeBpf*")
  set_tests_properties(probe_bpf_system_calls PROPERTIES ENVIRONMENT SONDE_TEST_FRONT_END=system-calls)
  set_tests_properties(probe_bpf_root probe_bpf_system_calls PROPERTIES LABELS root TIMEOUT 120 RUN_SERIAL ON)
endif()

# What bench/nginx_overhead.py drives, and what a message costs in the kernel.
add_executable(probe_drain EXCLUDE_FROM_ALL "${CMAKE_SOURCE_DIR}/bench/nginx_drain.cc"
               "${probe_gen}/bench_empty.skel.h")
add_executable(message_cost EXCLUDE_FROM_ALL "${CMAKE_SOURCE_DIR}/bench/message_cost.cc"
               "${probe_gen}/bench_empty.skel.h")
add_custom_command(
  OUTPUT "${probe_gen}/bench_empty.skel.h"
  COMMAND "${SONDE_BPF_CLANG}" -target bpf -mcpu=v3 -g -O2 -I/usr/include/${CMAKE_SYSTEM_PROCESSOR}-linux-gnu
          -c "${CMAKE_SOURCE_DIR}/bench/empty.bpf.c" -o "${probe_gen}/bench_empty.o"
  COMMAND "${SONDE_BPFTOOL}" gen skeleton "${probe_gen}/bench_empty.o" name bench_empty
          > "${probe_gen}/bench_empty.skel.h"
  DEPENDS "${CMAKE_SOURCE_DIR}/bench/empty.bpf.c"
  VERBATIM)
foreach(bench IN ITEMS probe_drain message_cost)
  sonde_target(${bench})
  target_link_libraries(${bench} PRIVATE probe ${SONDE_BPF} ${SONDE_ELF} ${SONDE_Z})
  target_include_directories(${bench} SYSTEM PRIVATE "${probe_gen}")
endforeach()

# Shows that a protocol is one folder: the probe once more, with one that the program does not have.
set(extra_protocol "${CMAKE_SOURCE_DIR}/tests/extra_protocol")
file(GLOB extra_protocol_sources CONFIGURE_DEPENDS "${extra_protocol}/echo_line/*.cc")
set(extra_protocol_fuzz ${extra_protocol_sources})
list(FILTER extra_protocol_sources EXCLUDE REGEX "_fuzz\\.cc$")
if(SONDE_TESTS)
  set(extra_gen "${CMAKE_BINARY_DIR}/generated/extra_protocol")
  probe_generate("${extra_gen}" ${probe_protocols} "${extra_protocol}/echo_line")
  add_custom_target(extra_protocol_skeleton DEPENDS "${extra_gen}/probe_bpf.skel.h")
  # These take the place of the library's own, which know the program's protocols only.
  set(extra_own "${SONDE_ROOM_DIR}/probe.cc" "${SONDE_ROOM_DIR}/protocol/protocol.cc")
  add_executable(extra_protocol_test "${extra_protocol}/extra_protocol_test.cc" ${extra_own} ${extra_protocol_sources})
  add_dependencies(extra_protocol_test extra_protocol_skeleton)
  sonde_target(extra_protocol_test)
  target_include_directories(extra_protocol_test SYSTEM PRIVATE "${extra_gen}")
  target_compile_definitions(extra_protocol_test PRIVATE SONDE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  target_link_libraries(extra_protocol_test PRIVATE components ${SONDE_GTEST_MAIN} ${SONDE_GTEST})
  add_test(NAME extra_protocol_test COMMAND extra_protocol_test)
  set_tests_properties(extra_protocol_test PROPERTIES TIMEOUT 120 RUN_SERIAL ON)
elseif(SONDE_FUZZ)
  list(FILTER extra_protocol_fuzz INCLUDE REGEX "_fuzz\\.cc$")
  add_executable(probe_extra_echo_line_fuzz ${extra_protocol_fuzz} ${extra_protocol_sources})
  sonde_target(probe_extra_echo_line_fuzz)
  target_link_libraries(probe_extra_echo_line_fuzz PRIVATE probe)
  target_link_options(probe_extra_echo_line_fuzz PRIVATE -fsanitize=fuzzer)
  set_property(GLOBAL APPEND PROPERTY SONDE_FUZZERS
    "probe_extra_echo_line_fuzz tests/extra_protocol/echo_line/echo_line_fuzz.cc")
endif()
