#include "storage/record.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"
#include "storage/key.h"
#include "storage/value_codec.h"

namespace kulisse::storage {
namespace {

constexpr std::string_view kJson = R"({"metadata":{"name":"a"},"spec":{}})";

RecordContent PodContent() {
  RecordContent content;
  content.labels = {{"app", "web"}, {"tier", ""}};
  content.fields = {{"status.phase", "Running"}, {"metadata.name", "a"}};
  content.uid = "u-1";
  content.deleting = true;
  content.rv_offset = static_cast<uint32_t>(kJson.find("},"));
  content.json = kJson;
  return content;
}

Record MakeRecord(const RecordContent& content, uint64_t revision) {
  auto record = Record::Decode(Record::Encode(content, {revision}));
  EXPECT_TRUE(record.has_value());
  return std::move(*record);
}

TEST(KeyTest, EncodesResourceNamespaceAndName) {
  EXPECT_EQ(EncodeKey({"pods", "default", "a"}), "pods/default/a");
  EXPECT_EQ(EncodeKey({"nodes", "", "n1"}), "nodes/n1");
  EXPECT_EQ(KeyPrefix("pods", ""), "pods/");
  EXPECT_EQ(KeyPrefix("pods", "default"), "pods/default/");
}

TEST(RecordTest, GivesBackWhatWasEncoded) {
  const Record record = MakeRecord(PodContent(), 42);
  EXPECT_EQ(record.revision().value, 42u);
  EXPECT_EQ(record.uid(), "u-1");
  EXPECT_TRUE(record.deleting());
  EXPECT_EQ(record.json(), kJson);
  EXPECT_EQ(record.Labels(), PodContent().labels);
  EXPECT_EQ(record.Fields(), PodContent().fields);
  EXPECT_EQ(record.Label("tier"), "");
  EXPECT_EQ(record.Label("none"), std::nullopt);
  EXPECT_EQ(record.Field("status.phase"), "Running");
}

TEST(RecordTest, PutsHeadAndResourceVersionIntoTheObject) {
  const Record record = MakeRecord(PodContent(), 42);
  std::string whole = "[";
  record.AppendObject(R"("kind":"Pod","apiVersion":"v1",)", {43}, &whole);
  EXPECT_EQ(whole,
            R"([{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","resourceVersion":"43"},)"
            R"("spec":{}})");
}

TEST(RecordTest, ARevisionCanBeSetLater) {
  Record record = MakeRecord(PodContent(), 0);
  record.SetRevision({99});
  EXPECT_EQ(record.revision().value, 99u);
  EXPECT_EQ(record.bytes(), Record::Encode(PodContent(), {99}));
}

TEST(RecordTest, ComparesSelectablesAndContent) {
  const Record record = MakeRecord(PodContent(), 1);
  EXPECT_TRUE(record.SameContent(MakeRecord(PodContent(), 2)));
  RecordContent other = PodContent();
  other.deleting = false;
  EXPECT_FALSE(record.SameContent(MakeRecord(other, 1)));
  EXPECT_TRUE(record.SameSelectables(MakeRecord(other, 1)));
  other.fields[0].second = "Pending";
  EXPECT_FALSE(record.SameSelectables(MakeRecord(other, 1)));
  // The same bytes, divided otherwise.
  RecordContent shifted = PodContent();
  shifted.labels = {{"app", "webtier"}};
  EXPECT_FALSE(record.SameSelectables(MakeRecord(shifted, 1)));
}

TEST(RecordTest, RefusesEachHeaderThatEndsEarlyOrIsBroken) {
  const std::string bytes = Record::Encode(PodContent(), {1});
  for (size_t size = 0; size <= bytes.size() - kJson.size(); ++size) {
    EXPECT_FALSE(Record::Decode(bytes.substr(0, size)).has_value()) << size;
  }
  for (const auto& [at, value] : std::vector<std::pair<size_t, char>>{
           {0, 1}, {1, 2}, {10, 0}, {10, 127}, {11, 9}, {12, 1}, {13, 127}, {17, 127}, {19, 'z'}}) {
    std::string broken = bytes;
    broken[at] = value;
    EXPECT_FALSE(Record::Decode(broken).has_value()) << at;
  }
}

TEST(RecordTest, GivesManagedFieldsAndTheObjectWithoutThem) {
  constexpr std::string_view kManaged = R"([{"manager":"m"}])";
  const std::string json =
      fmt::format(R"({{"metadata":{{"uid":"u","managedFields":{}}},"spec":{{}}}})", kManaged);
  RecordContent content;
  content.uid = "u";
  content.json = json;
  content.rv_offset = static_cast<uint32_t>(json.find(",\"managedFields"));
  content.managed_fields_at = content.rv_offset;
  content.managed_fields_size = static_cast<uint32_t>(json.find("},\"spec") - content.rv_offset);
  const Record record = MakeRecord(content, 7);
  EXPECT_EQ(record.managed_fields(), kManaged);
  std::string text;
  record.AppendUnmanaged({7}, &text);
  EXPECT_EQ(text, R"({"metadata":{"uid":"u","resourceVersion":"7"},"spec":{}})");

  RecordContent other = content;
  const std::string unmanaged = R"({"metadata":{"uid":"u"},"spec":{}})";
  other.json = unmanaged;
  other.managed_fields_at = other.managed_fields_size = 0;
  EXPECT_EQ(MakeRecord(other, 7).managed_fields(), "");
  EXPECT_TRUE(record.SameUnmanaged(other));
  EXPECT_TRUE(record.SameUnmanaged(content));
  const std::string changed = R"({"metadata":{"uid":"u"},"spec":{"a":1}})";
  other.json = changed;
  EXPECT_FALSE(record.SameUnmanaged(other));
}

