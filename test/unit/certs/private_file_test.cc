#include "certs/private_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "base/limits.h"

namespace kulisse::certs {
namespace {

mode_t Mode(const std::string& path) {
  struct stat info = {};
  EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
  return info.st_mode & 0777;
}

class PrivateFileTest : public testing::Test {
 protected:
  TemporaryDirectory directory_ = TemporaryDirectory::Make().value();
  std::string path_ = directory_.path() + "/file";
};

TEST_F(PrivateFileTest, ReadsBackWhatWasWrittenWithMode0600) {
  const std::string bytes("a\0b\n", 4);
  ASSERT_TRUE(WritePrivateFile(path_, bytes).has_value());
  EXPECT_EQ(ReadSmallFile(path_), bytes);
  EXPECT_EQ(Mode(path_), 0600u);
}

TEST_F(PrivateFileTest, ReplacesAFileWithoutLeavingTemporaryOnes) {
  ASSERT_TRUE(WritePrivateFile(path_, "old").has_value());
  ASSERT_EQ(::chmod(path_.c_str(), 0644), 0);
  ASSERT_TRUE(WritePrivateFile(path_, "new").has_value());
  EXPECT_EQ(ReadSmallFile(path_), "new");
  EXPECT_EQ(Mode(path_), 0600u);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory_.path()), {}), 1);
}

TEST_F(PrivateFileTest, ErrorsNameTheFile) {
  const auto missing = ReadSmallFile(path_);
  ASSERT_FALSE(missing.has_value());
  EXPECT_NE(missing.error().find(path_), std::string::npos);
  const auto no_file = ReadSmallFile(directory_.path());
  ASSERT_FALSE(no_file.has_value());
  EXPECT_NE(no_file.error().find(directory_.path()), std::string::npos);
  const auto unwritable = WritePrivateFile(path_ + "/below", "x");
  ASSERT_FALSE(unwritable.has_value());
  EXPECT_NE(unwritable.error().find(path_), std::string::npos);
}

TEST_F(PrivateFileTest, RefusesLargeFiles) {
  ASSERT_TRUE(WritePrivateFile(path_, std::string(kPrivateFileBytesMax, 'x')).has_value());
  EXPECT_TRUE(ReadSmallFile(path_).has_value());
  ASSERT_TRUE(WritePrivateFile(path_, std::string(kPrivateFileBytesMax + 1, 'x')).has_value());
  EXPECT_FALSE(ReadSmallFile(path_).has_value());
}

TEST_F(PrivateFileTest, DirectoriesAreForTheirOwnerOnly) {
  const std::string nested = directory_.path() + "/a/b";
  ASSERT_TRUE(MakePrivateDirectory(nested).has_value());
  EXPECT_EQ(Mode(nested), 0700u);
  ASSERT_EQ(::chmod(nested.c_str(), 0755), 0);
  ASSERT_TRUE(MakePrivateDirectory(nested).has_value());
  EXPECT_EQ(Mode(nested), 0700u);
  ASSERT_TRUE(WritePrivateFile(path_, "x").has_value());
  EXPECT_FALSE(MakePrivateDirectory(path_ + "/c").has_value());
}

TEST(TemporaryDirectoryTest, GoesWithAllThatItHolds) {
  std::string path;
  {
    const auto directory = TemporaryDirectory::Make();
    ASSERT_TRUE(directory.has_value());
    path = directory->path();
    EXPECT_EQ(Mode(path), 0700u);
    ASSERT_TRUE(WritePrivateFile(path + "/file", "x").has_value());
  }
  EXPECT_FALSE(FileExists(path));
}

}  // namespace
}  // namespace kulisse::certs
