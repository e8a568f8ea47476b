// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <chrono>
#include <ctime>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "base/testing/sanitizer.h"
#include "components/extension/pprof/profile.h"
#include "data/wire.h"

namespace sonde::pprof {
namespace {

int64_t cpu_ns() {
  timespec spent{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
  return spent.tv_sec * 1'000'000'000 + spent.tv_nsec;
}

// Until it has had so much CPU time, on however busy a machine. Not inlined, and with a loop that
// no optimiser takes away: so that it is found by name.
[[gnu::noinline]] uint64_t burn_for_the_profile(Duration cpu) {
  const int64_t until = cpu_ns() + cpu.count();
  volatile uint64_t value = 1;
  while (cpu_ns() < until) {
    for (int i = 0; i < 10'000; ++i) value = value * 2862933555777941757ULL + 3037000493ULL;
  }
  return value;
}

std::string own_maps() {
  std::ifstream in("/proc/self/maps");
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

TEST(Pprof, ReadsWhatMayRunFromTheMaps) {
  const auto maps = parse_maps(
      "7f00-7f10 r--p 00000000 08:01 5 /lib/x.so\n"
      "7f10-8000 r-xp 00001000 08:01 5                    /lib/with space.so\n"
      "ffff0000-ffff1000 r-xp 00000000 00:00 0 [vdso]\n"
      "nonsense\n9000-9001 r-xp 0 0:0 0");
  ASSERT_EQ(maps.size(), 3u);
  EXPECT_EQ(maps[0].start, 0x7f10u);
  EXPECT_EQ(maps[0].limit, 0x8000u);
  EXPECT_EQ(maps[0].offset, 0x1000u);
  EXPECT_EQ(maps[0].file, "/lib/with space.so");
  EXPECT_EQ(maps[1].file, "[vdso]");
  EXPECT_EQ(maps[2].file, "");
}

TEST(Pprof, NamesAFunctionOfThisProgram) {
  const auto address = reinterpret_cast<uint64_t>(&burn_for_the_profile);
  std::string name;
  for (const Mapping& m : parse_maps(own_maps())) {
    if (address < m.start || address >= m.limit) continue;
    const SymbolTable table = SymbolTable::read(m.file);
    EXPECT_FALSE(table.build_id().empty());
    name = demangle(table.name_at(address - m.start + m.offset));
  }
  EXPECT_NE(name.find("burn_for_the_profile"), std::string::npos) << name;
}

TEST(Pprof, TakesADamagedFileForOneWithoutSymbols) {
  std::ifstream in("/proc/self/exe", std::ios::binary);
  std::string head(4096, '\0');
  in.read(head.data(), static_cast<std::streamsize>(head.size()));
  for (size_t size = 0; size < head.size(); size += 7) {
    EXPECT_EQ(SymbolTable::parse(head.substr(0, size)).size(), 0u);
  }
  EXPECT_EQ(SymbolTable::parse("no ELF").name_at(5), "");
  EXPECT_EQ(SymbolTable::read("/nowhere").size(), 0u);
}

TEST(Pprof, FindsWhereTheTimeGoesAndWhoCalled) {
  auto sampler = Sampler::start(1 << 16);
  ASSERT_TRUE(sampler) << sampler.error().message;
  const auto second = Sampler::start(1 << 16);
  ASSERT_FALSE(second) << "one at a time";
  EXPECT_EQ(second.error().kind, ErrorKind::Exhausted);
  burn_for_the_profile(std::chrono::milliseconds(500));
  Samples samples = (*sampler)->stop();
  // On a busy machine the kernel may see none of it: it looks at its own ticks who runs.
  for (int again = 0; again < 20 && samples.words.empty(); ++again) {
    sampler = Sampler::start(1 << 16);
    ASSERT_TRUE(sampler) << sampler.error().message;
    burn_for_the_profile(std::chrono::milliseconds(500));
    samples = (*sampler)->stop();
  }
  ASSERT_FALSE(samples.words.empty());

  const auto maps = parse_maps(own_maps());
  const std::string body = encode_profile(
      samples, maps, [](const std::string& f) { return SymbolTable::read(f); }, 1,
      std::chrono::milliseconds(500));
  std::vector<std::string> texts;
  std::map<uint64_t, uint64_t> name_of_function, function_of_location;
  std::vector<std::vector<uint64_t>> stacks;
  std::vector<uint64_t> counts;
  proto::Reader reader(body);
  proto::Field field;
  while (reader.next(field)) {
    if (field.number == 6) texts.emplace_back(field.bytes);
    if (field.type != proto::Type::Bytes || field.number == 6) continue;
    proto::Reader inner(field.bytes);
    proto::Field f;
    std::map<uint32_t, std::vector<uint64_t>> numbers;
    std::string_view line;
    while (inner.next(f)) {
      if (f.type == proto::Type::Varint) numbers[f.number].push_back(f.value);
      if (field.number == 4 && f.number == 4) line = f.bytes;
    }
    EXPECT_TRUE(inner.ok());
    if (field.number == 5) name_of_function[numbers[1][0]] = numbers[2][0];
    if (field.number == 2) {
      stacks.push_back(numbers[1]);
      ASSERT_EQ(numbers[2].size(), 2u);
      counts.push_back(numbers[2][0]);
    }
    if (field.number == 4 && !line.empty()) {
      proto::Reader of_line(line);
      ASSERT_TRUE(of_line.next(f));
      function_of_location[numbers[1][0]] = f.value;
    }
  }
  EXPECT_TRUE(reader.ok());
  const auto name = [&](uint64_t location) {
    const auto function = function_of_location.find(location);
    return function == function_of_location.end() ? std::string()
                                                  : texts.at(name_of_function.at(function->second));
  };
  uint64_t all = 0, inside = 0, with_caller = 0;
  for (size_t i = 0; i < stacks.size(); ++i) {
    all += counts[i];
    bool burns = false, called = false;
    for (const uint64_t location : stacks[i]) {
      const std::string n = name(location);
      burns |= n.find("burn_for_the_profile") != std::string::npos;
      called |= burns && n.find("TestBody") != std::string::npos;
    }
    inside += burns ? counts[i] : 0;
    with_caller += called ? counts[i] : 0;
  }
  EXPECT_LE(all, 60u);
  // The thread sanitizer hands signals on at places of its own.
  if (testing::kThreadSanitizer) return;
  EXPECT_GE(inside * 10, all * 8) << inside << " of " << all;
  EXPECT_GE(with_caller * 10, all * 7) << with_caller << " of " << all;
}

TEST(Pprof, CountsWhatFindsNoRoom) {
  auto sampler = Sampler::start(70);  // One stack, or a few short ones.
  ASSERT_TRUE(sampler) << sampler.error().message;
  burn_for_the_profile(std::chrono::milliseconds(400));
  const Samples samples = (*sampler)->stop();
  EXPECT_LE(samples.words.size(), 70u);
  EXPECT_GT(samples.lost, 0u);
  EXPECT_TRUE(Sampler::start(70)) << "the next may begin";
}

TEST(Pprof, JoinsEqualStacks) {
  Samples samples;
  samples.words = {2, 0x10, 0x20, 1, 0x10, 2, 0x10, 0x20};
  samples.lost = 3;
  const std::string body = encode_profile(
      samples, {}, [](const std::string&) { return SymbolTable(); }, 1, std::chrono::seconds(1));
  proto::Reader reader(body);
  proto::Field field;
  size_t stacks = 0, locations = 0;
  while (reader.next(field)) {
    stacks += field.number == 2;
    locations += field.number == 4;
  }
  EXPECT_EQ(stacks, 2u);
  EXPECT_EQ(locations, 2u);
  EXPECT_NE(body.find("3 samples found no room"), std::string::npos);
}

}  // namespace
}  // namespace sonde::pprof
