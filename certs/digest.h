// Hashes of bytes (OpenSSL's). The result is bytes, too. Threads: any.
#pragma once

#include <string>
#include <string_view>

namespace kulisse::certs {

[[nodiscard]] std::string Sha1(std::string_view bytes);
[[nodiscard]] std::string Sha256(std::string_view bytes);
[[nodiscard]] std::string Sha512(std::string_view bytes);

}  // namespace kulisse::certs
