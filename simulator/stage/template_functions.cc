#include "simulator/stage/template_functions.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>
#include <vector>

#include "base/json/write.h"
#include "base/status.h"
#include "openapi/yaml.h"
#include "simulator/kubelet/ip_pool.h"
#include "simulator/sprig/go_layout.h"
#include "simulator/sprig/sprig.h"
#include "simulator/stage/pod_status.h"

namespace kulisse::simulator {

namespace {

using json::Value;

// What `Version` returns: the KWOK whose stage language this is.
constexpr std::string_view kKwokVersion = "0.8.0";

// --- printing

void AppendNested(const Value& value, bool computed, std::string* out) {
  if (value.IsNull()) {
    *out += "<nil>";
  } else {
    AppendPrinted({&value, computed}, out);
  }
}

// Go's %v of a float64: the shortest digits, with an exponent below 1e-4 and from 1e6 on.
void AppendFloat(double number, std::string* out) {
  constexpr double kFixedMin = 1e-4;
  constexpr double kFixedEnd = 1e6;
  const double size = std::fabs(number);
  const bool fixed = size == 0 || (size >= kFixedMin && size < kFixedEnd);
  char buffer[32];
  const auto format = fixed ? std::chars_format::fixed : std::chars_format::scientific;
  out->append(buffer, std::to_chars(buffer, std::end(buffer), number, format).ptr);
}

std::vector<const json::Member*> SortedMembers(const Value& object) {
  std::vector<const json::Member*> members;
  members.reserve(object.size());
  for (const json::Member& member : object.members()) members.push_back(&member);
  std::ranges::sort(members, {}, &json::Member::name);
  return members;
}

std::string Printed(const Operand& operand) {
  std::string text;
  AppendPrinted(operand, &text);
  return text;
}

// The text of a string argument; nil counts as "".
std::string_view Text(const Operand& operand) {
  return operand.IsString() ? operand.value->AsString() : std::string_view();
}

// --- comparison

enum class BasicKind : uint8_t { kNone, kBool, kNumber, kString };

BasicKind KindOf(const Operand& operand) {
  if (operand.IsNil() || operand.IsArray() || operand.IsObject()) return BasicKind::kNone;
  if (operand.value->IsBool()) return BasicKind::kBool;
  return operand.IsString() ? BasicKind::kString : BasicKind::kNumber;
}

// Whether both are texts to Go: a number of the data is one.
bool CompareAsText(const Operand& a, const Operand& b) {
  const auto text = [](const Operand& o) { return o.IsString() || (o.IsNumber() && !o.computed); };
  return text(a) && text(b) && (a.IsString() || b.IsString());
}

bool Equal(TemplateCall& call, const Operand& a, const Operand& b, bool* equal) {
  if (a.IsNil() || b.IsNil()) {
    *equal = a.IsNil() && b.IsNil();
    return true;
  }
  if (CompareAsText(a, b)) {
    *equal = Printed(a) == Printed(b);
    return true;
  }
  const BasicKind kind = KindOf(a);
  if (kind != KindOf(b)) return call.Fail("incompatible types for comparison");
  if (kind == BasicKind::kNone) return call.Fail("non-comparable type");
  *equal = *a.value == *b.value;
  return true;
}

bool CallEqual(TemplateCall& call, Arguments arguments, Operand* result) {
  for (size_t i = 1; i < arguments.size(); ++i) {
    bool equal = false;
    if (!Equal(call, arguments[0], arguments[i], &equal)) return false;
    if (equal || i + 1 == arguments.size()) {
      *result = call.KeepBool(equal);
      return true;
    }
  }
  return call.Fail("missing argument for comparison");
}

bool CallNotEqual(TemplateCall& call, Arguments arguments, Operand* result) {
  bool equal = false;
  if (!Equal(call, arguments[0], arguments[1], &equal)) return false;
  *result = call.KeepBool(!equal);
  return true;
}

bool Less(TemplateCall& call, const Operand& a, const Operand& b, bool* less) {
  if (CompareAsText(a, b)) {
    *less = Printed(a) < Printed(b);
    return true;
  }
  const BasicKind kind = KindOf(a);
  if (kind != KindOf(b)) return call.Fail("incompatible types for comparison");
  if (kind != BasicKind::kNumber) return call.Fail("invalid type for comparison");
  *less = a.value->IsInt() && b.value->IsInt() ? a.value->AsInt() < b.value->AsInt()
                                               : a.value->AsDouble() < b.value->AsDouble();
  return true;
}

// lt, le, gt, ge: `swap` compares b < a, `negate` turns the answer round.
template <bool swap, bool negate>
bool CallOrder(TemplateCall& call, Arguments arguments, Operand* result) {
  bool less = false;
  if (!Less(call, arguments[swap ? 1 : 0], arguments[swap ? 0 : 1], &less)) return false;
  *result = call.KeepBool(less != negate);
  return true;
}

// --- Go's other builtins

bool CallNot(TemplateCall& call, Arguments arguments, Operand* result) {
  *result = call.KeepBool(!arguments[0].Truth());
  return true;
}

bool CallLen(TemplateCall& call, Arguments arguments, Operand* result) {
  const Operand& operand = arguments[0];
  if (!operand.IsString() && !operand.IsArray() && !operand.IsObject()) {
    return call.Fail(fmt::format("len of type {}", operand.TypeName()));
  }
  *result = call.KeepInt(static_cast<int64_t>(operand.value->size()));
  return true;
}

bool CallIndex(TemplateCall& call, Arguments arguments, Operand* result) {
  Operand item = arguments[0];
  for (const Operand& index : arguments.subspan(1)) {
    if (item.IsNil()) return call.Fail("index of untyped nil");
    if (item.IsObject() && index.IsString()) {
      item = {item.value->Find(index.value->AsString()), item.computed};
    } else if (item.IsArray() && index.IsNumber() && index.value->IsInt()) {
      const int64_t at = index.value->AsInt();
      if (at < 0 || at >= static_cast<int64_t>(item.value->size())) {
        return call.Fail(fmt::format("index out of range: {}", at));
      }
      item = {&item.value->elements()[static_cast<size_t>(at)], item.computed};
    } else {
      return call.Fail(fmt::format("cannot index {} with {}", item.TypeName(), index.TypeName()));
    }
  }
  *result = item;
  return true;
}

bool CallSlice(TemplateCall& call, Arguments arguments, Operand* result) {
  const Operand& item = arguments[0];
  if (!item.IsString() && !item.IsArray()) {
    return call.Fail(fmt::format("can't slice item of type {}", item.TypeName()));
  }
  const auto size = static_cast<int64_t>(item.value->size());
  int64_t bounds[2] = {0, size};
  for (size_t i = 1; i < arguments.size(); ++i) {
    if (!arguments[i].IsNumber() || !arguments[i].value->IsInt()) {
      return call.Fail("cannot index slice with a non-integer");
    }
    bounds[i - 1] = arguments[i].value->AsInt();
  }
  if (bounds[0] < 0 || bounds[1] > size || bounds[0] > bounds[1]) {
    return call.Fail("index out of range");
  }
  const auto begin = static_cast<size_t>(bounds[0]);
  const auto count = static_cast<size_t>(bounds[1] - bounds[0]);
  if (item.IsString()) {
    *result = call.KeepString(item.value->AsString().substr(begin, count));
    return true;
  }
  Value part = Value::Array();
  for (const Value& element : item.value->elements().subspan(begin, count)) {
    part.PushBack(element.Clone(call.arena()), call.arena());
  }
  *result = call.Keep(std::move(part));
  return true;
}

// Blanks between operands when neither is a string.
bool CallPrint(TemplateCall& call, Arguments arguments, Operand* result) {
  std::string text;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (i > 0 && !arguments[i - 1].IsString() && !arguments[i].IsString()) text += ' ';
    if (arguments[i].IsNil())
      text += "<nil>";
    else
      AppendPrinted(arguments[i], &text);
  }
  *result = call.KeepString(text);
  return true;
}

bool CallPrintln(TemplateCall& call, Arguments arguments, Operand* result) {
  std::string text;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (i > 0) text += ' ';
    if (arguments[i].IsNil())
      text += "<nil>";
    else
      AppendPrinted(arguments[i], &text);
  }
  *result = call.KeepString(text + "\n");
  return true;
}

