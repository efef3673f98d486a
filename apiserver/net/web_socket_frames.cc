#include "apiserver/net/web_socket_frames.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/limits.h"

namespace kulisse::apiserver::net {

namespace {

enum Opcode : uint8_t {
  kContinuation = 0,
  kText = 1,
  kBinary = 2,
  kClose = 8,
  kPing = 9,
  kPong = 10,
};

constexpr uint8_t kFinal = 0x80;
constexpr uint8_t kReservedBits = 0x70;
constexpr uint8_t kOpcodeBits = 0x0f;
constexpr uint8_t kMasked = 0x80;
constexpr uint8_t kLengthBits = 0x7f;
// Lengths that stand for "the next two (eight) bytes have it"; smaller ones are meant.
constexpr uint8_t kLengthInTwo = 126;
constexpr uint8_t kLengthInEight = 127;
constexpr size_t kMaskSize = 4;
constexpr size_t kPrefixSize = 4;  // of Messages::kPrefixed

uint64_t ReadBigEndian(std::string_view bytes) {
  uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

void AppendBigEndian(uint64_t value, int size, std::string* out) {
  for (int shift = (size - 1) * 8; shift >= 0; shift -= 8) {
    out->push_back(static_cast<char>(value >> shift));
  }
}

void AppendFrame(Opcode opcode, std::string_view payload, std::string* out) {
  out->push_back(static_cast<char>(kFinal | opcode));
  if (payload.size() < kLengthInTwo) {
    out->push_back(static_cast<char>(payload.size()));
  } else if (payload.size() <= UINT16_MAX) {
    out->push_back(static_cast<char>(kLengthInTwo));
    AppendBigEndian(payload.size(), 2, out);
  } else {
    out->push_back(static_cast<char>(kLengthInEight));
    AppendBigEndian(payload.size(), 8, out);
  }
  *out += payload;
}

// Bytes of the first message, with its prefix; 0 when it is not whole.
size_t MessageSize(std::string_view bytes, Messages messages) {
  if (messages == Messages::kLines) return bytes.find('\n') + 1;  // npos + 1 is 0
  if (bytes.size() < kPrefixSize) return 0;
  const uint64_t size = kPrefixSize + ReadBigEndian(bytes.substr(0, kPrefixSize));
  return size <= bytes.size() ? size : 0;
}

}  // namespace

size_t AppendMessages(std::string_view bytes, Messages messages, std::string* out) {
  KULISSE_ASSERT(messages != Messages::kNone);
  size_t used = 0;
  while (const size_t size = MessageSize(bytes.substr(used), messages)) {
    const std::string_view message = bytes.substr(used, size);
    used += size;
    if (messages == Messages::kLines) {
      AppendFrame(kText, message, out);
    } else {
      AppendFrame(kBinary, message.substr(kPrefixSize), out);
    }
  }
  return used;
}

void AppendClose(CloseCode code, std::string* out) {
  std::string payload;
  AppendBigEndian(std::to_underlying(code), 2, &payload);
  AppendFrame(kClose, payload, out);
}

bool WebSocketReader::Feed(std::string_view bytes, std::string* out) {
  while (!bytes.empty()) {
    if (!whole_) {
      head_.push_back(bytes.front());
      bytes.remove_prefix(1);
      if (head_.size() < 2) continue;
      whole_ = head_.size() == HeadSize();
      if (const auto code = CheckHead()) {
        AppendClose(*code, out);
        return false;
      }
      if (!whole_) continue;
      remaining_ = PayloadSize();
    }
    const std::string_view piece = bytes.substr(0, remaining_);
    if (IsControl()) control_ += piece;
    remaining_ -= piece.size();
    bytes.remove_prefix(piece.size());
    if (remaining_ == 0 && !Finish(out)) return false;
  }
  return true;
}

size_t WebSocketReader::HeadSize() const {
  const uint8_t length = static_cast<uint8_t>(head_[1]) & kLengthBits;
  return 2 + (length == kLengthInTwo ? 2 : length == kLengthInEight ? 8 : 0) + kMaskSize;
}

uint64_t WebSocketReader::PayloadSize() const {
  if (HeadSize() == 2 + kMaskSize) return static_cast<uint8_t>(head_[1]) & kLengthBits;
  return ReadBigEndian(std::string_view(head_).substr(2, HeadSize() - 2 - kMaskSize));
}

bool WebSocketReader::IsControl() const { return (static_cast<uint8_t>(head_[0]) & kClose) != 0; }

std::optional<CloseCode> WebSocketReader::CheckHead() const {
  const auto first = static_cast<uint8_t>(head_[0]);
  const auto second = static_cast<uint8_t>(head_[1]);
  const uint8_t opcode = first & kOpcodeBits;
  const bool known = opcode <= kBinary || (opcode >= kClose && opcode <= kPong);
  // There are no extensions that would give the reserved bits a meaning. Clients mask.
  bool good = known && (first & kReservedBits) == 0 && (second & kMasked) != 0;
  if (IsControl()) good = good && (first & kFinal) != 0 && (second & kLengthBits) < kLengthInTwo;
  if (!good) return CloseCode::kProtocolError;
  if (whole_ && PayloadSize() > kWebSocketFrameBytesMax) return CloseCode::kTooBig;
  return std::nullopt;
}

bool WebSocketReader::Finish(std::string* out) {
  const uint8_t opcode = static_cast<uint8_t>(head_[0]) & kOpcodeBits;
  if (opcode == kPing) {
    const std::string_view mask = std::string_view(head_).substr(head_.size() - kMaskSize);
    for (size_t i = 0; i < control_.size(); ++i) {
      control_[i] = static_cast<char>(control_[i] ^ mask[i % kMaskSize]);
    }
    AppendFrame(kPong, control_, out);
  } else if (opcode == kClose) {
    AppendClose(CloseCode::kNormal, out);
    return false;
  }
  head_.clear();
  control_.clear();
  whole_ = false;
  return true;
}

}  // namespace kulisse::apiserver::net
