// Goal: the request parser never misbehaves, and what it makes of some bytes does not depend on how
// they were cut into pieces.
// Method: the input's first byte seeds the cuts; the rest is fed whole and in pieces to the parser
// that connections use, and both transcripts must be equal.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "apiserver/net/request_parser.h"
#include "base/limits.h"
#include "base/random.h"

namespace kulisse::apiserver::net {
namespace {

class Transcript {
 public:
  void Feed(std::string_view bytes) {
    while (!bytes.empty() && parser_.state() != RequestParser::State::kRefused) {
      const size_t used = parser_.Feed(bytes);
      if (used > bytes.size()) std::abort();
      bytes.remove_prefix(used);
      if (parser_.state() == RequestParser::State::kComplete) Record();
    }
  }
  [[nodiscard]] std::string Finish() {
    if (parser_.state() == RequestParser::State::kRefused) {
      text_ += std::to_string(parser_.refusal().code) + parser_.refusal().text;
    } else {
      text_ += std::to_string(static_cast<int>(parser_.state()));
    }
    return text_;
  }

 private:
  void Record() {
    text_ += parser_.http11() ? "1" : "0";
    text_ += parser_.keep_alive() ? "k" : "c";
    const HttpRequest request = parser_.Take();
    if (request.body.size() > kRequestBodyBytesMax) std::abort();
    text_ += request.method + ' ' + request.target + '\n';
    for (const Header& header : request.headers) {
      if (header.first.find_first_of(" \r\n:") != std::string::npos) std::abort();
      if (header.second.find_first_of("\r\n") != std::string::npos) std::abort();
      text_ += header.first + ':' + header.second + '\n';
    }
    text_ += request.body + '\n';
  }

  RequestParser parser_;
  std::string text_;
};

void Check(uint8_t seed, std::string_view bytes) {
  Transcript whole;
  whole.Feed(bytes);
  Transcript pieces;
  Random cuts(seed);
  // Small pieces find the borders within lines, large ones those between requests.
  const size_t piece_max = (seed & 1) != 0 ? 3 : 64;
  while (!bytes.empty()) {
    const size_t size = 1 + cuts.Below(piece_max);
    pieces.Feed(bytes.substr(0, size));
    bytes.remove_prefix(std::min(size, bytes.size()));
  }
  if (whole.Finish() != pieces.Finish()) std::abort();
}

}  // namespace
}  // namespace kulisse::apiserver::net

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  kulisse::apiserver::net::Check(
      data[0], std::string_view(reinterpret_cast<const char*>(data + 1), size - 1));
  return 0;
}
