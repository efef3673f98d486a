// Goal: the protobuf codec keeps every value, speaks gogo's dialect and survives bad input.
// Method: small vectors written by hand, a property over generated objects of every type, and
// damaged messages. testdata_test.cc compares with the published vectors.
#include "openapi/protobuf.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "base/json/parse.h"
#include "base/json/write.h"
#include "openapi/defaulting.h"
#include "openapi/typed.h"
#include "test/support/object_generator.h"

namespace kulisse::openapi {
namespace {

const TypeTable& Table() { return TypeTable::BuiltIn(); }

TypeId Core(std::string_view kind) {
  return Table().Find("io.k8s.api.core.v1." + std::string(kind));
}

std::string Bytes(std::string_view text) { return std::string(text); }
template <size_t n>
std::string Raw(const char (&text)[n]) {
  return std::string(text, n - 1);
}

std::string Hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[c & 15];
  }
  return out;
}

// The message of the JSON text once it is canonical.
std::string Encode(std::string_view text, TypeId type) {
  auto document = json::Parse(text);
  EXPECT_TRUE(document.has_value()) << text;
  if (!document) return {};
  const auto done = Normalize(document->root, type, Table(), document->arena, nullptr);
  EXPECT_TRUE(done.has_value()) << done.error();
  std::string out;
  AppendMessage(document->root, type, Table(), &out);
  return out;
}

std::string Decode(std::string_view bytes, TypeId type) {
  json::Arena arena;
  const auto value = DecodeMessage(bytes, type, Table(), arena);
  return value ? json::ToString(*value) : "error: " + value.error();
}

TEST(ProtobufTest, WritesRequiredFieldsEvenWhenTheyAreZero) {
  // resourceFieldRef {1: containerName, 2: resource, 3: divisor {1: "0"}}
  EXPECT_EQ(Hex(Encode(R"({"resource":"r"})", Core("ResourceFieldSelector"))),
            Hex(Raw("\x0a\x00\x12\x01r\x1a\x03\x0a\x01"
                    "0")));
  // servicePort: targetPort is {1: 0, 2: 0, 3: ""}
  EXPECT_EQ(Hex(Encode(R"({"port":80})", Core("ServicePort"))),
            Hex(Raw("\x0a\x00\x12\x00\x18\x50\x22\x06\x08\x00\x10\x00\x1a\x00\x28\x00")));
}

TEST(ProtobufTest, WritesMapsInTheOrderOfTheirKeys) {
  EXPECT_EQ(Hex(Encode(R"({"data":{"b":"2","a":"1"}})", Core("ConfigMap")))
                .substr(Hex(Encode("{}", Core("ConfigMap"))).size()),
            Hex(Raw("\x12\x06\x0a\x01"
                    "a\x12\x01"
                    "1\x12\x06\x0a\x01"
                    "b\x12\x01"
                    "2")));
}

TEST(ProtobufTest, WritesTimesAsSecondsAndNanos) {
  const TypeId lease = Table().Find("io.k8s.api.coordination.v1.LeaseSpec");
  EXPECT_EQ(Hex(Encode(R"({"renewTime":"1970-01-01T00:00:01.000002Z"})", lease)),
            Hex(Raw("\x22\x05\x08\x01\x10\xd0\x0f")));
}

TEST(ProtobufTest, TakesTheLastOfARepeatedScalarAndKeepsUnknownFieldsOut) {
  // serverAddress "a", field 15 (unknown), serverAddress "b"
  const TypeId type =
      Table().Find("io.k8s.apimachinery.pkg.apis.meta.v1.ServerAddressByClientCIDR");
  EXPECT_EQ(Decode(Raw("\x0a\x01"
                       "a\x7a\x02zz\x0a\x01"
                       "b"),
                   type),
            R"({"clientCIDR":"b","serverAddress":""})");
}

TEST(ProtobufTest, OfEqualMapKeysTheLastCounts) {
  EXPECT_EQ(Decode(Raw("\x12\x06\x0a\x01"
                       "a\x12\x01"
                       "1\x12\x06\x0a\x01"
                       "a\x12\x01"
                       "2"),
                   Core("ConfigMap")),
            R"({"metadata":{},"data":{"a":"2"}})");
}

TEST(ProtobufTest, ReadsPackedLists) {
  const TypeId type = Core("PodSecurityContext");  // supplementalGroups = 4
  EXPECT_EQ(Decode(Raw("\x22\x03\x01\x96\x01"), type), R"({"supplementalGroups":[1,150]})");
  EXPECT_EQ(Decode(Raw("\x20\x01\x20\x96\x01"), type), R"({"supplementalGroups":[1,150]})");
}

