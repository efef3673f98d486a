#include "certs/pki.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/limits.h"
#include "certs/certificate.h"
#include "certs/private_file.h"

namespace kulisse::certs {

namespace {

template <class T>
using Expected = std::expected<T, std::string>;

// By these names a cluster's own clients reach its server; 10.96.0.1 is kubeadm's first service IP.
constexpr const char* kHosts[] = {"localhost",
                                  "kubernetes",
                                  "kubernetes.default",
                                  "kubernetes.default.svc",
                                  "kubernetes.default.svc.cluster.local",
                                  "127.0.0.1",
                                  "::1",
                                  "10.96.0.1"};

struct Pair {
  PrivateKey key;
  Certificate certificate;
};

Expected<PrivateKey> LoadKey(const std::string& path) {
  auto pem = ReadSmallFile(path);
  if (!pem) return std::unexpected(std::move(pem).error());
  auto key = PrivateKey::FromPem(*pem);
  if (!key) return std::unexpected(fmt::format("{} {}", path, key.error()));
  return key;
}

// The key of the file; a new one when neither it nor `companion`, which is made from it, is there.
Expected<PrivateKey> EnsureKey(const std::string& path, const std::string& companion) {
  if (FileExists(path)) return LoadKey(path);
  if (FileExists(companion)) {
    return std::unexpected(fmt::format(
        "{} is missing but {} is there: restore the key, or remove {} to have both made anew", path,
        companion, companion));
  }
  PrivateKey key = PrivateKey::Generate();
  if (auto written = WritePrivateFile(path, key.ToPem()); !written) {
    return std::unexpected(std::move(written).error());
  }
  return key;
}

Expected<std::optional<Certificate>> LoadCertificate(const std::string& path,
                                                     const std::string& key_path,
                                                     const PrivateKey& key) {
  if (!FileExists(path)) return std::nullopt;
  auto pem = ReadSmallFile(path);
  if (!pem) return std::unexpected(std::move(pem).error());
  auto certificate = Certificate::FromPem(*pem);
  if (!certificate) return std::unexpected(fmt::format("{} {}", path, certificate.error()));
  if (!certificate->BelongsTo(key)) {
    return std::unexpected(fmt::format("{} does not belong to {}", path, key_path));
  }
  return std::move(*certificate);
}

Expected<Pair> EnsureAuthority(const PkiFiles& files, SystemTime now) {
  auto key = EnsureKey(files.ca_key, files.ca_certificate);
  if (!key) return std::unexpected(std::move(key).error());
  auto loaded = LoadCertificate(files.ca_certificate, files.ca_key, *key);
  if (!loaded) return std::unexpected(std::move(loaded).error());
  if (loaded->has_value()) {
    const Certificate& certificate = **loaded;
    if (!certificate.is_authority()) {
      return std::unexpected(files.ca_certificate + " is not the certificate of an authority");
    }
    if (certificate.not_after() <= now) {
      return std::unexpected(
          fmt::format("{} has expired: move the directory away to have all certificates made anew",
                      files.ca_certificate));
    }
    return Pair{std::move(*key), certificate};
  }
  const CertificateSpec spec = {.use = CertificateSpec::Use::kAuthority,
                                .common_name = "kubernetes",
                                .organization = "",
                                .hosts = {},
                                .not_before = now - kCertificateBackdating,
                                .not_after = now + kAuthorityValidity};
  Certificate certificate = Certificate::Issue(spec, *key, nullptr, *key);
  if (auto written = WritePrivateFile(files.ca_certificate, certificate.ToPem()); !written) {
    return std::unexpected(std::move(written).error());
  }
  return Pair{std::move(*key), std::move(certificate)};
}

bool CoversAll(const Certificate& certificate, const std::vector<std::string>& hosts) {
  for (const std::string& host : hosts) {
    if (!certificate.Covers(host)) return false;
  }
  return true;
}

struct LeafPaths {
  const std::string& certificate;
  const std::string& key;
  const std::string& ca_certificate;
};

Expected<void> EnsureLeaf(const LeafPaths& paths, CertificateSpec spec, const Pair& authority,
                          SystemTime now) {
  auto key = EnsureKey(paths.key, paths.certificate);
  if (!key) return std::unexpected(std::move(key).error());
  auto loaded = LoadCertificate(paths.certificate, paths.key, *key);
  if (!loaded) return std::unexpected(std::move(loaded).error());
  if (loaded->has_value()) {
    const Certificate& certificate = **loaded;
    if (!certificate.IsSignedBy(authority.certificate)) {
      return std::unexpected(
          fmt::format("{} is not signed by {}", paths.certificate, paths.ca_certificate));
    }
    const bool fresh =
        certificate.not_after() - now > kCertificateRenewalLead && certificate.not_before() <= now;
    if (fresh && CoversAll(certificate, spec.hosts)) return {};
  }
  spec.not_before = now - kCertificateBackdating;
  spec.not_after =
      std::min<SystemTime>(now + kCertificateValidity, authority.certificate.not_after());
  return WritePrivateFile(
      paths.certificate,
      Certificate::Issue(spec, *key, &authority.certificate, authority.key).ToPem());
}

Expected<void> EnsureServiceAccountKey(const PkiFiles& files) {
  auto key = EnsureKey(files.service_account_key, files.service_account_public_key);
  if (!key) return std::unexpected(std::move(key).error());
  const std::string public_pem = key->PublicToPem();
  if (!FileExists(files.service_account_public_key)) {
    return WritePrivateFile(files.service_account_public_key, public_pem);
  }
  auto text = ReadSmallFile(files.service_account_public_key);
  if (!text) return std::unexpected(std::move(text).error());
  if (*text != public_pem) {
    return std::unexpected(fmt::format("{} does not belong to {}", files.service_account_public_key,
                                       files.service_account_key));
  }
  return {};
}

std::vector<std::string> ServerHosts(const std::vector<std::string>& more) {
  std::vector<std::string> hosts(std::begin(kHosts), std::end(kHosts));
  for (const std::string& host : more) {
    if (host.empty() || host == "0.0.0.0" || host == "::") continue;
    if (std::find(hosts.begin(), hosts.end(), host) == hosts.end()) hosts.push_back(host);
  }
  return hosts;
}

PkiFiles FilesIn(const std::string& directory) {
  const auto path = [&](const char* name) { return directory + "/" + name; };
  return {.ca_certificate = path("ca.crt"),
          .ca_key = path("ca.key"),
          .server_certificate = path("apiserver.crt"),
          .server_key = path("apiserver.key"),
          .admin_certificate = path("admin.crt"),
          .admin_key = path("admin.key"),
          .service_account_key = path("sa.key"),
          .service_account_public_key = path("sa.pub")};
}

}  // namespace

std::expected<PkiFiles, std::string> EnsurePki(const PkiOptions& options) {
  using Use = CertificateSpec::Use;
  if (auto made = MakePrivateDirectory(options.directory); !made) {
    return std::unexpected(std::move(made).error());
  }
  PkiFiles files = FilesIn(options.directory);
  auto authority = EnsureAuthority(files, options.now);
  if (!authority) return std::unexpected(std::move(authority).error());

  CertificateSpec server;
  server.use = Use::kServer;
  server.common_name = "kube-apiserver";
  server.hosts = ServerHosts(options.hosts);
  auto done = EnsureLeaf({files.server_certificate, files.server_key, files.ca_certificate},
                         std::move(server), *authority, options.now);
  if (!done) return std::unexpected(std::move(done).error());

  CertificateSpec admin;
  admin.use = Use::kClient;
  admin.common_name = "kubernetes-admin";
  admin.organization = "system:masters";
  done = EnsureLeaf({files.admin_certificate, files.admin_key, files.ca_certificate},
                    std::move(admin), *authority, options.now);
  if (!done) return std::unexpected(std::move(done).error());

  done = EnsureServiceAccountKey(files);
  if (!done) return std::unexpected(std::move(done).error());
  return files;
}

}  // namespace kulisse::certs