// Whatever decodes must encode to the same bytes: an encoding has one meaning, a meaning one
// encoding.
TEST(RecordTest, DecodingIsTheInverseOfEncodingForRandomRecordsAndTheirMutations) {
  const uint64_t seed = 4;
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  int mutants = 0;
  for (int round = 0; round < 2'000; ++round) {
    std::vector<std::string> texts;
    for (int i = 0; i < 12; ++i) texts.push_back(random.Text(random.Below(300), "abc/\x80 "));
    const std::string json = "{" + texts[0] + "}";
    RecordContent content;
    std::sort(texts.begin() + 1, texts.begin() + 5);
    for (size_t i = 1; i < 5 && random.Below(4) > 0; ++i) {
      if (texts[i] != texts[i - 1] || i == 1) content.labels.emplace_back(texts[i], texts[i + 4]);
    }
    for (size_t i = 5; i < 8 && random.Below(4) > 0; ++i) {
      content.fields.emplace_back(texts[i], texts[i + 2]);
    }
    content.uid = texts[11];
    content.deleting = random.Below(2) == 0;
    content.json = json;
    content.rv_offset = static_cast<uint32_t>(1 + random.Below(json.size() - 1));
    std::string bytes = Record::Encode(content, {random.Next()});
    const auto record = Record::Decode(bytes);
    ASSERT_TRUE(record.has_value());
    ASSERT_EQ(record->Labels(), content.labels);
    ASSERT_EQ(record->Fields(), content.fields);
    ASSERT_EQ(record->json(), json);

    bytes[random.Below(bytes.size())] = static_cast<char>(random.Next());
    const auto mutant = Record::Decode(bytes);
    if (!mutant) continue;
    ++mutants;
    RecordContent again;
    again.labels = mutant->Labels();
    again.fields = mutant->Fields();
    again.uid = mutant->uid();
    again.deleting = mutant->deleting();
    again.rv_offset = mutant->rv_offset();
    again.json = mutant->json();
    ASSERT_EQ(Record::Encode(again, mutant->revision()), bytes);
  }
  EXPECT_GT(mutants, 0);
}

TEST(ValueCodecTest, SmallRecordsStayBareAndBigOnesShrink) {
  ValueCodec codec;
  for (const size_t filling : {0u, 10'000u}) {
    RecordContent content = PodContent();
    const std::string json = R"({"a":")" + std::string(filling, 'x') + R"("})";
    content.json = json;
    content.rv_offset = 1;
    const std::string bytes = Record::Encode(content, {5});
    std::string value;
    codec.Encode("pods", bytes, &value);
    EXPECT_LE(value.size(), filling == 0 ? bytes.size() + 1 : bytes.size() / 10);
    const auto decoded = codec.Decode(value);
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ((*decoded)->bytes(), bytes);
  }
}

TEST(ValueCodecTest, EachValueFindsTheDictionaryItWasMadeWith) {
  Random random(1);
  const std::string words[2] = {random.Text(2'000, "abcdefgh"), random.Text(2'000, "abcdefgh")};
  ValueCodec codec;
  std::vector<std::pair<std::string, std::string>> written;
  for (uint32_t id = 0; id <= 2; ++id) {
    // Any bytes will do as a dictionary.
    if (id > 0) codec.Use({.id = id, .resource = "pods", .bytes = words[id - 1]});
    RecordContent content = PodContent();
    const std::string json = "{" + words[id == 0 ? 0 : id - 1] + "}";
    content.json = json;
    content.rv_offset = 1;
    const std::string bytes = Record::Encode(content, {id});
    std::string value;
    codec.Encode("pods", bytes, &value);
    EXPECT_LT(value.size(), id == 0 ? bytes.size() : 200u);
    written.emplace_back(value, bytes);
  }
  for (const auto& [value, bytes] : written) EXPECT_EQ((*codec.Decode(value))->bytes(), bytes);
  EXPECT_FALSE(ValueCodec().Decode(written[1].first).has_value());
}

TEST(ValueCodecTest, DamagedValuesAreRefused) {
  ValueCodec codec;
  RecordContent content = PodContent();
  const std::string json = R"({"a":")" + std::string(3'000, 'x') + R"("})";
  content.json = json;
  content.rv_offset = 1;
  std::string value;
  codec.Encode("pods", Record::Encode(content, {5}), &value);
  for (size_t size = 0; size < value.size(); ++size) {
    EXPECT_FALSE(codec.Decode(value.substr(0, size)).has_value());
  }
  EXPECT_FALSE(codec.Decode("\x02" + value.substr(1)).has_value());
  EXPECT_FALSE(codec.Decode(value + "x").has_value());
}

}  // namespace
}  // namespace kulisse::storage