TEST(ProtobufTest, RefusesDamagedMessagesInTheWordsOfGo) {
  const TypeId pod = Core("Pod");
  struct Row {
    std::string bytes;
    std::string_view want;
  };
  const Row rows[] = {
      {Raw("\x0a"), "unexpected EOF"},
      {Raw("\x0a\x05"
           "a"),
       "unexpected EOF"},
      {Raw("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "proto: integer overflow"},
      {Raw("\x0c"), "proto: Pod: wiretype end group for non-group"},
      {Raw("\x02\x00"), "proto: Pod: illegal tag 0 (wire type 2)"},
      {Raw("\x08\x01"), "proto: wrong wireType = 0 for field ObjectMeta"},
      {Raw("\x0b"), "proto: wrong wireType = 3 for field ObjectMeta"},
      {Raw("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
       "proto: negative length found during unmarshaling"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(Decode(row.bytes, pod), "error: " + std::string(row.want)) << Hex(row.bytes);
  }
}

TEST(ProtobufTest, NestingHasAnEnd) {
  const TypeId schema =
      Table().Find("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps");
  const FieldInfo* field = nullptr;
  for (const FieldInfo& candidate : Table().Get(schema).fields) {
    if (candidate.json_name == "not") field = &candidate;
  }
  ASSERT_NE(field, nullptr);
  std::string bytes;
  for (int i = 0; i < 20'000; ++i) {
    std::string outer;
    for (uint64_t tag = uint64_t{field->number} << 3 | 2;; tag >>= 7) {
      outer += static_cast<char>(tag > 0x7f ? tag | 0x80 : tag);
      if (tag <= 0x7f) break;
    }
    for (size_t length = bytes.size();; length >>= 7) {
      outer += static_cast<char>(length > 0x7f ? length | 0x80 : length);
      if (length <= 0x7f) break;
    }
    bytes.insert(0, outer);
  }
  EXPECT_EQ(Decode(bytes, schema), "error: exceeded max depth");
}

TEST(ProtobufTest, EnvelopesAndWatchFramesAreThoseOfTheRealServer) {
  std::string envelope;
  AppendEnvelope("v1", "Pod", "xyz", &envelope);
  EXPECT_EQ(Hex(envelope),
            Hex(Raw("k8s\0\x0a\x09\x0a\x02v1\x12\x03Pod\x12\x03xyz\x1a\x00\x22\x00")));
  const auto read = DecodeEnvelope(envelope);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->api_version, "v1");
  EXPECT_EQ(read->kind, "Pod");
  EXPECT_EQ(read->raw, "xyz");
  std::string frame;
  AppendWatchFrame("ADDED", "e", &frame);
  EXPECT_EQ(Hex(frame), Hex(Raw("\0\0\0\x0c\x0a\x05"
                                "ADDED\x12\x03\x0a\x01"
                                "e")));
  EXPECT_EQ(DecodeEnvelope("").error(), "empty data");
  EXPECT_EQ(
      DecodeEnvelope(Bytes("{}")).error(),
      "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]");
  EXPECT_EQ(DecodeEnvelope(Raw("k8s\0")).error(), "empty body");
}

TEST(ProtobufTest, GeneratedObjectsOfEveryTypeSurviveTheTrip) {
  const char* text = std::getenv("KULISSE_SEED");
  const uint64_t seed = text == nullptr ? 1 : std::strtoull(text, nullptr, 10);
  test::ObjectGenerator generate(Table(), seed);
  for (size_t i = 0; i < Table().types().size(); ++i) {
    const auto type = static_cast<TypeId>(i);
    if (Table().Get(type).kind != TypeKind::kStruct) continue;
    SCOPED_TRACE(testing::Message() << Table().Get(type).name << " KULISSE_SEED=" << seed);
    for (int round = 0; round < 3; ++round) {
      json::Arena arena;
      json::Value object = generate.Object(type, arena);
      const auto done = Normalize(object, type, Table(), arena, nullptr);
      ASSERT_TRUE(done.has_value()) << done.error();
      const std::string want = json::ToString(object);
      std::string bytes;
      AppendMessage(object, type, Table(), &bytes);
      ASSERT_EQ(Decode(bytes, type), want);

      ApplyDefaults(object, type, Table(), arena);
      const std::string defaulted = json::ToString(object);
      ASSERT_TRUE(Normalize(object, type, Table(), arena, nullptr).has_value());
      ASSERT_EQ(json::ToString(object), defaulted) << "defaults left the canonical form";
    }
  }
}

}  // namespace
}  // namespace kulisse::openapi
