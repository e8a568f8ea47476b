// SPDX-License-Identifier: Apache-2.0
#include "config/config.h"

#include <gtest/gtest.h>

namespace sonde::config {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::optional<std::string> environment(std::string_view name) {
  if (name == "PORT") return "4317";
  if (name == "EMPTY") return "";
  return std::nullopt;
}

// A message without the lines that show the place.
std::string brief(const Error& error) {
  std::string out;
  std::string_view rest = error.message;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    if (!line.starts_with("  ")) out += (out.empty() ? "" : "\n") + std::string(line);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return out;
}

Value yaml(std::string_view text) {
  auto value = parse_yaml(text, "s.yaml", environment);
  EXPECT_TRUE(value) << value.error().message;
  return value ? std::move(*value) : Value{};
}

std::string yaml_error(std::string_view text) {
  auto value = parse_yaml(text, "s.yaml", environment);
  return value ? "" : brief(value.error());
}

struct Tls {
  bool insecure = false;
  std::string key;
};
constexpr auto kTls = fields<Tls>(field("insecure", &Tls::insecure, "No encryption."),
                                  field("key", &Tls::key, "Key.", {.secret = true}));
struct Client {
  std::string endpoint = "localhost:4317";
};
constexpr auto kClient = fields<Client>(field("endpoint", &Client::endpoint, "Where to."));
struct Config {
  Client client;
  double sample_rate = 100;
  Duration interval = seconds(5);
  uint16_t port = 1;
  uint64_t limit = 10;
  std::string level = "basic";
  std::vector<std::string> include;
  std::map<std::string, std::string> headers;
  std::optional<Tls> tls;
  std::vector<Tls> many;
  Value raw;
};
constexpr auto kFields = fields<Config>(
    field("level", &Config::level, "How much.", {.choices = "basic|detailed"}),
    embed(&Config::client, kClient),
    field("sample_rate", &Config::sample_rate, "Share.", {.min = 0, .max = 100, .unit = "%"}),
    field("interval", &Config::interval, "How often.", {.min = 0.001, .alias = "every"}),
    field("port", &Config::port, "Port."), field("limit", &Config::limit, "L.", {.unit = "By"}),
    field("include", &Config::include, "Paths."), field("headers", &Config::headers, "Headers."),
    field("tls", &Config::tls, kTls, "Encryption."), field("many", &Config::many, kTls, "Many."),
    field("raw", &Config::raw, "Raw."));

std::string decode_error(std::string_view text) {
  Config config;
  auto result = decode(yaml(text), kFields.table(), &config, "receivers::ebpf");
  return result ? "" : brief(result.error());
}

TEST(Yaml, TypesPlainScalarsByTheCoreSchema) {
  const Value v = yaml("a: 1\nb: 1.5\nc: yes\nd: true\ne: '1'\nf: ~\ng: 0x10\nh: [1, x]\n");
  EXPECT_EQ(v.find("a")->integer, 1);
  EXPECT_EQ(v.find("b")->number, 1.5);
  EXPECT_EQ(v.find("c")->type, Value::Type::String);
  EXPECT_TRUE(v.find("d")->boolean);
  EXPECT_EQ(v.find("e")->type, Value::Type::String);
  EXPECT_TRUE(v.find("f")->is_null());
  EXPECT_EQ(v.find("g")->integer, 16);
  EXPECT_EQ(v.find("h")->items.size(), 2u);
}

TEST(Yaml, RefusesDuplicateKeysWithBothLines) {
  EXPECT_EQ(yaml_error("a: 1\nb: 2\na: 3\n"),
            "s.yaml:3: duplicate key \"a\", first written on line 1");
}

TEST(Yaml, MergesAnchoredMapsUnderOwnKeys) {
  const Value v = yaml("base: &b {x: 1, y: 2}\nuse:\n  <<: *b\n  y: 3\n");
  EXPECT_EQ(v.find("use")->find("x")->integer, 1);
  EXPECT_EQ(v.find("use")->find("y")->integer, 3);
}

TEST(Yaml, RefusesAFileThatGrowsWithoutEnd) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    const std::string p = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 9; ++j) text += p + ", ";
    text += p + "]\n";
  }
  EXPECT_NE(yaml_error(text).find("too many values"), std::string::npos);
}

