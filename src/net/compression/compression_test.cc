// SPDX-License-Identifier: Apache-2.0
#include "net/compression/compression.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "base/buffer.h"

namespace sonde::net {
namespace {

using namespace std::string_view_literals;

constexpr size_t kLimit = 1 << 20;
constexpr Encoding kAll[] = {Encoding::Identity, Encoding::Gzip,   Encoding::Zlib,
                             Encoding::Zstd,     Encoding::Snappy, Encoding::SnappyFramed,
                             Encoding::Lz4};

std::string from_hex(std::string_view hex) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string out;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    out += static_cast<char>(digit(hex[i]) << 4 | digit(hex[i + 1]));
  }
  return out;
}

// What other libraries made of the text below: Python's gzip and zlib, and cramjam 2.
struct Foreign {
  Encoding encoding;
  std::string_view hex;
};
// clang-format off
constexpr Foreign kForeign[] = {
    {Encoding::Gzip,
     "1f8b08000000000000032bcecf4b495548ce2fcd2b2956482d4b2daa54282e48ccb352281e5a120c"
     "8c4ccc2cac6cec1c9c5cdc3cbc7cfc028242c222a262e2129252d232b272f20038d9c2a0e8000000"
    },
    {Encoding::Gzip,
     "1f8b08000000000002032bcecf4b495548ce2fcd2b2956482d4b2daa54282e48ccb35228a69e0400"
     "8d5ac652640000001f8b08000000000004032bcecf4b495548ce2fcd2b2956482d4b2daa54282e48"
     "ccb35228a69e04032313330b2b1b3b072717370f2f1fbf80a090b088a898b884a494b48cac9c3c00"
     "9f51490584000000"
    },
    {Encoding::Zlib,
     "789c2bcecf4b495548ce2fcd2b2956482d4b2daa54282e48ccb352281e5a120c8c4ccc2cac6cec1c"
     "9c5cdc3cbc7cfc028242c222a262e2129252d232b272f200c0f24c51"
    },
    {Encoding::Zstd,
     "28b52ffd20e80d02009403736f6e646520636f756e7473206576657279207370616e3a2000010203"
     "0405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f0100b1989a63"
    },
    {Encoding::Snappy,
     "e80160736f6e646520636f756e7473206576657279207370616e3a20fe1900fe1900ba19007c0001"
     "02030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
    },
    {Encoding::SnappyFramed,
     "ff060000734e61507059004a0000cb7c0a51e80160736f6e646520636f756e747320657665727920"
     "7370616e3a20fe1900fe1900ba19007c000102030405060708090a0b0c0d0e0f1011121314151617"
     "18191a1b1c1d1e1f"
    },
    {Encoding::Lz4,
     "04224d185440ae40000000ff0a736f6e646520636f756e7473206576657279207370616e3a201900"
     "9cf011000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f5deb39b000"
     "00000031060d9f"
    },
};
// clang-format on

std::string foreign_text() {
  std::string text;
  for (int i = 0; i < 8; ++i) text += "sonde counts every span: ";
  for (int i = 0; i < 32; ++i) text += static_cast<char>(i);
  return text;
}

// Compressible, larger than a chunk of any format, and different in every run of 64 bytes.
std::string body(size_t size) {
  std::mt19937 random(7);
  std::string text;
  while (text.size() < size) {
    text += "service.name=checkout http.request.method=GET id=";
    for (int i = 0; i < 8; ++i) text += static_cast<char>(random());
  }
  text.resize(size);
  return text;
}

