// Certificate signing requests (PKCS #10) that clients send.
// Threads: pure functions.
#pragma once

#include <expected>
#include <string>
#include <vector>

namespace kulisse::certs {

// The organizations in the subject of a request in PEM form: the groups it asks for. The error is
// the reason in Go's words.
[[nodiscard]] std::expected<std::vector<std::string>, std::string> OrganizationsOfRequest(
    const std::string& pem);

// What is wrong with a request in PEM form: its form, or the signature by its own key; "" when
// nothing is. In Go's words, but for the details of bad ASN.1.
[[nodiscard]] std::string CheckRequest(const std::string& pem);
// The same of certificates in PEM form, one or more.
[[nodiscard]] std::string CheckCertificates(const std::string& pem);

}  // namespace kulisse::certs
