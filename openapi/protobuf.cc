// The frames around messages: the envelope of bodies and the frames of watches.
#include "openapi/protobuf.h"

#include "openapi/wire.h"

namespace kulisse::openapi {

namespace {

constexpr std::string_view kPrefix("k8s\0", 4);

// Field numbers of runtime.Unknown and runtime.TypeMeta.
constexpr uint32_t kUnknownTypeMeta = 1;
constexpr uint32_t kUnknownRaw = 2;
constexpr uint32_t kUnknownContentEncoding = 3;
constexpr uint32_t kUnknownContentType = 4;
constexpr uint32_t kTypeMetaApiVersion = 1;
constexpr uint32_t kTypeMetaKind = 2;
// Of metav1.WatchEvent and runtime.RawExtension.
constexpr uint32_t kWatchEventType = 1;
constexpr uint32_t kWatchEventObject = 2;
constexpr uint32_t kRawExtensionRaw = 1;

struct BytesField {
  uint32_t number;
  std::string_view* to;
  std::string_view go_name;
};

// Reads a message that consists of fields of bytes.
std::expected<void, std::string> ReadFields(std::string_view bytes, std::string_view message,
                                            std::initializer_list<BytesField> fields) {
  WireReader reader(bytes);
  while (!reader.AtEnd()) {
    uint32_t number = 0;
    WireType type{};
    if (!reader.ReadTag(message, &number, &type)) return std::unexpected(reader.error());
    const BytesField* known = nullptr;
    for (const BytesField& field : fields) {
      if (field.number == number) known = &field;
    }
    if (known != nullptr && type != WireType::kBytes) {
      return std::unexpected("proto: wrong wireType = " + std::to_string(static_cast<int>(type)) +
                             " for field " + std::string(known->go_name));
    }
    if (known != nullptr ? !reader.ReadBytes(known->to) : !reader.Skip(type)) {
      return std::unexpected(reader.error());
    }
  }
  return {};
}

}  // namespace

std::expected<ProtobufEnvelope, std::string> DecodeEnvelope(std::string_view bytes) {
  // Upstream: apimachinery/pkg/runtime/serializer/protobuf, Serializer.Decode.
  if (bytes.empty()) return std::unexpected("empty data");
  if (!bytes.starts_with(kPrefix)) {
    return std::unexpected(
        "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]");
  }
  if (bytes.size() == kPrefix.size()) return std::unexpected("empty body");
  ProtobufEnvelope envelope;
  std::string_view type_meta;
  if (auto read =
          ReadFields(bytes.substr(kPrefix.size()), "Unknown",
                     {{kUnknownTypeMeta, &type_meta, "TypeMeta"},
                      {kUnknownRaw, &envelope.raw, "Raw"},
                      {kUnknownContentEncoding, &envelope.content_encoding, "ContentEncoding"},
                      {kUnknownContentType, &envelope.content_type, "ContentType"}});
      !read) {
    return std::unexpected(std::move(read).error());
  }
  if (auto read = ReadFields(type_meta, "TypeMeta",
                             {{kTypeMetaApiVersion, &envelope.api_version, "APIVersion"},
                              {kTypeMetaKind, &envelope.kind, "Kind"}});
      !read) {
    return std::unexpected(std::move(read).error());
  }
  return envelope;
}

void AppendEnvelope(std::string_view api_version, std::string_view kind, std::string_view raw,
                    std::string* out) {
  ReverseWriter writer;
  writer.BytesField(kUnknownContentType, "");
  writer.BytesField(kUnknownContentEncoding, "");
  writer.BytesField(kUnknownRaw, raw);
  const size_t end = writer.size();
  writer.BytesField(kTypeMetaKind, kind);
  writer.BytesField(kTypeMetaApiVersion, api_version);
  writer.CloseMessage(kUnknownTypeMeta, end);
  out->append(kPrefix);
  out->append(writer.bytes());
}

void AppendWatchFrame(std::string_view event_type, std::string_view envelope, std::string* out) {
  ReverseWriter writer;
  writer.BytesField(kRawExtensionRaw, envelope);
  writer.CloseMessage(kWatchEventObject, 0);
  writer.BytesField(kWatchEventType, event_type);
  const auto length = static_cast<uint32_t>(writer.size());
  for (const int shift : {24, 16, 8, 0}) out->push_back(static_cast<char>(length >> shift));
  out->append(writer.bytes());
}

}  // namespace kulisse::openapi
