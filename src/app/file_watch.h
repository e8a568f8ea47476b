// SPDX-License-Identifier: Apache-2.0
// Says when a file of the configuration has become another. It looks at the files' times, places
// and sizes now and then instead of waiting for the kernel's word, which does not come from network
// file systems nor for what a symbolic link leads to, as in a ConfigMap of Kubernetes.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "config/providers.h"

namespace sonde::app {

// What a path led to. Two of one path are equal while the file was not written or replaced.
struct FileStamp {
  uint64_t device = 0, inode = 0, size = 0;
  int64_t modified_ns = -1, changed_ns = -1;  // -1: there is no file.
  bool operator==(const FileStamp&) const = default;
};
FileStamp stamp_of(const std::string& path);

using FileStamps = std::map<std::string, FileStamp>;

// The `file` provider among them also notes in `into` what it is asked for, as it was before it is
// read. `into` must outlive them.
void note_files(config::Providers& providers, FileStamps& into);

class FileChanges {
 public:
  // What was read, in place of what was watched before.
  void expect(FileStamps stamps);
  // To be called now and then. The path of a file that is not as it was read and was the same at
  // two looks, so that nothing is read that is being written; else an empty string. It is told
  // once.
  std::string look();

 private:
  FileStamps expected_;
  FileStamps seen_;
};

}  // namespace sonde::app
