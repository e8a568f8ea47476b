// SPDX-License-Identifier: Apache-2.0
#include "components/exporter/file/file_end.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string>
#include <string_view>

namespace sonde::file_exporter {
namespace {

using Kind = FileEnd::Kind;

// How each line of ours begins.
constexpr std::string_view kOurs = R"({"resource)";
// Four letters are a larger number than this, and no batch is as large.
constexpr uint64_t kMostPlausible = uint64_t{512} << 20;
constexpr size_t kPiece = 64 << 10;

bool read_at(int fd, uint64_t at, char* out, size_t size) {
  while (size > 0) {
    const ssize_t got = ::pread(fd, out, size, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    out += got;
    at += static_cast<uint64_t>(got);
    size -= static_cast<size_t>(got);
  }
  return true;
}

FileEnd end_of_lengths(int fd, uint64_t size) {
  const FileEnd as_it_is{.whole = size};
  uint64_t at = 0;
  uint64_t length = 0;
  while (size - at >= 4) {
    std::array<char, 4> bytes{};
    if (!read_at(fd, at, bytes.data(), 4)) return as_it_is;
    length = 0;
    for (const char byte : bytes) length = length << 8 | static_cast<uint8_t>(byte);
    if (length > size - at - 4) break;
    at += 4 + length;
  }
  if (at == size) return as_it_is;
  if (at == 0) return {Kind::Foreign, 0};
  if (size - at > 4) {
    // Messages of a format begin alike.
    char first = 0;
    char last = 0;
    if (!read_at(fd, 4, &first, 1) || !read_at(fd, at + 4, &last, 1)) return as_it_is;
    if (length > kMostPlausible || first != last) return {Kind::Foreign, at};
  }
  return {Kind::Torn, at};
}

// Where the last line that has its end ends.
std::optional<uint64_t> last_newline(int fd, uint64_t size) {
  std::string piece(std::min<uint64_t>(size, kPiece), '\0');
  for (uint64_t end = size; end > 0;) {
    const size_t part = std::min<uint64_t>(end, piece.size());
    if (!read_at(fd, end - part, piece.data(), part)) return std::nullopt;
    const size_t newline = std::string_view(piece).substr(0, part).rfind('\n');
    if (newline != std::string_view::npos) return end - part + newline + 1;
    end -= part;
  }
  return 0;
}

// Whether the JSON object that begins here is closed before the end.
std::optional<bool> closes(int fd, uint64_t at, uint64_t size) {
  std::string piece(std::min<uint64_t>(size - at, kPiece), '\0');
  uint64_t depth = 0;
  bool quoted = false;
  bool escaped = false;
  while (at < size) {
    const size_t part = std::min<uint64_t>(size - at, piece.size());
    if (!read_at(fd, at, piece.data(), part)) return std::nullopt;
    for (const char c : std::string_view(piece).substr(0, part)) {
      if (quoted) {
        quoted = escaped || c != '"';
        escaped = !escaped && c == '\\';
      } else if (c == '"') {
        quoted = true;
      } else if (c == '{' || c == '[') {
        ++depth;
      } else if ((c == '}' || c == ']') && --depth == 0) {
        return true;
      }
    }
    at += part;
  }
  return false;
}

FileEnd end_of_lines(int fd, uint64_t size) {
  const FileEnd as_it_is{.whole = size};
  // A length before a message begins with a zero, unless the message is larger than 16 MiB.
  std::array<char, kOurs.size()> head{};
  const size_t known = std::min<uint64_t>(size, head.size());
  if (!read_at(fd, 0, head.data(), known)) return as_it_is;
  if (head[0] == '\0') return {Kind::Foreign, 0};
  const auto end = last_newline(fd, size);
  if (!end || *end == size) return as_it_is;
  if (*end == 0 || std::string_view(head.data(), known) != kOurs) return {Kind::Unended, *end};
  std::array<char, kOurs.size()> tail{};
  const size_t left = std::min<uint64_t>(size - *end, tail.size());
  if (!read_at(fd, *end, tail.data(), left)) return as_it_is;
  if (!kOurs.starts_with(std::string_view(tail.data(), left))) return {Kind::Unended, *end};
  const auto closed = closes(fd, *end, size);
  if (!closed) return as_it_is;
  return {*closed ? Kind::Unended : Kind::Torn, *end};
}

}  // namespace

FileEnd find_end(int fd, uint64_t size, Framing framing) {
  if (size == 0) return {};
  return framing == Framing::Lengths ? end_of_lengths(fd, size) : end_of_lines(fd, size);
}

}  // namespace sonde::file_exporter
