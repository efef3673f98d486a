#include "base/utf8.h"

namespace kulisse {

void AppendUtf8(char32_t rune, std::string* out) {
  if (rune > 0x10ffff || (rune >= 0xd800 && rune < 0xe000)) rune = kReplacementRune;
  const auto put = [&](char32_t byte) { *out += static_cast<char>(byte); };
  if (rune < 0x80) {
    put(rune);
  } else if (rune < 0x800) {
    put(0xc0 | rune >> 6);
    put(0x80 | (rune & 0x3f));
  } else if (rune < 0x10000) {
    put(0xe0 | rune >> 12);
    put(0x80 | (rune >> 6 & 0x3f));
    put(0x80 | (rune & 0x3f));
  } else {
    put(0xf0 | rune >> 18);
    put(0x80 | (rune >> 12 & 0x3f));
    put(0x80 | (rune >> 6 & 0x3f));
    put(0x80 | (rune & 0x3f));
  }
}

}  // namespace kulisse
