// SPDX-License-Identifier: Apache-2.0
#include "data/message_edit.h"

#include <gtest/gtest.h>

#include "data/otlp_fields.h"

namespace sonde {
namespace {

constexpr uint32_t kField = otlp::resource::kAttributes;

std::string message_of(std::initializer_list<std::pair<std::string, std::string>> attributes) {
  std::string out;
  proto::Writer writer(out);
  for (const auto& [key, text] : attributes) {
    writer.nested(kField, [&] {
      writer.bytes(otlp::key_value::kKey, key);
      writer.nested(otlp::key_value::kValue, [&] { writer.bytes(otlp::any_value::kString, text); });
    });
  }
  return out;
}

std::string encoded(const MessageEdit& edit) {
  std::string out(edit.encoded_size(), 0);
  EXPECT_EQ(edit.encode(out.data()), out.data() + out.size());
  return out;
}

std::vector<std::pair<std::string, std::string>> pairs_of(std::string_view message) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const KeyValueView& pair : AttributesView(message, kField))
    out.emplace_back(pair.key, pair.value.to_string());
  return out;
}

TEST(MessageEdit, ReplacesValuesWhereTheyStand) {
  const std::string big(1000, 'b');
  const std::string body =
      message_of({{"a", "1"}, {"keep", "2"}, {"b", "3"}, {"a", "4"}, {"gone", "5"}, {"c", "6"}});
  MessageEdit attributes;
  attributes.open(body, kField);
  attributes.set("appended", "x");
  attributes.set("c", "changed before");
  attributes.erase("gone");
  const uint64_t version = attributes.version();
  EXPECT_EQ(attributes.replace_values([](const KeyValueView&) { return std::nullopt; }), 0U);
  EXPECT_EQ(attributes.version(), version);
  int number = 0;
  std::string text;
  const auto visit = [&](const KeyValueView& pair) -> std::optional<AttributeValue> {
    ++number;
    if (pair.key == "keep") return std::nullopt;
    if (pair.key == "b") return int64_t{7};
    // Longer than what was reserved: the views of the pair must live on while it is written.
    text = std::string(pair.value.as_string()) + std::to_string(number) + big;
    return text;
  };
  EXPECT_EQ(attributes.replace_values(visit), 5U);
  EXPECT_EQ(number, 6);
  EXPECT_EQ(attributes.get("c")->as_string(), "changed before5" + big);
  const std::vector<std::pair<std::string, std::string>> wanted = {{"a", "11" + big},
                                                                   {"keep", "2"},
                                                                   {"b", "7"},
                                                                   {"a", "44" + big},
                                                                   {"c", "changed before5" + big},
                                                                   {"appended", "x6" + big}};
  EXPECT_EQ(pairs_of(encoded(attributes)), wanted);
}

// Replacing the values of many attributes one key at a time looks at all of them for each.
TEST(MessageEdit, ReplacesManyValuesAskingOnceForEach) {
  constexpr size_t kMany = 40'000;
  std::string body;
  for (size_t i = 0; i < kMany; ++i) body += message_of({{"k" + std::to_string(i), "secret"}});
  MessageEdit attributes;
  attributes.open(body, kField);
  const uint64_t version = attributes.version();
  size_t asked = 0;
  attributes.replace_values([&](const KeyValueView&) -> std::optional<AttributeValue> {
    ++asked;
    return "*";
  });
  EXPECT_EQ(asked, kMany);
  EXPECT_EQ(attributes.version(), version + 1);
  const auto pairs = pairs_of(encoded(attributes));
  ASSERT_EQ(pairs.size(), kMany);
  for (size_t i = 0; i < kMany; ++i)
    ASSERT_EQ(pairs[i], std::pair("k" + std::to_string(i), std::string("*")));
}

}  // namespace
}  // namespace sonde
