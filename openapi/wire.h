// Reading and writing of the protobuf wire format: tags, varints, lengths. Internal to openapi.
//
// Threads: values.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace kulisse::openapi {

enum class WireType : uint8_t {
  kVarint = 0,
  kFixed64 = 1,
  kBytes = 2,
  kEndGroup = 4,
  kFixed32 = 5
};

// Reads the fields of one message.
//
// Errors: methods return false, and error() is what gogo's generated code says; nothing may be
//   read then.
class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : rest_(bytes) {}

  [[nodiscard]] bool AtEnd() const { return rest_.empty(); }
  // `message` is the Go name for errors.
  bool ReadTag(std::string_view message, uint32_t* number, WireType* type) {
    uint64_t wire = 0;
    if (!ReadVarint(&wire)) return false;
    *number = static_cast<uint32_t>(wire >> 3);
    *type = static_cast<WireType>(wire & 7);
    if (*type != WireType::kEndGroup && static_cast<int32_t>(*number) > 0) return true;
    return RefuseTag(message, wire);
  }
  bool ReadVarint(uint64_t* value) {
    if (rest_.empty() || static_cast<unsigned char>(rest_.front()) >= 0x80) {
      return ReadLongVarint(value);
    }
    *value = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    return true;
  }
  bool ReadFixed64(uint64_t* value);
  // The bytes are a part of the text given to the constructor.
  bool ReadBytes(std::string_view* bytes);
  bool Skip(WireType type);
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  bool ReadLongVarint(uint64_t* value);
  bool RefuseTag(std::string_view message, uint64_t wire);
  bool Fail(std::string_view error);

  std::string_view rest_;
  std::string error_;
};

// Writes messages from their end to their start, so that each length is known when it is written.
//
// Owns: its buffer.
class ReverseWriter {
 public:
  // Bytes written so far; the difference of two is the length of what was written between.
  [[nodiscard]] size_t size() const { return capacity_ - at_; }
  [[nodiscard]] std::string_view bytes() const { return {buffer_.get() + at_, size()}; }

  void Bytes(std::string_view bytes);
  void Varint(uint64_t value) {
    if (value >= 0x80) return LongVarint(value);
    Reserve(1);
    buffer_[--at_] = static_cast<char>(value);
  }
  void Tag(uint32_t number, WireType type) {
    Varint(uint64_t{number} << 3 | static_cast<uint64_t>(type));
  }
  void Fixed64(uint64_t value);
  // The tag and length before a message of which size() was `end` when its writing began.
  void CloseMessage(uint32_t number, size_t end) {
    Varint(size() - end);
    Tag(number, WireType::kBytes);
  }
  void BytesField(uint32_t number, std::string_view bytes) {
    Bytes(bytes);
    Varint(bytes.size());
    Tag(number, WireType::kBytes);
  }
  void VarintField(uint32_t number, uint64_t value) {
    Varint(value);
    Tag(number, WireType::kVarint);
  }

 private:
  // Makes room for `count` bytes before at_.
  void Reserve(size_t count) {
    if (count > at_) Grow(count);
  }
  void Grow(size_t count);
  void LongVarint(uint64_t value);

  std::unique_ptr<char[]> buffer_;
  size_t capacity_ = 0;
  size_t at_ = 0;
};

}  // namespace kulisse::openapi
