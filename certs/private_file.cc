#include "certs/private_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/limits.h"

namespace kulisse::certs {

namespace {

namespace fs = std::filesystem;

std::unexpected<std::string> SystemError(std::string_view doing, const std::string& path) {
  const int error = errno;
  return std::unexpected(fmt::format("cannot {} {}: {}", doing, path, std::strerror(error)));
}

// Closes its descriptor at the end of the scope.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

bool WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

}  // namespace

std::expected<void, std::string> MakePrivateDirectory(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) {
    return std::unexpected(fmt::format("cannot make directory {}: {}", path, error.message()));
  }
  if (::chmod(path.c_str(), 0700) != 0) return SystemError("set the mode of", path);
  return {};
}

std::expected<void, std::string> WritePrivateFile(const std::string& path, std::string_view bytes) {
  std::string temporary = path + ".XXXXXX";
  const Descriptor fd(::mkostemp(temporary.data(), O_CLOEXEC));  // mode 0600
  if (fd.get() < 0) return SystemError("write", path);
  if (!WriteAll(fd.get(), bytes) || ::rename(temporary.c_str(), path.c_str()) != 0) {
    auto error = SystemError("write", path);
    ::unlink(temporary.c_str());
    return error;
  }
  return {};
}

std::expected<std::string, std::string> ReadSmallFile(const std::string& path) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) return SystemError("read", path);
  struct stat info = {};
  if (::fstat(fd.get(), &info) != 0) return SystemError("read", path);
  if (!S_ISREG(info.st_mode)) return std::unexpected(path + " is not a file");
  std::string bytes(kPrivateFileBytesMax + 1, '\0');
  size_t size = 0;
  while (size < bytes.size()) {
    const ssize_t n = ::read(fd.get(), bytes.data() + size, bytes.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return SystemError("read", path);
    if (n == 0) break;
    size += static_cast<size_t>(n);
  }
  if (size > kPrivateFileBytesMax) {
    return std::unexpected(
        fmt::format("{} is larger than {} bytes: not one of ours", path, kPrivateFileBytesMax));
  }
  bytes.resize(size);
  return bytes;
}

bool FileExists(const std::string& path) {
  struct stat info = {};
  return ::lstat(path.c_str(), &info) == 0;
}

TemporaryDirectory::TemporaryDirectory(std::string path) : path_(std::move(path)) {}

TemporaryDirectory::TemporaryDirectory(TemporaryDirectory&& other) noexcept
    : path_(std::exchange(other.path_, {})) {}

TemporaryDirectory::~TemporaryDirectory() {
  if (path_.empty()) return;
  std::error_code ignored;  // nothing to be done about what cannot be removed
  fs::remove_all(path_, ignored);
}

std::expected<TemporaryDirectory, std::string> TemporaryDirectory::Make() {
  std::error_code error;
  const fs::path base = fs::temp_directory_path(error);
  std::string path = (error ? fs::path("/tmp") : base) / "kulisse.XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) return SystemError("make directory", path);
  return TemporaryDirectory(std::move(path));
}

}  // namespace kulisse::certs
