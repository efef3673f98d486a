// What the printers of openapi/table.h share: the row being written, and reading of objects.
// Only for openapi/table/*.cc and openapi/table.cc.
//
// Threads: one at a time (Cells); pure functions.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/value.h"
#include "base/time.h"

namespace kulisse::openapi::table {

using json::Value;
using Path = std::initializer_list<std::string_view>;

inline constexpr std::string_view kNone = "<none>";
inline constexpr std::string_view kUnset = "<unset>";
inline constexpr std::string_view kUnknown = "<unknown>";

// Appends the cells of one row, `[cell,cell…]`, to a text.
class Cells {
 public:
  Cells(SystemTime now, std::string* out) : now_(now), out_(out) { *out_ += '['; }
  Cells(const Cells&) = delete;
  Cells& operator=(const Cells&) = delete;
  ~Cells() { *out_ += ']'; }

  void Text(std::string_view text);
  void Number(int64_t number);
  void Bool(bool value);
  // metadata.name, and the age of metadata.creationTimestamp.
  void Name(const Value& object);
  void Age(const Value& object);
  // "5m", or "<unknown>" for a time that is not set. Upstream: translateTimestampSince.
  [[nodiscard]] std::string Since(const Value* time) const;

 private:
  void Separate();

  SystemTime now_;
  std::string* out_;
  bool first_ = true;
};

// A printer of the rows of one resource; the object is in canonical form.
struct Printer {
  std::string_view group;
  std::string_view resource;
  void (*print)(const Value& object, Cells& row);
};
[[nodiscard]] std::span<const Printer> CorePrinters();
[[nodiscard]] std::span<const Printer> PodPrinters();
[[nodiscard]] std::span<const Printer> WorkloadPrinters();
[[nodiscard]] std::span<const Printer> NetworkPrinters();
[[nodiscard]] std::span<const Printer> StoragePrinters();
[[nodiscard]] std::span<const Printer> PolicyPrinters();
[[nodiscard]] std::span<const Printer> MetricsPrinters();

// "" and 0 where there is none.
[[nodiscard]] inline std::string_view TextAt(const Value& object, Path path) {
  return object.FindString(path);
}
[[nodiscard]] int64_t NumberAt(const Value& object, Path path);
[[nodiscard]] bool BoolAt(const Value& object, Path path, bool fallback = false);
// The elements of the list at the path; none when there is no list.
[[nodiscard]] std::span<const Value> ListAt(const Value& object, Path path);
[[nodiscard]] std::string_view TextOr(std::string_view text, std::string_view fallback);
// A time that is set; nothing for null and absent ones.
[[nodiscard]] std::optional<SystemTime> TimeOf(const Value* value);

// Label selectors as `kubectl get -o wide` shows them; "<none>" when empty.
[[nodiscard]] std::string SelectorText(const Value* selector);
// "a=b,c=d", or "<none>". Upstream: labels.FormatLabels.
[[nodiscard]] std::string LabelsText(const Value* labels);
// The list's first three, then " + N more...".
[[nodiscard]] std::string FirstThree(const std::vector<std::string>& parts);
[[nodiscard]] std::string JoinTexts(std::span<const Value> texts, std::string_view separator);
// The names and images of a pod spec's containers, two cells.
void AppendContainers(const Value* pod_spec, Cells& row);
// Addresses of status.loadBalancer.
[[nodiscard]] std::string LoadBalancerText(const Value& object);

}  // namespace kulisse::openapi::table