std::string noise(size_t size) {
  std::mt19937 random(11);
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

std::vector<Bytes> in_parts(std::string_view text, size_t count) {
  std::vector<Bytes> parts;
  for (size_t i = 0; i < count; ++i) {
    const size_t from = text.size() * i / count;
    parts.push_back(Bytes::copy(text.substr(from, text.size() * (i + 1) / count - from)));
  }
  return parts;
}

TEST(Compression, ReadsWhatOtherLibrariesWrote) {
  for (const Foreign& foreign : kForeign) {
    const auto plain = decompress(foreign.encoding, from_hex(foreign.hex), 240);
    ASSERT_TRUE(plain) << name_of(foreign.encoding) << plain.error().message;
    EXPECT_EQ(plain->view(), foreign_text()) << name_of(foreign.encoding);
  }
}

TEST(Compression, GivesBackWhatItTookWhateverItsPartsAndSize) {
  for (const Encoding encoding : kAll) {
    for (const size_t size : {0, 1, 100, 65535, 65536, 65537, 700'000}) {
      for (const std::string& text : {body(size), noise(size), std::string(size, 'a')}) {
        for (const size_t parts : {1, 3}) {
          const auto packed = compress(encoding, in_parts(text, parts));
          ASSERT_TRUE(packed) << name_of(encoding) << packed.error().message;
          const auto plain = decompress(encoding, packed->view(), text.size());
          ASSERT_TRUE(plain) << name_of(encoding) << size << plain.error().message;
          EXPECT_TRUE(plain->view() == text) << name_of(encoding) << size;
        }
      }
    }
    const auto nothing = compress(encoding, {});
    ASSERT_TRUE(nothing);
    EXPECT_TRUE(decompress(encoding, nothing->view(), 0)) << name_of(encoding);
  }
}

TEST(Compression, HasTheLevelsOfTheCollector) {
  const std::string text = body(200'000);
  for (const Encoding encoding : {Encoding::Gzip, Encoding::Zlib}) {
    for (const int level : {-2, -1, 0, 1, 6, 9}) {
      const auto packed = compress(encoding, in_parts(text, 2), level);
      ASSERT_TRUE(packed);
      EXPECT_LT(packed->size(), text.size());
      const auto plain = decompress(encoding, packed->view(), text.size());
      ASSERT_TRUE(plain) << level << plain.error().message;
      EXPECT_TRUE(plain->view() == text);
    }
    EXPECT_FALSE(check_level(encoding, 10));
    EXPECT_FALSE(check_level(encoding, -3));
  }
  std::mt19937 random(3);
  std::string words;
  while (words.size() < 200'000) words += "id=" + std::to_string(random() % 1000) + " GET /items\n";
  const std::vector<Bytes> parts = in_parts(words, 1);
  EXPECT_LT(compress(Encoding::Gzip, parts, 9)->size(), compress(Encoding::Gzip, parts, 1)->size());
  EXPECT_LT(compress(Encoding::Zstd, parts, 19)->size(),
            compress(Encoding::Zstd, parts, 1)->size());
  EXPECT_EQ(compress(Encoding::Zstd, parts, 1000)->size(),
            compress(Encoding::Zstd, parts, 22)->size());
  EXPECT_EQ(compress(Encoding::Zstd, parts, -5)->size(),
            compress(Encoding::Zstd, parts, 1)->size());
  EXPECT_TRUE(check_level(Encoding::Identity, 5));
  const auto refused = check_level(Encoding::Snappy, 1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "snappy has no levels");
}

// 64 MiB of zeros in a few kilobytes: refused by the limit, and no such memory is ever taken.
TEST(Compression, RefusesABombBeforeItsMemoryIsTaken) {
  const std::string zeros(64 << 20, '\0');
  for (const Encoding encoding : kAll) {
    if (encoding == Encoding::Identity) continue;
    const auto bomb = compress(encoding, in_parts(zeros, 64));
    ASSERT_TRUE(bomb);
    ASSERT_LT(bomb->size(), size_t{8} << 20);
    const size_t before = buffer_use().used;
    const auto plain = decompress(encoding, bomb->view(), kLimit);
    ASSERT_FALSE(plain) << name_of(encoding);
    EXPECT_EQ(plain.error().kind, ErrorKind::Exhausted) << plain.error().message;
    EXPECT_NE(plain.error().message.find("over the limit of 1048576 bytes"), std::string::npos)
        << plain.error().message;
    EXPECT_EQ(buffer_use().used, before);
  }
}

TEST(Compression, HoldsTheLimitToTheByte) {
  const std::string text = body(100'000);
  for (const Encoding encoding : kAll) {
    const auto packed = compress(encoding, in_parts(text, 1));
    EXPECT_TRUE(decompress(encoding, packed->view(), text.size())) << name_of(encoding);
    const auto over = decompress(encoding, packed->view(), text.size() - 1);
    ASSERT_FALSE(over) << name_of(encoding);
    EXPECT_EQ(over.error().kind, ErrorKind::Exhausted) << over.error().message;
  }
}

TEST(Compression, RefusesWhatIsCutShortOrDamaged) {
  for (const Foreign& foreign : kForeign) {
    const std::string whole = from_hex(foreign.hex);
    for (size_t size = 0; size < whole.size(); ++size) {
      const auto plain = decompress(foreign.encoding, std::string_view(whole).substr(0, size), 240);
      // What ends between two chunks or members is whole as far as it goes.
      if (plain) EXPECT_LT(plain->size(), foreign_text().size()) << name_of(foreign.encoding);
      if (!plain) EXPECT_EQ(plain.error().kind, ErrorKind::Invalid) << plain.error().message;
    }
  }
  // Formats with a checksum notice any change of the text.
  for (const Encoding encoding :
       {Encoding::Gzip, Encoding::Zlib, Encoding::SnappyFramed, Encoding::Lz4}) {
    std::string packed(compress(encoding, in_parts(noise(1000), 1))->view());
    packed[packed.size() / 2] ^= 1;
    EXPECT_FALSE(decompress(encoding, packed, kLimit)) << name_of(encoding);
  }
}

TEST(Compression, TakesFramedSnappyUnderEitherName) {
  const auto framed = compress(Encoding::SnappyFramed, in_parts(body(100'000), 1));
  EXPECT_TRUE(decompress(Encoding::Snappy, framed->view(), kLimit)->view() == body(100'000));
  const auto block = compress(Encoding::Snappy, in_parts("abc", 1));
  EXPECT_FALSE(decompress(Encoding::SnappyFramed, block->view(), kLimit));
  // A tiny block that claims much: no memory for it.
  EXPECT_EQ(decompress(Encoding::Snappy, "\xff\xff\x3f\x00"sv, kLimit).error().kind,
            ErrorKind::Invalid);
}

TEST(Compression, KnowsTheNamesOfEachCarrier) {
  EXPECT_EQ(encoding_named("gzip", Carrier::Grpc), Encoding::Gzip);
  EXPECT_EQ(encoding_named("GZIP", Carrier::Http), Encoding::Gzip);
  EXPECT_EQ(encoding_named("deflate", Carrier::Http), Encoding::Zlib);
  EXPECT_EQ(encoding_named("snappy", Carrier::Http), Encoding::Snappy);
  EXPECT_EQ(encoding_named("snappy", Carrier::Grpc), Encoding::SnappyFramed);
  EXPECT_EQ(encoding_named("x-snappy-framed", Carrier::Http), Encoding::SnappyFramed);
  EXPECT_EQ(encoding_named("", Carrier::Http), Encoding::Identity);
  EXPECT_EQ(encoding_named("br", Carrier::Http), std::nullopt);
  for (const Encoding encoding : kAll) {
    EXPECT_EQ(encoding_named(name_of(encoding), Carrier::Http), encoding);
  }
}

}  // namespace
}  // namespace sonde::net