TEST(Yaml, ExpandsTheEnvironmentAndTypesTheResult) {
  const Value v =
      yaml("a: ${env:PORT}\nb: ${env:NONE:-x}\nc: $$5\nd: h:${PORT}\ne: ${env:EMPTY:-2}\n");
  EXPECT_EQ(v.find("a")->integer, 4317);
  EXPECT_EQ(v.find("b")->text, "x");
  EXPECT_EQ(v.find("c")->text, "$5");
  EXPECT_EQ(v.find("d")->text, "h:4317");
  EXPECT_TRUE(v.find("e")->is_null());  // Set, although empty.
  EXPECT_TRUE(yaml("a: ${env:NONE}\n").find("a")->is_null());
}

TEST(Yaml, RefusesBytesThatAreNoText) {
  EXPECT_EQ(yaml_error("\x8c: {\x9f").substr(0, 9), "s.yaml:1:");
}

TEST(Yaml, RefusesAnAliasThatRepeatsALongTextTooOften) {
  std::string text = "long: &x " + std::string(1 << 20, 'x') + "\nlist: [";
  for (int i = 0; i < 200; ++i) text += "*x, ";
  EXPECT_NE(yaml_error(text + "]\n").find("too many values"), std::string::npos);
}

TEST(Yaml, ShowsNoValueWhereTheSyntaxIsWrong) {
  const auto shown_error = [](const std::string& text) {
    const auto source = std::make_shared<const Source>(Source{"s.yaml", text, true});
    const auto read = read_yaml(source);
    return read ? "no error" : read.error().message;
  };
  for (const std::string value :
       {"@s3cretpw", "%s3cretpw", "`s3cretpw", "*s3cretpw", "!!int s3cretpw", "\"s3cretpw",
        "{s3cretpw: s3cretpw, @s3cretpw"}) {
    const std::string error = shown_error("a: 1\nauthorization: " + value + "\nb: 2\n");
    EXPECT_EQ(error.find("s3cretpw"), std::string::npos) << error;
    EXPECT_NE(error.find("s.yaml:"), std::string::npos) << error;
  }
  EXPECT_EQ(shown_error("a: 1\nauthorization: @s3cretpw\n"),
            "s.yaml:2: while scanning for the next token: found character that cannot start any "
            "token\n     2 | authorization: ***\n       |                ^~~");
}

TEST(Yaml, NamesTheLineOfASyntaxError) {
  EXPECT_EQ(yaml_error("a: [1\nb: 2\n").substr(0, 9), "s.yaml:2:");
}

TEST(Merge, LaysLaterMapsOverEarlierOnes) {
  const Value v = merge(yaml("a: {x: 1, y: [1, 2]}"), yaml("a: {y: [3]}\nb: 1"));
  EXPECT_EQ(v.find("a")->find("x")->integer, 1);
  EXPECT_EQ(v.find("a")->find("y")->items.size(), 1u);
  EXPECT_EQ(v.find("b")->integer, 1);
}

