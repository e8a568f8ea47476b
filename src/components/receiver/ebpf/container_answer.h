// SPDX-License-Identifier: Apache-2.0
// What the answer of a container engine to GET /containers/{id}/json says of the names. The bytes
// are the engine's, so nothing of them is believed: whatever is not as expected is empty.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace sonde {

struct ContainerName {
  std::string name;  // Of the container, as people type it.
  std::string
      service;  // What Compose or Kubernetes call what runs in it; the name where neither does.
};

// `response` is a whole HTTP/1.0 response. Empty names unless its status is 200.
ContainerName container_name_of(std::string_view response);

// The text at a path of object keys, decoded; empty where there is none. Arrays are stepped over.
std::string json_text_at(std::string_view json, std::initializer_list<std::string_view> path);

}  // namespace sonde
