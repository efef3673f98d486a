// The options of requests, from the query and the body, validated as kube-apiserver does
// (apimachinery/pkg/apis/meta/v1/validation, internalversion/validation).
// Threads: values; pure functions. Errors: 400 and 422 with upstream's texts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "apiserver/chain/request_info.h"
#include "apiserver/registry/resource_store.h"
#include "apiserver/registry/selectable_fields.h"
#include "base/result.h"
#include "openapi/catalog.h"

namespace kulisse::apiserver {

enum class FieldValidation : uint8_t { kIgnore, kWarn, kStrict };

struct ListOptions {
  Selection selection;
  bool watch = false;
  bool allow_watch_bookmarks = false;
  std::optional<bool> send_initial_events;
  std::string resource_version;
  std::string resource_version_match;
  std::optional<int64_t> timeout_seconds;
  int64_t limit = 0;
  std::string continue_token;
};
[[nodiscard]] Result<ListOptions> ParseListOptions(const openapi::ResourceInfo& resource,
                                                   const RequestInfo& info, bool watch);

// Of create, update and patch; `kind` is "CreateOptions" and so on.
struct WriteOptions {
  bool dry_run = false;
  FieldValidation field_validation = FieldValidation::kWarn;
  std::string field_manager;
  bool force = false;  // of an apply
};
[[nodiscard]] Result<WriteOptions> ParseWriteOptions(const Query& query, std::string_view kind,
                                                     std::string_view user_agent);

// Of a server-side apply.
[[nodiscard]] Result<WriteOptions> ParseApplyOptions(const Query& query);

struct DeleteRequest {
  DeleteOptions options;
  bool dry_run = false;
};
// `body` is the DeleteOptions object as decoded, or null without one; it wins over the query.
[[nodiscard]] Result<DeleteRequest> ParseDeleteOptions(const Query& query, const json::Value* body);

// ?timeout= of any request; refuses what is no Go duration.
[[nodiscard]] Result<void> CheckTimeout(const Query& query);

}  // namespace kulisse::apiserver
