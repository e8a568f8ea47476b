# SPDX-License-Identifier: Apache-2.0
# Generates components/all.h and all.cc from the folders src/components/<kind>/<name>/ that hold a <name>.cc:
# a component is one folder and no other edit, and there are no static initialisers.
set(SONDE_COMPONENTS_CC "${CMAKE_BINARY_DIR}/generated/components/all.cc")
set(declarations "")
set(entries "")
set(count 0)
foreach(kind receiver processor exporter connector extension)
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/src/components/${kind}/*/*.cc")
  foreach(source IN LISTS sources)
    cmake_path(GET source PARENT_PATH folder)
    cmake_path(GET folder FILENAME name)
    cmake_path(GET source STEM stem)
    if(stem STREQUAL name)
      string(APPEND declarations "const sonde::pipeline::ComponentType& sonde_component_${kind}_${name}();\n")
      string(APPEND entries "      &sonde_component_${kind}_${name}(),\n")
      math(EXPR count "${count} + 1")
    endif()
  endforeach()
endforeach()
file(CONFIGURE OUTPUT "${CMAKE_BINARY_DIR}/generated/components/all.h" CONTENT [=[
// SPDX-License-Identifier: Apache-2.0
// Generated from the folders of src/components. Every component this program has.
#pragma once
#include <span>

#include "pipeline/component.h"

namespace sonde {
std::span<const pipeline::ComponentType* const> all_components();
}
]=] @ONLY)
file(CONFIGURE OUTPUT "${SONDE_COMPONENTS_CC}" CONTENT [=[
// SPDX-License-Identifier: Apache-2.0
#include "components/all.h"

#include <array>

@declarations@
namespace sonde {
std::span<const pipeline::ComponentType* const> all_components() {
  static const std::array<const pipeline::ComponentType*, @count@> kAll = {
@entries@  };
  return kAll;
}
}  // namespace sonde
]=] @ONLY)
