// SPDX-License-Identifier: Apache-2.0
//
// Names for addresses of this process: what is mapped where (/proc/self/maps), and the symbol
// tables of those files. Reads files and may take some tenths of a second: not on a loop.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sonde::pprof {

// A part of a file that is mapped with the right to run.
struct Mapping {
  uint64_t start = 0, limit = 0, offset = 0;
  std::string file;
};
// Only what may run, in the order of addresses. Lines that cannot be read are left out.
std::vector<Mapping> parse_maps(std::string_view maps);

// The functions of an ELF file of this machine's class (64 bits) and byte order. Damaged files have
// none.
class SymbolTable {
 public:
  static SymbolTable read(const std::string& file);
  static SymbolTable parse(std::string_view bytes);

  // By the place in the file; empty: no function is there.
  std::string_view name_at(uint64_t file_offset) const;
  const std::string& build_id() const { return build_id_; }  // In hexadecimal; may be empty.
  size_t size() const { return symbols_.size(); }

 private:
  struct Segment {
    uint64_t offset, size, address;
  };
  struct Symbol {
    uint64_t address, size;  // As the file counts.
    uint32_t name;           // Where it begins in names_.
  };
  void read_segments();
  void read_sections();
  void read_notes(uint64_t offset, uint64_t size);
  template <class T>
  std::optional<T> at(uint64_t offset) const;

  std::string_view bytes_;  // While it is parsed.
  std::vector<Segment> segments_;
  std::vector<Symbol> symbols_;  // By address.
  std::string names_;
  std::string build_id_;
};

std::string demangle(std::string_view name);

}  // namespace sonde::pprof