using Escapes = std::span<const std::pair<char, std::string_view>>;

bool GiveEscaped(TemplateCall& call, Arguments arguments, Escapes escapes, Operand* result) {
  Operand printed;
  if (!CallPrint(call, arguments, &printed)) return false;
  std::string text;
  for (const char c : Text(printed)) {
    const auto found = std::ranges::find(escapes, c, [](const auto& pair) { return pair.first; });
    if (found == escapes.end()) {
      text += c;
    } else {
      text += found->second;
    }
  }
  *result = call.KeepString(text);
  return true;
}

bool CallHtml(TemplateCall& call, Arguments arguments, Operand* result) {
  static constexpr std::pair<char, std::string_view> kEscapes[] = {
      {'<', "&lt;"}, {'>', "&gt;"}, {'&', "&amp;"}, {'\'', "&#39;"}, {'"', "&#34;"}};
  return GiveEscaped(call, arguments, kEscapes, result);
}

bool CallJs(TemplateCall& call, Arguments arguments, Operand* result) {
  static constexpr std::pair<char, std::string_view> kEscapes[] = {
      {'<', "\\u003C"}, {'>', "\\u003E"}, {'&', "\\u0026"},  {'\'', "\\'"},     {'"', "\\\""},
      {'=', "\\u003D"}, {'\\', "\\\\"},   {'\n', "\\u000A"}, {'\r', "\\u000D"}, {'\t', "\\u0009"}};
  return GiveEscaped(call, arguments, kEscapes, result);
}

