#include "apiserver/authn/token_file.h"

#include <gtest/gtest.h>

#include "certs/private_file.h"

namespace kulisse::apiserver {
namespace {

std::string Describe(const TokenFile& file, std::string_view token) {
  const UserInfo* user = file.Find(token);
  if (user == nullptr) return "nobody";
  std::string text = user->name + "/" + user->uid;
  for (const std::string& group : user->groups) text += " [" + group + "]";
  return text;
}

struct Row {
  std::string_view name, text, token, want;  // want: the user, or "error: …"
};
constexpr Row kRows[] = {
    {"three columns", "t,ann,1\n", "t", "ann/1"},
    {"no line end at the end", "t,ann,1", "t", "ann/1"},
    {"carriage returns", "t,ann,1\r\nu,ben,2\r\n", "u", "ben/2"},
    {"carriage return at the end of the file", "t,ann,1\r", "t", "ann/1"},
    {"one group", "t,ann,1,dev", "t", "ann/1 [dev]"},
    {"quoted groups", "t,ann,1,\"dev,ops\"", "t", "ann/1 [dev] [ops]"},
    {"no groups", "t,ann,1,", "t", "ann/1"},
    {"further columns", "t,ann,1,dev,more,columns", "t", "ann/1 [dev]"},
    {"empty lines", "\n\nt,ann,1\n\n\nu,ben,2\n\n", "u", "ben/2"},
    {"doubled quote", "t,\"a\"\"n\",1", "t", "a\"n/1"},
    {"quoted line end", "t,\"a\nn\",1", "t", "a\nn/1"},
    {"blanks stay", "t, ann,1", "t", " ann/1"},
    {"empty token is skipped", ",ann,1\nu,ben,2", "u", "ben/2"},
    {"empty token is nobody", ",ann,1\n", "", "nobody"},
    {"last line of a token counts", "t,ann,1\nt,ben,2\n", "t", "ben/2"},
    {"empty file", "", "t", "nobody"},
    {"two columns", "t,ann,1\nu,ben\n", "t",
     "error: line 2: has 2 columns, but at least 3 are needed: token, user name, user uid"},
    {"blank line", " \n", "t",
     "error: line 1: has 1 columns, but at least 3 are needed: token, user name, user uid"},
    {"quote in a plain field", "\nt,a\"n,1", "t", "error: line 2: a quote within a plain field"},
    {"open quote", "t,ann,1\nu,\"ben\n,2\n", "t", "error: line 4: a quote that is not closed"},
    {"text after a quote", "t,\"ann\"x,1", "t", "error: line 1: text after a closing quote"},
    {"line after quoted line end", "t,\"a\nn\",1\nu,b", "t",
     "error: line 3: has 2 columns, but at least 3 are needed: token, user name, user uid"},
};

TEST(TokenFileTest, ParsesTable) {
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.name);
    const auto file = TokenFile::Parse(row.text);
    EXPECT_EQ(file ? Describe(*file, row.token) : "error: " + file.error(), row.want);
  }
}

TEST(TokenFileTest, LoadNamesTheFileAndTheLine) {
  const auto directory = certs::TemporaryDirectory::Make().value();
  const std::string path = directory.path() + "/tokens.csv";
  EXPECT_FALSE(TokenFile::Load(path).has_value());
  ASSERT_TRUE(certs::WritePrivateFile(path, "t,ann,1\nbroken\n").has_value());
  const auto broken = TokenFile::Load(path);
  ASSERT_FALSE(broken.has_value());
  EXPECT_TRUE(broken.error().starts_with(path + ": line 2: ")) << broken.error();
  ASSERT_TRUE(certs::WritePrivateFile(path, "t,ann,1\n").has_value());
  EXPECT_EQ(TokenFile::Load(path).value().size(), 1u);
}

}  // namespace
}  // namespace kulisse::apiserver
