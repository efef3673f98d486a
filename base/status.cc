#include "base/status.h"

#include <fmt/format.h>

#include "base/json/write.h"

namespace kulisse {

namespace {

constexpr std::string_view kModified =
    "the object has been modified; please apply your changes to the latest version and try again";

Status Make(int code, std::string reason, std::string message) {
  Status status;
  status.code = code;
  status.reason = std::move(reason);
  status.message = std::move(message);
  return status;
}

StatusDetails Details(const GroupResource& gr, std::string_view name) {
  StatusDetails details;
  details.name = name;
  details.group = gr.group;
  details.kind = gr.resource;
  return details;
}

std::string_view CauseReason(FieldError::Type type) {
  using enum FieldError::Type;
  switch (type) {
    case kRequired:
      return "FieldValueRequired";
    case kInvalid:
      return "FieldValueInvalid";
    case kDuplicate:
      return "FieldValueDuplicate";
    case kNotSupported:
      return "FieldValueNotSupported";
    case kForbidden:
      return "FieldValueForbidden";
    case kTooLong:
      return "FieldValueTooLong";
    case kTooMany:
      return "FieldValueTooMany";
    case kNotFound:
      return "FieldValueNotFound";
    case kTypeInvalid:
      return "FieldValueTypeInvalid";
    case kInternal:
      return "InternalError";
  }
  return "";
}

}  // namespace

std::string ToString(const GroupResource& gr) {
  return gr.group.empty() ? std::string(gr.resource) : fmt::format("{}.{}", gr.resource, gr.group);
}

std::string ToString(const GroupKind& gk) {
  return gk.group.empty() ? std::string(gk.kind) : fmt::format("{}.{}", gk.kind, gk.group);
}

std::string GoQuote(std::string_view text) {
  std::string out = "\"";
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\a':
        out += "\\a";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\v':
        out += "\\v";
        break;
      default:
        if (c < 0x20 || c == 0x7f) {
          out += fmt::format("\\x{:02x}", c);
        } else {
          out += text[i];
        }
    }
  }
  out += '"';
  return out;
}

FieldError FieldError::Required(std::string path, std::string_view detail) {
  return {Type::kRequired, std::move(path),
          detail.empty() ? "Required value" : fmt::format("Required value: {}", detail)};
}

FieldError FieldError::Invalid(std::string path, std::string_view value, std::string_view detail) {
  return {Type::kInvalid, std::move(path),
          detail.empty() ? fmt::format("Invalid value: {}", value)
                         : fmt::format("Invalid value: {}: {}", value, detail)};
}

FieldError FieldError::Duplicate(std::string path, std::string_view value) {
  return {Type::kDuplicate, std::move(path), fmt::format("Duplicate value: {}", value)};
}

FieldError FieldError::NotSupported(std::string path, std::string_view value,
                                    const std::vector<std::string>& supported) {
  std::string list;
  for (const auto& s : supported) {
    if (!list.empty()) list += ", ";
    list += GoQuote(s);
  }
  return {Type::kNotSupported, std::move(path),
          list.empty() ? fmt::format("Unsupported value: {}", value)
                       : fmt::format("Unsupported value: {}: supported values: {}", value, list)};
}

FieldError FieldError::Forbidden(std::string path, std::string_view detail) {
  return {Type::kForbidden, std::move(path), fmt::format("Forbidden: {}", detail)};
}

FieldError FieldError::TooLong(std::string path, int64_t max) {
  return {Type::kTooLong, std::move(path),
          fmt::format("Too long: may not be more than {} bytes", max)};
}

FieldError FieldError::TooMany(std::string path, size_t count, size_t max) {
  return {Type::kTooMany, std::move(path),
          fmt::format("Too many: {}: must have at most {} {}", count, max,
                      max == 1 ? "item" : "items")};
}

FieldError FieldError::NotFound(std::string path, std::string_view value) {
  return {Type::kNotFound, std::move(path), fmt::format("Not found: {}", value)};
}

Status Status::NotFound(const GroupResource& gr, std::string_view name) {
  Status s = Make(404, "NotFound", fmt::format("{} {} not found", ToString(gr), GoQuote(name)));
  s.details = Details(gr, name);
  return s;
}

Status Status::AlreadyExists(const GroupResource& gr, std::string_view name) {
  Status s =
      Make(409, "AlreadyExists", fmt::format("{} {} already exists", ToString(gr), GoQuote(name)));
  s.details = Details(gr, name);
  return s;
}

Status Status::Conflict(const GroupResource& gr, std::string_view name, std::string_view cause) {
  Status s = Make(409, "Conflict",
                  fmt::format("Operation cannot be fulfilled on {} {}: {}", ToString(gr),
                              GoQuote(name), cause.empty() ? kModified : cause));
  s.details = Details(gr, name);
  return s;
}

