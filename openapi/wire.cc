#include "openapi/wire.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace kulisse::openapi {

namespace {

constexpr size_t kFirstBufferBytes = 4096;
constexpr int kVarintBits = 64;
constexpr size_t kVarintBytesMax = 10;

}  // namespace

bool WireReader::Fail(std::string_view error) {
  if (error_.empty()) error_ = error;
  return false;
}

bool WireReader::ReadLongVarint(uint64_t* value) {
  uint64_t result = 0;
  size_t at = 0;
  for (int shift = 0; shift < kVarintBits; shift += 7) {
    if (at >= rest_.size()) return Fail("unexpected EOF");
    const auto byte = static_cast<unsigned char>(rest_[at++]);
    result |= uint64_t{byte & 0x7fU} << shift;
    if (byte < 0x80) {
      rest_.remove_prefix(at);
      *value = result;
      return true;
    }
  }
  return Fail("proto: integer overflow");
}

bool WireReader::RefuseTag(std::string_view message, uint64_t wire) {
  if (static_cast<WireType>(wire & 7) == WireType::kEndGroup) {
    return Fail(fmt::format("proto: {}: wiretype end group for non-group", message));
  }
  const auto field = static_cast<int32_t>(static_cast<uint32_t>(wire >> 3));
  return Fail(fmt::format("proto: {}: illegal tag {} (wire type {})", message, field, wire));
}

bool WireReader::ReadFixed64(uint64_t* value) {
  if (rest_.size() < sizeof(*value)) return Fail("unexpected EOF");
  uint64_t result = 0;
  for (size_t i = sizeof(*value); i-- > 0;) {
    result = result << 8 | static_cast<unsigned char>(rest_[i]);
  }
  rest_.remove_prefix(sizeof(*value));
  *value = result;
  return true;
}

bool WireReader::ReadBytes(std::string_view* bytes) {
  uint64_t length = 0;
  if (!ReadVarint(&length)) return false;
  if (static_cast<int64_t>(length) < 0) {
    return Fail("proto: negative length found during unmarshaling");
  }
  if (length > rest_.size()) return Fail("unexpected EOF");
  *bytes = rest_.substr(0, length);
  rest_.remove_prefix(length);
  return true;
}

bool WireReader::Skip(WireType type) {
  uint64_t number = 0;
  std::string_view bytes;
  switch (type) {
    case WireType::kVarint:
      return ReadVarint(&number);
    case WireType::kFixed64:
      return ReadFixed64(&number);
    case WireType::kBytes:
      return ReadBytes(&bytes);
    case WireType::kFixed32:
      if (rest_.size() < sizeof(uint32_t)) return Fail("unexpected EOF");
      rest_.remove_prefix(sizeof(uint32_t));
      return true;
    default:
      return Fail(fmt::format("proto: illegal wireType {}", static_cast<int>(type)));
  }
}

void ReverseWriter::Grow(size_t count) {
  const size_t used = size();
  const size_t capacity = std::max({kFirstBufferBytes, capacity_ * 2, used + count});
  auto buffer = std::make_unique_for_overwrite<char[]>(capacity);
  if (used > 0) std::memcpy(buffer.get() + capacity - used, buffer_.get() + at_, used);
  buffer_ = std::move(buffer);
  capacity_ = capacity;
  at_ = capacity - used;
}

void ReverseWriter::Bytes(std::string_view bytes) {
  if (bytes.empty()) return;
  Reserve(bytes.size());
  at_ -= bytes.size();
  std::memcpy(buffer_.get() + at_, bytes.data(), bytes.size());
}

void ReverseWriter::LongVarint(uint64_t value) {
  Reserve(kVarintBytesMax);
  size_t length = 1;
  for (uint64_t rest = value >> 7; rest != 0; rest >>= 7) ++length;
  at_ -= length;
  char* to = buffer_.get() + at_;
  for (; value >= 0x80; value >>= 7) *to++ = static_cast<char>(value | 0x80);
  *to = static_cast<char>(value);
}

void ReverseWriter::Fixed64(uint64_t value) {
  Reserve(sizeof(value));
  at_ -= sizeof(value);
  for (size_t i = 0; i < sizeof(value); ++i, value >>= 8) {
    buffer_[at_ + i] = static_cast<char>(value);
  }
}

}  // namespace kulisse::openapi
