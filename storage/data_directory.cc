#include "storage/data_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <utility>

namespace kulisse::storage {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMarkerName = "KULISSE";
// The number grows when files can no longer be read by older programs.
constexpr std::string_view kMarkerText = "kulisse store, format 2\n";
constexpr size_t kMarkerBytesMax = 256;

std::string Quoted(const std::string& path) { return "data directory '" + path + "'"; }

std::unexpected<std::string> Refuse(const std::string& path, const std::string& why) {
  return std::unexpected(Quoted(path) + ' ' + why);
}

std::unexpected<std::string> RefuseErrno(const std::string& path, const std::string& doing) {
  return Refuse(path, "cannot be " + doing + ": " + std::strerror(errno));
}

bool OurFile(std::string_view name) {
  return name == kMarkerName || name == "CURRENT" || name == "IDENTITY" || name == "LOCK" ||
         name.starts_with("MANIFEST-") || name.starts_with("OPTIONS-") || name.starts_with("LOG") ||
         name.ends_with(".log") || name.ends_with(".sst") || name.ends_with(".dbtmp");
}

// Nothing when the directory is empty or ours, else why it is not.
std::expected<void, std::string> CheckNames(const std::string& path) {
  std::error_code error;
  bool marked = false;
  std::string other;
  fs::directory_iterator it(path, error);
  if (error) return Refuse(path, "cannot be read: " + error.message());
  for (; it != fs::directory_iterator(); it.increment(error)) {
    if (error) return Refuse(path, "cannot be read: " + error.message());
    const std::string name = it->path().filename().string();
    if (name == kMarkerName) {
      marked = true;
    } else if (!OurFile(name)) {
      return Refuse(path, "is not a Kulisse store: it holds '" + name +
                              "'; name an empty or a new directory");
    } else {
      other = name;
    }
  }
  if (!marked && !other.empty()) {
    return Refuse(path, "is another program's database (it holds '" + other + "' but no '" +
                            std::string(kMarkerName) + "'); name an empty or a new directory");
  }
  return {};
}

std::expected<void, std::string> CheckMarker(const std::string& path, int marker) {
  char text[kMarkerBytesMax];
  const ssize_t size = pread(marker, text, sizeof(text), 0);
  if (size < 0) return RefuseErrno(path, "read");
  if (std::string_view(text, static_cast<size_t>(size)) == kMarkerText) return {};
  if (size > 0) {
    return Refuse(path, "was written by another version of Kulisse, or its file '" +
                            std::string(kMarkerName) + "' is damaged");
  }
  if (pwrite(marker, kMarkerText.data(), kMarkerText.size(), 0) !=
      static_cast<ssize_t>(kMarkerText.size())) {
    return RefuseErrno(path, "written");
  }
  return {};
}

}  // namespace

std::expected<DataDirectory, std::string> DataDirectory::Open(const std::string& path) {
  std::error_code error;
  if (fs::create_directories(path, error)) {
    // Secrets are in it.
    fs::permissions(path, fs::perms::owner_all, error);
  }
  if (error) return Refuse(path, "cannot be created: " + error.message());
  if (auto checked = CheckNames(path); !checked) return std::unexpected(checked.error());

  const std::string name = path + '/' + std::string(kMarkerName);
  const int marker = open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (marker < 0) return RefuseErrno(path, "opened");
  DataDirectory directory(path, marker);
  if (flock(marker, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return RefuseErrno(path, "locked");
    return Refuse(path, "is in use by another Kulisse process");
  }
  if (auto checked = CheckMarker(path, marker); !checked) return std::unexpected(checked.error());
  return directory;
}

DataDirectory::DataDirectory(DataDirectory&& other) noexcept
    : path_(std::move(other.path_)), marker_(std::exchange(other.marker_, -1)) {}

DataDirectory::~DataDirectory() {
  if (marker_ >= 0) close(marker_);
}

}  // namespace kulisse::storage
