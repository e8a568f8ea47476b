// SPDX-License-Identifier: Apache-2.0
#include "scenario_file.h"

#include <cstdio>

namespace sonde::scenario {
namespace {

void trim_blank_lines(std::string& body) {
  while (body.starts_with('\n')) body.erase(0, 1);
  while (body.ends_with("\n\n")) body.pop_back();
}

}  // namespace

File parse(std::string_view text) {
  File file;
  size_t number = 0;
  while (!text.empty()) {
    ++number;
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string line(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.starts_with("== ")) {
      Section section;
      section.line = number;
      const size_t space = line.find(' ', 3);
      section.verb = line.substr(3, space == std::string::npos ? space : space - 3);
      if (space != std::string::npos) section.argument = line.substr(space + 1);
      file.sections.push_back(std::move(section));
    } else {
      (file.sections.empty() ? file.comment : file.sections.back().body) += line + "\n";
    }
  }
  for (Section& section : file.sections) trim_blank_lines(section.body);
  for (Section& section : file.sections) {
    if (section.body == "\n") section.body.clear();
  }
  return file;
}

std::string print(const File& file) {
  std::string out = file.comment;
  for (const Section& section : file.sections) {
    out += "== " + section.verb;
    if (!section.argument.empty()) out += " " + section.argument;
    out += "\n" + section.body;
    if (&section != &file.sections.back() && !section.body.empty()) out += "\n";
  }
  return out;
}

std::string read_text(const std::string& path) {
  std::string text;
  if (FILE* file = std::fopen(path.c_str(), "rb")) {
    char buffer[4096];
    for (size_t n; (n = std::fread(buffer, 1, sizeof buffer, file)) > 0;) text.append(buffer, n);
    std::fclose(file);
  }
  return text;
}

void write_text(const std::string& path, std::string_view text) {
  if (FILE* file = std::fopen(path.c_str(), "wb")) {
    std::fwrite(text.data(), 1, text.size(), file);
    std::fclose(file);
  }
}

}  // namespace sonde::scenario
