#include "apiserver/handlers/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace kulisse::apiserver {

namespace {

constexpr size_t kFieldManagerBytesMax = 128;

Status InvalidOptions(std::string_view kind, FieldErrors errors) {
  return Status::Invalid({"meta.k8s.io", kind}, "", errors);
}

Result<std::optional<int64_t>> ParseInt(const Query& query, std::string_view name) {
  const auto text = query.Get(name);
  if (!text || text->empty()) return std::nullopt;
  const auto value = ParseInt64(*text);
  if (!value) {
    return std::unexpected(Status::BadRequest(
        fmt::format("strconv.ParseInt: parsing {}: invalid syntax", GoQuote(*text))));
  }
  return value;
}

std::string GoStrings(const std::vector<std::string>& values) {
  std::string text = "[";
  for (const std::string& value : values) {
    if (text.size() > 1) text += ",";
    text += GoQuote(value);
  }
  return text + "]";
}

Result<bool> ParseDryRun(const std::vector<std::string>& values, std::string_view kind) {
  bool dry_run = false;
  for (const std::string& value : values) {
    if (value == "All") {
      dry_run = true;
    } else {
      return std::unexpected(
          InvalidOptions(kind, {FieldError::NotSupported("dryRun", GoStrings(values), {"All"})}));
    }
  }
  return dry_run;
}

// Whether Go's unicode.IsPrint says no; of what people and programs put into names.
bool IsUnprintable(uint32_t rune) {
  constexpr std::pair<uint32_t, uint32_t> kRanges[] = {
      {0x00, 0x1f},     {0x7f, 0xa0},     {0xad, 0xad},     {0x1680, 0x1680}, {0x2000, 0x200f},
      {0x2028, 0x202f}, {0x205f, 0x206f}, {0x3000, 0x3000}, {0xe000, 0xf8ff}, {0xfeff, 0xfeff}};
  return std::ranges::any_of(
      kRanges, [rune](const auto& range) { return rune >= range.first && rune <= range.second; });
}

FieldErrors CheckPrintable(std::string_view manager) {
  FieldErrors errors;
  for (size_t at = 0; at < manager.size();) {
    const size_t size = std::max<size_t>(Utf8SequenceLength(manager.substr(at)), 1);
    auto rune = static_cast<uint32_t>(static_cast<unsigned char>(manager[at]));
    if (size > 1) rune &= 0x7fU >> size;
    for (size_t i = 1; i < size; ++i) {
      rune = rune << 6 | (static_cast<unsigned char>(manager[at + i]) & 0x3fU);
    }
    if (IsUnprintable(rune)) {
      errors.push_back(FieldError::Invalid(
          "fieldManager", GoQuote(manager),
          fmt::format("invalid character U+{:04X} (at position {})", rune, at)));
    }
    at += size;
  }
  return errors;
}

// The rules that tie watch, sendInitialEvents, resourceVersion and its match together.
FieldErrors CheckVersionMatch(const ListOptions& options) {
  const std::string path = "resourceVersionMatch";
  const std::string& match = options.resource_version_match;
  FieldErrors errors;
  if (options.watch) {
    if (options.send_initial_events && match != "NotOlderThan") {
      errors.push_back(FieldError::Forbidden(
          path, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"));
    }
    if (!options.send_initial_events && !match.empty()) {
      errors.push_back(FieldError::Forbidden(
          path,
          "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"));
    }
    if (!match.empty() && options.send_initial_events && match != "NotOlderThan") {
      errors.push_back(FieldError::NotSupported(path, GoQuote(match), {"NotOlderThan"}));
    }
    if (!options.continue_token.empty()) {
      errors.push_back(FieldError::Forbidden(
          path, "resourceVersionMatch is forbidden when continue is provided"));
    }
    return errors;
  }
  if (!match.empty() && options.resource_version.empty()) {
    errors.push_back(FieldError::Forbidden(
        path, "resourceVersionMatch is forbidden unless resourceVersion is provided"));
  }
  if (!match.empty() && !options.continue_token.empty()) {
    errors.push_back(
        FieldError::Forbidden(path, "resourceVersionMatch is forbidden when continue is provided"));
  }
  if (!match.empty() && match != "Exact" && match != "NotOlderThan") {
    errors.push_back(FieldError::NotSupported(path, GoQuote(match), {"Exact", "NotOlderThan", ""}));
  }
  if (match == "Exact" && options.resource_version == "0") {
    errors.push_back(FieldError::Forbidden(
        path, "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\""));
  }
  if (options.send_initial_events) {
    errors.push_back(
        FieldError::Forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"));
  }
  return errors;
}

}  // namespace

Result<ListOptions> ParseListOptions(const openapi::ResourceInfo& resource, const RequestInfo& info,
                                     bool watch) {
  const Query& query = info.query;
  ListOptions options;
  options.watch = watch;
  auto labels = openapi::LabelSelector::Parse(query.Text("labelSelector"));
  if (!labels) return std::unexpected(Status::BadRequest(std::move(labels).error()));
  options.selection.labels = std::move(*labels);
  auto fields = openapi::FieldSelector::Parse(query.Text("fieldSelector"));
  if (!fields) return std::unexpected(Status::BadRequest(std::move(fields).error()));
  options.selection.fields = std::move(*fields);
  for (const auto& term : options.selection.fields.terms()) {
    if (!IsSelectableField(resource, term.field)) {
      return std::unexpected(Status::BadRequest(
          HasOwnSelectableFields(resource)
              ? fmt::format("field label not supported: {}", term.field)
              : fmt::format("{} is not a known field selector: only \"metadata.name\", "
                            "\"metadata.namespace\"",
                            GoQuote(term.field))));
    }
  }
  options.allow_watch_bookmarks = query.Bool("allowWatchBookmarks");
  if (const auto text = query.Get("sendInitialEvents"); text && !text->empty()) {
    options.send_initial_events = query.Bool("sendInitialEvents");
  }
  options.resource_version = query.Text("resourceVersion");
  options.resource_version_match = query.Text("resourceVersionMatch");
  options.continue_token = query.Text("continue");
  KULISSE_ASSIGN(options.timeout_seconds, ParseInt(query, "timeoutSeconds"));
  KULISSE_ASSIGN(const auto limit, ParseInt(query, "limit"));
  // As upstream, where its cache answers: "any state will do" means all of it.
  options.limit = options.resource_version == "0" ? 0 : limit.value_or(0);
  if (const FieldErrors errors = CheckVersionMatch(options); !errors.empty()) {
    return std::unexpected(InvalidOptions("ListOptions", errors));
  }
  return options;
}

Result<WriteOptions> ParseApplyOptions(const Query& query) {
  if (query.Text("fieldManager").empty()) {
    return std::unexpected(InvalidOptions(
        "PatchOptions", {FieldError::Required("fieldManager", "is required for apply patch")}));
  }
  KULISSE_ASSIGN(WriteOptions options, ParseWriteOptions(query, "PatchOptions", ""));
  const std::string_view force = query.Text("force");
  options.force = !force.empty() && force != "false" && force != "0";
  return options;
}

Result<WriteOptions> ParseWriteOptions(const Query& query, std::string_view kind,
                                       std::string_view user_agent) {
  WriteOptions options;
  KULISSE_ASSIGN(options.dry_run, ParseDryRun(query.All("dryRun"), kind));
  const std::string_view validation = query.Text("fieldValidation");
  if (validation == "Strict") {
    options.field_validation = FieldValidation::kStrict;
  } else if (validation == "Ignore") {
    options.field_validation = FieldValidation::kIgnore;
  } else if (!validation.empty() && validation != "Warn") {
    return std::unexpected(
        InvalidOptions(kind, {FieldError::NotSupported("fieldValidation", GoQuote(validation),
                                                       {"", "Ignore", "Strict", "Warn"})}));
  }
  options.field_manager = query.Text("fieldManager");
  if (options.field_manager.size() > kFieldManagerBytesMax) {
    return std::unexpected(
        InvalidOptions(kind, {FieldError::TooLong("fieldManager", kFieldManagerBytesMax)}));
  }
  if (const FieldErrors errors = CheckPrintable(options.field_manager); !errors.empty()) {
    return std::unexpected(InvalidOptions(kind, errors));
  }
  if (options.field_manager.empty()) {
    options.field_manager = user_agent.substr(0, user_agent.find('/'));
  }
  return options;
}

Result<DeleteRequest> ParseDeleteOptions(const Query& query, const json::Value* body) {
  DeleteRequest request;
  DeleteOptions& options = request.options;
  std::optional<bool> orphan_dependents;
  std::vector<std::string> dry_run;
  if (body != nullptr) {
    const auto text = [body](std::initializer_list<std::string_view> path) {
      const json::Value* value = body->Find(path);
      return value != nullptr && value->IsString() ? std::optional<std::string>(value->AsString())
                                                   : std::nullopt;
    };
    if (const json::Value* grace = body->Find("gracePeriodSeconds"); grace && grace->IsInt()) {
      options.grace_period_seconds = grace->AsInt();
    }
    options.propagation_policy = text({"propagationPolicy"});
    options.preconditions.uid = text({"preconditions", "uid"});
    options.preconditions.resource_version = text({"preconditions", "resourceVersion"});
    if (const json::Value* orphan = body->Find("orphanDependents"); orphan && orphan->IsBool()) {
      orphan_dependents = orphan->AsBool();
    }
    if (const json::Value* list = body->Find("dryRun")) {
      for (const json::Value& value : list->elements()) dry_run.emplace_back(value.AsString());
    }
  } else {
    KULISSE_ASSIGN(options.grace_period_seconds, ParseInt(query, "gracePeriodSeconds"));
    if (const auto policy = query.Get("propagationPolicy"); policy && !policy->empty()) {
      options.propagation_policy = std::string(*policy);
    }
    if (const auto orphan = query.Get("orphanDependents"); orphan && !orphan->empty()) {
      orphan_dependents = query.Bool("orphanDependents");
    }
    dry_run = query.All("dryRun");
  }
  KULISSE_ASSIGN(request.dry_run, ParseDryRun(dry_run, "DeleteOptions"));
  if (orphan_dependents && options.propagation_policy) {
    return std::unexpected(InvalidOptions(
        "DeleteOptions",
        {FieldError::Invalid("propagationPolicy", GoQuote(*options.propagation_policy),
                             "orphanDependents and deletionPropagation cannot be both set")}));
  }
  if (options.propagation_policy) {
    const std::string& policy = *options.propagation_policy;
    if (policy != "Foreground" && policy != "Background" && policy != "Orphan") {
      return std::unexpected(InvalidOptions(
          "DeleteOptions",
          {FieldError::NotSupported("propagationPolicy", GoQuote(policy),
                                    {"Foreground", "Background", "Orphan", "nil"})}));
    }
  } else if (orphan_dependents) {
    options.propagation_policy = *orphan_dependents ? "Orphan" : "Background";
  }
  return request;
}

Result<void> CheckTimeout(const Query& query) {
  const auto text = query.Get("timeout");
  if (!text || text->empty() || ParseGoDuration(*text)) return {};
  return std::unexpected(Status::BadRequest(fmt::format(
      "invalid timeout specified in the request URL - time: invalid duration {}", GoQuote(*text))));
}

}  // namespace kulisse::apiserver
