# SPDX-License-Identifier: Apache-2.0
# The scenario runner is linked against every component, which come later in the order of rooms: CMake
# resolves the name of the library when it generates.
if(SONDE_TESTS)
  add_executable(scenario_test "${CMAKE_SOURCE_DIR}/tests/scenario/scenario_test.cc"
    "${CMAKE_SOURCE_DIR}/tests/scenario/scenario_file.cc")
  sonde_target(scenario_test)
  target_compile_definitions(scenario_test PRIVATE SONDE_TEST=1 SONDE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  target_link_libraries(scenario_test PRIVATE components pipeline ${SONDE_GTEST})
  add_test(NAME scenario_test COMMAND scenario_test --gtest_brief=1)
  set_tests_properties(scenario_test PROPERTIES TIMEOUT 300)
endif()
# Where the cases of tests/config lie; for this file alone, so that the others compile alike in every clone.
set_source_files_properties("${SONDE_ROOM_DIR}/config_cases_test.cc" PROPERTIES
  COMPILE_DEFINITIONS "SONDE_SOURCE_DIR=\"${CMAKE_SOURCE_DIR}\"")
