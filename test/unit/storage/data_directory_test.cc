// What Store::Open() refuses, and that it leaves alone what it refuses.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "base/virtual_runtime.h"
#include "storage/store.h"
#include "test/support/temp_directory.h"

namespace kulisse::storage {
namespace {

namespace fs = std::filesystem;
using Files = std::map<std::string, std::string>;

Files ReadFiles(const std::string& directory) {
  Files files;
  for (const auto& entry : fs::directory_iterator(directory)) {
    std::ostringstream text;
    text << std::ifstream(entry.path(), std::ios::binary).rdbuf();
    files[entry.path().filename()] = text.str();
  }
  return files;
}

void WriteFile(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

class DataDirectoryTest : public testing::Test {
 protected:
  std::expected<std::unique_ptr<Store>, std::string> Open() {
    StoreOptions options;
    options.directory = path_;
    return Store::Open(options, runtime_);
  }
  // Opens the store, puts `count` objects, and closes it.
  void Fill(int count) {
    auto store = Open();
    ASSERT_TRUE(store.has_value()) << store.error();
    for (int i = 0; i < count; ++i) {
      const std::string json = R"({"n":)" + std::to_string(i) + "}";
      ASSERT_TRUE((*store)->GuaranteedUpdate(
          {"pods", "ns", "p" + std::to_string(i)}, [&](const RecordPtr&) -> Result<Change> {
            RecordContent content;
            content.json = json;
            content.rv_offset = 1;
            return Change{.kind = Change::Kind::kPut, .content = content};
          }));
    }
  }
  // The only file whose name begins or ends so.
  std::string FileNamed(const std::string& begin, const std::string& end) {
    std::string found;
    for (const auto& [name, text] : ReadFiles(path_)) {
      if (name.starts_with(begin) && name.ends_with(end)) found = path_ + "/" + name;
    }
    return found;
  }
  // The error, after a check that nothing was touched.
  std::string RefusalOf() {
    const Files before = ReadFiles(path_);
    const auto store = Open();
    EXPECT_EQ(ReadFiles(path_), before);
    return store ? "opened" : store.error();
  }

  VirtualRuntime runtime_{1};
  TempDirectory directory_;
  std::string path_ = directory_.path() + "/store";
};

TEST_F(DataDirectoryTest, IsCreatedForItsOwnerAlone) {
  ASSERT_TRUE(Open().has_value());
  EXPECT_EQ(fs::status(path_).permissions(), fs::perms::owner_all);
}

TEST_F(DataDirectoryTest, RefusesADirectoryWithOtherFiles) {
  fs::create_directory(path_);
  WriteFile(path_ + "/thesis.tex", "precious");
  EXPECT_NE(RefusalOf().find("is not a Kulisse store: it holds 'thesis.tex'"), std::string::npos);
}

TEST_F(DataDirectoryTest, RefusesADatabaseOfAnotherProgram) {
  Fill(1);
  fs::remove(path_ + "/KULISSE");
  EXPECT_NE(RefusalOf().find("is another program's database"), std::string::npos);
}

TEST_F(DataDirectoryTest, RefusesAnotherFormat) {
  Fill(1);
  WriteFile(path_ + "/KULISSE", "kulisse store, format 999\n");
  EXPECT_NE(RefusalOf().find("another version of Kulisse"), std::string::npos);
}

TEST_F(DataDirectoryTest, RefusesAFile) {
  WriteFile(path_, "a file");
  const auto store = Open();
  ASSERT_FALSE(store.has_value());
  EXPECT_EQ(fs::file_size(path_), 6u);
}

TEST_F(DataDirectoryTest, RefusesWhileAnotherHasIt) {
  auto store = Open();
  ASSERT_TRUE(store.has_value());
  EXPECT_NE(RefusalOf().find("is in use by another Kulisse process"), std::string::npos);
  store->reset();
  EXPECT_TRUE(Open().has_value());
}

TEST_F(DataDirectoryTest, RefusesACorruptCurrent) {
  Fill(3);
  WriteFile(path_ + "/CURRENT", "nonsense\n");
  EXPECT_NE(RefusalOf().find("damaged"), std::string::npos);
}

TEST_F(DataDirectoryTest, RefusesACorruptManifest) {
  Fill(3);
  const std::string manifest = FileNamed("MANIFEST-", "");
  std::string text = ReadFiles(path_)[fs::path(manifest).filename()];
  ASSERT_GT(text.size(), 20u);
  for (size_t i = 10; i < text.size(); ++i) text[i] = static_cast<char>(text[i] ^ 0x5a);
  WriteFile(manifest, text);
  EXPECT_NE(RefusalOf().find("damaged"), std::string::npos);
}

TEST_F(DataDirectoryTest, RefusesALogThatIsDamagedInTheMiddle) {
  Fill(200);
  const std::string log = FileNamed("", ".log");
  std::string text = ReadFiles(path_)[fs::path(log).filename()];
  ASSERT_GT(text.size(), 1000u);
  text[text.size() / 2] = static_cast<char>(text[text.size() / 2] ^ 0xff);
  WriteFile(log, text);
  EXPECT_NE(RefusalOf().find("damaged"), std::string::npos);
}

TEST_F(DataDirectoryTest, RecoversFromALogThatEndsInHalfARecord) {
  Fill(200);
  const std::string log = FileNamed("", ".log");
  fs::resize_file(log, fs::file_size(log) - 7);
  const auto store = Open();
  ASSERT_TRUE(store.has_value()) << store.error();
  EXPECT_GE((*store)->Count("pods"), 100u);
  EXPECT_GT((*store)->head().value, 201u);  // behind all that may have been seen
}

}  // namespace
}  // namespace kulisse::storage
