// Encodings, hashes, regular expressions, versions, URLs and paths.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/text.h"
#include "certs/digest.h"
#include "simulator/jq/regex.h"
#include "simulator/sprig/semver.h"
#include "simulator/sprig/sprig.h"

namespace kulisse::simulator {

namespace {

using json::Value;

// --- encodings and hashes

constexpr std::string_view kBase32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

std::string Base32Encode(std::string_view bytes) {
  std::string text;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : bytes) {
    bits = bits << 8 | static_cast<unsigned char>(c);
    for (count += 8; count >= 5; count -= 5) text += kBase32[bits >> (count - 5) & 31];
  }
  if (count > 0) text += kBase32[bits << (5 - count) & 31];
  while (text.size() % 8 != 0) text += '=';
  return text;
}

bool Base32Decode(TemplateCall& call, Arguments arguments, Operand* result) {
  const std::string_view text = TextOf(arguments[0]);
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  for (size_t i = 0; i < text.size() && text[i] != '='; ++i) {
    const size_t digit = kBase32.find(text[i]);
    if (digit == std::string_view::npos) {
      return GiveText(call, fmt::format("illegal base32 data at input byte {}", i), result);
    }
    bits = bits << 5 | static_cast<uint32_t>(digit);
    count += 5;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count);
  }
  return GiveText(call, bytes, result);
}

bool DecodeBase64(TemplateCall& call, Arguments arguments, Operand* result) {
  const std::string_view text = TextOf(arguments[0]);
  if (const auto decoded = Base64Decode(text)) return GiveText(call, *decoded, result);
  const size_t at =
      std::min(text.find_first_not_of(
                   "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/\r\n"),
               text.size() / 4 * 4);
  return GiveText(call, fmt::format("illegal base64 data at input byte {}", at), result);
}

template <std::string (*kHash)(std::string_view)>
bool Digest(TemplateCall& call, Arguments arguments, Operand* result) {
  std::string hex;
  for (const unsigned char byte : kHash(TextOf(arguments[0]))) hex += fmt::format("{:02x}", byte);
  return GiveText(call, hex, result);
}

bool Adler32(TemplateCall& call, Arguments arguments, Operand* result) {
  constexpr uint32_t kModulus = 65'521;
  uint32_t a = 1;
  uint32_t b = 0;
  for (const char c : TextOf(arguments[0])) {
    a = (a + static_cast<unsigned char>(c)) % kModulus;
    b = (b + a) % kModulus;
  }
  return GiveText(call, std::to_string(b << 16 | a), result);
}

std::string RandomBytes(TemplateCall& call, size_t count) {
  std::string bytes;
  for (size_t i = 0; i < count; ++i) bytes += static_cast<char>(call.RandomBelow(256));
  return bytes;
}

bool Uuid(TemplateCall& call, Arguments, Operand* result) {
  std::string bytes = RandomBytes(call, 16);
  bytes[6] = static_cast<char>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<char>((bytes[8] & 0x3f) | 0x80);
  std::string text;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", static_cast<unsigned char>(bytes[i]));
  }
  return GiveText(call, text, result);
}

// --- regular expressions

bool Compile(TemplateCall& call, const Operand& pattern, RegexPtr* regex) {
  auto compiled = CompileRegex(TextOf(pattern));
  if (!compiled) return call.Fail("invalid regular expression: " + compiled.error());
  *regex = std::move(*compiled);
  return true;
}

size_t CountOf(int64_t count) {
  return count < 0 ? std::numeric_limits<size_t>::max() : static_cast<size_t>(count);
}

template <bool kMust>
bool RegexMatch(TemplateCall& call, Arguments arguments, Operand* result) {
  RegexPtr regex;
  if (!Compile(call, arguments[0], &regex)) return kMust ? false : GiveBool(call, false, result);
  return GiveBool(call, !FindAll(*regex, TextOf(arguments[1]), 1).empty(), result);
}

bool RegexFind(TemplateCall& call, Arguments arguments, Operand* result) {
  RegexPtr regex;
  if (!Compile(call, arguments[0], &regex)) return false;
  const auto matches = FindAll(*regex, TextOf(arguments[1]), 1);
  return GiveText(call, matches.empty() ? "" : matches[0][0], result);
}

