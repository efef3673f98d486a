#include "simulator/kubelet/lease_text.h"

#include <fmt/format.h>

#include <optional>

namespace kulisse::simulator {

namespace {

constexpr std::string_view kOwnedFields =
    R"("f:spec":{"f:holderIdentity":{},"f:leaseDurationSeconds":{},"f:renewTime":{}}}}])";

// Where the only manager's time begins in the text; nothing when there are others, or it does not
// own the spec.
std::optional<size_t> FindTime(std::string_view managed_fields, std::string_view manager,
                               size_t time_size) {
  constexpr std::string_view kManager = "\"manager\":";
  const std::string before = fmt::format(
      R"([{{{}"{}","operation":"Update","apiVersion":"coordination.k8s.io/v1","time":")", kManager,
      manager);
  constexpr std::string_view kBehind = R"(","fieldsType":"FieldsV1","fieldsV1":{)";
  if (!managed_fields.starts_with(before) || !managed_fields.ends_with(kOwnedFields) ||
      managed_fields.size() < before.size() + time_size ||
      !managed_fields.substr(before.size() + time_size).starts_with(kBehind) ||
      managed_fields.find(kManager, before.size()) != std::string_view::npos) {
    return std::nullopt;
  }
  return before.size();
}

}  // namespace

apiserver::Mutation RenewalOf(const LeaseWrite& write) {
  return [write](json::Document& lease) -> Result<void> {
    using json::Value;
    json::Arena& arena = lease.arena;
    Value& spec = lease.root.SetDefaultObject("spec", arena);
    spec.Set("holderIdentity", Value::String(write.node, arena), arena);
    spec.Set("leaseDurationSeconds", Value::Int(write.duration.count()), arena);
    spec.Set("renewTime", Value::String(FormatMicroTime(write.now), arena), arena);
    return {};
  };
}

bool RenewLeaseText(const LeaseWrite& write, const storage::Record& lease, std::string* json) {
  if (lease.deleting()) return false;
  const std::string_view text = lease.json();
  const std::string renew_time = FormatMicroTime(write.now);
  constexpr std::string_view kEnd = "\"}}";
  const std::string spec =
      fmt::format(R"(}},"spec":{{"holderIdentity":"{}","leaseDurationSeconds":{},"renewTime":")",
                  write.node, write.duration.count());
  if (text.size() < spec.size() + renew_time.size() + kEnd.size()) return false;
  const size_t renew_time_at = text.size() - kEnd.size() - renew_time.size();
  if (!text.ends_with(kEnd) || !text.substr(0, renew_time_at).ends_with(spec)) return false;

  const std::string_view managed_fields = lease.managed_fields();
  const std::string time = FormatTime(write.now);
  const auto time_at = FindTime(managed_fields, write.manager, time.size());
  // Writing the same time again is no renewal.
  if (!time_at || text.substr(renew_time_at).starts_with(renew_time)) return false;
  const size_t managed_fields_at = static_cast<size_t>(managed_fields.data() - text.data());
  json->replace(managed_fields_at + *time_at, time.size(), time);
  json->replace(renew_time_at, renew_time.size(), renew_time);
  return true;
}

}  // namespace kulisse::simulator
