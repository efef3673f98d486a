// DataDirectory is a store's directory on disk: that it is ours, that the format is known, and that
// no other process has it. All is checked before anything is written to it.
//
// Owns: a lock on the directory's marker file until destruction.
// Threads: one. Errors: text for a person.
#pragma once

#include <expected>
#include <string>

namespace kulisse::storage {

class DataDirectory {
 public:
  // Creates the directory if it is not there, and marks it as ours if it is empty.
  static std::expected<DataDirectory, std::string> Open(const std::string& path);
  ~DataDirectory();
  DataDirectory(DataDirectory&& other) noexcept;
  DataDirectory& operator=(DataDirectory&&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  DataDirectory(std::string path, int marker) : path_(std::move(path)), marker_(marker) {}

  std::string path_;
  int marker_;  // descriptor, locked; -1 when moved from
};

}  // namespace kulisse::storage
