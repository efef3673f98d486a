// The kubeconfig that a person or a program points a client at: the administrator of this cluster,
// with the certificates inside the file.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "certs/pki.h"

namespace kulisse::certs {

// "https://127.0.0.1:6443"; IPv6 addresses get brackets; an unspecified address (0.0.0.0, ::)
// becomes the loopback address of its family.
[[nodiscard]] std::string ServerUrl(const std::string& bind_address, uint16_t port);

// The text of a kubeconfig for the admin of `files`. Cluster, user and context are called kulisse.
[[nodiscard]] std::expected<std::string, std::string> KubeconfigText(const PkiFiles& files,
                                                                     const std::string& server_url);

// Writes that text to `path` at once, with mode 0600, and makes missing directories above it.
[[nodiscard]] std::expected<void, std::string> WriteKubeconfig(const std::string& path,
                                                               const PkiFiles& files,
                                                               const std::string& server_url);

}  // namespace kulisse::certs
