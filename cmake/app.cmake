# SPDX-License-Identifier: Apache-2.0
# The program. src/app/main.cc is linked against the rest of its room, so that the room's tests can link the same code.
if(EXISTS "${CMAKE_SOURCE_DIR}/src/app/main.cc")
  add_executable(sonde "${CMAKE_SOURCE_DIR}/src/app/main.cc")
  sonde_target(sonde)
  foreach(lib app_lib components)
    if(TARGET ${lib})
      target_link_libraries(sonde PRIVATE ${lib})
    endif()
  endforeach()
  target_link_options(sonde PRIVATE -static-libstdc++ -static-libgcc)
  set_target_properties(sonde PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")
endif()
