// Small files that hold secrets: written whole or not at all, readable by their owner only.
//
// Errors: a text that names the file and the system's reason.
// Limits: kPrivateFileBytesMax; a larger file is not one of ours.
// Not synced to the disk: a killed process leaves the old file or the new one, a power cut may
// leave an empty one, which readers refuse by name.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace kulisse::certs {

// Creates the directory and those above it, this one with mode 0700 (also when it was there).
[[nodiscard]] std::expected<void, std::string> MakePrivateDirectory(const std::string& path);

// Writes a temporary file of mode 0600 beside `path` and renames it over it.
[[nodiscard]] std::expected<void, std::string> WritePrivateFile(const std::string& path,
                                                                std::string_view bytes);

[[nodiscard]] std::expected<std::string, std::string> ReadSmallFile(const std::string& path);

[[nodiscard]] bool FileExists(const std::string& path);

// TemporaryDirectory is a directory of mode 0700 that goes, with all it holds, with this object.
class TemporaryDirectory {
 public:
  static std::expected<TemporaryDirectory, std::string> Make();
  ~TemporaryDirectory();
  TemporaryDirectory(TemporaryDirectory&& other) noexcept;
  TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  explicit TemporaryDirectory(std::string path);
  std::string path_;  // "" when moved from
};

}  // namespace kulisse::certs
