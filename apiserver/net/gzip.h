// Gzip compresses a stream of bytes in pieces (level 1, as kube-apiserver).
//
// Owns: its zlib state, about 256 KB while it lives.
// Threads: one at a time.
#pragma once

#include <memory>
#include <string>
#include <string_view>

struct z_stream_s;

namespace kulisse::apiserver::net {

class Gzip {
 public:
  enum class Flush { kNone, kSync, kFinish };

  Gzip();
  ~Gzip();
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;

  // Appends to *out what `bytes` adds. kSync makes all that was given readable for the client.
  void Append(std::string_view bytes, Flush flush, std::string* out);

 private:
  std::unique_ptr<z_stream_s> stream_;
};

// Whether an Accept-Encoding header allows gzip.
[[nodiscard]] bool AcceptsGzip(std::string_view accept_encoding);

}  // namespace kulisse::apiserver::net
