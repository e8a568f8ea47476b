// SPDX-License-Identifier: Apache-2.0
#include "components/extension/pprof/symbols.h"

#include <cxxabi.h>
#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include "base/hex.h"

namespace sonde::pprof {
namespace {

bool take_hex(std::string_view& text, uint64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return true;
}

std::string_view take_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  const std::string_view word = text.substr(0, text.find(' '));
  text.remove_prefix(word.size());
  return word;
}

// "start-limit rights offset device inode    path"
std::optional<Mapping> parse_line(std::string_view line) {
  Mapping m;
  if (!take_hex(line, m.start) || !line.starts_with('-')) return {};
  line.remove_prefix(1);
  if (!take_hex(line, m.limit)) return {};
  if (take_word(line).find('x') == std::string_view::npos) return {};
  std::string_view offset = take_word(line);
  if (!take_hex(offset, m.offset)) return {};
  take_word(line);
  take_word(line);
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  m.file = line;
  return m;
}

}  // namespace

std::vector<Mapping> parse_maps(std::string_view maps) {
  std::vector<Mapping> out;
  while (!maps.empty()) {
    const std::string_view line = maps.substr(0, maps.find('\n'));
    maps.remove_prefix(std::min(line.size() + 1, maps.size()));
    if (auto mapping = parse_line(line)) out.push_back(std::move(*mapping));
  }
  return out;
}

template <class T>
std::optional<T> SymbolTable::at(uint64_t offset) const {
  if (offset > bytes_.size() || bytes_.size() - offset < sizeof(T)) return {};
  T value;
  std::memcpy(&value, bytes_.data() + offset, sizeof value);
  return value;
}

SymbolTable SymbolTable::read(const std::string& file) {
  // Mapped and not read: most of a file is information for debuggers.
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return {};
  struct stat info{};
  SymbolTable table;
  if (::fstat(descriptor, &info) == 0 && info.st_size > 0) {
    const auto size = static_cast<size_t>(info.st_size);
    void* const memory = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (memory != MAP_FAILED) {
      table = parse({static_cast<const char*>(memory), size});
      ::munmap(memory, size);
    }
  }
  ::close(descriptor);
  return table;
}

SymbolTable SymbolTable::parse(std::string_view bytes) {
  SymbolTable table;
  table.bytes_ = bytes;
  const auto head = table.at<Elf64_Ehdr>(0);
  if (head && std::memcmp(head->e_ident, ELFMAG, SELFMAG) == 0 &&
      head->e_ident[EI_CLASS] == ELFCLASS64 && head->e_ident[EI_DATA] == ELFDATA2LSB) {
    table.read_segments();
    table.read_sections();
  }
  table.bytes_ = {};
  std::ranges::stable_sort(table.symbols_, {}, &Symbol::address);
  return table;
}

void SymbolTable::read_segments() {
  const auto head = *at<Elf64_Ehdr>(0);
  for (uint32_t i = 0; i < head.e_phnum; ++i) {
    const auto segment = at<Elf64_Phdr>(head.e_phoff + uint64_t{i} * sizeof(Elf64_Phdr));
    if (!segment) return;
    if (segment->p_type == PT_LOAD) {
      segments_.push_back({segment->p_offset, segment->p_filesz, segment->p_vaddr});
    } else if (segment->p_type == PT_NOTE) {
      read_notes(segment->p_offset, segment->p_filesz);
    }
  }
}

void SymbolTable::read_notes(uint64_t offset, uint64_t size) {
  const auto padded = [](uint64_t n) { return (n + 3) & ~uint64_t{3}; };
  for (const uint64_t end = offset + size; offset < end;) {
    const auto note = at<Elf64_Nhdr>(offset);
    if (!note) return;
    const uint64_t name = offset + sizeof(Elf64_Nhdr);
    const uint64_t body = name + padded(note->n_namesz);
    offset = body + padded(note->n_descsz);
    if (offset > bytes_.size()) return;
    if (note->n_type != NT_GNU_BUILD_ID || note->n_namesz != 4) continue;
    if (std::memcmp(bytes_.data() + name, "GNU", 4) != 0) continue;
    build_id_ = to_hex(bytes_.substr(body, note->n_descsz));
  }
}

// The table for debuggers where there is one, else the one for the dynamic linker.
void SymbolTable::read_sections() {
  const auto head = *at<Elf64_Ehdr>(0);
  std::optional<Elf64_Shdr> chosen;
  for (uint32_t i = 0; i < head.e_shnum; ++i) {
    const auto section = at<Elf64_Shdr>(head.e_shoff + uint64_t{i} * sizeof(Elf64_Shdr));
    if (!section) return;
    if (section->sh_type == SHT_SYMTAB || (section->sh_type == SHT_DYNSYM && !chosen)) {
      chosen = section;
    }
  }
  if (!chosen) return;
  const auto strings =
      at<Elf64_Shdr>(head.e_shoff + uint64_t{chosen->sh_link} * sizeof(Elf64_Shdr));
  if (!strings || strings->sh_offset > bytes_.size()) return;
  names_ = bytes_.substr(strings->sh_offset, strings->sh_size);
  names_ += '\0';
  for (uint64_t i = 0; i < chosen->sh_size / sizeof(Elf64_Sym); ++i) {
    const auto symbol = at<Elf64_Sym>(chosen->sh_offset + i * sizeof(Elf64_Sym));
    if (!symbol) return;
    const auto type = ELF64_ST_TYPE(symbol->st_info);
    if ((type != STT_FUNC && type != STT_GNU_IFUNC) || symbol->st_value == 0) continue;
    if (symbol->st_name >= names_.size()) continue;
    symbols_.push_back({symbol->st_value, symbol->st_size, symbol->st_name});
  }
}

std::string_view SymbolTable::name_at(uint64_t file_offset) const {
  const auto segment = std::ranges::find_if(segments_, [&](const Segment& s) {
    return file_offset >= s.offset && file_offset - s.offset < s.size;
  });
  if (segment == segments_.end()) return {};
  const uint64_t address = file_offset - segment->offset + segment->address;
  auto after = std::ranges::upper_bound(symbols_, address, {}, &Symbol::address);
  if (after == symbols_.begin()) return {};
  const Symbol& symbol = *std::prev(after);
  // Functions written in assembly have no size; they end where the next one begins.
  if (symbol.size != 0 && address - symbol.address >= symbol.size) return {};
  return names_.c_str() + symbol.name;
}

std::string demangle(std::string_view name) {
  int status = 0;
  const std::string text(name);
  char* const plain = abi::__cxa_demangle(text.c_str(), nullptr, nullptr, &status);
  std::string out = status == 0 && plain ? std::string(plain) : text;
  std::free(plain);
  return out;
}

}  // namespace sonde::pprof
