// Writes code points as UTF-8; text.h reads and checks it. Threads: any.
#pragma once

#include <string>

namespace kulisse {

inline constexpr char32_t kReplacementRune = 0xfffd;

// Surrogates and what is beyond Unicode become U+FFFD.
void AppendUtf8(char32_t rune, std::string* out);

}  // namespace kulisse
