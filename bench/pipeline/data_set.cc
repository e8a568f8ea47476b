// SPDX-License-Identifier: Apache-2.0
#include "data_set.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <memory>

namespace sonde::bench {
namespace {

constexpr uint32_t kMagic = 0x31424453;  // "SDB1"

struct Head {
  uint32_t magic = kMagic;
  uint32_t signal = 0;
  uint32_t gzip = 0;
  uint32_t items = 0;
  uint32_t bodies = 0;
};

}  // namespace

Result<> write_data_set(const std::string& path, const DataSet& data) {
  std::string out;
  const Head head{.signal = static_cast<uint32_t>(data.signal),
                  .gzip = data.gzip ? 1U : 0U,
                  .items = data.items,
                  .bodies = static_cast<uint32_t>(data.bodies.size())};
  out.append(reinterpret_cast<const char*>(&head), sizeof(head));
  for (const Bytes& body : data.bodies) {
    const auto size = static_cast<uint32_t>(body.size());
    out.append(reinterpret_cast<const char*>(&size), sizeof(size));
    out.append(body.view());
  }
  // Renamed into place: an interrupted run leaves no half of a data set.
  const std::string part = path + ".part";
  FILE* const file = fopen(part.c_str(), "wb");
  if (file == nullptr) return fail(ErrorKind::Invalid, part + ": cannot be written");
  const bool whole = fwrite(out.data(), 1, out.size(), file) == out.size();
  if (fclose(file) != 0 || !whole || rename(part.c_str(), path.c_str()) != 0) {
    return fail(ErrorKind::Unavailable, path + ": was not written whole");
  }
  return {};
}

Result<DataSet> map_data_set(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return fail(ErrorKind::NotFound, path + ": cannot be opened");
  struct stat about{};
  fstat(file, &about);
  const auto size = static_cast<size_t>(about.st_size);
  void* const at = size < sizeof(Head)
                       ? MAP_FAILED
                       : mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
  close(file);
  if (at == MAP_FAILED) return fail(ErrorKind::Invalid, path + ": cannot be mapped");
  const std::shared_ptr<const void> owner(
      at, [size](const void* bytes) { munmap(const_cast<void*>(bytes), size); });
  const char* next = static_cast<const char*>(at);
  const char* const end = next + size;
  Head head;
  memcpy(&head, next, sizeof(head));
  next += sizeof(head);
  if (head.magic != kMagic || head.signal > static_cast<uint32_t>(Signal::Logs)) {
    return fail(ErrorKind::Invalid, path + ": is no data set; remove it");
  }
  DataSet data{.signal = static_cast<Signal>(head.signal),
               .gzip = head.gzip != 0,
               .items = head.items,
               .bodies = {}};
  for (uint32_t i = 0; i < head.bodies; ++i) {
    uint32_t length = 0;
    if (end - next < static_cast<ptrdiff_t>(sizeof(length))) break;
    memcpy(&length, next, sizeof(length));
    next += sizeof(length);
    if (static_cast<size_t>(end - next) < length) break;
    data.bodies.push_back(Bytes::alias(owner, {next, length}));
    next += length;
  }
  if (data.bodies.empty() || data.bodies.size() != head.bodies) {
    return fail(ErrorKind::Invalid, path + ": is cut short; remove it");
  }
  return data;
}

}  // namespace sonde::bench
