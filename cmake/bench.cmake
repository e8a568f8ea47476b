# SPDX-License-Identifier: Apache-2.0
# The pipeline benchmark (bench/pipeline.py): its load generator, its data and the reference forwarder. Nothing of it is
# in the program; the reference forwarder is built where grpc++ is installed.
if(NOT SONDE_BENCH OR SONDE_FUZZ OR NOT TARGET data_testing)
  return()
endif()
set(pipeline_bench "${CMAKE_SOURCE_DIR}/bench/pipeline")
set(otlp_out "${CMAKE_BINARY_DIR}/generated/data/testing")

add_executable(pipeline_data EXCLUDE_FROM_ALL "${pipeline_bench}/make_data.cc" "${pipeline_bench}/data_set.cc")
target_link_libraries(pipeline_data PRIVATE data data_testing z)
add_executable(pipeline_load EXCLUDE_FROM_ALL "${pipeline_bench}/load.cc" "${pipeline_bench}/data_set.cc"
  "${pipeline_bench}/process_time.cc" "${pipeline_bench}/sink.cc" "${pipeline_bench}/source.cc")
target_link_libraries(pipeline_load PRIVATE data net z)
foreach(target pipeline_data pipeline_load)
  target_include_directories(${target} PRIVATE "${otlp_out}")
  sonde_target(${target})
endforeach()

find_library(SONDE_GRPCPP NAMES grpc++)
find_program(SONDE_GRPC_PLUGIN grpc_cpp_plugin)
if(SONDE_GRPCPP AND SONDE_GRPC_PLUGIN)
  set(service_out "${CMAKE_BINARY_DIR}/generated/bench/pipeline")
  file(MAKE_DIRECTORY "${service_out}")
  set(service_sources "")
  foreach(service trace metrics logs)
    set(made "${service_out}/${service}_service.pb.cc" "${service_out}/${service}_service.grpc.pb.cc")
    add_custom_command(
      OUTPUT ${made}
      COMMAND "${SONDE_PROTOC}" "--proto_path=${pipeline_bench}/proto" "--proto_path=${CMAKE_SOURCE_DIR}/src/data/testing"
        "--cpp_out=${service_out}" "--grpc_out=${service_out}" "--plugin=protoc-gen-grpc=${SONDE_GRPC_PLUGIN}"
        "${service}_service.proto"
      DEPENDS "${pipeline_bench}/proto/${service}_service.proto" "${CMAKE_SOURCE_DIR}/src/data/testing/otlp.proto" VERBATIM)
    list(APPEND service_sources ${made})
  endforeach()
  # The program's flags without its warnings, which generated code ignores; the shared protobuf, which grpc++ needs.
  add_executable(pipeline_reference EXCLUDE_FROM_ALL "${pipeline_bench}/reference.cc" ${service_sources} "${otlp_out}/otlp.pb.cc")
  set_source_files_properties("${otlp_out}/otlp.pb.cc" PROPERTIES GENERATED ON)
  add_dependencies(pipeline_reference data_testing)  # which generates otlp.pb.cc
  target_include_directories(pipeline_reference PRIVATE "${service_out}" "${otlp_out}")
  target_compile_options(pipeline_reference PRIVATE -w)
  target_link_libraries(pipeline_reference PRIVATE sonde_options "${SONDE_GRPCPP}" grpc gpr protobuf absl_synchronization)
endif()
