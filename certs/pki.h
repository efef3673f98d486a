// Pki is the set of keys and certificates of one data directory, under kubeadm's file names:
//
//   ca.crt apiserver.crt admin.crt     certificates
//   ca.key apiserver.key admin.key     their keys
//   sa.key sa.pub                      signs and verifies service account tokens
//
// What is missing is made, what is there is kept. A certificate of ours that is near its end, or
// lacks a name that the server now goes by, is issued anew for the same key. Files that cannot be
// read, or do not belong together, are refused by name and left as they are.
//
// A key is written before its certificate, each file at once: after a crash between two files the
// next start makes the rest.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "base/time.h"

namespace kulisse::certs {

struct PkiOptions {
  std::string directory;  // made with mode 0700
  // Names and addresses by which clients reach the server, beside those of every cluster
  // (localhost, kubernetes.default.svc, 10.96.0.1 …). Unspecified addresses (0.0.0.0) are skipped.
  std::vector<std::string> hosts;
  SystemTime now;
};

// The files' paths; all are there and belong together.
struct PkiFiles {
  std::string ca_certificate;
  std::string ca_key;
  std::string server_certificate;
  std::string server_key;
  std::string admin_certificate;
  std::string admin_key;
  std::string service_account_key;
  std::string service_account_public_key;
};

// Errors: one line for the person who started the program; it names the file.
[[nodiscard]] std::expected<PkiFiles, std::string> EnsurePki(const PkiOptions& options);

}  // namespace kulisse::certs
