#include "openapi/validation/go_diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "base/json/write.h"
#include "base/status.h"
#include "base/text.h"

namespace kulisse::openapi {

namespace {

using json::Value;

constexpr size_t kContextLines = 3;
// Most lines of the changed middle that are compared one by one.
constexpr size_t kDiffLinesMax = 1000;

// Beyond this parts are left out: a few bytes of an object can be a thousand of Go's.
constexpr size_t kTextBytesMax = 4 << 20;

// The server's own struct of a type where it differs from that of the API.
struct Layout {
  std::string_view type;
  // JSON names in its order.
  std::vector<std::string_view> fields;
};
const Layout kPodSpecLayout = {"io.k8s.api.core.v1.PodSpec",
                               {"volumes",
                                "initContainers",
                                "containers",
                                "ephemeralContainers",
                                "restartPolicy",
                                "terminationGracePeriodSeconds",
                                "activeDeadlineSeconds",
                                "dnsPolicy",
                                "nodeSelector",
                                "serviceAccountName",
                                "automountServiceAccountToken",
                                "nodeName",
                                "securityContext",
                                "imagePullSecrets",
                                "hostname",
                                "subdomain",
                                "setHostnameAsFQDN",
                                "affinity",
                                "schedulerName",
                                "tolerations",
                                "hostAliases",
                                "priorityClassName",
                                "priority",
                                "preemptionPolicy",
                                "dnsConfig",
                                "readinessGates",
                                "runtimeClassName",
                                "overhead",
                                "enableServiceLinks",
                                "topologySpreadConstraints",
                                "os",
                                "schedulingGates",
                                "resourceClaims",
                                "resources",
                                "hostnameOverride",
                                "schedulingGroup"}};
// A field that the server's own struct has in another place.
struct MovedField {
  std::string_view type;
  std::string_view field;
  std::string_view after;
};
constexpr MovedField kMoved[] = {
    {"io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps", "nullable",
     "type"},
    {"io.k8s.api.core.v1.PodSecurityContext", "sysctls", "fsGroupChangePolicy"},
};
const MovedField* FindMoved(std::string_view type) {
  const auto* row = std::ranges::find(kMoved, type, &MovedField::type);
  return row == std::end(kMoved) ? nullptr : row;
}

// What a pod's spec has and the server keeps in the security context.
constexpr std::string_view kOfSecurityContext[] = {"hostNetwork", "hostPID", "hostIPC",
                                                   "shareProcessNamespace", "hostUsers"};

// Prints a value as Go prints the struct without JSON tags that holds it: every field by its Go
// name, missing ones as their zero value. Types of apimachinery have tags.
class GoPrinter {
 public:
  // `indented`: as json.MarshalIndent with one blank, else as json.Marshal.
  GoPrinter(const TypeTable& table, bool indented) : table_(table), indented_(indented) {}

  // A value of the type, or a list of such.
  void Print(const Value& value, TypeId type) {
    if (IsSchemaOr(table_.Get(type).kind)) return Single(&value, type, 0);
    if (value.IsArray()) return List(value, type, 0);
    Struct(&value, type, 0);
  }

  void Struct(const Value* object, TypeId type, size_t depth) {
    if (out_.size() > kTextBytesMax) {
      out_ += "{}";
      return;
    }
    const TypeInfo& info = table_.Get(type);
    out_ += '{';
    bool first = true;
    if (info.name == kSecurityContext && pod_spec_ != nullptr) {
      const TypeInfo& spec = table_.Get(table_.Find(kPodSpecLayout.type));
      for (const std::string_view name : kOfSecurityContext) {
        Member(pod_spec_, spec, name, &first, depth);
      }
    }
    if (info.name == kPodSpecLayout.type) {
      pod_spec_ = object;
      for (const std::string_view name : kPodSpecLayout.fields) {
        Member(object, info, name, &first, depth);
      }
    } else {
      const MovedField* moved = FindMoved(info.name);
      for (const JsonField& field : info.json_fields) {
        const std::string_view name = field.field->json_name;
        if (moved != nullptr && name == moved->field) continue;
        Member(object, info, name, &first, depth);
        if (moved != nullptr && name == moved->after) {
          Member(object, info, moved->field, &first, depth);
        }
      }
    }
    Close('}', depth);
  }

  [[nodiscard]] std::string Take() { return std::move(out_); }

 private:
  static constexpr std::string_view kSecurityContext = "io.k8s.api.core.v1.PodSecurityContext";

  void Member(const Value* object, const TypeInfo& info, std::string_view name, bool* first,
              size_t depth) {
    const int index = info.FindJson(name);
    if (index < 0) return;
    const FieldInfo& field = *info.json_fields[static_cast<size_t>(index)].field;
    const Value* metadata = name == "metadata" ? object->Find(name) : nullptr;
    if (name == "metadata") {  // embedded, and has tags
      if (metadata == nullptr) return;
      for (const json::Member& member : metadata->members()) {
        if (IsEmptyList(member.value)) continue;
        Next(first, depth + 1);
        Key(GoQuote(member.name));
        Plain(member.value, depth + 1);
      }
      return;
    }
    Next(first, depth + 1);
    Key(GoQuote(field.go_name));
    Field(object == nullptr ? nullptr : object->Find(name), field, depth + 1);
  }