TEST(Decode, FillsEveryShapeAndKeepsDefaults) {
  Config c;
  const auto result = decode(
      yaml("endpoint: h:1\nsample_rate: 10\ninterval: 1m30s\nport: 80\nlimit: 64MiB\n"
           "level: detailed\ninclude: [a, '2']\nheaders: {k: v}\ntls:\nmany: [{insecure: true}]\n"
           "raw: {a: 1}\n"),
      kFields.table(), &c, "p");
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(c.client.endpoint, "h:1");
  EXPECT_EQ(c.sample_rate, 10);
  EXPECT_EQ(c.interval, seconds(90));
  EXPECT_EQ(c.port, 80);
  EXPECT_EQ(c.limit, 64u * 1024 * 1024);
  EXPECT_EQ(c.level, "detailed");
  EXPECT_EQ(c.include, (std::vector<std::string>{"a", "2"}));
  EXPECT_EQ(c.headers["k"], "v");
  EXPECT_TRUE(c.tls.has_value());
  ASSERT_EQ(c.many.size(), 1u);
  EXPECT_TRUE(c.many[0].insecure);
  EXPECT_EQ(c.raw.find("a")->integer, 1);
  Config d;
  ASSERT_TRUE(decode(Value{}, kFields.table(), &d, "p"));
  EXPECT_EQ(d.interval, seconds(5));
  EXPECT_FALSE(d.tls.has_value());
}

struct Written {
  std::string level = "basic";
  std::map<std::string, std::string> headers;
  std::optional<Tls> tls = Tls{};
};
constexpr auto kWrittenFields = fields<Written>(
    field("level", &Written::level, "How much.", {.choices = "basic|normal", .any_case = true}),
    field("headers", &Written::headers, "Headers.", {.pairs = true}),
    field("tls", &Written::tls, kTls.table(), "Encryption.", {.null_is_absent = true}));

TEST(Decode, TakesTheOtherWaysInWhichAFieldMayBeWritten) {
  Written w;
  const auto result = decode(yaml("level: Normal\ntls:\nheaders: [{name: a, value: b}]\n"),
                             kWrittenFields.table(), &w, "p");
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(w.level, "normal");
  EXPECT_EQ(w.headers, (std::map<std::string, std::string>{{"a", "b"}}));
  EXPECT_FALSE(w.tls.has_value());
  for (const char* wrong :
       {"headers: [{name: a, key: b}]", "headers: [a]", "headers: [{name: 1, value: b}]",
        "headers: [{name: a, value: b, c: d}]"}) {
    EXPECT_FALSE(decode(yaml(wrong), kWrittenFields.table(), &w, "p")) << wrong;
  }
}

TEST(Decode, NamesTheNearestKeyWithFileAndLine) {
  EXPECT_EQ(decode_error("port: 1\nsample_rat: 5\n"),
            "s.yaml:2: receivers::ebpf: unknown key \"sample_rat\"; did you mean \"sample_rate\"?");
  EXPECT_EQ(decode_error("zzzzzzzzzzz: 5\n"),
            "s.yaml:1: receivers::ebpf: unknown key \"zzzzzzzzzzz\"");
}

TEST(Decode, SaysWhatIsWrongWithAValue) {
  EXPECT_EQ(decode_error("sample_rate: 101"),
            "s.yaml:1: receivers::ebpf::sample_rate: must be between 0 and 100 %, is 101");
  EXPECT_EQ(decode_error("port: 70000"), "s.yaml:1: receivers::ebpf::port: 70000 is out of range");
  EXPECT_EQ(decode_error("interval: 0"),
            "s.yaml:1: receivers::ebpf::interval: must be at least 0.001s, is 0");
  EXPECT_EQ(decode_error("level: full"),
            "s.yaml:1: receivers::ebpf::level: must be one of basic, detailed, is \"full\"");
  EXPECT_EQ(decode_error("tls: {insecure: 3}"),
            "s.yaml:1: receivers::ebpf::tls::insecure: expected true or false, got an integer "
            "(\"3\")");
  EXPECT_EQ(decode_error("tls: {key: {secretvalue: 3}}").find("secretvalue"), std::string::npos);
  EXPECT_NE(decode_error("interval: 1s\nevery: 2s").find("set twice"), std::string::npos);
}