bool RegexFindAll(TemplateCall& call, Arguments arguments, Operand* result) {
  RegexPtr regex;
  if (!Compile(call, arguments[0], &regex)) return false;
  std::vector<std::string> found;
  for (const RegexGroups& groups :
       FindAll(*regex, TextOf(arguments[1]), CountOf(IntOf(arguments[2])))) {
    found.emplace_back(groups[0]);
  }
  return GiveTexts(call, found, result);
}

// Go's Expand: $1, ${1}, $name, ${name}, $$; an unknown one is nothing.
std::string Expanded(std::string_view text, const re2::RE2& regex, const RegexGroups& groups) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '$' || i + 1 == text.size()) {
      result += text[i];
      continue;
    }
    if (text[i + 1] == '$') {
      result += text[++i];
      continue;
    }
    const bool braces = text[i + 1] == '{';
    const size_t begin = i + (braces ? 2 : 1);
    size_t end = begin;
    while (end < text.size() &&
           (std::isalnum(static_cast<unsigned char>(text[end])) != 0 || text[end] == '_')) {
      ++end;
    }
    if (end == begin || (braces && (end == text.size() || text[end] != '}'))) {
      result += '$';
      continue;
    }
    const std::string name(text.substr(begin, end - begin));
    const auto& names = regex.NamedCapturingGroups();
    const auto named = names.find(name);
    const auto number = ParseUint64(name);
    const size_t group = number ? *number : named == names.end() ? groups.size() : named->second;
    if (group < groups.size() && groups[group].data()) result += groups[group];
    i = braces ? end : end - 1;
  }
  return result;
}

template <bool kIsLiteral>
bool RegexReplace(TemplateCall& call, Arguments arguments, Operand* result) {
  RegexPtr regex;
  if (!Compile(call, arguments[0], &regex)) return false;
  const std::string_view text =
      arguments[1].value->size() == 0 ? std::string_view("") : TextOf(arguments[1]);
  std::string replaced;
  size_t done = 0;
  for (const RegexGroups& groups : FindAll(*regex, text, CountOf(-1))) {
    const size_t begin = static_cast<size_t>(groups[0].data() - text.data());
    replaced += text.substr(done, begin - done);
    replaced += kIsLiteral ? std::string(TextOf(arguments[2]))
                           : Expanded(TextOf(arguments[2]), *regex, groups);
    done = begin + groups[0].size();
  }
  return GiveText(call, replaced.append(text.substr(done)), result);
}

bool RegexSplit(TemplateCall& call, Arguments arguments, Operand* result) {
  RegexPtr regex;
  if (!Compile(call, arguments[0], &regex)) return false;
  const std::string_view text =
      arguments[1].value->size() == 0 ? std::string_view("") : TextOf(arguments[1]);
  const int64_t count = IntOf(arguments[2]);
  std::vector<std::string> parts;
  if (count == 0) return GiveTexts(call, parts, result);
  if (arguments[0].value->size() > 0 && text.empty()) return GiveTexts(call, {""}, result);
  size_t begin = 0;
  size_t end = 0;
  for (const RegexGroups& groups : FindAll(*regex, text, CountOf(count))) {
    if (count > 0 && static_cast<int64_t>(parts.size()) == count - 1) break;
    end = static_cast<size_t>(groups[0].data() - text.data());
    if (end + groups[0].size() != 0) parts.emplace_back(text.substr(begin, end - begin));
    begin = end + groups[0].size();
  }
  if (end != text.size()) parts.emplace_back(text.substr(begin));
  return GiveTexts(call, parts, result);
}

bool RegexQuote(TemplateCall& call, Arguments arguments, Operand* result) {
  std::string quoted;
  for (const char c : TextOf(arguments[0])) {
    if (std::string_view("\\.+*?()|[]{}^$").find(c) != std::string_view::npos) quoted += '\\';
    quoted += c;
  }
  return GiveText(call, quoted, result);
}

// --- versions

bool Version(TemplateCall& call, Arguments arguments, Operand* result) {
  const auto version = ParseSemver(TextOf(arguments[0]));
  if (!version) return call.Fail("invalid semantic version");
  json::Arena& arena = call.arena();
  Value parts = Value::Object();
  parts.Set("Major", Value::Uint(version->numbers[0]), arena);
  parts.Set("Minor", Value::Uint(version->numbers[1]), arena);
  parts.Set("Patch", Value::Uint(version->numbers[2]), arena);
  parts.Set("Prerelease", Value::String(version->prerelease, arena), arena);
  parts.Set("Metadata", Value::String(version->metadata, arena), arena);
  parts.Set("Original", Value::String(TextOf(arguments[0]), arena), arena);
  *result = call.Keep(std::move(parts));
  return true;
}

