// Small pure functions on text that several folders need.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kulisse {

// Bytes of the well-formed UTF-8 sequence that `text` begins with, 0 if there is none.
[[nodiscard]] size_t Utf8SequenceLength(std::string_view text);
[[nodiscard]] bool IsUtf8(std::string_view text);
// Each byte that is no UTF-8 becomes U+FFFD.
[[nodiscard]] std::string ToValidUtf8(std::string_view text);

// The same bytes. Quicker than operator== for texts as short as names of fields, as it calls
// nothing up to 16 bytes.
[[nodiscard]] inline bool SameText(std::string_view a, std::string_view b) {
  const auto both_ends = [&]<class Word>(Word /*size*/) {
    Word words[4];
    std::memcpy(&words[0], a.data(), sizeof(Word));
    std::memcpy(&words[1], b.data(), sizeof(Word));
    std::memcpy(&words[2], a.data() + a.size() - sizeof(Word), sizeof(Word));
    std::memcpy(&words[3], b.data() + a.size() - sizeof(Word), sizeof(Word));
    return words[0] == words[1] && words[2] == words[3];
  };
  if (a.size() != b.size()) return false;
  if (a.size() > 16) return std::memcmp(a.data(), b.data(), a.size()) == 0;
  if (a.size() >= 8) return both_ends(uint64_t{});
  if (a.size() >= 4) return both_ends(uint32_t{});
  if (a.size() >= 2) return both_ends(uint16_t{});
  return a.empty() || a.front() == b.front();
}

[[nodiscard]] std::string_view TrimSpace(std::string_view text);
[[nodiscard]] std::string ToLower(std::string_view text);                     // ASCII
[[nodiscard]] bool EqualsIgnoreCase(std::string_view a, std::string_view b);  // ASCII
// "a,b,,c" -> a b "" c; an empty text gives one empty part.
[[nodiscard]] std::vector<std::string_view> Split(std::string_view text, char separator);
[[nodiscard]] std::string Join(const std::vector<std::string>& parts, std::string_view separator);

// The whole text as a decimal number; nothing on any other character or overflow.
[[nodiscard]] std::optional<int64_t> ParseInt64(std::string_view text);
[[nodiscard]] std::optional<uint64_t> ParseUint64(std::string_view text);

// %XX and, with `plus`, '+' as a blank. Nothing when an escape is malformed.
[[nodiscard]] std::optional<std::string> PercentDecode(std::string_view text, bool plus);

[[nodiscard]] std::string Base64Encode(std::string_view bytes);                // standard, padded
[[nodiscard]] std::optional<std::string> Base64Decode(std::string_view text);  // standard, padded
[[nodiscard]] std::string Base64UrlEncode(std::string_view bytes);             // URL-safe, unpadded
[[nodiscard]] std::optional<std::string> Base64UrlDecode(std::string_view text);  // pad optional

}  // namespace kulisse