TEST(Duration, ReadsAndPrintsTheCollectorsForm) {
  EXPECT_EQ(parse_duration("200ms").value(), milliseconds(200));
  EXPECT_EQ(parse_duration("1h30m").value(), seconds(5400));
  EXPECT_EQ(parse_duration("1.5s").value(), milliseconds(1500));
  EXPECT_FALSE(parse_duration("5"));
  EXPECT_FALSE(parse_duration("5 parsecs"));
  EXPECT_FALSE(parse_duration("99999999999h"));
  EXPECT_EQ(format_duration(milliseconds(90500)), "1m30.5s");
}

TEST(Reference, ComesFromTheTable) {
  const std::string schema = json_schema(kFields.table());
  EXPECT_NE(schema.find(R"("sample_rate":{"type":"number","minimum":0,"maximum":100)"),
            std::string::npos)
      << schema;
  EXPECT_NE(schema.find(R"("enum":["basic","detailed"])"), std::string::npos) << schema;
  const std::string list = reference_list(kFields.table());
  EXPECT_NE(list.find("- `tls.insecure` (bool, `false`): No encryption."), std::string::npos)
      << list;
  EXPECT_NE(list.find("- `interval` (duration, `\"5s\"`): "), std::string::npos) << list;
}

constexpr std::string_view kGraph = R"(
receivers:
  otlp/one: {}
processors:
  batch:
exporters:
  debug:
connectors:
  spanmetrics: {}
service:
  telemetry: {metrics: {address: "0.0.0.0:9"}, logs: {level: WARN}}
  pipelines:
    traces/a:
      receivers: [otlp/one]
      processors: [batch]
      exporters: [debug, spanmetrics]
    metrics:
      receivers: [spanmetrics]
      exporters: [debug]
)";

std::string graph_error(std::string text, std::string_view from, std::string_view to) {
  text.replace(text.find(from), from.size(), to);
  auto graph = build_graph(yaml(text));
  return graph ? "" : brief(graph.error());
}

TEST(Graph, ReadsACollectorConfiguration) {
  auto graph = build_graph(yaml(kGraph));
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_EQ(graph->components.size(), 4u);
  EXPECT_EQ(graph->find(Section::Receivers, "otlp/one")->type, "otlp");
  ASSERT_EQ(graph->pipelines.size(), 2u);
  EXPECT_EQ(graph->pipelines[0].signal, "traces");
  EXPECT_EQ(graph->pipelines[0].exporters[1].id, "spanmetrics");
  EXPECT_EQ(graph->telemetry_address, "0.0.0.0:9");
  EXPECT_EQ(graph->log_level, "warn");
  EXPECT_TRUE(graph->warnings.empty());
}

TEST(Graph, NamesTheNearestWhenSomethingIsNotConfigured) {
  const std::string text(kGraph);
  EXPECT_EQ(graph_error(text, "receivers: [otlp/one]", "receivers: [otlp/on]"),
            "s.yaml:14: service::pipelines::traces/a::receivers: \"otlp/on\" is not configured "
            "under receivers; did you mean \"otlp/one\"?");
  EXPECT_EQ(graph_error(text, "    traces/a:", "    trace/a:"),
            "s.yaml:13: service::pipelines::trace/a: unknown signal \"trace\"; did you mean "
            "\"traces\"?");
  EXPECT_EQ(graph_error(text, "\nexporters:", "\nexporter:"),
            "s.yaml:6: unknown key \"exporter\"; did you mean \"exporters\"?");
  EXPECT_EQ(graph_error(text, "receivers: [spanmetrics]", "receivers: []"),
            "s.yaml:17: service::pipelines::metrics: has no receiver; at least one is needed");
}

TEST(Graph, WarnsOfWhatNothingUses) {
  std::string text(kGraph);
  text.replace(text.find("processors: [batch]"), 19, "processors: []");
  auto graph = build_graph(yaml(text));
  ASSERT_TRUE(graph);
  ASSERT_EQ(graph->warnings.size(), 1u);
  EXPECT_EQ(graph->warnings[0], "s.yaml:5: processors::batch is configured and used by nothing");
}

}  // namespace
}  // namespace sonde::config