bool CompareVersion(TemplateCall& call, Arguments arguments, Operand* result) {
  const auto version = ParseSemver(TextOf(arguments[1]));
  if (!version) return call.Fail("invalid semantic version");
  const auto meets = MeetsConstraint(*version, TextOf(arguments[0]));
  if (!meets) return call.Fail("improper constraint: " + std::string(TextOf(arguments[0])));
  return GiveBool(call, *meets, result);
}

// --- URLs and paths

bool UrlParse(TemplateCall& call, Arguments arguments, Operand* result) {
  std::string_view rest = TextOf(arguments[0]);
  const auto take = [&](char separator, bool before) {
    const size_t at = rest.find(separator);
    if (at == std::string_view::npos) return std::string_view();
    const std::string_view part = before ? rest.substr(0, at) : rest.substr(at + 1);
    rest = before ? rest.substr(at + 1) : rest.substr(0, at);
    return part;
  };
  const auto decode = [](std::string_view text) {
    return PercentDecode(text, false).value_or(std::string(text));
  };
  const std::string_view fragment = take('#', false);
  std::string_view scheme;
  const size_t colon = rest.find_first_of(":/?");
  if (colon != std::string_view::npos && colon > 0 && rest[colon] == ':') scheme = take(':', true);
  const std::string_view query = take('?', false);
  std::string_view host;
  std::string_view userinfo;
  std::string_view opaque;
  if (rest.starts_with("//")) {
    rest.remove_prefix(2);
    host = rest.substr(0, rest.find('/'));
    rest.remove_prefix(host.size());
    if (const size_t at = host.rfind('@'); at != std::string_view::npos) {
      userinfo = host.substr(0, at);
      host.remove_prefix(at + 1);
    }
  } else if (!scheme.empty() && !rest.starts_with('/')) {
    opaque = std::exchange(rest, {});
  }
  std::string_view hostname = host.substr(0, host.rfind(':'));
  if (host.starts_with('[')) hostname = host.substr(1, std::min(host.find(']'), host.size()) - 1);
  Value parts = Value::Object();
  const auto set = [&](std::string_view name, std::string_view text) {
    parts.Set(name, Value::String(text, call.arena()), call.arena());
  };
  set("scheme", ToLower(scheme));
  set("host", decode(host));
  set("hostname", decode(hostname));
  set("path", decode(rest));
  set("query", query);
  set("opaque", opaque);
  set("fragment", decode(fragment));
  set("userinfo", userinfo);
  *result = call.Keep(std::move(parts));
  return true;
}

std::string EscapedUrl(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 ||
                       std::string_view("-_.~$&+,/:;=@!'()*").find(c) != std::string_view::npos;
    escaped += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return escaped;
}

bool UrlJoin(TemplateCall& call, Arguments arguments, Operand* result) {
  const auto part = [&](std::string_view name) { return arguments[0].value->FindString({name}); };
  std::string url;
  if (!part("scheme").empty()) url.append(part("scheme")).append(":");
  if (!part("opaque").empty()) {
    url += part("opaque");
  } else {
    if (!part("scheme").empty() || !part("host").empty() || !part("userinfo").empty()) {
      if (!part("host").empty() || !part("path").empty() || !part("userinfo").empty()) url += "//";
      if (!part("userinfo").empty()) url.append(part("userinfo")).append("@");
      url += part("host");
    }
    const std::string path = EscapedUrl(part("path"));
    if (!path.empty() && path[0] != '/' && !part("host").empty()) url += '/';
    url += path;
  }
  if (!part("query").empty()) url.append("?").append(part("query"));
  if (!part("fragment").empty()) url.append("#").append(EscapedUrl(part("fragment")));
  return GiveText(call, url, result);
}

std::string CleanPath(std::string_view path) {
  const bool rooted = path.starts_with('/');
  std::vector<std::string> parts;
  for (const std::string_view part : Split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.emplace_back(part);
    } else if (!parts.empty() && parts.back() != "..") {
      parts.pop_back();
    } else if (!rooted) {
      parts.emplace_back(part);
    }
  }
  const std::string clean = (rooted ? "/" : "") + Join(parts, "/");
  return clean.empty() ? "." : clean;
}

