#include "apiserver/handlers/negotiation.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <vector>

#include "base/text.h"

namespace kulisse::apiserver {

namespace {

struct MediaType {
  std::string_view type;  // "application/json", "*/*"
  std::vector<std::pair<std::string_view, std::string_view>> parameters;
  double quality = 1;

  [[nodiscard]] std::string_view Parameter(std::string_view name) const {
    for (const auto& [key, value] : parameters) {
      if (key == name) return value;
    }
    return {};
  }
};

std::vector<MediaType> ParseAccept(std::string_view header) {
  std::vector<MediaType> types;
  for (const std::string_view clause : Split(header, ',')) {
    const auto parts = Split(clause, ';');
    MediaType type;
    type.type = TrimSpace(parts[0]);
    if (type.type.empty()) continue;
    for (size_t i = 1; i < parts.size(); ++i) {
      const size_t equals = parts[i].find('=');
      const std::string_view name = TrimSpace(parts[i].substr(0, equals));
      const std::string_view value = equals == std::string_view::npos
                                         ? std::string_view()
                                         : TrimSpace(parts[i].substr(equals + 1));
      if (name == "q") {
        type.quality = std::strtod(std::string(value).c_str(), nullptr);
      } else {
        type.parameters.emplace_back(name, value);
      }
    }
    if (type.quality > 0) types.push_back(std::move(type));
  }
  std::ranges::stable_sort(types, std::greater<>(), &MediaType::quality);
  return types;
}

std::optional<Format> FormatOf(std::string_view type) {
  if (type == "application/json" || type == "*/*") return Format::kJson;
  if (type == "application/yaml") return Format::kYaml;
  if (type == "application/vnd.kubernetes.protobuf") return Format::kProtobuf;
  return std::nullopt;
}

// Whether the parameters of the clause ask for something we can make.
bool ApplyConversion(const MediaType& type, Format format, Representation* out) {
  const std::string_view as = type.Parameter("as");
  if (as.empty()) return true;
  const std::string_view version = type.Parameter("v");
  if (type.Parameter("g") != "meta.k8s.io") return false;
  if (version != "v1" && version != "v1beta1") return false;
  if (as == "Table") {
    if (format == Format::kProtobuf) return false;
    out->view = View::kTable;
    out->table_v1beta1 = version == "v1beta1";
  } else if (as == "PartialObjectMetadata") {
    out->view = View::kMetadata;
  } else if (as == "PartialObjectMetadataList") {
    out->view = View::kMetadataList;
  } else {
    return false;
  }
  return true;
}

bool WantsPretty(const HttpRequest& request, const Query& query) {
  if (const auto pretty = query.Get("pretty")) return query.Bool("pretty");
  const std::string_view agent = request.Find("User-Agent");
  return agent.starts_with("curl") || agent.starts_with("Wget") || agent.starts_with("Mozilla/5.0");
}

// `streams`: where there are watches, too.
Status NotAcceptableForm(bool streams) {
  std::string text =
      "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, "
      "application/vnd.kubernetes.protobuf";
  if (streams) {
    text += ", application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch";
  }
  Status status = Status::NotAcceptable(std::move(text));
  status.details.emplace();
  return status;
}

Status NotAcceptableConversion(bool watch) {
  return Status::NotAcceptable(
      watch ? "only the following media types are accepted: application/json;stream=watch, "
              "application/vnd.kubernetes.protobuf;stream=watch"
            : "only the following media types are accepted: application/json, application/yaml, "
              "application/vnd.kubernetes.protobuf");
}

Result<IncludeObject> ParseIncludeObject(const Query& query) {
  const std::string_view text = query.Text("includeObject");
  if (text.empty() || text == "Metadata") return IncludeObject::kMetadata;
  if (text == "None") return IncludeObject::kNone;
  if (text == "Object") return IncludeObject::kObject;
  return std::unexpected(Status::BadRequest(
      "Unable to convert to Table as requested: includeObject: Invalid value: " + GoQuote(text) +
      ": must be 'Metadata', 'Object', 'None', or empty"));
}

}  // namespace

uint64_t Representation::id() const {
  return static_cast<uint64_t>(format) | static_cast<uint64_t>(view) << 2 |
         static_cast<uint64_t>(pretty) << 4 | static_cast<uint64_t>(table_v1beta1) << 5 |
         static_cast<uint64_t>(include_object) << 6 | static_cast<uint64_t>(with_columns) << 8;
}

std::string_view Representation::content_type() const {
  switch (format) {
    case Format::kJson:
      return "application/json";
    case Format::kYaml:
      return "application/yaml";
    case Format::kProtobuf:
      return "application/vnd.kubernetes.protobuf";
  }
  return "";
}

Result<Representation> Negotiate(const HttpRequest& request, const Query& query,
                                 std::string_view verb, bool custom) {
  const bool watch = verb == "watch";
  Representation result;
  result.pretty = WantsPretty(request, query) && !watch;
  const std::string_view accept = request.Find("Accept");
  const auto types = ParseAccept(accept.empty() ? "*/*" : accept);
  bool any_format = false;
  for (const MediaType& type : types) {
    const auto format = FormatOf(type.type);
    if (!format) continue;
    any_format = true;
    if (watch && *format == Format::kYaml) continue;
    Representation candidate = result;
    candidate.format = *format;
    const std::string_view pretty = type.Parameter("pretty");
    if (!pretty.empty() && !watch) candidate.pretty = pretty != "0" && pretty != "false";
    if (!ApplyConversion(type, *format, &candidate)) continue;
    if (custom && *format == Format::kProtobuf && candidate.view == View::kObject) continue;
    if (candidate.view == View::kTable) {
      KULISSE_ASSIGN(candidate.include_object, ParseIncludeObject(query));
    }
    return candidate;
  }
  if (any_format || (watch && custom)) {
    return std::unexpected(NotAcceptableConversion(watch && !custom));
  }
  return std::unexpected(NotAcceptableForm(!custom && (watch || verb == "list")));
}

Result<Representation> NegotiateDocument(const HttpRequest& request, const Query& query) {
  Representation result;
  result.pretty = WantsPretty(request, query);
  const std::string_view accept = request.Find("Accept");
  bool any_format = false;
  for (const MediaType& type : ParseAccept(accept.empty() ? "*/*" : accept)) {
    const auto format = FormatOf(type.type);
    if (!format) continue;
    any_format = true;
    if (!type.Parameter("as").empty()) continue;
    result.format = *format;
    return result;
  }
  return std::unexpected(any_format ? NotAcceptableConversion(false) : NotAcceptableForm(false));
}

std::optional<Format> AggregatedDiscoveryFormat(const HttpRequest& request) {
  for (const MediaType& type : ParseAccept(request.Find("Accept"))) {
    const auto format = FormatOf(type.type);
    if (format && type.Parameter("g") == "apidiscovery.k8s.io" && type.Parameter("v") == "v2" &&
        type.Parameter("as") == "APIGroupDiscoveryList") {
      return format;
    }
  }
  return std::nullopt;
}

Result<void> RequireObjectView(const Representation& representation) {
  if (representation.view == View::kObject) return {};
  return std::unexpected(NotAcceptableConversion(false));
}

Representation FormatForErrors(const HttpRequest& request, const Query& query) {
  Representation result;
  result.pretty = WantsPretty(request, query);
  const std::string_view accept = request.Find("Accept");
  if (accept.empty()) return result;
  for (const MediaType& type : ParseAccept(accept)) {
    const auto format = FormatOf(type.type);
    if (!format || !type.Parameter("as").empty()) continue;
    result.format = *format;
    return result;
  }
  // Nothing that fits: upstream then writes indented JSON.
  result.pretty = true;
  return result;
}

}  // namespace kulisse::apiserver
