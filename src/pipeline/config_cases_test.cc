// SPDX-License-Identifier: Apache-2.0
//
// Runs the cases of tests/config/*.cases (its README says how to read them): one or more
// configurations, an environment and files in, the effective settings or the errors out. Nothing
// outside the case is read. The answers are a real Collector's, of version 0.158.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "config/print.h"
#include "config/resolve.h"
#include "pipeline/check.h"
#include "pipeline/testing/typed_component.h"

namespace sonde::pipeline {
namespace {

using config::Value;

struct Case {
  std::string name;
  int line = 0;
  std::map<std::string, std::string, std::less<>> environment, files;
  std::vector<std::string> uris;  // Of `config` and `uri` sections, in order.
  std::vector<std::string> sets;
  std::string want, want_config, error, warning;
};

constexpr std::string_view kAround = R"(
exporters: {nop: }
service: {pipelines: {traces: {receivers: [t], exporters: [nop]}}}
)";

std::string indented(std::string_view text) {
  std::string out = "receivers:\n  t:\n    ";
  for (const char c : text) out += c == '\n' ? "\n    " : std::string(1, c);
  return out + std::string(kAround);
}

// The text of a section has no newline at its end: an environment variable rarely has one.
void add_section(Case& c, std::string_view head, std::string body) {
  const size_t space = head.find(' ');
  const std::string verb(head.substr(0, space));
  const std::string argument(space == head.npos ? "" : head.substr(space + 1));
  if (verb == "settings" || verb == "config") {
    const std::string file = "config" + std::to_string(c.uris.size() + 1) + ".yaml";
    c.files[file] = verb == "config" ? body : indented(body);
    c.uris.push_back(file);
  } else if (verb == "uri") {
    c.uris.push_back(body);
  } else if (verb == "set") {
    c.sets.push_back(body);
  } else if (verb == "env") {
    c.environment[argument] = body;
  } else if (verb == "file") {
    c.files[argument] = body;
  } else if (verb == "want") {
    (argument == "config" ? c.want_config : c.want) = body;
  } else if (verb == "error" || verb == "warning") {
    while (body.ends_with('\n')) body.pop_back();
    (verb == "error" ? c.error : c.warning) = body;
  } else {
    ADD_FAILURE() << c.name << ": unknown section " << head;
  }
}

std::vector<Case> read_cases(const std::filesystem::path& path) {
  std::vector<Case> cases;
  std::ifstream file(path);
  std::string head, body, line;
  int number = 0;
  const auto flush = [&] {
    if (!head.empty()) {
      if (body.ends_with('\n')) body.pop_back();
      add_section(cases.back(), head, body);
    }
    head.clear();
    body.clear();
  };
  while (std::getline(file, line)) {
    ++number;
    if (line.starts_with("== ")) {
      flush();
      cases.emplace_back().name = line.substr(3);
      cases.back().line = number;
    } else if (line.starts_with("-- ") && !cases.empty()) {
      flush();
      // `-- env A=text` is a section on one line.
      const size_t equals = line.starts_with("-- env ") ? line.find('=') : line.npos;
      head = line.substr(3, equals == line.npos ? line.npos : equals - 3);
      if (equals != line.npos) body = line.substr(equals + 1) + "\n";
    } else if (!head.empty()) {
      body += line + "\n";
    }
  }
  flush();
  return cases;
}

// Whether every key of `want` has this value in `got`; a list must be the same altogether.
bool holds(const Value& got, const Value& want) {
  if (want.is_map() && got.is_map()) {
    return std::ranges::all_of(want.entries,
                               [&](const config::Entry& entry) {
                                 const Value* value = got.find(entry.key);
                                 return value && holds(*value, entry.value);
                               }) &&
           (!want.entries.empty() || got.entries.empty());
  }
  if (want.is_list() && got.is_list()) {
    return std::ranges::equal(got.items, want.items, holds);
  }
  using Type = Value::Type;
  const auto number = [](const Value& v) { return v.type == Type::Int || v.type == Type::Double; };
  if (number(got) && number(want)) {
    return got.number == want.number || (std::isnan(got.number) && std::isnan(want.number));
  }
  if (got.type != want.type) return false;
  if (got.type == Type::Bool) return got.boolean == want.boolean;
  if (got.type == Type::Time) return got.integer == want.integer;
  return got.is_null() || got.text == want.text;
}

Value expectation(const std::string& text) {
  auto value =
      config::read_yaml(std::make_shared<const config::Source>(config::Source{"want", text, true}));
  EXPECT_TRUE(value) << value.error().message;
  return value ? std::move(*value) : Value{};
}

struct Answer {
  Value root;      // The merged and expanded configuration.
  Value settings;  // What the component `t` got.
  std::vector<std::string> warnings;
};

Result<Answer> ask(const Case& c) {
  config::Providers providers =
      config::local_providers([&](std::string_view name) -> std::optional<std::string> {
        const auto at = c.environment.find(name);
        return at == c.environment.end() ? std::nullopt : std::optional(at->second);
      });
  providers["file"] = [&](std::string_view name) -> Result<config::Retrieved> {
    const auto at = c.files.find(name);
    if (at == c.files.end()) return fail(ErrorKind::NotFound, std::string(name) + " is not there");
    return config::Retrieved{.text = at->second, .shown = true};
  };
  std::vector<std::string> uris = c.uris;
  for (const std::string& set : c.sets) uris.push_back(TRY(config::set_to_uri(set)));
  config::Resolution resolved = TRY(config::resolve(uris, providers));
  config::Graph graph = TRY(config::build_graph(resolved.root));
  TRY(check_graph(graph, typed_components()));
  Answer answer{std::move(resolved.root), {}, std::move(resolved.warnings)};
  if (const auto* node = graph.find(config::Section::Receivers, "t")) {
    answer.settings = TRY(config::effective(node->config, typed_table(), "receivers::t", true));
  }
  return answer;
}

class ConfigCase : public testing::Test {
 public:
  explicit ConfigCase(Case c) : case_(std::move(c)) {}
  void TestBody() override {
    auto answer = ask(case_);
    if (!case_.error.empty()) {
      ASSERT_FALSE(answer) << "it was taken";
      std::istringstream lines(case_.error);
      for (std::string line; std::getline(lines, line);) {
        EXPECT_NE(answer.error().message.find(line), std::string::npos) << "the error was:\n"
                                                                        << answer.error().message;
      }
      return;
    }
    ASSERT_TRUE(answer) << answer.error().message;
    expect(answer->settings, case_.want);
    expect(answer->root, case_.want_config);
    if (case_.warning.empty()) return;
    std::string all;
    for (const std::string& warning : answer->warnings) all += warning + "\n";
    EXPECT_NE(all.find(case_.warning), std::string::npos) << all;
  }

 private:
  static void expect(const Value& got, const std::string& text) {
    if (text.empty()) return;
    EXPECT_TRUE(holds(got, expectation(text))) << "got:\n"
                                               << config::to_yaml(got) << "wanted:\n"
                                               << text;
  }

  const Case case_;
};

const bool registered = [] {
  const std::filesystem::path root = SONDE_SOURCE_DIR "/tests/config";
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(root)) {
    if (entry.path().extension() == ".cases") paths.push_back(entry.path());
  }
  std::ranges::sort(paths);
  for (const auto& path : paths) {
    for (Case& c : read_cases(path)) {
      std::string name = c.name;
      std::ranges::replace_if(name, [](char x) { return !std::isalnum(x); }, '_');
      const int line = c.line;
      testing::RegisterTest(("Config_" + path.stem().string()).c_str(), name.c_str(), nullptr,
                            nullptr, path.c_str(), line,
                            [c = std::move(c)]() -> testing::Test* { return new ConfigCase(c); });
    }
  }
  return true;
}();

}  // namespace
}  // namespace sonde::pipeline