bool CallUrlQuery(TemplateCall& call, Arguments arguments, Operand* result) {
  Operand printed;
  if (!CallPrint(call, arguments, &printed)) return false;
  std::string text;
  for (const char c : Text(printed)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    text += c == ' ' ? "+"
            : plain  ? std::string(1, c)
                     : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  *result = call.KeepString(text);
  return true;
}

// --- KWOK

bool CallQuote(TemplateCall& call, Arguments arguments, Operand* result) {
  const Operand& operand = arguments[0];
  std::string text;
  if (operand.IsString()) {
    json::AppendString(operand.value->AsString(), &text);
  } else {
    text = GoQuote(operand.IsNil() ? "null" : json::ToSortedString(*operand.value));
  }
  *result = call.KeepString(text);
  return true;
}

// Go's RFC3339Nano: as many digits of the fraction as there are, none for a whole second.
std::string FormatNanoTime(SystemTime time) {
  std::string text = FormatTime(time);
  const int64_t nanos = (time.time_since_epoch() % std::chrono::seconds(1)).count();
  if (nanos == 0) return text;
  std::string fraction = fmt::format(".{:09}", nanos);
  fraction.resize(fraction.find_last_not_of('0') + 1);
  return text.insert(text.size() - 1, fraction);
}

bool CallNow(TemplateCall& call, Arguments, Operand* result) {
  *result = call.KeepString(FormatNanoTime(call.environment().Now()));
  return true;
}

bool CallStartTime(TemplateCall& call, Arguments, Operand* result) {
  *result = call.KeepString(FormatNanoTime(call.environment().StartTime()));
  return true;
}

bool CallYaml(TemplateCall& call, Arguments arguments, Operand* result) {
  static const Value kNull;
  std::string text = openapi::ToYaml(arguments[0].value == nullptr ? kNull : *arguments[0].value);
  constexpr int64_t kIndentMax = 100;
  int64_t indent = 0;
  if (arguments.size() == 2) {
    if (!arguments[1].IsNumber() || !arguments[1].value->IsInt()) {
      return call.Fail("the indentation must be an integer");
    }
    indent = arguments[1].value->AsInt();
    if (indent > kIndentMax) return call.Fail("the indentation is too large");
  }
  if (indent <= 0) {
    *result = call.KeepString(text);
    return true;
  }
  const std::string line_begin = "\n" + std::string(static_cast<size_t>(indent) * 2, ' ');
  std::string indented = line_begin;
  for (const char c : text) {
    if (c == '\n')
      indented += line_begin;
    else
      indented += c;
  }
  *result = call.KeepString(indented);
  return true;
}

bool CallVersion(TemplateCall& call, Arguments, Operand* result) {
  *result = call.KeepString(kKwokVersion);
  return true;
}

struct ConditionRow {
  std::string_view type, status, reason, message;
};
constexpr ConditionRow kNodeConditions[] = {
    {"Ready", "True", "KubeletReady", "kubelet is posting ready status"},
    {"MemoryPressure", "False", "KubeletHasSufficientMemory",
     "kubelet has sufficient memory available"},
    {"DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"},
    {"PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"},
    {"NetworkUnavailable", "False", "RouteCreated", "RouteController created a route"},
};

json::Document MakeNodeConditions() {
  json::Document document;
  document.root = Value::Array();
  for (const ConditionRow& row : kNodeConditions) {
    Value& item = document.root.PushBack(Value::Object(), document.arena);
    item.AppendRef("type", Value::StringRef(row.type), document.arena);
    item.AppendRef("status", Value::StringRef(row.status), document.arena);
    item.AppendRef("lastHeartbeatTime", Value(), document.arena);
    item.AppendRef("lastTransitionTime", Value(), document.arena);
    item.AppendRef("reason", Value::StringRef(row.reason), document.arena);
    item.AppendRef("message", Value::StringRef(row.message), document.arena);
  }
  return document;
}

bool CallNodeConditions(TemplateCall&, Arguments, Operand* result) {
  static const json::Document kConditions = MakeNodeConditions();
  *result = {&kConditions.root};
  return true;
}

bool CallNodeIP(TemplateCall& call, Arguments, Operand* result) {
  *result = call.KeepString(call.environment().NodeIP());
  return true;
}

bool CallNodeName(TemplateCall& call, Arguments, Operand* result) {
  *result = call.KeepString(call.environment().NodeName());
  return true;
}

bool CallNodePort(TemplateCall& call, Arguments, Operand* result) {
  *result = call.KeepInt(call.environment().NodePort());
  return true;
}

Operand KeepStrings(TemplateCall& call, const std::vector<std::string>& texts) {
  Value list = Value::Array();
  for (const std::string& text : texts) {
    list.PushBack(Value::String(text, call.arena()), call.arena());
  }
  return call.Keep(std::move(list));
}

bool CallNodeIPsWith(TemplateCall& call, Arguments arguments, Operand* result) {
  *result = KeepStrings(call, call.environment().NodeIPsWith(Text(arguments[0])));
  return true;
}

bool CallNodeIPWith(TemplateCall& call, Arguments arguments, Operand* result) {
  const auto ips = call.environment().NodeIPsWith(Text(arguments[0]));
  *result = call.KeepString(ips.empty() ? call.environment().NodeIP() : ips[0]);
  return true;
}

TemplateEnvironment::PodReference PodOf(Arguments arguments) {
  if (arguments.empty()) return {};
  return {.node = Text(arguments[0]),
          .host_network = arguments[1].Truth(),
          .uid = Text(arguments[2]),
          .name = Text(arguments[3]),
          .ns = Text(arguments[4])};
}

bool CallPodIPsWith(TemplateCall& call, Arguments arguments, Operand* result) {
  const auto ips = call.environment().PodIPsWith(PodOf(arguments));
  if (!ips) return call.Fail(ips.error());
  *result = KeepStrings(call, *ips);
  return true;
}

// PodIP without arguments takes from the default CIDR.
bool CallPodIPWith(TemplateCall& call, Arguments arguments, Operand* result) {
  const auto ips = call.environment().PodIPsWith(PodOf(arguments));
  if (!ips) return call.Fail(ips.error());
  *result = call.KeepString(ips->empty() ? call.environment().NodeIP() : ips->front());
  return true;
}

// Not in KWOK: PodStatus POD CHANGES is the pod's status after what happens to its containers.
bool CallPodStatus(TemplateCall& call, Arguments arguments, Operand* result) {
  if (!arguments[0].IsObject() || !arguments[1].IsObject()) {
    return call.Fail("it takes a pod and a dict of changes");
  }
  auto status =
      MakePodStatus(*arguments[0].value, *arguments[1].value, call.environment(), call.arena());
  if (!status) return call.Fail(status.error());
  *result = call.Keep(std::move(*status));
  return true;
}

bool CallScaledName(TemplateCall& call, Arguments, Operand* result) {
  *result = call.KeepString(call.environment().Scaled().name);
  return true;
}

bool CallScaledNamespace(TemplateCall& call, Arguments, Operand* result) {
  *result = call.KeepString(call.environment().Scaled().ns);
  return true;
}

bool CallScaledIndex(TemplateCall& call, Arguments, Operand* result) {
  *result = call.KeepInt(call.environment().Scaled().index);
  return true;
}

// AddIP "192.0.2.1" 3, and AddCIDR "10.0.0.0/24" 3: the third one behind it.
template <bool cidr>
bool CallAddAddress(TemplateCall& call, Arguments arguments, Operand* result) {
  if (!arguments[0].IsString() || !arguments[1].IsComputedInt()) {
    return call.Fail("wants an address and a number");
  }
  const std::string_view text = arguments[0].value->AsString();
  const auto count = static_cast<uint64_t>(arguments[1].value->AsInt());
  const auto sum = cidr ? AddCidr(text, count) : AddIp(text, count);
  if (!sum) return call.Fail(fmt::format("\"{}\" has no {} behind it", text, count));
  *result = call.KeepString(*sum);
  return true;
}

constexpr auto kAnyScope = TemplateScope::kAny;

constexpr TemplateFunction kFunctions[] = {
    {"and", 1, -1, nullptr, TemplateFunction::Special::kAnd},
    {"or", 1, -1, nullptr, TemplateFunction::Special::kOr},
    {"not", 1, 1, CallNot},
    {"eq", 2, -1, CallEqual},
    {"ne", 2, 2, CallNotEqual},
    {"lt", 2, 2, CallOrder<false, false>},
    {"le", 2, 2, CallOrder<true, true>},
    {"gt", 2, 2, CallOrder<true, false>},
    {"ge", 2, 2, CallOrder<false, true>},
    {"index", 1, -1, CallIndex},
    {"slice", 1, 3, CallSlice},
    {"len", 1, 1, CallLen},
    {"html", 0, -1, CallHtml},
    {"js", 0, -1, CallJs},
    {"urlquery", 0, -1, CallUrlQuery},
    {"print", 0, -1, CallPrint},
    {"printf", 1, -1, CallPrintf},
    {"println", 0, -1, CallPrintln},
    {"Quote", 1, 1, CallQuote},
    {"Now", 0, 0, CallNow},
    {"StartTime", 0, 0, CallStartTime},
    {"YAML", 1, 2, CallYaml},
    {"Version", 0, 0, CallVersion},
    {"NodeConditions", 0, 0, CallNodeConditions},
    {"NodeIP", 0, 0, CallNodeIP, {}, kAnyScope, true},
    {"NodeName", 0, 0, CallNodeName, {}, TemplateScope::kNode},
    {"NodePort", 0, 0, CallNodePort, {}, TemplateScope::kNode},
    {"NodeIPWith", 1, 1, CallNodeIPWith, {}, TemplateScope::kPod},
    {"NodeIPsWith", 1, 1, CallNodeIPsWith, {}, TemplateScope::kPod},
    {"PodIP", 0, 0, CallPodIPWith, {}, TemplateScope::kPod},
    {"PodIPWith", 5, 5, CallPodIPWith, {}, TemplateScope::kPod},
    {"PodIPsWith", 5, 5, CallPodIPsWith, {}, TemplateScope::kPod},
    {"PodStatus", 2, 2, CallPodStatus, {}, TemplateScope::kPod},
    {"Name", 0, 0, CallScaledName, {}, TemplateScope::kScale},
    {"Namespace", 0, 0, CallScaledNamespace, {}, TemplateScope::kScale},
    {"Index", 0, 0, CallScaledIndex, {}, TemplateScope::kScale},
    {"AddIP", 2, 2, CallAddAddress<false>, {}, TemplateScope::kScale},
    {"AddCIDR", 2, 2, CallAddAddress<true>, {}, TemplateScope::kScale},
};

}  // namespace

