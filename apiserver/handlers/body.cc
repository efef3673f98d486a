#include "apiserver/handlers/body.h"

#include <fmt/format.h>

#include "base/json/parse.h"
#include "base/json/write.h"
#include "base/text.h"
#include "openapi/protobuf.h"
#include "openapi/typed.h"
#include "openapi/yaml.h"

namespace kulisse::apiserver {

namespace {

constexpr size_t kSummaryBytesMax = 30;  // of a body that cannot be read, in the error

// Where Go's scheme is made; it is part of the texts that clients see.
constexpr std::string_view kScheme = "\"pkg/runtime/scheme.go:111\"";

std::string Summarize(std::string_view body) {
  if (body.empty()) return "<empty>";
  const bool cut = body.size() > kSummaryBytesMax;
  const std::string_view head = body.substr(0, kSummaryBytesMax);
  if (body[0] == '{') return fmt::format("{}{}", head, cut ? " ..." : "");
  std::string hex;
  for (const char c : head) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return hex + (cut ? " ..." : "");
}

Status Unrecognized(const ExpectedKind& expected, std::string_view reason, std::string_view body) {
  return Status::BadRequest(
      fmt::format("the object provided is unrecognized (must be of type {}): {} ({})",
                  expected.kind, reason, Summarize(body)));
}

Status CannotHandle(std::string_view kind, std::string_view version, const ExpectedKind& expected,
                    std::string_view reason) {
  return Status::BadRequest(fmt::format("{} in version {} cannot be handled as a {}: {}", kind,
                                        GoQuote(version), expected.kind, reason));
}

// What an object says it is, where it says nothing what is expected.
struct GivenKind {
  std::string_view group;
  std::string_view version;
  std::string_view kind;
};

GivenKind ReadKind(std::string_view api_version, std::string_view kind,
                   const ExpectedKind& expected) {
  GivenKind given{expected.group, expected.version, kind.empty() ? expected.kind : kind};
  if (api_version.empty()) return given;
  const size_t slash = api_version.find('/');
  const bool has_group = slash != std::string_view::npos;
  given.group = has_group ? api_version.substr(0, slash) : std::string_view();
  given.version = has_group ? api_version.substr(slash + 1) : api_version;
  return given;
}

Result<void> CheckKind(std::string_view api_version, std::string_view kind,
                       const ExpectedKind& expected, const openapi::Catalog& catalog) {
  const std::string obstacle = KindObstacle(api_version, kind, expected, catalog);
  if (obstacle.empty()) return {};
  const GivenKind given = ReadKind(api_version, kind, expected);
  return std::unexpected(CannotHandle(given.kind, given.version, expected, obstacle));
}

Result<void> CheckCustomKind(const json::Value& root, const ExpectedKind& expected,
                             std::string_view body) {
  const std::string_view kind = root.FindString({"kind"});
  const std::string_view version = root.FindString({"apiVersion"});
  if (kind.empty()) {
    return std::unexpected(Unrecognized(
        expected, fmt::format("Object 'Kind' is missing in '{}'", json::ToString(root)), body));
  }
  const std::string wanted = fmt::format("{}/{}", expected.group, expected.version);
  if (version != wanted) {
    return std::unexpected(Status::BadRequest(
        fmt::format("the API version in the data ({}) does not match the expected API version ({})",
                    version, wanted)));
  }
  if (kind == expected.kind) return {};
  return std::unexpected(Status::Invalid(
      {expected.group, kind}, root.FindString({"metadata", "name"}),
      {FieldError::Invalid("kind", GoQuote(kind), fmt::format("must be {}", expected.kind))}));
}

struct Decoded {
  json::Document document;
  std::vector<std::string> field_texts;  // of unknown fields and of those that came twice
};

std::vector<std::string> AllFieldTexts(const std::vector<std::string>& unknown,
                                       const std::vector<std::string>& duplicates, bool yaml,
                                       bool custom) {
  std::vector<std::string> texts;
  if (yaml && !custom && !duplicates.empty()) {
    texts.push_back("yaml: unmarshal errors:\n  " + Join(duplicates, "\n  "));
  } else {
    texts = FieldTexts("duplicate", duplicates);
  }
  // The decoder of custom resources looks for unknown fields last, as does that of YAML.
  std::vector<std::string> others = FieldTexts("unknown", unknown);
  texts.insert(yaml || custom ? texts.end() : texts.begin(), others.begin(), others.end());
  return texts;
}

Result<Decoded> DecodeText(std::string_view body, bool yaml, const ExpectedKind& expected,
                           const openapi::Catalog* catalog, const openapi::TypeTable& types) {
  Decoded decoded;
  std::vector<std::string> duplicates;
  if (yaml) {
    auto document = openapi::ParseYaml(body, &duplicates);
    if (!document) {
      return std::unexpected(Unrecognized(expected, document.error(), body));
    }
    decoded.document = std::move(*document);
  } else {
    auto document = json::Parse(body, &duplicates);
    if (!document) {
      return std::unexpected(Unrecognized(
          expected,
          fmt::format("couldn't get version/kind; json parse error: {}", document.error().message),
          body));
    }
    decoded.document = std::move(*document);
  }
  json::Value& root = decoded.document.root;
  if (root.IsNull()) root = json::Value::Object();  // Go decodes null into an empty object
  if (!root.IsObject()) {
    return std::unexpected(Unrecognized(
        expected,
        fmt::format("couldn't get version/kind; json parse error: json: cannot unmarshal {} into "
                    "Go value of type struct {{ APIVersion string "
                    "\"json:\\\"apiVersion,omitempty\\\"\"; Kind string "
                    "\"json:\\\"kind,omitempty\\\"\" }}",
                    openapi::GoWordOf(root)),
        body));
  }
  const std::string kind(root.FindString({"kind"}));
  const std::string api_version(root.FindString({"apiVersion"}));
  if (expected.custom) {
    KULISSE_TRY(CheckCustomKind(root, expected, body));
  } else if (catalog != nullptr) {
    KULISSE_TRY(CheckKind(api_version, kind, expected, *catalog));
  }
  KeepManagedFieldsReset(root, decoded.document.arena);
  openapi::NormalizeReport report;
  report.keeps_empty_lists = true;
  const auto normalized =
      openapi::Normalize(root, expected.type, types, decoded.document.arena, &report);
  if (!normalized) {
    return std::unexpected(
        CannotHandle(expected.kind, expected.version, expected, normalized.error()));
  }
  decoded.field_texts = AllFieldTexts(report.unknown_fields, duplicates, yaml, expected.custom);
  return decoded;
}

Result<json::Document> DecodeProtobuf(std::string_view body, const ExpectedKind& expected,
                                      const openapi::Catalog* catalog,
                                      const openapi::TypeTable& types) {
  const auto envelope = openapi::DecodeEnvelope(body);
  if (!envelope) return std::unexpected(Unrecognized(expected, envelope.error(), body));
  if (catalog != nullptr) {
    KULISSE_TRY(CheckKind(envelope->api_version, envelope->kind, expected, *catalog));
  }
  json::Document document;
  auto value = openapi::DecodeMessage(envelope->raw, expected.type, types, document.arena);
  if (!value) {
    return std::unexpected(CannotHandle(expected.kind, expected.version, expected, value.error()));
  }
  document.root = std::move(*value);
  return document;
}

Status UnknownForm() {
  return Status::UnsupportedMediaType(
      "the body of the request was in an unknown format - accepted media types include: "
      "application/json, application/yaml, application/vnd.kubernetes.protobuf");
}

}  // namespace

void KeepManagedFieldsReset(json::Value& object, json::Arena& arena) {
  json::Value* managed = object.Find({"metadata", "managedFields"});
  if (managed != nullptr && managed->IsArray() && managed->size() == 0) {
    managed->PushBack(json::Value::Object(), arena);
  }
}

std::string_view PackageOf(std::string_view group) {
  if (group.empty()) return "core";
  return group.substr(0, group.find('.'));
}

std::string MediaTypeOf(const HttpRequest& request) {
  const std::string_view header = request.Find("Content-Type");
  const std::string_view type = TrimSpace(header.substr(0, header.find(';')));
  return type.empty() ? "application/json" : ToLower(type);
}

std::string KindObstacle(std::string_view api_version, std::string_view kind,
                         const ExpectedKind& expected, const openapi::Catalog& catalog) {
  const GivenKind given = ReadKind(api_version, kind, expected);
  const bool known_version =
      given.version == expected.version ||
      (!expected.other_version.empty() && given.version == expected.other_version);
  if (given.kind == expected.kind && given.group == expected.group && known_version) return "";
  if (catalog.FindKind(given.group, given.version, given.kind) != nullptr) {
    return fmt::format("converting ({}.{}) to ({}.{}): unknown conversion", given.version,
                       given.kind, PackageOf(expected.group), expected.kind);
  }
  const std::string full = given.group.empty() ? std::string(given.version)
                                               : fmt::format("{}/{}", given.group, given.version);
  return fmt::format("no kind {} is registered for version {} in scheme {}", GoQuote(given.kind),
                     GoQuote(full), kScheme);
}

std::vector<std::string> FieldTexts(std::string_view what, const std::vector<std::string>& paths) {
  std::vector<std::string> texts;
  for (const std::string& path : paths) {
    texts.push_back(fmt::format("{} field {}", what, GoQuote(path)));
  }
  return texts;
}

std::expected<void, std::string> ReportFields(const std::vector<std::string>& texts,
                                              FieldValidation validation,
                                              std::vector<std::string>* warnings) {
  if (validation == FieldValidation::kIgnore || texts.empty()) return {};
  if (validation == FieldValidation::kStrict) {
    return std::unexpected("strict decoding error: " + Join(texts, ", "));
  }
  warnings->insert(warnings->end(), texts.begin(), texts.end());
  return {};
}

Result<json::Document> DecodeBody(const HttpRequest& request, const ExpectedKind& expected,
                                  FieldValidation validation, const openapi::Catalog& catalog,
                                  const openapi::TypeTable& types,
                                  std::vector<std::string>* warnings) {
  const std::string type = MediaTypeOf(request);
  if (type == "application/vnd.kubernetes.protobuf" && !expected.custom) {
    return DecodeProtobuf(request.body, expected, &catalog, types);
  }
  if (type != "application/json" && type != "application/yaml") {
    return std::unexpected(UnknownForm());
  }
  KULISSE_ASSIGN(Decoded decoded,
                 DecodeText(request.body, type == "application/yaml", expected, &catalog, types));
  const auto reported = ReportFields(decoded.field_texts, validation, warnings);
  if (!reported) {
    return std::unexpected(
        CannotHandle(expected.kind, expected.version, expected, reported.error()));
  }
  return std::move(decoded.document);
}

Result<json::Document> DecodeDeleteOptions(const HttpRequest& request,
                                           const openapi::TypeTable& types) {
  if (request.body.empty()) return json::Document();
  const ExpectedKind expected{"", "v1", "DeleteOptions", types.delete_options()};
  const std::string type = MediaTypeOf(request);
  std::string kind;
  std::string version;
  json::Document document;
  if (type == "application/vnd.kubernetes.protobuf") {
    const auto envelope = openapi::DecodeEnvelope(request.body);
    if (!envelope) return std::unexpected(Status::BadRequest(envelope.error()));
    kind = envelope->kind;
    version = envelope->api_version;
    KULISSE_ASSIGN(document, DecodeProtobuf(request.body, expected, nullptr, types));
  } else if (type == "application/json" || type == "application/yaml") {
    auto text = DecodeText(request.body, type == "application/yaml", expected, nullptr, types);
    if (!text) {
      const auto parsed = json::Parse(request.body);
      if (type == "application/json" && !parsed) {
        return std::unexpected(Status::BadRequest(fmt::format(
            "couldn't get version/kind; json parse error: {}", parsed.error().message)));
      }
      return std::unexpected(text.error());
    }
    Decoded decoded = std::move(*text);
    document = std::move(decoded.document);
    kind = document.root.FindString({"kind"});
    version = document.root.FindString({"apiVersion"});
  } else {
    return std::unexpected(UnknownForm());
  }
  if (!kind.empty() && kind != "DeleteOptions") {
    return std::unexpected(
        Status::BadRequest(fmt::format("no kind {} is registered for version {} in scheme {}",
                                       GoQuote(kind), GoQuote(version), kScheme)));
  }
  return document;
}

}  // namespace kulisse::apiserver
