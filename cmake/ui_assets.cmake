# SPDX-License-Identifier: Apache-2.0
# The library ui_assets: every file of ui/dist embedded with .incbin, or a placeholder page when the page has not been
# built. The table is remade at build time, so building the page after configuring is enough.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
set(ui_out "${CMAKE_BINARY_DIR}/generated/ui")
file(MAKE_DIRECTORY "${ui_out}")
file(GLOB_RECURSE ui_files CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/ui/dist/*")
add_custom_command(
  OUTPUT "${ui_out}/assets.S" "${ui_out}/assets.cc"
  COMMAND "${Python3_EXECUTABLE}" "${CMAKE_SOURCE_DIR}/tools/embed.py" "${CMAKE_SOURCE_DIR}/ui/dist" "${ui_out}"
  DEPENDS "${CMAKE_SOURCE_DIR}/tools/embed.py" ${ui_files}
  COMMENT "Embedding the page" VERBATIM)
file(CONFIGURE OUTPUT "${ui_out}/assets.h" CONTENT [=[
// SPDX-License-Identifier: Apache-2.0
// The files of the web page, embedded in the binary. Paths are relative to the root of the page, e.g. "index.html".
#pragma once
#include <span>
#include <string_view>

namespace sonde {
struct EmbeddedFile {
  std::string_view path;
  std::string_view content_type;
  std::string_view bytes;
};
std::span<const EmbeddedFile> embedded_files();
}  // namespace sonde
]=] @ONLY)
set_source_files_properties("${ui_out}/assets.S" PROPERTIES OBJECT_DEPENDS "${ui_files}")
add_library(ui_assets STATIC "${ui_out}/assets.S" "${ui_out}/assets.cc")
target_link_libraries(ui_assets PUBLIC sonde_options)