  void NewLine(size_t depth) {
    if (indented_) out_.append(1, '\n').append(depth, ' ');
  }
  void Next(bool* first, size_t depth) {
    if (!*first) out_ += ',';
    *first = false;
    NewLine(depth);
  }
  void Key(std::string_view quoted) { out_.append(quoted).append(indented_ ? ": " : ":"); }
  void Close(char bracket, size_t depth) {
    NewLine(depth);
    out_ += bracket;
  }

  void Field(const Value* value, const FieldInfo& field, size_t depth) {
    const bool missing = value == nullptr || value->IsNull();
    if (field.shape == FieldShape::kSingle) {
      if (missing && field.pointer) {
        out_ += "null";
      } else {
        Single(missing ? nullptr : value, field.type, depth);
      }
    } else if (missing) {
      out_ += "null";
    } else if (field.shape == FieldShape::kList) {
      List(*value, field.type, depth);
    } else {
      Map(*value, field.type, depth);
    }
  }

  void Single(const Value* value, TypeId type, size_t depth) {
    const TypeInfo& info = table_.Get(type);
    const bool tagged = info.name.starts_with("io.k8s.apimachinery.");
    if (info.kind == TypeKind::kStruct && !tagged) return Struct(value, type, depth);
    if (value != nullptr && IsSchemaOr(info.kind)) return SchemaOr(*value, info, depth);
    if (value != nullptr) return Plain(*value, depth);
    switch (info.kind) {
      case TypeKind::kBool:
        out_ += "false";
        return;
      case TypeKind::kInt32:
      case TypeKind::kInt64:
      case TypeKind::kDouble:
      case TypeKind::kIntOrString:
        out_ += "0";
        return;
      case TypeKind::kString:
        out_ += "\"\"";
        return;
      case TypeKind::kQuantity:
        out_ += "\"0\"";
        return;
      case TypeKind::kStruct:
        out_ += "{}";
        return;
      default:
        out_ += "null";
    }
  }

  static bool IsSchemaOr(TypeKind kind) {
    return kind == TypeKind::kSchemaOrBool || kind == TypeKind::kSchemaOrArray ||
           kind == TypeKind::kSchemaOrStrings;
  }

  // A schema, or something else that is no object: a struct with a field for each.
  void SchemaOr(const Value& value, const TypeInfo& info, size_t depth) {
    out_ += '{';
    bool first = true;
    for (const FieldInfo& field : info.fields) {
      Next(&first, depth + 1);
      Key(GoQuote(field.go_name));
      if (field.go_name == "Allows") {
        out_ += value.IsObject() || value.AsBool() ? "true" : "false";
      } else if ((field.go_name == "Schema") != value.IsObject()) {
        out_ += "null";
      } else if (value.IsObject()) {
        Struct(&value, field.type, depth + 1);
      } else {
        List(value, field.type, depth + 1);
      }
    }
    Close('}', depth);
  }

  void List(const Value& list, TypeId type, size_t depth) {
    Elements(list, depth, [&](const Value& element) { Single(&element, type, depth + 1); });
  }

  void Map(const Value& map, TypeId type, size_t depth) {
    Members(map, depth, [&](const Value& value) { Single(&value, type, depth + 1); });
  }

  // A value whose JSON is that of the API.
  void Plain(const Value& value, size_t depth) {
    const auto print = [&](const Value& part) { Plain(part, depth + 1); };
    if (value.IsObject()) {
      Members(value, depth, print);
    } else if (value.IsArray()) {
      Elements(value, depth, print);
    } else {
      out_ += json::ToString(value);
    }
  }

  // Types with tags leave them out.
  static bool IsEmptyList(const Value& value) { return value.IsArray() && value.size() == 0; }

  template <typename Print>
  void Elements(const Value& list, size_t depth, Print print) {
    out_ += '[';
    bool first = true;
    for (const Value& element : list.elements()) {
      Next(&first, depth + 1);
      print(element);
    }
    if (first) {
      out_ += ']';
    } else {
      Close(']', depth);
    }
  }

  template <typename Print>
  void Members(const Value& object, size_t depth, Print print) {
    out_ += '{';
    bool first = true;
    for (const json::Member& member : object.members()) {
      if (IsEmptyList(member.value)) continue;
      Next(&first, depth + 1);
      Key(GoQuote(member.name));
      print(member.value);
    }
    if (first) {
      out_ += '}';
    } else {
      Close('}', depth);
    }
  }