Status Status::Invalid(const GroupKind& gk, std::string_view name, const FieldErrors& errors) {
  // As upstream's Aggregate: equal messages once, brackets only around several.
  std::vector<std::string> messages;
  Status s = Make(422, "Invalid", "");
  s.details = Details({gk.group, gk.kind}, name);
  for (const FieldError& error : errors) {
    std::string text = fmt::format("{}: {}", error.path, error.detail);
    bool seen = false;
    for (const auto& m : messages) seen = seen || m == text;
    if (!seen) messages.push_back(std::move(text));
    s.details->causes.push_back({std::string(CauseReason(error.type)), error.detail, error.path});
  }
  std::string joined = messages.empty() ? "<nil>" : messages[0];
  for (size_t i = 1; i < messages.size(); ++i) joined += ", " + messages[i];
  if (messages.size() > 1) joined = "[" + joined + "]";
  s.message = fmt::format("{} {} is invalid: {}", ToString(gk), GoQuote(name), joined);
  return s;
}

Status Status::Forbidden(const GroupResource& gr, std::string_view name, std::string_view cause) {
  std::string message;
  if (gr.resource.empty()) {
    message = fmt::format("forbidden: {}", cause);
  } else if (name.empty()) {
    message = fmt::format("{} is forbidden: {}", ToString(gr), cause);
  } else {
    message = fmt::format("{} {} is forbidden: {}", ToString(gr), GoQuote(name), cause);
  }
  Status s = Make(403, "Forbidden", std::move(message));
  s.details = Details(gr, name);
  return s;
}

Status Status::BadRequest(std::string message) {
  return Make(400, "BadRequest", std::move(message));
}

Status Status::Unauthorized() { return Make(401, "Unauthorized", "Unauthorized"); }

Status Status::MethodNotSupported(const GroupResource& gr, std::string_view action) {
  Status s = Make(
      405, "MethodNotAllowed",
      fmt::format("{} is not supported on resources of kind {}", action, GoQuote(ToString(gr))));
  s.details = Details(gr, "");
  return s;
}

Status Status::MethodNotAllowed() {
  Status s = Make(405, "MethodNotAllowed",
                  "the server does not allow this method on the requested resource");
  s.details.emplace();
  return s;
}

Status Status::Expired(std::string message) { return Make(410, "Expired", std::move(message)); }

Status Status::InternalError(std::string message) {
  Status s = Make(500, "InternalError", fmt::format("Internal error occurred: {}", message));
  s.details.emplace();
  s.details->causes.push_back({"", std::move(message), ""});
  return s;
}

Status Status::Timeout(std::string message, int retry_after_seconds) {
  Status s = Make(504, "Timeout", fmt::format("Timeout: {}", message));
  s.details.emplace();
  s.details->retry_after_seconds = retry_after_seconds;
  return s;
}

Status Status::ServerUnavailable(std::string message) {
  return Make(503, "ServiceUnavailable", std::move(message));
}

Status Status::TooManyRequests(std::string message, int retry_after_seconds) {
  Status s = Make(429, "TooManyRequests", std::move(message));
  s.details.emplace();
  s.details->retry_after_seconds = retry_after_seconds;
  return s;
}

Status Status::RequestEntityTooLarge(std::string message) {
  return Make(413, "RequestEntityTooLarge", fmt::format("Request entity too large: {}", message));
}

Status Status::UnsupportedMediaType(std::string message) {
  return Make(415, "UnsupportedMediaType", std::move(message));
}

Status Status::NotAcceptable(std::string message) {
  return Make(406, "NotAcceptable", std::move(message));
}

Status Status::UnknownResource() {
  Status s = Make(404, "NotFound", "the server could not find the requested resource");
  s.details.emplace();
  return s;
}

Status Status::Plain(int code, std::string message) { return Make(code, "", std::move(message)); }

std::string ToJson(const Status& status) {
  std::string out = R"({"kind":"Status","apiVersion":"v1","metadata":{)";
  const auto field = [&out](std::string_view name, std::string_view value) {
    if (value.empty()) return;
    if (out.back() != '{') out += ',';
    json::AppendString(name, &out);
    out += ':';
    json::AppendString(value, &out);
  };
  field("continue", status.continue_token);
  out += "}";
  field("status", "Failure");
  field("message", status.message);
  field("reason", status.reason);
  if (status.details) {
    const StatusDetails& d = *status.details;
    out += R"(,"details":{)";
    field("name", d.name);
    field("group", d.group);
    field("kind", d.kind);
    field("uid", d.uid);
    if (!d.causes.empty()) {
      out += out.back() == '{' ? R"("causes":[)" : R"(,"causes":[)";
      for (const StatusCause& cause : d.causes) {
        out += out.back() == '[' ? "{" : ",{";
        field("reason", cause.reason);
        field("message", cause.message);
        field("field", cause.field);
        out += '}';
      }
      out += ']';
    }
    if (d.retry_after_seconds != 0) {
      if (out.back() != '{') out += ',';
      out += fmt::format("\"retryAfterSeconds\":{}", d.retry_after_seconds);
    }
    out += '}';
  }
  out += fmt::format(R"(,"code":{}}})", status.code);
  return out;
}

}  // namespace kulisse
