#include "certs/kubeconfig.h"

#include <fmt/format.h>

#include <filesystem>
#include <utility>

#include "base/text.h"
#include "certs/private_file.h"

namespace kulisse::certs {

namespace {

constexpr const char* kTemplate = R"(apiVersion: v1
kind: Config
clusters:
- name: kulisse
  cluster:
    server: {server}
    certificate-authority-data: {authority}
users:
- name: kulisse
  user:
    client-certificate-data: {certificate}
    client-key-data: {key}
contexts:
- name: kulisse
  context:
    cluster: kulisse
    user: kulisse
current-context: kulisse
)";

}  // namespace

std::string ServerUrl(const std::string& bind_address, uint16_t port) {
  if (bind_address == "0.0.0.0") return ServerUrl("127.0.0.1", port);
  if (bind_address == "::") return ServerUrl("::1", port);
  const bool ipv6 = bind_address.find(':') != std::string::npos;
  return ipv6 ? fmt::format("https://[{}]:{}", bind_address, port)
              : fmt::format("https://{}:{}", bind_address, port);
}

std::expected<std::string, std::string> KubeconfigText(const PkiFiles& files,
                                                       const std::string& server_url) {
  std::string data[3];
  const std::string* paths[] = {&files.ca_certificate, &files.admin_certificate, &files.admin_key};
  for (size_t i = 0; i < std::size(data); ++i) {
    auto bytes = ReadSmallFile(*paths[i]);
    if (!bytes) return std::unexpected(std::move(bytes).error());
    data[i] = Base64Encode(*bytes);
  }
  return fmt::format(kTemplate, fmt::arg("server", server_url), fmt::arg("authority", data[0]),
                     fmt::arg("certificate", data[1]), fmt::arg("key", data[2]));
}

std::expected<void, std::string> WriteKubeconfig(const std::string& path, const PkiFiles& files,
                                                 const std::string& server_url) {
  auto text = KubeconfigText(files, server_url);
  if (!text) return std::unexpected(std::move(text).error());
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  if (!parent.empty()) {
    std::error_code error;
    std::filesystem::create_directories(parent, error);
    if (error) {
      return std::unexpected(
          fmt::format("cannot make directory {}: {}", parent.string(), error.message()));
    }
  }
  return WritePrivateFile(path, *text);
}

}  // namespace kulisse::certs
