# SPDX-License-Identifier: Apache-2.0
# Compiles the kernel programs, embeds them as a skeleton header, and generates the protocol
# dispatch from protocol/*/*.def. A new protocol is a folder and edits no file here.
find_program(SONDE_BPF_CLANG NAMES clang-19 clang REQUIRED)
find_program(SONDE_BPFTOOL NAMES bpftool PATHS /usr/sbin /usr/lib/linux-tools REQUIRED)
find_library(SONDE_BPF NAMES libbpf.a bpf REQUIRED)
find_library(SONDE_ELF NAMES libelf.a elf REQUIRED)
find_library(SONDE_Z NAMES libz.a z REQUIRED)

set(probe_gen "${CMAKE_BINARY_DIR}/generated/probe")
set(probe_bpf "${SONDE_ROOM_DIR}/bpf")
file(GLOB probe_defs CONFIGURE_DEPENDS "${SONDE_ROOM_DIR}/protocol/*/*.def")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${probe_defs})
set(probe_protocols "")
set(probe_includes "")
foreach(def IN LISTS probe_defs)
  file(STRINGS "${def}" lines REGEX "^PROTOCOL\\(")
  foreach(line IN LISTS lines)
    string(APPEND probe_protocols "${line}\n")
  endforeach()
  string(REGEX REPLACE "\\.def$" ".bpf.h" header "${def}")
  string(APPEND probe_includes "#include \"${header}\"\n")
endforeach()
file(CONFIGURE OUTPUT "${probe_gen}/probe_protocols.def" CONTENT "${probe_protocols}" @ONLY)
file(CONFIGURE OUTPUT "${probe_gen}/probe_protocols.bpf.h" @ONLY CONTENT
"/* Generated from the .def files: asks every protocol about the first bytes of a message. */
${probe_includes}
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
")

if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  set(probe_arch arm64)
else()
  set(probe_arch x86)
endif()
file(GLOB probe_bpf_headers CONFIGURE_DEPENDS "${probe_bpf}/*.h" "${SONDE_ROOM_DIR}/protocol/*/*.bpf.h")
add_custom_command(
  OUTPUT "${probe_gen}/probe_bpf.skel.h"
  COMMAND "${SONDE_BPF_CLANG}" -target bpf -mcpu=v3 -D__TARGET_ARCH_${probe_arch} -g -O2 -Wall -Werror
          -Wno-gnu-variable-sized-type-not-at-end -I/usr/include/${CMAKE_SYSTEM_PROCESSOR}-linux-gnu
          -I "${probe_gen}" -c "${probe_bpf}/probe.bpf.c" -o "${probe_gen}/probe.bpf.o"
  COMMAND "${SONDE_BPFTOOL}" gen object "${probe_gen}/probe_bpf.o" "${probe_gen}/probe.bpf.o"
  COMMAND "${SONDE_BPFTOOL}" gen skeleton "${probe_gen}/probe_bpf.o" name probe_bpf
          > "${probe_gen}/probe_bpf.skel.h"
  DEPENDS "${probe_bpf}/probe.bpf.c" ${probe_bpf_headers} "${probe_gen}/probe_protocols.bpf.h"
          "${probe_gen}/probe_protocols.def"
  VERBATIM)
add_custom_target(probe_skeleton DEPENDS "${probe_gen}/probe_bpf.skel.h")
add_dependencies(probe probe_skeleton)
target_include_directories(probe SYSTEM PRIVATE "${probe_gen}")
target_link_libraries(probe PRIVATE ${SONDE_BPF} ${SONDE_ELF} ${SONDE_Z})
if(TARGET probe_test)
  add_test(NAME probe_bpf_root COMMAND probe_test --gtest_filter=ProbeBpf*)
  set_tests_properties(probe_bpf_root PROPERTIES LABELS root TIMEOUT 120 RUN_SERIAL ON)
endif()

# What bench/nginx_overhead.py drives, and what a message costs in the kernel.
add_executable(probe_drain EXCLUDE_FROM_ALL "${CMAKE_SOURCE_DIR}/bench/nginx_drain.cc")
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
  target_link_libraries(${bench} PRIVATE probe)
endforeach()
target_include_directories(message_cost SYSTEM PRIVATE "${probe_gen}")
target_link_libraries(message_cost PRIVATE ${SONDE_BPF} ${SONDE_ELF} ${SONDE_Z})
