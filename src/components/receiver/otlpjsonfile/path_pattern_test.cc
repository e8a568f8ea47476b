// SPDX-License-Identifier: Apache-2.0
#include "components/receiver/otlpjsonfile/path_pattern.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "base/testing/temporary_directory.h"
#include "components/receiver/otlpjsonfile/file_finder.h"
#include "components/receiver/otlpjsonfile/path_time.h"
#include "config/yaml.h"

namespace sonde::otlpjsonfile {
namespace {

namespace fs = std::filesystem;

bool matches(std::string_view pattern, std::string_view path) {
  const auto parsed = PathPattern::parse(pattern);
  EXPECT_TRUE(parsed) << parsed.error().message;
  return parsed && parsed->matches(path);
}

// The answers are those of doublestar, which the Collector asks.
TEST(PathPattern, MatchesAsTheCollectorDoes) {
  EXPECT_TRUE(matches("/a/*.json", "/a/b.json"));
  EXPECT_FALSE(matches("/a/*.json", "/a/b/c.json"));
  EXPECT_TRUE(matches("/a/**/*.json", "/a/b/c/d.json"));
  EXPECT_TRUE(matches("/a/**/*.json", "/a/d.json"));
  EXPECT_TRUE(matches("/a/**/x/**/y", "/a/b/x/x/c/y"));
  EXPECT_FALSE(matches("/a/**/x/y", "/a/b/y"));
  EXPECT_TRUE(matches("/a/**", "/a/b/c"));
  EXPECT_TRUE(matches("/a**b", "/axxb"));
  EXPECT_FALSE(matches("/a**b", "/ax/b"));
  EXPECT_TRUE(matches("/a/?.json", "/a/\u00e4.json"));
  // Latin-1 is no UTF-8: each byte is a character.
  EXPECT_TRUE(matches("/a/?sse", "/a/\xe4sse"));
  EXPECT_TRUE(matches("/a/[\xe4]", "/a/\xe4"));
  EXPECT_TRUE(matches("/a/[b-d]", "/a/c"));
  EXPECT_FALSE(matches("/a/[^b-d]", "/a/c"));
  EXPECT_TRUE(matches("/a/[!b-d]", "/a/x"));
  EXPECT_TRUE(matches("/a/[\u00e0-\u00ff]", "/a/\u00e4"));
  EXPECT_TRUE(matches("/a/[x\\]y]", "/a/]"));
  EXPECT_TRUE(matches("/{a,b{c,d}}/x", "/bd/x"));
  EXPECT_FALSE(matches("/{a,b{c,d}}/x", "/b/x"));
  EXPECT_TRUE(matches("/\\{a\\*", "/{a*"));
  EXPECT_FALSE(matches("/\\{a\\*", "/{ab"));
  EXPECT_TRUE(matches("*a*b*c", "xaxbxbxc"));
  EXPECT_FALSE(matches("*a*b*c", "xaxbxb"));
}

TEST(PathPattern, SaysWhatIsWrongWithAPattern) {
  const auto wrong = [](std::string_view pattern) {
    const auto parsed = PathPattern::parse(pattern);
    return parsed ? "" : parsed.error().message;
  };
  EXPECT_EQ(wrong("/tmp/a[.json"), "\"/tmp/a[.json\" is no pattern: a [ has no ]");
  EXPECT_NE(wrong("/tmp/[]"), "");
  EXPECT_NE(wrong("/tmp/[^]"), "");
  EXPECT_NE(wrong("/tmp/{a"), "");
  EXPECT_NE(wrong("/tmp/a}"), "");
  EXPECT_NE(wrong("/tmp/a\\"), "");
  EXPECT_EQ(wrong("/tmp/[a]}{[}]"), "\"/tmp/[a]}{[}]\" is no pattern: a } has no {");
  EXPECT_EQ(wrong("/tmp/a]"), "");
}

TEST(PathPattern, BoundsWhatItsBracesStandFor) {
  const std::string ten = "{0,1,2,3,4,5,6,7,8,9}";
  EXPECT_TRUE(PathPattern::parse(ten + ten + ten));
  EXPECT_FALSE(PathPattern::parse(ten + ten + ten + "{a,b}"));
  EXPECT_FALSE(PathPattern::parse(ten + ten + ten + ten + ten + ten + ten + ten + ten + ten));
}

TEST(PathPattern, FindsFilesAndGoesInNoCircle) {
  const TemporaryDirectory folder;
  const fs::path& root = folder.path();
  fs::create_directories(root / "a" / "b");
  for (const char* name : {"x.json", "a/y.json", "a/b/z.json", "a/b/z.txt", "a/.h.json"})
    std::ofstream(root / name) << "x";
  fs::create_directory_symlink(root, root / "a" / "round");
  const auto found = [&](const std::string& pattern) {
    std::set<std::string> out;
    EXPECT_TRUE(PathPattern::parse(root.string() + pattern)->find(out));
    std::string text;
    for (const std::string& path : out) text += path.substr(root.string().size()) + " ";
    return text;
  };
  EXPECT_EQ(found("/*.json"), "/x.json ");
  EXPECT_EQ(found("/x.json"), "/x.json ");
  EXPECT_EQ(found("/**/*.json"), "/a/.h.json /a/b/z.json /a/y.json /x.json ");
  EXPECT_EQ(found("/a/{b,c}/z.*"), "/a/b/z.json /a/b/z.txt ");
  EXPECT_EQ(found("/a"), "");
  EXPECT_EQ(found("/nothing/*"), "");
}

class Finder : public testing::Test {
 protected:
  std::string found(const std::string& pattern, const std::string& more) {
    Settings settings;
    const config::Value value = *config::parse_yaml(
        "{include: ['" + (folder.path() / pattern).string() + "'], " + more + "}", "test.yaml");
    const auto decoded = config::decode(value, settings_fields(), &settings, "x");
    if (!decoded) return decoded.error().message;
    auto finder = FileFinder::make(settings);
    if (!finder) return finder.error().message;
    std::string text;
    for (const std::string& path : finder->find(now_ns, "r"))
      text += fs::path(path).filename().string() + " ";
    return text;
  }
  void write(const std::string& name) { std::ofstream(folder.path() / name) << "x"; }

