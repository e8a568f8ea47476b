// SPDX-License-Identifier: Apache-2.0
//
// Any text must end in an effective tree and its graph, or in an error. The first line splits off a
// second file that is merged over the first. Environment and files are fixed, so that a finding can
// be repeated on another machine; some of them name themselves.
#include <cstddef>
#include <cstdint>

#include "config/graph.h"
#include "config/print.h"
#include "config/resolve.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sonde;
  using namespace sonde::config;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const size_t cut = std::min(text.find('\f'), text.size());
  const std::string first = text.substr(0, cut);
  const std::string second = text.substr(std::min(cut + 1, text.size()));
  Providers providers = local_providers([](std::string_view name) -> std::optional<std::string> {
    if (name == "A") return "0123";
    if (name == "B") return "${env:A}${env:B}";
    if (name == "C") return "[${C}, ${C}]";
    if (name == "D") return "{a: ${env:D}, b: ${env:A}}";
    return std::nullopt;
  });
  providers["file"] = [&](std::string_view name) -> Result<Retrieved> {
    if (name == "1") return Retrieved{.text = first, .shown = true};
    if (name == "2") return Retrieved{.text = second, .shown = true};
    return fail(ErrorKind::NotFound, "it is not there");
  };
  if (auto resolved = resolve({"1", "2"}, providers, {.join_lists = size % 2 == 0})) {
    (void)build_graph(resolved->root);
    (void)to_yaml(resolved->root);
    (void)to_json(resolved->root);
  }
  return 0;
}
