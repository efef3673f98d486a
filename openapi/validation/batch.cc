// Rules of jobs and cron jobs. Upstream: pkg/apis/batch/validation.
#include <algorithm>
#include <filesystem>

#include "base/json/write.h"
#include "base/text.h"
#include "openapi/label_syntax.h"
#include "openapi/validation/cron_schedule.h"
#include "openapi/validation/workloads.h"

namespace kulisse::openapi {

namespace {

constexpr int64_t kIndexesMax = 100'000;  // completions of an indexed job, softly
constexpr int64_t kManyIndexesMax = 10'000;
constexpr size_t kRulesMax = 20;
constexpr size_t kExitCodesMax = 255;
constexpr int64_t kSucceededIndexesBytesMax = 64 * 1024;
constexpr size_t kManagedByBytesMax = 63;
constexpr size_t kCronJobNameBytesMax = 52;
constexpr std::string_view kZoneFolder = "/usr/share/zoneinfo";

bool IsIndexed(const Value& spec) { return Text(spec, "completionMode") == "Indexed"; }

// --- indexes: "1,3-5"

std::string ReadIndex(std::string_view text, int64_t completions, int64_t* index) {
  const auto number = ParseInt64(text);
  if (!number) return fmt::format("cannot convert string to integer for index: {}", GoQuote(text));
  if (*number >= completions) return fmt::format("too large index: {}", GoQuote(text));
  *index = *number;
  return "";
}

struct Interval {
  int64_t first = 0;
  int64_t last = 0;
};

std::string ReadInterval(std::string_view text, int64_t completions, Interval* interval) {
  const auto parts = Split(text, '-');
  if (parts.size() > 2) {
    return fmt::format(
        "the fragment {} violates the requirement that an index interval can have at most two "
        "parts separated by '-'",
        GoQuote(text));
  }
  if (std::string error = ReadIndex(parts[0], completions, &interval->first); !error.empty()) {
    return error;
  }
  interval->last = interval->first;
  if (parts.size() == 1) return "";
  if (std::string error = ReadIndex(parts[1], completions, &interval->last); !error.empty()) {
    return error;
  }
  if (interval->first < interval->last) return "";
  return fmt::format("non-increasing order, previous: {}, current: {}", interval->first,
                     interval->last);
}

// The error of a list of indexes, or ""; their number goes to *total.
std::string ReadIndexes(std::string_view text, int64_t completions, int64_t* total) {
  *total = 0;
  if (text.empty()) return "";
  std::optional<int64_t> last;
  for (const std::string_view part : Split(text, ',')) {
    Interval interval;
    if (std::string error = ReadInterval(part, completions, &interval); !error.empty()) {
      return error;
    }
    if (last && *last >= interval.first) {
      return fmt::format("non-increasing order, previous: {}, current: {}", *last, interval.first);
    }
    *total += interval.last - interval.first + 1;
    last = interval.last;
  }
  return "";
}

// --- rules of a job's spec

void ManagedBy(const Value& spec, const Path& at, Walk& walk) {
  if (Member(spec, "managedBy") == nullptr) return;
  const std::string_view name = Text(spec, "managedBy");
  const Path path = at["managedBy"];
  const size_t slash = name.find('/');
  if (name.empty()) {
    walk.Required(path);
  } else if (slash == std::string_view::npos || slash == 0 || slash + 1 == name.size()) {
    walk.Invalid(path, name, "must be a domain-prefixed path (such as \"acme.io/foo\")");
  } else {
    walk.Check(path, name.substr(0, slash), Dns1123Subdomain);
    const std::string_view rest = name.substr(slash + 1);
    const auto fits = [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
             std::string_view("/-._~%!$&'()*+,;=:").find(c) != std::string_view::npos;
    };
    if (!std::ranges::all_of(rest, fits)) {
      walk.Invalid(
          path, rest,
          "Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')");
    }
  }
  if (name.size() > kManagedByBytesMax) walk.TooLong(path, kManagedByBytesMax);
}

void CheckIndexedLimits(const Value& spec, const Path& path, Walk& walk) {
  const auto completions = Int(spec, "completions");
  const auto parallelism = Int(spec, "parallelism");
  const auto failed = Int(spec, "maxFailedIndexes");
  if (!completions) walk.Required(path["completions"], "when completion mode is Indexed");
  if (parallelism && *parallelism > kIndexesMax) {
    walk.Invalid(path["parallelism"], *parallelism,
                 "must be less than or equal to 100000 when completion mode is Indexed");
  }
  if (completions && failed && *failed > *completions) {
    walk.Invalid(path["maxFailedIndexes"], *failed, "must be less than or equal to completions");
  }
  if (failed && *failed > kIndexesMax) {
    walk.Invalid(path["maxFailedIndexes"], *failed, "must be less than or equal to 100000");
  }
  const bool many = completions && *completions > kIndexesMax;
  if (!many || !Int(spec, "backoffLimitPerIndex")) return;
  constexpr std::string_view kMany =
      "must be less than or equal to 10000 when completions are above 100000 and used with "
      "backoff limit per index";
  if (!failed) {
    walk.Required(path["maxFailedIndexes"], "must be specified when completions is above 100000");
  }
  if (parallelism && *parallelism > kManyIndexesMax) {
    walk.Invalid(path["parallelism"], *parallelism, kMany);
  }
  if (failed && *failed > kManyIndexesMax) walk.Invalid(path["maxFailedIndexes"], *failed, kMany);
}

void CompletionMode(const Value& spec, const Path& path, Walk& walk) {
  const std::string_view mode = Text(spec, "completionMode");
  const auto per_index = Int(spec, "backoffLimitPerIndex");
  const auto failed = Int(spec, "maxFailedIndexes");
  if (Member(spec, "completionMode") != nullptr) {
    walk.Enum(path["completionMode"], mode, {"NonIndexed", "Indexed"});
  }
  if (IsIndexed(spec)) CheckIndexedLimits(spec, path, walk);
  if (Member(spec, "completionMode") != nullptr && mode != "NonIndexed") return;
  if (per_index) {
    walk.Invalid(path["backoffLimitPerIndex"], *per_index, "requires indexed completion mode");
  }
  if (failed) walk.Invalid(path["maxFailedIndexes"], *failed, "requires indexed completion mode");
}

void FailedIndexes(const Value& spec, const Path& path, Walk& walk) {
  if (!Int(spec, "maxFailedIndexes") || Int(spec, "backoffLimitPerIndex")) return;
  walk.Required(path["backoffLimitPerIndex"], "when maxFailedIndexes is specified");
}

void CheckRequiredEnum(const Path& path, std::string_view text,
                       std::initializer_list<const char*> values, Walk& walk) {
  if (!text.empty()) return walk.Enum(path, text, values);
  std::string list;
  for (const char* value : values) list += (list.empty() ? "" : " ") + GoQuote(value);
  walk.Required(path, fmt::format("valid values: [{}]", list));
}

void CheckExitCodes(const Value& codes, const Value& spec, const Path& path, Walk& walk) {
  const std::string_view op = Text(codes, "operator");
  CheckRequiredEnum(path["operator"], op, {"In", "NotIn"}, walk);
  if (Member(codes, "containerName") != nullptr) {
    const std::string_view name = Text(codes, "containerName");
    const Value& pod = Part(Part(spec, "template"), "spec");
    const auto has = [&](std::string_view list) {
      return std::ranges::any_of(
          List(pod, list), [&](const Value& container) { return Text(container, "name") == name; });
    };
    if (!has("containers") && !has("initContainers")) {
      walk.Invalid(path["containerName"], name,
                   "must be one of the container or initContainer names in the pod template");
    }
  }
  const auto values = List(codes, "values");
  const Path list = path["values"];
  if (values.empty()) {
    walk.Invalid(list, codes.Find("values"), "at least one value is required");
  } else if (values.size() > kExitCodesMax) {
    walk.TooMany(list, values.size(), kExitCodesMax);
  }
  bool ordered = true;
  std::unordered_set<int64_t> seen;
  for (size_t i = 0; i < values.size(); ++i) {
    if (!values[i].IsInt()) continue;
    const int64_t value = values[i].AsInt();
    if (op == "In" && value == 0) {
      walk.Invalid(list[i], value, "must not be 0 for the In operator");
    }
    if (!seen.insert(value).second) walk.Duplicate(list[i], value);
    if (i > 0 && values[i - 1].IsInt() && values[i - 1].AsInt() > value) ordered = false;
  }
  if (!ordered) walk.Invalid(list, codes.Find("values"), "must be ordered");
}

void CheckPodConditions(std::span<const Value> patterns, const Path& list, Walk& walk) {
  if (patterns.size() > kRulesMax) walk.TooMany(list, patterns.size(), kRulesMax);
  size_t index = 0;
  for (const Value& pattern : patterns) {
    const Path at = list[index++];
    walk.Check(at["type"], Text(pattern, "type"), LabelKeyErrors);
    CheckRequiredEnum(at["status"], Text(pattern, "status"), {"False", "True", "Unknown"}, walk);
  }
}

void CheckFailureRule(const Value& rule, const Value& spec, const Path& at, Walk& walk) {
  const std::string_view action = Text(rule, "action");
  if (action == "FailIndex") {
    if (!Int(spec, "backoffLimitPerIndex")) {
      walk.Invalid(at["action"], action, "requires the backoffLimitPerIndex to be set");
    }
  } else {
    CheckRequiredEnum(at["action"], action, {"Count", "FailIndex", "FailJob", "Ignore"}, walk);
  }
  const Value* codes = Member(rule, "onExitCodes");
  const auto conditions = List(rule, "onPodConditions");
  if (codes != nullptr) CheckExitCodes(*codes, spec, at["onExitCodes"], walk);
  if (!conditions.empty()) CheckPodConditions(conditions, at["onPodConditions"], walk);
  if (codes != nullptr && !conditions.empty()) {
    walk.InvalidWithoutValue(at,
                             "specifying both OnExitCodes and OnPodConditions is not supported");
  }
  if (codes == nullptr && conditions.empty()) {
    walk.InvalidWithoutValue(at, "specifying one of OnExitCodes and OnPodConditions is required");
  }
}

void FailurePolicy(const Value& spec, const Path& path, Walk& walk) {
  const Value* policy = Member(spec, "podFailurePolicy");
  if (policy == nullptr) return;
  const auto rules = List(*policy, "rules");
  const Path at = path["podFailurePolicy"];
  const Path list = at["rules"];
  if (rules.size() > kRulesMax) walk.TooMany(list, rules.size(), kRulesMax);
  size_t index = 0;
  for (const Value& rule : rules) CheckFailureRule(rule, spec, list[index++], walk);
}

void CheckSuccessRule(const Value& rule, int64_t completions, const Path& at, Walk& walk) {
  const auto count = Int(rule, "succeededCount");
  const bool has_indexes = Member(rule, "succeededIndexes") != nullptr;
  if (!count && !has_indexes) {
    walk.Required(at, "at least one of succeededCount or succeededIndexes must be specified");
  }
  int64_t total = 0;
  if (has_indexes) {
    const std::string_view indexes = Text(rule, "succeededIndexes");
    const Path path = at["succeededIndexes"];
    if (static_cast<int64_t>(indexes.size()) > kSucceededIndexesBytesMax) {
      walk.TooLong(path, kSucceededIndexesBytesMax);
    }
    const std::string error = ReadIndexes(indexes, completions, &total);
    if (!error.empty()) {
      walk.Invalid(path, indexes, fmt::format("error parsing succeededIndexes: {}", error));
      total = 0;
    }
  }
  if (!count) return;
  const Path path = at["succeededCount"];
  if (*count < 0) walk.Invalid(path, *count, "must be greater than or equal to 0");
  if (*count > completions) {
    walk.Invalid(path, *count,
                 fmt::format("must be less than or equal to {} (the number of specified "
                             "completions)",
                             completions));
  }
  if (has_indexes && *count > total) {
    walk.Invalid(path, *count,
                 fmt::format("must be less than or equal to {} (the number of indexes in the "
                             "specified succeededIndexes field)",
                             total));
  }
}

void SuccessPolicy(const Value& spec, const Path& path, Walk& walk) {
  const Value* policy = Member(spec, "successPolicy");
  if (policy == nullptr) return;
  const Path at = path["successPolicy"];
  if (!IsIndexed(spec)) {
    return walk.Invalid(at, *policy, TypeOf("batch.v1.SuccessPolicy"),
                        "requires indexed completion mode");
  }
  const auto rules = List(*policy, "rules");
  const Path list = at["rules"];
  if (rules.empty()) {
    walk.Required(list, "at least one rules must be specified when the successPolicy is specified");
  }
  if (rules.size() > kRulesMax) walk.TooMany(list, rules.size(), kRulesMax);
  const int64_t completions = Int(spec, "completions").value_or(0);
  size_t index = 0;
  for (const Value& rule : rules) CheckSuccessRule(rule, completions, list[index++], walk);
}

void ReplacementPolicy(const Value& spec, const Path& path, Walk& walk) {
  if (Member(spec, "podReplacementPolicy") == nullptr) return;
  const std::string_view policy = Text(spec, "podReplacementPolicy");
  const Path at = path["podReplacementPolicy"];
  if (Member(spec, "podFailurePolicy") != nullptr) {
    walk.Enum(at, policy, {"Failed"});
  } else {
    walk.Enum(at, policy, {"Failed", "TerminatingOrFailed"});
  }
}

void JobRestartPolicy(const Value& spec, const Path& path, Walk& walk) {
  const std::string_view policy = Text(Part(Part(spec, "template"), "spec"), "restartPolicy");
  const Path pod = path["template"];
  const Path pod_spec = pod["spec"];
  const Path at = pod_spec["restartPolicy"];
  if (policy.empty() || policy == "Always") {
    walk.Required(at, R"(valid values: "OnFailure", "Never")");
  } else if (policy != "OnFailure" && policy != "Never") {
    walk.NotSupported(at, policy, {"OnFailure", "Never"});
  } else if (policy != "Never" && Member(spec, "podFailurePolicy") != nullptr) {
    walk.Invalid(at, policy, R"(only "Never" is supported when podFailurePolicy is specified)");
  }
}

// --- rules of jobs

void CheckLabel(const Value* labels, std::string_view key, std::string_view value, Walk& walk) {
  const Path spec("spec");
  const Path pod = spec["template"];
  const Path meta = pod["metadata"];
  const Path list = meta["labels"];
  const Value* label = labels == nullptr ? nullptr : labels->Find(key);
  if (label == nullptr) {
    walk.Required(list.Key(key), fmt::format("must be '{}'", value));
  } else if (!label->IsString() || label->AsString() != value) {
    walk.Invalid(list.Key(key), labels, fmt::format("must be '{}'", value));
  }
}

void GeneratedSelector(const Value& job, const Path& path, Walk& walk) {
  const Value& spec = Part(job, "spec");
  const Value* selector = Member(spec, "selector");
  if (True(spec, "manualSelector") || selector == nullptr || walk.old() != nullptr) return;
  const std::string_view uid = job.FindString({"metadata", "uid"});
  const std::string_view name = job.FindString({"metadata", "name"});
  const Value* labels = Member(Part(Part(spec, "template"), "metadata"), "labels");
  CheckLabel(labels, "controller-uid", uid, walk);
  CheckLabel(labels, "job-name", name, walk);
  CheckLabel(labels, "batch.kubernetes.io/controller-uid", uid, walk);
  CheckLabel(labels, "batch.kubernetes.io/job-name", name, walk);
  json::Arena arena;
  Value expected = Value::Object();
  for (const std::string_view key : {"batch.kubernetes.io/controller-uid", "controller-uid"}) {
    expected.Set(key, Value::StringRef(uid), arena);
  }
  for (const std::string_view key : {"batch.kubernetes.io/job-name", "job-name"}) {
    expected.Set(key, Value::StringRef(name), arena);
  }
  if (!HasKnownOperators(*selector) || SelectorMatches(selector, &expected)) return;
  walk.Invalid(path["spec"]["selector"], *selector, "`selector` not auto-generated");
}

void JobSelector(const Value& spec, const Path& path, Walk& walk) {
  static const TypeId kSelector = TypeOf("io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector");
  const Value* selector = Member(spec, "selector");
  if (selector == nullptr) {
    walk.Required(path["selector"]);
  } else {
    walk.Struct(*selector, kSelector, path["selector"]);
  }
  const Value* labels = Member(Part(Part(spec, "template"), "metadata"), "labels");
  if (selector != nullptr && !HasKnownOperators(*selector)) return;
  if (SelectorMatches(selector, labels)) return;
  walk.Invalid(path["template"]["metadata"]["labels"], labels,
               "`selector` does not match template `labels`");
}

void IndexedHostname(const Value& job, const Path& path, Walk& walk) {
  const Value& spec = Part(job, "spec");
  const int64_t completions = Int(spec, "completions").value_or(0);
  if (!IsIndexed(spec) || completions <= 0) return;
  const std::string_view name = job.FindString({"metadata", "name"});
  const std::string hostname = fmt::format("{}-{}", name, completions - 1);
  if (Dns1123Label(hostname).empty()) return;
  walk.Invalid(path["metadata"]["name"], name,
               fmt::format("will not able to create pod with invalid DNS label: {}", hostname));
}

// --- updates of jobs

void Completions(const Value& job, const Path& path, Walk& walk) {
  const Value& spec = Part(job, "spec");
  const Value& old = Part(*walk.old(), "spec");
  const Path at = path["spec"];
  const Value* now = Member(spec, "completions");
  if (!IsIndexed(spec)) {
    return walk.Immutable(at["completions"], now, Member(old, "completions"));
  }
  if (Same(now, Member(old, "completions")) || now == nullptr) return;
  if (now->AsInt() == Int(spec, "parallelism").value_or(0)) return;
  walk.Invalid(at["completions"], now->AsInt(),
               fmt::format("can only be modified in tandem with {}", "spec.parallelism"));
}

bool IsSuspended(const Value& job) { return True(Part(job, "spec"), "suspend"); }

bool HasCondition(const Value& job, std::string_view type) {
  const auto conditions = List(Part(job, "status"), "conditions");
  return std::ranges::any_of(conditions, [&](const Value& condition) {
    return Text(condition, "type") == type && Text(condition, "status") == "True";
  });
}

void CopyMember(Value& to, const Value& from, std::string_view name, json::Arena& arena) {
  if (const Value* value = from.Find(name)) {
    to.Set(name, value->Clone(arena), arena);
  } else {
    to.Remove(name);
  }
}

// What a suspended job may change of its template, taken over into the old one.
Value WithAllowedChanges(const Value& old, const Value& now, json::Arena& arena) {
  Value merged = old.Clone(arena);
  Value& meta = merged.SetDefaultObject("metadata", arena);
  for (const std::string_view name : {"annotations", "labels"}) {
    CopyMember(meta, Part(now, "metadata"), name, arena);
  }
  Value& spec = merged.SetDefaultObject("spec", arena);
  const Value& now_spec = Part(now, "spec");
  for (const std::string_view name : {"nodeSelector", "tolerations", "schedulingGates"}) {
    CopyMember(spec, now_spec, name, arena);
  }
  CopyMember(spec.SetDefaultObject("affinity", arena), Part(now_spec, "affinity"), "nodeAffinity",
             arena);
  if (spec.Find("affinity")->size() == 0) spec.Remove("affinity");
  for (const std::string_view list : {"containers", "initContainers"}) {
    const auto changed = List(now_spec, list);
    Value* containers = spec.Find(list);
    if (containers == nullptr || containers->size() != changed.size()) continue;
    size_t index = 0;
    for (Value& container : containers->elements()) {
      CopyMember(container, changed[index++], "resources", arena);
    }
  }
  return merged;
}

void TemplateUpdate(const Value& job, const Path& path, Walk& walk) {
  const Value& now = Part(Part(job, "spec"), "template");
  const Value& old = Part(Part(*walk.old(), "spec"), "template");
  if (now == old) return;
  const Value& status = Part(*walk.old(), "status");
  const bool stands =
      Member(status, "startTime") == nullptr || HasCondition(*walk.old(), "Suspended");
  if (IsSuspended(*walk.old()) && stands && Int(status, "active").value_or(0) == 0) {
    json::Arena arena;
    const Value allowed = WithAllowedChanges(old, now, arena);
    if (Part(allowed, "spec") == Part(now, "spec")) return;
    return walk.Invalid(path["spec"]["template"]["spec"], Part(now, "spec"),
                        TypeOf("core.v1.PodSpec"), "field is immutable");
  }
  walk.Invalid(path["spec"]["template"], now, TypeOf("core.v1.PodTemplateSpec"),
               "field is immutable");
}

// --- status of jobs

void CheckCounted(const Value& status, const Path& at, Walk& walk) {
  const Value* uncounted = Member(status, "uncountedTerminatedPods");
  if (uncounted == nullptr) return;
  NameSet seen;
  const Path path = at["uncountedTerminatedPods"];
  for (const std::string_view field : {"succeeded", "failed"}) {
    const Path list = path[field];
    size_t index = 0;
    for (const Value& uid : List(*uncounted, field)) {
      const Path uid_at = list[index++];
      if (uid.size() == 0) {
        walk.Invalid(uid_at, "", "must not be empty");
      } else if (!seen.Insert(uid.AsString())) {
        walk.Duplicate(uid_at, uid.AsString());
      }
    }
  }
}

void CheckFinished(const Value& job, const Path& at, Walk& walk) {
  const Value& status = Part(job, "status");
  const bool complete = HasCondition(job, "Complete");
  const bool failed = HasCondition(job, "Failed");
  const Value* end = Member(status, "completionTime");
  const auto conditions = [&](std::string_view detail) {
    walk.InvalidWithoutValue(at["conditions"], detail);
  };
  if (complete && failed) conditions("cannot set Complete=True and Failed=true conditions");
  if (complete && HasCondition(job, "FailureTarget")) {
    conditions("cannot set Complete=True and FailureTarget=true conditions");
  }
  if (end != nullptr && !complete) {
    walk.Invalid(at["completionTime"], *end,
                 "cannot set completionTime when there is no Complete=True condition");
  }
  if (end == nullptr && complete) {
    walk.Required(at["completionTime"], "completionTime is required for Complete jobs");
  }
  if (end != nullptr && end->AsString() < Text(status, "startTime")) {
    walk.Invalid(at["completionTime"], *end, "must be equal to or after `startTime`");
  }
  if (failed && !HasCondition(job, "FailureTarget")) {
    conditions("cannot set Failed=True condition without the FailureTarget=true condition");
  }
  if (complete && !HasCondition(job, "SuccessCriteriaMet")) {
    conditions("cannot set Complete=True condition without the SuccessCriteriaMet=true condition");
  }
  if (!complete && !failed) return;
  const int64_t active = Int(status, "active").value_or(0);
  if (active > 0) walk.Invalid(at["active"], active, "active>0 is invalid for finished job");
  if (Member(status, "startTime") == nullptr) {
    walk.Required(at["startTime"], "startTime is required for finished job");
  }
}

void CheckIndexLists(const Value& job, const Path& at, Walk& walk) {
  const Value& spec = Part(job, "spec");
  const Value& status = Part(job, "status");
  const auto completions = Int(spec, "completions");
  const std::string_view done = Text(status, "completedIndexes");
  int64_t total = 0;
  if (completions) {
    if (const std::string error = ReadIndexes(done, *completions, &total); !error.empty()) {
      walk.Invalid(at["completedIndexes"], done,
                   fmt::format("error parsing completedIndexes: {}", error));
    }
  }
  const bool has_failed = Member(status, "failedIndexes") != nullptr;
  const std::string_view failed = Text(status, "failedIndexes");
  const bool per_index = Int(spec, "backoffLimitPerIndex").has_value();
  if (completions && per_index && has_failed) {
    if (const std::string error = ReadIndexes(failed, *completions, &total); !error.empty()) {
      walk.Invalid(at["failedIndexes"], failed,
                   fmt::format("error parsing failedIndexes: {}", error));
    }
  }
  if (!done.empty() && !IsIndexed(spec)) {
    walk.Invalid(at["completedIndexes"], done,
                 "cannot set non-empty completedIndexes when non-indexed completion mode");
  }
  if (has_failed && !per_index) {
    walk.Invalid(at["failedIndexes"], failed,
                 "cannot set non-null failedIndexes when backoffLimitPerIndex is null");
  }
}

void CheckSteps(const Value& job, const Path& at, Walk& walk) {
  const Value& old_job = *walk.old();
  const Value& status = Part(job, "status");
  const Value& old = Part(old_job, "status");
  for (const std::string_view type : {"Failed", "Complete", "FailureTarget"}) {
    if (!HasCondition(old_job, type) || HasCondition(job, type)) continue;
    walk.InvalidWithoutValue(at["conditions"],
                             fmt::format("cannot disable the terminal {}=True condition", type));
  }
  for (const std::string_view counter : {"failed", "succeeded"}) {
    const int64_t now = Int(status, counter).value_or(0);
    if (now >= Int(old, counter).value_or(0)) continue;
    walk.Invalid(at[counter], now, fmt::format("cannot decrease the {} counter", counter));
  }
  const Value* start = Member(status, "startTime");
  if (Member(old, "startTime") != nullptr && !SameMember(old, status, "startTime") &&
      !IsSuspended(job)) {
    walk.Invalid(at["startTime"], start, "field is immutable for unsuspended job once set");
  }
  if (HasCondition(old_job, "SuccessCriteriaMet") && !HasCondition(job, "SuccessCriteriaMet")) {
    walk.InvalidWithoutValue(at["conditions"],
                             "cannot disable the SuccessCriteriaMet=True condition");
  }
}

void JobStatus(const Value& job, const Path& path, Walk& walk) {
  const Path at = path["status"];
  const Value& status = Part(job, "status");
  CheckCounted(status, at, walk);
  CheckFinished(job, at, walk);
  CheckIndexLists(job, at, walk);
  const int64_t ready = Int(status, "ready").value_or(0);
  if (ready > Int(status, "active").value_or(0)) {
    walk.Invalid(at["ready"], ready, "cannot set more ready pods than active");
  }
  if (HasCondition(job, "SuccessCriteriaMet")) {
    for (const std::string_view type : {"Failed", "FailureTarget"}) {
      if (!HasCondition(job, type)) continue;
      walk.InvalidWithoutValue(
          at["conditions"],
          fmt::format("cannot set SuccessCriteriaMet=True and {}=true conditions", type));
    }
  }
  CheckSteps(job, at, walk);
}

// --- cron jobs

void Schedule(const Value& spec, const Path& at, Walk& walk) {
  const std::string_view schedule = Text(spec, "schedule");
  const Path path = at["schedule"];
  if (schedule.empty()) return walk.Required(path);
  if (const std::string error = CronScheduleError(schedule); !error.empty()) {
    walk.Invalid(path, schedule, error);
  }
  const bool has_zone = schedule.find("TZ") != std::string_view::npos;
  const Value* old = walk.old();
  const bool had_zone =
      old != nullptr && old->FindString({"spec", "schedule"}).find("TZ") != std::string_view::npos;
  if (has_zone && had_zone && Member(spec, "timeZone") != nullptr) {
    walk.Invalid(path, schedule, "cannot use both timeZone field and TZ or CRON_TZ in schedule");
  } else if (has_zone && !had_zone) {
    walk.Invalid(path, schedule,
                 "cannot use TZ or CRON_TZ in schedule, use timeZone field instead");
  }
}

bool IsZonePart(std::string_view part) {
  const auto fits = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '_' ||
           c == '+';
  };
  return !part.empty() && part.size() <= 14 && part != "." && part != ".." &&
         !part.starts_with('-') && std::ranges::all_of(part, fits);
}

void TimeZone(const Value& spec, const Path& at, Walk& walk) {
  if (Member(spec, "timeZone") == nullptr) return;
  const std::string_view zone = Text(spec, "timeZone");
  const Path path = at["timeZone"];
  if (walk.old() != nullptr && walk.old()->FindString({"spec", "timeZone"}) == zone) return;
  if (zone.empty()) return walk.Invalid(path, zone, "timeZone must be nil or non-empty string");
  const std::string unknown = fmt::format("unknown time zone {}", zone);
  bool well_formed = true;
  for (const std::string_view part : Split(zone, '/')) well_formed &= IsZonePart(part);
  if (!well_formed) walk.Invalid(path, zone, unknown);
  if (EqualsIgnoreCase(zone, "Local")) {
    walk.Invalid(path, zone,
                 "timeZone must be an explicit time zone as defined in "
                 "https://www.iana.org/time-zones");
  }
  if (!well_formed || zone == "UTC") return;
  // Where the system has no zones, any will do.
  std::error_code error;
  const std::filesystem::path folder(kZoneFolder);
  if (!std::filesystem::exists(folder, error)) return;
  if (!std::filesystem::is_regular_file(folder / zone, error)) walk.Invalid(path, zone, unknown);
}

void JobTemplate(const Value& spec, const Path& path, Walk& walk) {
  const Value& job = Part(Part(spec, "jobTemplate"), "spec");
  const Path pod = path["jobTemplate"];
  const Path at = pod["spec"];
  if (const Value* selector = Member(job, "selector")) {
    walk.Invalid(at["selector"], *selector, "`selector` will be auto-generated");
  }
  if (True(job, "manualSelector")) {
    walk.NotSupportedValue(at["manualSelector"], "true", {"nil", "false"});
  }
}

void CronJobName(const Value& job, const Path& path, Walk& walk) {
  const std::string_view name = job.FindString({"metadata", "name"});
  if (name.size() <= kCronJobNameBytesMax) return;
  walk.Invalid(path["metadata"]["name"], name, "must be no more than 52 characters");
}

constexpr NamedCheck kChecks[] = {
    {"completionMode", CompletionMode},
    {"completions", Completions},
    {"cronJobName", CronJobName},
    {"failedIndexes", FailedIndexes},
    {"failurePolicy", FailurePolicy},
    {"generatedSelector", GeneratedSelector},
    {"indexedHostname", IndexedHostname},
    {"jobRestartPolicy", JobRestartPolicy},
    {"jobSelector", JobSelector},
    {"jobStatus", JobStatus},
    {"jobTemplate", JobTemplate},
    {"managedBy", ManagedBy},
    {"replacementPolicy", ReplacementPolicy},
    {"schedule", Schedule},
    {"successPolicy", SuccessPolicy},
    {"templateUpdate", TemplateUpdate},
    {"timeZone", TimeZone},
};

}  // namespace

std::span<const NamedCheck> BatchChecks() { return kChecks; }

}  // namespace kulisse::openapi
