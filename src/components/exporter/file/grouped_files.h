// SPDX-License-Identifier: Apache-2.0
// The files of an exporter that deals out what comes by an attribute: one for each of its values,
// of which a bounded number is open. A value is text that a peer chose: whatever it says, its file
// lies where the part of the path before the * says.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"
#include "base/time.h"
#include "components/exporter/file/rotating_file.h"
#include "components/exporter/file/settings.h"

namespace sonde::file_exporter {

class GroupedFiles {
 public:
  // Of how many files it is known that they were begun by this process: further ones are added to.
  static constexpr size_t kMostBegun = 1'000'000;

  // The settings outlive it. `path` has one *.
  GroupedFiles(const Settings& settings, const Clock& clock);

  // Where the text of an attribute leads. As in the Collector: slashes make folders, and what
  // climbs out of the part before the * is taken as if that were the root. Invalid where no file
  // can be called so.
  Result<std::string> path_of(std::string_view segment) const;

  // The open file of this path, with its folders. Another one may be closed, so this one lives
  // until the next call. Invalid where no file can have that name, Unavailable for what may pass.
  Result<RotatingFile*> file(const std::string& path);
  // Knows which files the other one began, and closes those that it has open.
  void take_over(GroupedFiles& other);
  size_t open_files() const { return files_.size(); }

 private:
  struct Open {
    std::string path;
    std::unique_ptr<RotatingFile> file;
  };

  void close_oldest();

  const Settings& settings_;
  const Clock& clock_;
  std::string prefix_;
  std::string suffix_;
  std::list<Open> recent_;  // The one that was written to last stands first.
  std::map<std::string, std::list<Open>::iterator, std::less<>> files_;
  // How large a file was when it was closed, by the hash of its path.
  std::unordered_map<uint64_t, uint64_t> begun_;
};

// Makes what is missing of the folders, with the mode less the process' umask.
Result<> make_folders(const std::string& path, uint32_t mode);

}  // namespace sonde::file_exporter
