// Goal: what a WebSocket's client sends never upsets the reader, and its answers do not depend on
// how the bytes were cut into pieces.
// Method: the input's first byte seeds the cuts; the rest is read whole and in pieces.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "apiserver/net/web_socket_frames.h"
#include "base/random.h"

namespace kulisse::apiserver::net {
namespace {

void Check(uint8_t seed, std::string_view bytes) {
  WebSocketReader whole;
  std::string whole_out;
  const bool whole_open = whole.Feed(bytes, &whole_out);
  // Every answer is a frame of a client's frame, which was masked: it cannot be longer.
  constexpr size_t kCloseBytes = 4;
  if (whole_out.size() > bytes.size() + kCloseBytes) std::abort();

  Random cuts(seed);
  WebSocketReader pieces;
  std::string out;
  bool open = true;
  while (!bytes.empty() && open) {
    const size_t size = std::min(1 + cuts.Below(16), bytes.size());
    open = pieces.Feed(bytes.substr(0, size), &out);
    bytes.remove_prefix(size);
  }
  if (open != whole_open || out != whole_out) std::abort();
}

}  // namespace
}  // namespace kulisse::apiserver::net

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  kulisse::apiserver::net::Check(
      data[0], std::string_view(reinterpret_cast<const char*>(data + 1), size - 1));
  return 0;
}