bool PathBase(TemplateCall& call, Arguments arguments, Operand* result) {
  std::string_view path = TextOf(arguments[0]);
  if (path.empty()) return GiveText(call, ".", result);
  while (path.ends_with('/')) path.remove_suffix(1);
  if (path.empty()) return GiveText(call, "/", result);
  return GiveText(call, path.substr(path.rfind('/') + 1), result);
}

bool PathDir(TemplateCall& call, Arguments arguments, Operand* result) {
  const std::string_view path = TextOf(arguments[0]);
  return GiveText(call, CleanPath(path.substr(0, path.rfind('/') + 1)), result);
}

bool PathClean(TemplateCall& call, Arguments arguments, Operand* result) {
  return GiveText(call, CleanPath(TextOf(arguments[0])), result);
}

bool PathExt(TemplateCall& call, Arguments arguments, Operand* result) {
  std::string_view path = TextOf(arguments[0]);
  path.remove_prefix(path.rfind('/') + 1);
  const size_t dot = path.rfind('.');
  return GiveText(call, dot == std::string_view::npos ? "" : path.substr(dot), result);
}

bool PathIsAbs(TemplateCall& call, Arguments arguments, Operand* result) {
  return GiveBool(call, TextOf(arguments[0]).starts_with('/'), result);
}

constexpr TemplateFunction kFunctions[] = {
    Sprig("b64enc", "s",
          [](TemplateCall& call, Arguments arguments, Operand* result) {
            return GiveText(call, Base64Encode(TextOf(arguments[0])), result);
          }),
    Sprig("b64dec", "s", DecodeBase64),
    Sprig("b32enc", "s",
          [](TemplateCall& call, Arguments arguments, Operand* result) {
            return GiveText(call, Base32Encode(TextOf(arguments[0])), result);
          }),
    Sprig("b32dec", "s", Base32Decode),
    Sprig("sha1sum", "s", Digest<certs::Sha1>),
    Sprig("sha256sum", "s", Digest<certs::Sha256>),
    Sprig("sha512sum", "s", Digest<certs::Sha512>),
    Sprig("adler32sum", "s", Adler32),
    Sprig("randBytes", "i",
          [](TemplateCall& call, Arguments arguments, Operand* result) {
            constexpr int64_t kBytesMax = 64 * 1024;
            const int64_t count = IntOf(arguments[0]);
            if (count < 0 || count > kBytesMax) return call.Fail("so many bytes are not given");
            return GiveText(call, Base64Encode(RandomBytes(call, static_cast<size_t>(count))),
                            result);
          }),
    Sprig("uuidv4", "", Uuid),
    Sprig("regexMatch", "ss", RegexMatch<false>),
    Sprig("mustRegexMatch", "ss", RegexMatch<true>),
    Sprig("regexFind", "ss", RegexFind),
    Sprig("mustRegexFind", "ss", RegexFind),
    Sprig("regexFindAll", "ssi", RegexFindAll),
    Sprig("mustRegexFindAll", "ssi", RegexFindAll),
    Sprig("regexReplaceAll", "sss", RegexReplace<false>),
    Sprig("mustRegexReplaceAll", "sss", RegexReplace<false>),
    Sprig("regexReplaceAllLiteral", "sss", RegexReplace<true>),
    Sprig("mustRegexReplaceAllLiteral", "sss", RegexReplace<true>),
    Sprig("regexSplit", "ssi", RegexSplit),
    Sprig("mustRegexSplit", "ssi", RegexSplit),
    Sprig("regexQuoteMeta", "s", RegexQuote),
    Sprig("semver", "s", Version),
    Sprig("semverCompare", "ss", CompareVersion),
    Sprig("urlParse", "s", UrlParse),
    Sprig("urlJoin", "d", UrlJoin),
    Sprig("base", "s", PathBase),
    Sprig("dir", "s", PathDir),
    Sprig("clean", "s", PathClean),
    Sprig("ext", "s", PathExt),
    Sprig("isAbs", "s", PathIsAbs),
    Sprig("osBase", "s", PathBase),
    Sprig("osDir", "s", PathDir),
    Sprig("osClean", "s", PathClean),
    Sprig("osExt", "s", PathExt),
    Sprig("osIsAbs", "s", PathIsAbs),
};

}  // namespace

std::span<const TemplateFunction> SprigEncodings() { return kFunctions; }

}  // namespace kulisse::simulator
