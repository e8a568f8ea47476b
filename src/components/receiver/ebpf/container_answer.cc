// SPDX-License-Identifier: Apache-2.0
// One walk through the text with a bounded depth and without building a tree: of some ten kilobytes
// three strings are wanted.
#include "components/receiver/ebpf/container_answer.h"

#include <algorithm>
#include <vector>

#include "base/ascii.h"

namespace sonde {
namespace {

constexpr size_t kMaxDepth = 64;
constexpr size_t kMaxName = 128;

class Walker {
 public:
  Walker(std::string_view text, std::initializer_list<std::string_view> path)
      : text_(text), path_(path) {}

  std::string find() {
    if (!value(0, true)) return {};
    return found_;
  }

 private:
  void space() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").contains(text_[at_])) ++at_;
  }
  bool take(char c) {
    space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  // Behind an opening quote. Escapes above ASCII become '?': a container's name has none.
  bool string(std::string& out) {
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '"') return true;
      if (c != '\\') {
        out += c;
        continue;
      }
      if (at_ >= text_.size()) return false;
      const char e = text_[at_++];
      if (e == 'u') {
        if (text_.size() - at_ < 4) return false;
        at_ += 4;
        out += '?';
      } else {
        constexpr std::string_view kFrom = "nrtbf";
        constexpr std::string_view kTo = "\n\r\t\b\f";
        const size_t i = kFrom.find(e);
        out += i == std::string_view::npos ? e : kTo[i];
      }
    }
    return false;
  }
  // `on_path`: every key above this value is the wanted one. False ends the walk: found or broken.
  bool value(size_t depth, bool on_path) {
    if (depth > kMaxDepth) return false;
    const bool wanted = on_path && depth == path_.size();
    if (take('{')) {
      if (take('}')) return true;
      do {
        std::string key;
        if (!take('"') || !string(key) || !take(':')) return false;
        const bool next = on_path && depth < path_.size() && key == path_[depth];
        if (!value(depth + 1, next)) return false;
      } while (take(','));
      return take('}');
    }
    if (take('[')) {
      if (take(']')) return true;
      do {
        if (!value(depth + 1, false)) return false;
      } while (take(','));
      return take(']');
    }
    if (take('"')) {
      std::string text;
      if (!string(text)) return false;
      if (wanted && found_.empty()) found_ = std::move(text);
      return true;
    }
    const size_t start = at_;
    while (at_ < text_.size() &&
           (is_alphanumeric(text_[at_]) || std::string_view("+-.").contains(text_[at_]))) {
      ++at_;
    }
    return at_ != start;
  }

  std::string_view text_;
  std::vector<std::string_view> path_;
  size_t at_ = 0;
  std::string found_;
};

}  // namespace

std::string json_text_at(std::string_view json, std::initializer_list<std::string_view> path) {
  return Walker(json, path).find();
}

ContainerName container_name_of(std::string_view response) {
  const std::string_view line = response.substr(0, response.find("\r\n"));
  const size_t head = response.find("\r\n\r\n");
  if (!line.starts_with("HTTP/1.") || line.substr(std::min<size_t>(9, line.size()), 3) != "200" ||
      head == std::string_view::npos) {
    return {};
  }
  const std::string_view body = response.substr(head + 4);
  ContainerName out;
  out.name = json_text_at(body, {"Name"});
  if (out.name.starts_with('/')) out.name.erase(0, 1);
  out.service = json_text_at(body, {"Config", "Labels", "com.docker.compose.service"});
  if (out.service.empty()) {
    out.service = json_text_at(body, {"Config", "Labels", "io.kubernetes.container.name"});
  }
  if (out.service.empty()) out.service = out.name;
  out.name.resize(std::min(out.name.size(), kMaxName));
  out.service.resize(std::min(out.service.size(), kMaxName));
  return out;
}

}  // namespace sonde
