# SPDX-License-Identifier: Apache-2.0
# simdjson reads JSON; the tests hold it against libprotobuf, with the messages of data/testing.
sonde_find_library(SONDE_SIMDJSON simdjson)
target_link_libraries(wire PRIVATE ${SONDE_SIMDJSON})
if(TARGET wire_test)
  target_link_libraries(wire_test PRIVATE data_testing)
endif()
