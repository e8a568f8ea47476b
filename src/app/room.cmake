# SPDX-License-Identifier: Apache-2.0
# Where the tests' configurations lie; for these files alone, so that the others compile alike in every clone.
set_source_files_properties("${SONDE_ROOM_DIR}/configurations_test.cc" "${SONDE_ROOM_DIR}/settings_test.cc" PROPERTIES
  COMPILE_DEFINITIONS "SONDE_SOURCE_DIR=\"${CMAKE_SOURCE_DIR}\"")
