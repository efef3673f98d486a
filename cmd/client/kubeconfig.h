// Reads a kubeconfig: where a cluster is, and how to prove who asks.
//
// Certificates, keys and tokens may stand in it or in files beside it. What needs a program (exec)
// or another protocol (auth-provider, proxies) is refused by name.
//
// Threads: none. Errors: one line for a person, with the file and what is missing in it.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace kulisse::cmd {

struct ServerAccess {
  bool tls = true;
  std::string host;  // a name or an address, without brackets
  std::string port;
  std::string ca_pem;           // "": those of the system
  std::string certificate_pem;  // "": none
  std::string key_pem;
  std::string token;  // "": none
  bool verify = true;
  std::string server_name;     // to verify in place of the host; "": the host
  std::string ns = "default";  // of the context
};

// `paths`: one file, or several with colons between, as in $KUBECONFIG: the first that says
// something counts, and files that are not there are passed over while one is.
[[nodiscard]] std::expected<ServerAccess, std::string> ReadKubeconfig(std::string_view paths);

}  // namespace kulisse::cmd