  TemporaryDirectory folder;
  int64_t now_ns = 1'700'000'000'000'000'000;
};

TEST_F(Finder, ReadsOnlyTheFirstOfAnOrder) {
  for (const char* name : {"err.2.log", "err.10.log", "err.x.log", "out.3.log", "other"})
    write(name);
  const std::string regex = R"(regex: '(?P<what>err|out)\.(?P<n>\w+)\.log')";
  EXPECT_EQ(found("*", "ordering_criteria: {" + regex +
                           ", sort_by: [{sort_type: numeric, regex_key: n}]}"),
            "err.10.log ");
  EXPECT_EQ(found("*", "ordering_criteria: {" + regex +
                           ", top_n: 2, sort_by: [{sort_type: numeric, regex_key: n, ascending: "
                           "true}]}"),
            "err.2.log out.3.log ");
  EXPECT_EQ(found("*", "ordering_criteria: {" + regex +
                           ", top_n: 9, sort_by: [{sort_type: numeric, regex_key: n, ascending: "
                           "true}, {sort_type: alphabetical, regex_key: what}]}"),
            "out.3.log err.2.log err.10.log ");
  EXPECT_EQ(found("*", "ordering_criteria: {group_by: '/(err|out)[^/]*$', " + regex +
                           ", sort_by: [{sort_type: numeric, regex_key: n}]}"),
            "err.10.log out.3.log ");
  // Without sort_by there is no order, and so no first.
  EXPECT_EQ(found("*.log", "ordering_criteria: {group_by: '(err)', top_n: 1}"),
            "err.10.log err.2.log err.x.log out.3.log ");
}

TEST_F(Finder, OrdersByTimesInNames) {
  for (const char* name :
       {"a-2023-11-02T09.log", "a-2023-11-10T01.log", "a-2023-11-02T10.log", "a-2023-13-02T10.log"})
    write(name);
  EXPECT_EQ(found("*",
                  "ordering_criteria: {regex: 'a-(?P<t>.*)\\.log', top_n: 2, sort_by: "
                  "[{sort_type: timestamp, regex_key: t, layout: '%FT%H', location: "
                  "Europe/Berlin}]}"),
            "a-2023-11-10T01.log a-2023-11-02T10.log ");
}

TEST_F(Finder, SaysWhatIsWrongWithAnOrder) {
  const auto wrong = [&](const std::string& order) {
    return found("*", "ordering_criteria: {" + order + "}");
  };
  EXPECT_NE(wrong("sort_by: [{sort_type: numeric, regex_key: n}]").find("regex: say"),
            std::string::npos);
  EXPECT_NE(wrong("regex: '(?P<n>x)', sort_by: [{sort_type: numeric}]").find("regex_key"),
            std::string::npos);
  EXPECT_NE(
      wrong("regex: '(?P<n>x)', sort_by: [{sort_type: numeric, regex_key: m}]").find("no group"),
      std::string::npos);
  EXPECT_NE(
      wrong("regex: '(?P<n>x)', sort_by: [{sort_type: timestamp, regex_key: n}]").find("layout"),
      std::string::npos);
  EXPECT_NE(
      wrong("regex: '(?P<n>x)', sort_by: [{sort_type: timestamp, regex_key: n, layout: '%!'}]")
          .find("%!"),
      std::string::npos);
  EXPECT_NE(wrong("regex: '(?P<n>x', sort_by: [{sort_type: numeric, regex_key: n}]").find("regex"),
            std::string::npos);
}

TEST_F(Finder, LeavesOutWhatIsTooOld) {
  write("old");
  write("new");
  write("out");
  const auto at = [&](const char* name, int64_t seconds_ago) {
    const timespec time{now_ns / 1'000'000'000 - seconds_ago, 0};
    const timespec both[2] = {time, time};
    ASSERT_EQ(::utimensat(AT_FDCWD, (folder.path() / name).c_str(), both, 0), 0);
  };
  at("old", 3601);
  at("new", 3600);
  at("out", 0);
  const std::string exclude = "exclude: ['" + (folder.path() / "o{ut,x}").string() + "']";
  EXPECT_EQ(found("*", exclude + ", exclude_older_than: 1h"), "new ");
  EXPECT_EQ(found("*", exclude), "new old ");
}

TEST(PathTime, ReadsTheDirectivesOfTheCollector) {
  const auto read = [](std::string_view layout, std::string_view text) {
    return read_path_time(*spell_out_layout(layout), text);
  };
  constexpr int64_t kSecond = 1'000'000'000;
  EXPECT_EQ(read("%Y%m%d%H%M%S", "19700102000001"), 86401 * kSecond);
  EXPECT_EQ(read("%F %T.%L", "1970-01-01 00:00:01.250"), kSecond + kSecond / 4);
  EXPECT_EQ(read("%d %b %y %I%p", "2 Jan 70 1PM"), (86400 + 13 * 3600) * kSecond);
  EXPECT_EQ(read("%F%z", "1970-01-01+01:00"), -3600 * kSecond);
  EXPECT_EQ(read("%F%z", "1970-01-01-0130"), 5400 * kSecond);
  EXPECT_EQ(read("%FZ", "1970-01-01Z"), 0);
  EXPECT_EQ(read("%F", "1970-01-01x"), std::nullopt);
  EXPECT_EQ(read("%F", "1970-1"), std::nullopt);
  EXPECT_EQ(read("%H%%", "24%"), std::nullopt);
  // As far back as 64 bits of nanoseconds go.
  EXPECT_EQ(read("%F %T", "1677-09-21 00:12:44"), -9'223'372'036 * kSecond);
  EXPECT_EQ(read("%F %T", "1677-09-21 00:12:43"), std::nullopt);
  EXPECT_EQ(read("%F %T%z", "1677-09-21 00:12:44+00:01"), std::nullopt);
  EXPECT_EQ(read("%Y", "0000"), std::nullopt);
  EXPECT_FALSE(spell_out_layout("%Y-%"));
}

}  // namespace
}  // namespace sonde::otlpjsonfile