  const TypeTable& table_;
  const bool indented_;
  const Value* pod_spec_ = nullptr;  // the one that is being printed
  std::string out_;
};

using Lines = std::vector<std::string_view>;

// A run of lines of a that others of b replace.
struct Edit {
  size_t a_begin;
  size_t a_end;
  size_t b_begin;
  size_t b_end;
};

// Adds the edits between a[a_begin, a_end) and b[b_begin, b_end), by the longest common
// subsequence.
void FindEdits(const Lines& a, const Lines& b, Edit whole, std::vector<Edit>* edits) {
  const size_t rows = whole.a_end - whole.a_begin;
  const size_t columns = whole.b_end - whole.b_begin;
  if (rows == 0 && columns == 0) return;
  if (rows == 0 || columns == 0 || rows > kDiffLinesMax || columns > kDiffLinesMax) {
    edits->push_back(whole);
    return;
  }
  const size_t width = columns + 1;
  std::vector<uint16_t> length((rows + 1) * width, 0);  // of what is common from here on
  const auto at = [&](size_t i, size_t j) -> uint16_t& { return length[i * width + j]; };
  for (size_t i = rows; i-- > 0;) {
    for (size_t j = columns; j-- > 0;) {
      at(i, j) = a[whole.a_begin + i] == b[whole.b_begin + j]
                     ? static_cast<uint16_t>(at(i + 1, j + 1) + 1)
                     : std::max(at(i + 1, j), at(i, j + 1));
    }
  }
  Edit edit{whole.a_begin, whole.a_begin, whole.b_begin, whole.b_begin};
  size_t i = 0;
  size_t j = 0;
  while (i < rows || j < columns) {
    if (i < rows && j < columns && a[whole.a_begin + i] == b[whole.b_begin + j]) {
      if (edit.a_end > edit.a_begin || edit.b_end > edit.b_begin) edits->push_back(edit);
      ++i;
      ++j;
      edit = {whole.a_begin + i, whole.a_begin + i, whole.b_begin + j, whole.b_begin + j};
    } else if (j == columns || (i < rows && at(i + 1, j) >= at(i, j + 1))) {
      edit.a_end = whole.a_begin + ++i;
    } else {
      edit.b_end = whole.b_begin + ++j;
    }
  }
  if (edit.a_end > edit.a_begin || edit.b_end > edit.b_begin) edits->push_back(edit);
}

std::string RangeText(size_t begin, size_t end) {
  const size_t count = end - begin;
  if (count == 1) return std::to_string(begin + 1);
  return fmt::format("{},{}", count == 0 ? begin : begin + 1, count);
}

// Prints the edits [first, last) as one hunk.
void PrintHunk(const Lines& a, const Lines& b, const std::vector<Edit>& edits, size_t first,
               size_t last, std::string* out) {
  const size_t before = std::min(edits[first].a_begin, kContextLines);
  const size_t after = std::min(a.size() - edits[last - 1].a_end, kContextLines);
  const size_t a_begin = edits[first].a_begin - before;
  const size_t a_end = edits[last - 1].a_end + after;
  *out += fmt::format("@@ -{} +{} @@\n", RangeText(a_begin, a_end),
                      RangeText(edits[first].b_begin - before, edits[last - 1].b_end + after));
  size_t line = a_begin;
  const auto print = [out](char sign, std::string_view text) {
    *out += sign;
    out->append(text);
    *out += '\n';
  };
  for (size_t i = first; i < last; ++i) {
    for (; line < edits[i].a_begin; ++line) print(' ', a[line]);
    for (; line < edits[i].a_end; ++line) print('-', a[line]);
    for (size_t added = edits[i].b_begin; added < edits[i].b_end; ++added) print('+', b[added]);
  }
  for (; line < a_end; ++line) print(' ', a[line]);
}

std::string UnifiedDiff(std::string_view old_text, std::string_view new_text) {
  const Lines a = Split(old_text, '\n');
  const Lines b = Split(new_text, '\n');
  size_t prefix = 0;
  while (prefix < a.size() && prefix < b.size() && a[prefix] == b[prefix]) ++prefix;
  size_t suffix = 0;
  while (suffix < a.size() - prefix && suffix < b.size() - prefix &&
         a[a.size() - 1 - suffix] == b[b.size() - 1 - suffix]) {
    ++suffix;
  }
  std::vector<Edit> edits;
  FindEdits(a, b, {prefix, a.size() - suffix, prefix, b.size() - suffix}, &edits);
  std::string out;
  for (size_t first = 0; first < edits.size();) {
    size_t last = first + 1;
    while (last < edits.size() &&
           edits[last].a_begin - edits[last - 1].a_end <= 2 * kContextLines) {
      ++last;
    }
    PrintHunk(a, b, edits, first, last, &out);
    first = last;
  }
  return out;
}

std::string Print(const Value& value, TypeId type, bool indented) {
  GoPrinter printer(TypeTable::BuiltIn(), indented);
  printer.Print(value, type);
  return printer.Take();
}

}  // namespace

std::string GoDiff(const Value& a, const Value& b, TypeId type) {
  return UnifiedDiff(Print(a, type, true), Print(b, type, true));
}

std::string GoJson(const Value& value, TypeId type) { return Print(value, type, false); }

}  // namespace kulisse::openapi
