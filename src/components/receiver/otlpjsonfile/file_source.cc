// SPDX-License-Identifier: Apache-2.0
#include "components/receiver/otlpjsonfile/file_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace sonde::otlpjsonfile {
namespace {

constexpr size_t kPiece = 64 << 10;
// Of one read(): what it inflates to come to an offset.
constexpr size_t kMostSkipped = 4 << 20;
constexpr int kGzipOnly = 16 + MAX_WBITS;

ssize_t read_at(int fd, char* out, size_t size, uint64_t offset) {
  ssize_t got = -1;
  do {
    got = ::pread(fd, out, size, static_cast<off_t>(offset));
  } while (got < 0 && errno == EINTR);
  return got;
}

}  // namespace

FileFacts FileFacts::of(const struct stat& status) {
  return {.key = {status.st_dev, status.st_ino},
          .size = static_cast<uint64_t>(status.st_size),
          .written_ns = status.st_mtim.tv_sec * int64_t{1'000'000'000} + status.st_mtim.tv_nsec,
          .regular = S_ISREG(status.st_mode),
          .named = status.st_nlink > 0};
}

struct FileSource::Inflater {
  ~Inflater() { end(); }
  bool begin() {
    stream = {};
    open = inflateInit2(&stream, kGzipOnly) == Z_OK;
    return open;
  }
  void end() {
    if (std::exchange(open, false)) inflateEnd(&stream);
  }
  void restart() {
    end();
    *this = Inflater();
  }
  Inflater() = default;
  Inflater(const Inflater&) = delete;
  Inflater& operator=(Inflater&& other) noexcept {
    open = other.open;
    input = other.input;
    output = other.output;
    kept = std::move(other.kept);
    fault = std::move(other.fault);
    return *this;
  }

  z_stream stream{};
  bool open = false;    // Within a member: between members nothing is kept.
  uint64_t input = 0;   // How far the file was read.
  uint64_t output = 0;  // How much came out of it.
  std::string kept;     // The last of that, from the offset that is to be kept.
  std::string fault;    // Why nothing more comes out.
};

Result<std::unique_ptr<FileSource>> FileSource::open(const std::string& path, Kind kind) {
  // A pipe that somebody put there must not stop us.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return fail(ErrorKind::Unavailable, fmt::format("{}: {}", path, std::strerror(errno)));
  std::unique_ptr<FileSource> out(new FileSource(fd));
  std::array<char, 2> head{};
  const bool gzip =
      kind == Kind::Gzip || (kind == Kind::Either && read_at(fd, head.data(), 2, 0) == 2 &&
                             head[0] == '\x1f' && head[1] == '\x8b');
  if (gzip) out->inflater_ = std::make_unique<Inflater>();
  return out;
}

FileSource::FileSource(int fd) : fd_(fd) {}
FileSource::~FileSource() { ::close(fd_); }

Result<FileFacts> FileSource::facts() const {
  struct stat status{};
  if (::fstat(fd_, &status) != 0) return fail(ErrorKind::Unavailable, std::strerror(errno));
  return FileFacts::of(status);
}

Result<FileSource::Got> FileSource::read(uint64_t offset, size_t most, uint64_t keep_from,
                                         std::string& out) {
  if (inflater_) return inflate(offset, most, std::min(keep_from, offset), out);
  const size_t before = out.size();
  out.resize(before + most);
  const ssize_t got = read_at(fd_, out.data() + before, most, offset);
  out.resize(before + (got > 0 ? static_cast<size_t>(got) : 0));
  if (got < 0) return fail(ErrorKind::Unavailable, std::strerror(errno));
  return Got{static_cast<size_t>(got), got == 0};
}

Result<FileSource::Got> FileSource::inflate(uint64_t offset, size_t most, uint64_t keep_from,
                                            std::string& out) {
  Inflater& in = *inflater_;
  if (offset < in.output - in.kept.size()) in.restart();
  std::string piece(kPiece, '\0');
  size_t skipped = 0;
  bool end = false;
  while (in.output <= offset && !end && skipped < kMostSkipped && in.fault.empty()) {
    const ssize_t got = read_at(fd_, piece.data(), piece.size(), in.input);
    if (got < 0) return fail(ErrorKind::Unavailable, std::strerror(errno));
    if (got == 0) {
      end = true;
      break;
    }
    if (!in.open && !in.begin()) return fail(ErrorKind::Exhausted, "no memory to decompress");
    in.stream.next_in = reinterpret_cast<Bytef*>(piece.data());
    in.stream.avail_in = static_cast<uInt>(got);
    std::string plain(kPiece, '\0');
    in.stream.next_out = reinterpret_cast<Bytef*>(plain.data());
    in.stream.avail_out = static_cast<uInt>(plain.size());
    const int done = ::inflate(&in.stream, Z_NO_FLUSH);
    const size_t used = static_cast<size_t>(got) - in.stream.avail_in;
    plain.resize(plain.size() - in.stream.avail_out);
    in.input += used;
    in.output += plain.size();
    skipped += plain.size() + used;
    in.kept += plain;
    const uint64_t from = in.output - in.kept.size();
    if (keep_from > from) in.kept.erase(0, std::min<uint64_t>(keep_from - from, in.kept.size()));
    if (done == Z_STREAM_END) {
      in.end();
    } else if (done != Z_OK && done != Z_BUF_ERROR) {
      // What came out before it is given first.
      in.fault = fmt::format("it is no gzip, or damaged, at byte {}: {}", in.input,
                             in.stream.msg ? in.stream.msg : "not understood");
    } else if (used == 0 && plain.empty()) {
      end = true;
    }
  }
  if (in.output <= offset && !in.fault.empty()) return fail(ErrorKind::Invalid, in.fault);
  if (in.output <= offset) return Got{0, end};
  const uint64_t from = in.output - in.kept.size();
  const size_t size = std::min<uint64_t>(most, in.output - offset);
  out.append(in.kept, static_cast<size_t>(offset - from), size);
  return Got{size, false};
}

bool FileSource::lock() { return ::flock(fd_, LOCK_SH | LOCK_NB) == 0; }
void FileSource::unlock() { ::flock(fd_, LOCK_UN); }
void FileSource::forget_cached() { ::posix_fadvise(fd_, 0, 0, POSIX_FADV_DONTNEED); }

}  // namespace sonde::otlpjsonfile
