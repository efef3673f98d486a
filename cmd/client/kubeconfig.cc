#include "cmd/client/kubeconfig.h"

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "base/json/value.h"
#include "base/text.h"
#include "openapi/yaml.h"

namespace kulisse::cmd {

namespace {

using json::Value;

struct File {
  std::string path;
  json::Document document;

  // What a relative path in it is relative to.
  [[nodiscard]] std::string folder() const { return path.substr(0, path.rfind('/') + 1); }
};
using Files = std::vector<File>;

// An entry of a list and the file that it stands in.
struct Entry {
  const File* file = nullptr;
  const Value* value = nullptr;
};

std::optional<std::string> ReadText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (file.bad()) return std::nullopt;
  return text;
}

std::expected<Files, std::string> ReadFiles(std::string_view paths) {
  Files files;
  for (const std::string_view path : Split(paths, ':')) {
    if (path.empty()) continue;
    const auto text = ReadText(std::string(path));
    if (!text) continue;
    auto document = openapi::ParseYaml(*text);
    if (!document) return std::unexpected(fmt::format("{}: {}", path, document.error()));
    files.push_back({std::string(path), std::move(*document)});
  }
  if (files.empty()) return std::unexpected(fmt::format("cannot read the kubeconfig {}", paths));
  return files;
}

// The entry of that name in `clusters`, `users` or `contexts`: {name: …, cluster: {…}}.
std::expected<Entry, std::string> Find(const Files& files, std::string_view list,
                                       std::string_view kind, std::string_view name) {
  for (const File& file : files) {
    const Value* entries = file.document.root.Find(list);
    if (entries == nullptr || !entries->IsArray()) continue;
    for (const Value& entry : entries->elements()) {
      if (entry.FindString({"name"}) != name) continue;
      const Value* value = entry.Find(kind);
      if (value != nullptr && value->IsObject()) return Entry{&file, value};
    }
  }
  return std::unexpected(fmt::format("{}: there is no {} \"{}\"", files.front().path, kind, name));
}

// The PEM of KEY-data (base64), else of the file that KEY names; "" when there is neither.
std::expected<std::string, std::string> ReadPem(const Entry& entry, const std::string& key) {
  const std::string_view data = entry.value->FindString({key + "-data"});
  if (!data.empty()) {
    auto pem = Base64Decode(data);
    if (!pem)
      return std::unexpected(fmt::format("{}: {}-data is no base64", entry.file->path, key));
    return std::move(*pem);
  }
  const std::string path(entry.value->FindString({key}));
  if (path.empty()) return "";
  auto pem = ReadText(path.starts_with('/') ? path : entry.file->folder() + path);
  if (!pem) return std::unexpected(fmt::format("{}: cannot read {}", entry.file->path, path));
  return std::move(*pem);
}

bool IsTrue(const Value& object, std::string_view key) {
  const Value* value = object.Find(key);
  return value != nullptr && value->IsBool() && value->AsBool();
}

// "https://HOST:PORT"; the port may be missing.
bool ParseUrl(std::string_view url, ServerAccess* access) {
  constexpr std::string_view kTls = "https://";
  constexpr std::string_view kPlain = "http://";
  access->tls = url.starts_with(kTls);
  if (!access->tls && !url.starts_with(kPlain)) return false;
  url.remove_prefix(access->tls ? kTls.size() : kPlain.size());
  if (url.ends_with('/')) url.remove_suffix(1);
  if (url.empty() || url.contains('/')) return false;
  const size_t bracket = url.rfind(']');
  const size_t colon = url.find(':', bracket == url.npos ? 0 : bracket);
  access->port = access->tls ? "443" : "80";
  if (colon != url.npos) access->port = url.substr(colon + 1);
  std::string_view host = url.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  access->host = host;
  return !access->host.empty() && !access->port.empty();
}

std::expected<void, std::string> SetCluster(const Entry& cluster, ServerAccess* access) {
  const Value& value = *cluster.value;
  const std::string& path = cluster.file->path;
  const std::string_view url = value.FindString({"server"});
  if (!ParseUrl(url, access)) {
    return std::unexpected(fmt::format("{}: server \"{}\" is not https://HOST:PORT", path, url));
  }
  if (!value.FindString({"proxy-url"}).empty()) {
    return std::unexpected(fmt::format("{}: proxy-url is not supported", path));
  }
  access->verify = !IsTrue(value, "insecure-skip-tls-verify");
  access->server_name = value.FindString({"tls-server-name"});
  auto ca = ReadPem(cluster, "certificate-authority");
  if (!ca) return std::unexpected(ca.error());
  access->ca_pem = std::move(*ca);
  return {};
}

std::expected<void, std::string> SetUser(const Entry& user, ServerAccess* access) {
  for (const std::string_view key : {"exec", "auth-provider", "username"}) {
    if (user.value->Find(key) == nullptr) continue;
    return std::unexpected(
        fmt::format("{}: users with {} are not supported; a client certificate or a token is",
                    user.file->path, key));
  }
  auto certificate = ReadPem(user, "client-certificate");
  if (!certificate) return std::unexpected(certificate.error());
  auto key = ReadPem(user, "client-key");
  if (!key) return std::unexpected(key.error());
  access->certificate_pem = std::move(*certificate);
  access->key_pem = std::move(*key);
  access->token = user.value->FindString({"token"});
  const std::string token_file(user.value->FindString({"tokenFile"}));
  if (token_file.empty()) return {};
  const auto text =
      ReadText(token_file.starts_with('/') ? token_file : user.file->folder() + token_file);
  if (!text) {
    return std::unexpected(fmt::format("{}: cannot read {}", user.file->path, token_file));
  }
  access->token = text->substr(0, text->find_last_not_of(" \r\n\t") + 1);
  return {};
}

}  // namespace

std::expected<ServerAccess, std::string> ReadKubeconfig(std::string_view paths) {
  const auto files = ReadFiles(paths);
  if (!files) return std::unexpected(files.error());
  std::string_view current;
  for (const File& file : *files) {
    if (current.empty()) current = file.document.root.FindString({"current-context"});
  }
  if (current.empty()) {
    return std::unexpected(fmt::format("{}: there is no current-context", files->front().path));
  }
  const auto context = Find(*files, "contexts", "context", current);
  if (!context) return std::unexpected(context.error());
  const auto cluster = Find(*files, "clusters", "cluster", context->value->FindString({"cluster"}));
  if (!cluster) return std::unexpected(cluster.error());
  ServerAccess access;
  if (auto set = SetCluster(*cluster, &access); !set) return std::unexpected(set.error());
  if (const std::string_view ns = context->value->FindString({"namespace"}); !ns.empty()) {
    access.ns = ns;
  }
  const std::string_view name = context->value->FindString({"user"});
  if (name.empty()) return access;
  const auto user = Find(*files, "users", "user", name);
  if (!user) return std::unexpected(user.error());
  if (auto set = SetUser(*user, &access); !set) return std::unexpected(set.error());
  return access;
}

}  // namespace kulisse::cmd
