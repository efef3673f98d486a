#include "apiserver/authn/token_file.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "base/log.h"
#include "base/text.h"
#include "certs/private_file.h"

namespace kulisse::apiserver {

namespace {

constexpr size_t kColumnsMin = 3;
constexpr size_t kGroupsColumn = 3;

// CsvReader takes comma-separated values apart as Go's encoding/csv does with its defaults: quoted
// fields may hold commas, line ends and doubled quotes; a quote elsewhere is an error.
class CsvReader {
 public:
  explicit CsvReader(std::string_view text) : rest_(text) {}

  // The next record that is not an empty line; an empty vector at the end.
  std::expected<std::vector<std::string>, std::string> Next() {
    while (TakeLineEnd()) {
    }
    record_line_ = line_;
    std::vector<std::string> fields;
    if (rest_.empty()) return fields;
    while (true) {
      auto field = rest_.starts_with('"') ? Quoted() : Plain();
      if (!field) return std::unexpected(std::move(field).error());
      fields.push_back(std::move(*field));
      if (rest_.empty() || TakeLineEnd()) return fields;
      rest_.remove_prefix(1);  // the comma; both kinds of field end before one
    }
  }

  // Of the record that Next() returned; the first line is 1.
  [[nodiscard]] int record_line() const { return record_line_; }

 private:
  bool TakeLineEnd() {
    const size_t size = rest_.starts_with("\r\n") ? 2 : rest_.starts_with('\n') ? 1 : 0;
    rest_.remove_prefix(size);
    if (size > 0) ++line_;
    return size > 0;
  }

  std::expected<std::string, std::string> Plain() {
    size_t end = 0;
    while (end < rest_.size() && rest_[end] != ',' && rest_[end] != '\n') ++end;
    std::string_view field = rest_.substr(0, end);
    if (field.ends_with('\r') && (end == rest_.size() || rest_[end] == '\n')) {
      field.remove_suffix(1);
    }
    if (field.find('"') != std::string_view::npos) return Error("a quote within a plain field");
    rest_.remove_prefix(field.size());
    if (rest_ == "\r") rest_ = {};
    return std::string(field);
  }

  std::expected<std::string, std::string> Quoted() {
    std::string field;
    rest_.remove_prefix(1);
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '\n') ++line_;
      if (c != '"') {
        field += c;
      } else if (rest_.starts_with('"')) {
        field += '"';
        rest_.remove_prefix(1);
      } else if (rest_.empty() || rest_.front() == ',' || rest_.front() == '\n' ||
                 rest_.starts_with("\r\n")) {
        return field;
      } else {
        return Error("text after a closing quote");
      }
    }
    return Error("a quote that is not closed");
  }

  [[nodiscard]] std::unexpected<std::string> Error(std::string_view what) const {
    return std::unexpected(fmt::format("line {}: {}", line_, what));
  }

  std::string_view rest_;
  int line_ = 1;
  int record_line_ = 1;
};

UserInfo UserOf(std::vector<std::string> fields) {
  UserInfo user;
  user.name = std::move(fields[1]);
  user.uid = std::move(fields[2]);
  if (fields.size() > kGroupsColumn && !fields[kGroupsColumn].empty()) {
    for (const std::string_view group : Split(fields[kGroupsColumn], ',')) {
      user.groups.emplace_back(group);
    }
  }
  return user;
}

}  // namespace

std::expected<TokenFile, std::string> TokenFile::Parse(std::string_view text) {
  TokenFile file;
  CsvReader reader(text);
  while (true) {
    auto fields = reader.Next();
    if (!fields) return std::unexpected(std::move(fields).error());
    if (fields->empty()) return file;
    const int line = reader.record_line();
    if (fields->size() < kColumnsMin) {
      return std::unexpected(
          fmt::format("line {}: has {} columns, but at least {} are needed: token, user name, "
                      "user uid",
                      line, fields->size(), kColumnsMin));
    }
    std::string token = std::move(fields->front());
    if (token.empty()) {
      log::Warning("authn", "line of the token file without a token", {{"line", line}});
      continue;
    }
    if (file.users_.contains(token)) {
      log::Warning("authn", "token appears again in the token file", {{"line", line}});
    }
    file.users_.insert_or_assign(std::move(token), UserOf(std::move(*fields)));
  }
}

std::expected<TokenFile, std::string> TokenFile::Load(const std::string& path) {
  auto text = certs::ReadSmallFile(path);
  if (!text) return std::unexpected(std::move(text).error());
  auto file = Parse(*text);
  if (!file) return std::unexpected(fmt::format("{}: {}", path, file.error()));
  return file;
}

const UserInfo* TokenFile::Find(std::string_view token) const {
  const auto it = users_.find(token);
  return it == users_.end() ? nullptr : &it->second;
}

}  // namespace kulisse::apiserver