bool Operand::Truth() const {
  if (IsNil()) return false;
  if (value->IsBool()) return value->AsBool();
  if (value->IsNumber()) return !computed || value->AsDouble() != 0;
  return value->size() > 0;
}

std::string_view Operand::TypeName() const {
  if (IsNil()) return "nil";
  switch (value->type()) {
    case json::Type::kBool:
      return "bool";
    case json::Type::kString:
      return "string";
    case json::Type::kArray:
      return "list";
    case json::Type::kObject:
      return "map";
    default:
      return "number";
  }
}

void AppendPrinted(const Operand& operand, std::string* out) {
  if (operand.IsNil()) {
    *out += "<no value>";
    return;
  }
  const Value& value = *operand.value;
  if (operand.is_time) {
    *out += FormatGoTime(SystemTime(Duration(value.AsInt())),
                         "2006-01-02 15:04:05.999999999 -0700 MST");
  } else if (value.IsString()) {
    *out += value.AsString();
  } else if (operand.computed && value.type() == json::Type::kDouble) {
    AppendFloat(value.AsDouble(), out);
  } else if (value.IsArray()) {
    *out += '[';
    for (const Value& element : value.elements()) {
      if (&element != value.elements().data()) *out += ' ';
      AppendNested(element, operand.computed, out);
    }
    *out += ']';
  } else if (value.IsObject()) {
    *out += "map[";
    bool first = true;
    for (const json::Member* member : SortedMembers(value)) {
      if (!first) *out += ' ';
      out->append(member->name).append(":");
      AppendNested(member->value, operand.computed, out);
      first = false;
    }
    *out += ']';
  } else {
    json::Append(value, out);
  }
}

