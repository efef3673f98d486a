// Status is the refusal that a client sees: Kubernetes' metav1.Status with code, reason, message
// and details. It is made only by the named constructors below, which build the bodies that
// kube-apiserver 1.36 sends (upstream: apimachinery/pkg/api/errors). Never compare messages;
// ask for the reason.
//
// Threads: a value; no shared state.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kulisse {

// Group and resource (or kind) of an object, as error messages print it: "pods" or
// "deployments.apps".
struct GroupResource {
  std::string_view group;
  std::string_view resource;
};
struct GroupKind {
  std::string_view group;
  std::string_view kind;
};
[[nodiscard]] std::string ToString(const GroupResource& gr);
[[nodiscard]] std::string ToString(const GroupKind& gk);

// One reason within an Invalid, Conflict or Timeout status (metav1.StatusCause).
struct StatusCause {
  std::string reason;  // FieldValueInvalid, FieldValueRequired …
  std::string message;
  std::string field;
  bool operator==(const StatusCause&) const = default;
};

struct StatusDetails {
  std::string name;
  std::string group;
  std::string kind;  // the resource for 404/409/403, the Kind for 422: as upstream
  std::string uid;
  std::vector<StatusCause> causes;
  int retry_after_seconds = 0;
};

// One violated rule of an object. `path` as upstream's field.Path prints it.
struct FieldError {
  enum class Type : uint8_t {
    kRequired,
    kInvalid,
    kDuplicate,
    kNotSupported,
    kForbidden,
    kTooLong,
    kTooMany,
    kNotFound,
    kTypeInvalid,
    kInternal,
  };
  Type type;
  std::string path;
  std::string detail;  // the whole text after "path: ", e.g. "Required value: is required"

  // Texts as k8s.io/apimachinery/pkg/util/validation/field prints them. `value` is JSON-like text
  // as Go prints it: strings come quoted.
  [[gnu::cold]] static FieldError Required(std::string path, std::string_view detail = {});
  [[gnu::cold]] static FieldError Invalid(std::string path, std::string_view value,
                                          std::string_view detail);
  [[gnu::cold]] static FieldError Duplicate(std::string path, std::string_view value);
  [[gnu::cold]] static FieldError NotSupported(std::string path, std::string_view value,
                                               const std::vector<std::string>& supported);
  [[gnu::cold]] static FieldError Forbidden(std::string path, std::string_view detail);
  [[gnu::cold]] static FieldError TooLong(std::string path, int64_t max);
  [[gnu::cold]] static FieldError TooMany(std::string path, size_t count, size_t max);
  [[gnu::cold]] static FieldError NotFound(std::string path, std::string_view value);
};
using FieldErrors = std::vector<FieldError>;
// `"text"` with Go's %q escapes: how FieldError prints string values.
[[nodiscard]] std::string GoQuote(std::string_view text);

struct [[nodiscard]] Status {
  int code = 500;
  std::string reason;  // "" where upstream sends none
  std::string message;
  std::optional<StatusDetails> details;
  std::string continue_token;  // metadata.continue, only with Expired lists

  // Each names the upstream function that it equals (apierrors.NewX) where there is one. They are
  // cold, here and in FieldError: code that only leads to a refusal lies apart from the rest.
  [[gnu::cold]] static Status NotFound(const GroupResource& gr, std::string_view name);
  [[gnu::cold]] static Status AlreadyExists(const GroupResource& gr, std::string_view name);
  [[gnu::cold]] static Status Conflict(const GroupResource& gr, std::string_view name,
                                       std::string_view cause);
  [[gnu::cold]] static Status Invalid(const GroupKind& gk, std::string_view name,
                                      const FieldErrors& errors);
  [[gnu::cold]] static Status Forbidden(const GroupResource& gr, std::string_view name,
                                        std::string_view cause);
  [[gnu::cold]] static Status BadRequest(std::string message);
  [[gnu::cold]] static Status Unauthorized();
  [[gnu::cold]] static Status MethodNotSupported(const GroupResource& gr, std::string_view action);
  // The verb is not known to the path: 405 with no details' kind.
  [[gnu::cold]] static Status MethodNotAllowed();
  [[gnu::cold]] static Status Expired(std::string message);  // 410
  [[gnu::cold]] static Status InternalError(std::string message);
  [[gnu::cold]] static Status Timeout(std::string message, int retry_after_seconds);  // 504
  [[gnu::cold]] static Status ServerUnavailable(std::string message);                 // 503
  [[gnu::cold]] static Status TooManyRequests(std::string message, int retry_after_seconds);
  [[gnu::cold]] static Status RequestEntityTooLarge(std::string message);
  [[gnu::cold]] static Status UnsupportedMediaType(std::string message);
  [[gnu::cold]] static Status NotAcceptable(std::string message);
  // 404 "the server could not find the requested resource" with empty details.
  [[gnu::cold]] static Status UnknownResource();
  // Any code and message with no reason, as upstream sends for plain errors (mostly 500).
  [[gnu::cold]] static Status Plain(int code, std::string message);

  [[nodiscard]] bool IsNotFound() const { return reason == "NotFound"; }
  [[nodiscard]] bool IsConflict() const { return reason == "Conflict"; }
  [[nodiscard]] bool IsAlreadyExists() const { return reason == "AlreadyExists"; }
};

// The JSON of the status with kind and apiVersion, in upstream's field order, no trailing newline.
[[nodiscard]] std::string ToJson(const Status& status);

}  // namespace kulisse
