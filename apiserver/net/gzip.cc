#include "apiserver/net/gzip.h"

#include <zlib.h>

#include <new>

#include "base/assert.h"
#include "base/text.h"

namespace kulisse::apiserver::net {

namespace {

constexpr int kLevel = 1;
constexpr int kWindowBits = 15 + 16;  // 16: gzip instead of zlib framing
constexpr int kMemoryLevel = 8;
// Room that output grows by.
constexpr size_t kStepBytes = 32 * 1024;

int ZlibFlush(Gzip::Flush flush) {
  switch (flush) {
    case Gzip::Flush::kNone:
      return Z_NO_FLUSH;
    case Gzip::Flush::kSync:
      return Z_SYNC_FLUSH;
    case Gzip::Flush::kFinish:
      return Z_FINISH;
  }
  return Z_NO_FLUSH;
}

// "q=0", "q=0.000": not acceptable.
bool IsZeroQuality(std::string_view parameter) {
  parameter = TrimSpace(parameter);
  if (!parameter.starts_with("q=") && !parameter.starts_with("Q=")) return false;
  const std::string_view value = parameter.substr(2);
  return !value.empty() && value.find_first_not_of("0.") == std::string_view::npos;
}

}  // namespace

Gzip::Gzip() : stream_(std::make_unique<z_stream_s>()) {
  if (deflateInit2(stream_.get(), kLevel, Z_DEFLATED, kWindowBits, kMemoryLevel,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc();
  }
}

Gzip::~Gzip() { deflateEnd(stream_.get()); }

void Gzip::Append(std::string_view bytes, Flush flush, std::string* out) {
  // zlib's interface is not const-correct; it does not write to its input.
  stream_->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream_->avail_in = static_cast<uInt>(bytes.size());
  do {
    const size_t before = out->size();
    out->resize(before + kStepBytes);
    stream_->next_out = reinterpret_cast<Bytef*>(out->data() + before);
    stream_->avail_out = static_cast<uInt>(kStepBytes);
    const int result = deflate(stream_.get(), ZlibFlush(flush));
    KULISSE_ASSERT(result != Z_STREAM_ERROR);
    out->resize(before + kStepBytes - stream_->avail_out);
  } while (stream_->avail_out == 0);
}

bool AcceptsGzip(std::string_view accept_encoding) {
  for (const std::string_view part : Split(accept_encoding, ',')) {
    const auto fields = Split(part, ';');
    if (!EqualsIgnoreCase(TrimSpace(fields.front()), "gzip")) continue;
    for (size_t i = 1; i < fields.size(); ++i) {
      if (IsZeroQuality(fields[i])) return false;
    }
    return true;
  }
  return false;
}

}  // namespace kulisse::apiserver::net
