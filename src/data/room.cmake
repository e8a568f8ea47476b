# SPDX-License-Identifier: Apache-2.0
# libprotobuf is the oracle of the tests and the rival of the benchmark; the program never links it.
if(TARGET data_test OR TARGET data_bench)
  find_program(SONDE_PROTOC protoc REQUIRED)
  find_library(SONDE_PROTOBUF NAMES libprotobuf.a protobuf REQUIRED)
  set(proto_out "${CMAKE_BINARY_DIR}/generated/data/testing")
  file(MAKE_DIRECTORY "${proto_out}")
  add_custom_command(
    OUTPUT "${proto_out}/otlp.pb.cc" "${proto_out}/otlp.pb.h"
    COMMAND "${SONDE_PROTOC}" "--proto_path=${SONDE_ROOM_DIR}/testing" "--cpp_out=${proto_out}" otlp.proto
    DEPENDS "${SONDE_ROOM_DIR}/testing/otlp.proto" VERBATIM)
  add_library(data_testing STATIC EXCLUDE_FROM_ALL "${proto_out}/otlp.pb.cc" "${proto_out}/otlp.pb.h")
  target_link_libraries(data_testing PUBLIC sonde_options "${SONDE_PROTOBUF}")
  target_compile_options(data_testing PRIVATE -w)
  foreach(target data_test data_bench)
    if(TARGET ${target})
      target_link_libraries(${target} PRIVATE data_testing)
    endif()
  endforeach()
endif()
