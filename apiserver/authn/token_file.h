// TokenFile is the list of static bearer tokens of --token-auth-file, in kube-apiserver's format:
// comma-separated values, one token a line,
//
//   token,user name,user uid
//   token,user name,user uid,"group1,group2"
//
// Further columns are ignored; empty lines too. As upstream, a line with an empty token is skipped
// and the last line of a token counts; both are logged.
//
// Threads: immutable after loading; any thread.
// Errors: a text that names the file (Load) and the line.
// Limits: kPrivateFileBytesMax for the file.
#pragma once

#include <expected>
#include <map>
#include <string>
#include <string_view>

#include "apiserver/authn/user.h"

namespace kulisse::apiserver {

class TokenFile {
 public:
  static std::expected<TokenFile, std::string> Load(const std::string& path);
  static std::expected<TokenFile, std::string> Parse(std::string_view text);

  // The user of the token, or null. Valid as long as this object.
  [[nodiscard]] const UserInfo* Find(std::string_view token) const;
  [[nodiscard]] size_t size() const { return users_.size(); }

 private:
  std::map<std::string, UserInfo, std::less<>> users_;
};

}  // namespace kulisse::apiserver