const TemplateFunction* FindTemplateFunction(std::string_view name, TemplateScope scope) {
  for (const TemplateFunction& function : kFunctions) {
    if (function.name != name) continue;
    const bool fits = function.node_and_pod
                          ? scope == TemplateScope::kNode || scope == TemplateScope::kPod
                          : function.scope == TemplateScope::kAny || function.scope == scope;
    if (fits) return &function;
  }
  return FindSprigFunction(name);
}

bool CheckArguments(TemplateCall& call, const TemplateFunction& function, Arguments arguments) {
  std::string_view signature = function.signature;
  char type = 'a';
  for (const Operand& argument : arguments) {
    if (!signature.empty() && signature[0] != '*') {
      type = signature[0];
      signature.remove_prefix(1);
    }
    const bool is_number = argument.computed && argument.IsNumber() && !argument.is_time;
    const bool fits = type == 'a'   ? true
                      : type == 's' ? argument.IsString()
                      : type == 'i' ? is_number && argument.value->IsInt()
                      : type == 'n' ? is_number
                      : type == 'b' ? !argument.IsNil() && argument.value->IsBool()
                      : type == 'd' ? argument.IsObject()
                                    : argument.is_time;
    if (fits) continue;
    constexpr std::pair<char, std::string_view> kNames[] = {{'s', "string"},  {'i', "int"},
                                                            {'n', "float64"}, {'b', "bool"},
                                                            {'d', "map"},     {'t', "time.Time"}};
    const auto* name = std::ranges::find(kNames, type, [](const auto& row) { return row.first; });
    return call.Fail(fmt::format("wrong type for value; expected {}; got {}", name->second,
                                 argument.TypeName()));
  }
  return true;
}

}  // namespace kulisse::simulator
