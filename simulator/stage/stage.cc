#include "simulator/stage/stage.h"

#include <fmt/format.h>

#include <utility>

#include "simulator/stage/field_reader.h"

namespace kulisse::simulator {

namespace {

using json::Value;

// Parser turns the fields of one Stage into its parts. Each function leaves an error in error_ and
// goes on with something harmless.
class Parser {
 public:
  explicit Parser(const CelEnvironment& cel) : cel_(cel) {}

  std::expected<Stage, std::string> Parse(const Value& object) {
    FieldReader top(&object, "", &error_);
    const Value* metadata = top.TakeObject("metadata");
    if (metadata) stage_.name = metadata->FindString({"name"});
    if (stage_.name.empty()) top.Fail("metadata.name", "is required");
    top.Skip({"apiVersion", "kind", "status"});
    const Value* spec = top.TakeObject("spec");
    if (!spec) top.Fail("spec", "is required");
    top.Finish();
    if (error_.empty()) ParseSpec(spec);
    if (!error_.empty())
      return std::unexpected(fmt::format("Stage \"{}\": {}", stage_.name, error_));
    return std::move(stage_);
  }

 private:
  void ParseSpec(const Value* object) {
    FieldReader spec(object, "spec", &error_);
    ParseResource(spec.TakeObject("resourceRef"));
    if (const Value* selector = spec.TakeObject("selector")) ParseSelector(selector);
    stage_.weight = spec.TakeCount("weight").value_or(0);
    stage_.weight_from = ParseFrom(spec, "weightFrom");
    if (const Value* delay = spec.TakeObject("delay")) ParseDelay(delay);
    stage_.immediate_next_stage = spec.TakeBool("immediateNextStage");
    const Value* next = spec.TakeObject("next");
    const Value* steps = spec.TakeArray("steps");
    if (steps && steps->size() > 0) {
      for (size_t i = 0; i < steps->size(); ++i) {
        ParseStep(&steps->elements()[i], fmt::format("spec.steps[{}]", i));
      }
    } else if (next) {
      ParseNext(next);
    }
    spec.Finish();
  }

  void ParseResource(const Value* object) {
    FieldReader reference(object, "spec.resourceRef", &error_);
    const std::string api_group = reference.TakeStringOr("apiGroup", "v1");
    const size_t slash = api_group.find('/');
    api_group_ = api_group;
    stage_.group = slash == api_group.npos ? "" : api_group.substr(0, slash);
    stage_.version = api_group.substr(slash == api_group.npos ? 0 : slash + 1);
    stage_.kind = reference.TakeStringOr("kind", "");
    if (stage_.kind.empty()) reference.Fail("kind", "is required");
    reference.Finish();
  }

  // --- selector

  void ParseSelector(const Value* object) {
    FieldReader reader(object, "spec.selector", &error_);
    StageSelector selector;
    selector.match_labels = reader.TakeStringMap("matchLabels");
    selector.match_annotations = reader.TakeStringMap("matchAnnotations");
    if (const Value* expressions = reader.TakeArray("matchExpressions")) {
      for (size_t i = 0; i < expressions->size(); ++i) {
        FieldReader expression(&expressions->elements()[i],
                               fmt::format("spec.selector.matchExpressions[{}]", i), &error_);
        ParseMatchExpression(expression, &selector.match_expressions);
      }
    }
    reader.Finish();
    stage_.selector = std::move(selector);
  }

  // {jq: {key, operator, values}}, these three fields directly, or {cel: {expression}}; of several
  // the first in this order counts.
  void ParseMatchExpression(FieldReader& reader, std::vector<MatchExpression>* expressions) {
    if (const Value* jq = reader.TakeObject("jq")) {
      reader.Skip({"cel", "key", "operator", "values"});
      reader.Finish();
      FieldReader inner(jq, reader.PathOf("jq"), &error_);
      return ParseRequirement(inner, expressions);
    }
    const Value* cel = reader.TakeObject("cel");
    if (cel && reader.Peek("key").empty()) {
      reader.Skip({"key", "operator", "values"});
      reader.Finish();
      if (auto program = ParseCel(cel, reader.PathOf("cel"))) {
        expressions->emplace_back(std::move(*program));
      }
      return;
    }
    ParseRequirement(reader, expressions);
  }

  void ParseRequirement(FieldReader& reader, std::vector<MatchExpression>* expressions) {
    const std::string key = reader.TakeStringOr("key", "");
    const std::string op = reader.TakeStringOr("operator", "");
    std::vector<std::string> values = reader.TakeStrings("values");
    reader.Finish();
    if (key.empty()) return reader.Fail("key", "is required");
    using Operator = JqRequirement::Operator;
    constexpr std::pair<std::string_view, Operator> kOperators[] = {
        {"In", Operator::kIn},
        {"NotIn", Operator::kNotIn},
        {"Exists", Operator::kExists},
        {"DoesNotExist", Operator::kDoesNotExist}};
    for (const auto& [name, value] : kOperators) {
      if (name != op) continue;
      const bool takes_values = value == Operator::kIn || value == Operator::kNotIn;
      if (takes_values && values.empty()) return reader.Fail("values", "is required");
      if (!takes_values && !values.empty()) {
        return reader.Fail("values", fmt::format("must be empty with operator {}", op));
      }
      if (auto program = CompileJq(key, reader.PathOf("key"))) {
        expressions->emplace_back(JqRequirement{std::move(*program), value, std::move(values)});
      }
      return;
    }
    reader.Fail("operator", "must be In, NotIn, Exists or DoesNotExist");
  }

  std::optional<Jq> CompileJq(std::string_view text, std::string_view path) {
    auto program = Jq::Compile(text);
    if (program) return std::move(*program);
    if (error_.empty()) error_ = fmt::format("{}: jq `{}`: {}", path, text, program.error());
    return std::nullopt;
  }

  // {expression: "…"}
  std::optional<CelExpression> ParseCel(const Value* object, std::string path) {
    FieldReader reader(object, std::move(path), &error_);
    const std::string text = reader.TakeStringOr("expression", "");
    reader.Finish();
    if (reader.failed()) return std::nullopt;
    auto program = cel_.Compile(text, api_group_, stage_.kind);
    if (program) return std::move(*program);
    reader.Fail("expression", fmt::format("CEL `{}`: {}", text, program.error()));
    return std::nullopt;
  }

  // --- weight and delay

  // {cel: {expression}}, {jq: {expression}} or {expressionFrom: "…"}; of several the first in this
  // order counts.
  std::optional<Expression> ParseFrom(FieldReader& parent, std::string_view name) {
    const Value* object = parent.TakeObject(name);
    if (!object) return std::nullopt;
    FieldReader reader(object, parent.PathOf(name), &error_);
    const Value* cel = reader.TakeObject("cel");
    const Value* jq = reader.TakeObject("jq");
    std::string expression = reader.TakeStringOr("expressionFrom", "");
    std::string path = reader.PathOf("expressionFrom");
    reader.Finish();
    if (cel) return ParseCel(cel, reader.PathOf("cel"));
    if (jq) {
      FieldReader inner(jq, reader.PathOf("jq"), &error_);
      expression = inner.TakeStringOr("expression", "");
      path = inner.PathOf("expression");
      inner.Finish();
    }
    if (expression.empty()) {
      reader.Fail("", "needs jq.expression or cel.expression");
      return std::nullopt;
    }
    return CompileJq(expression, path);
  }

  void ParseDelay(const Value* object) {
    FieldReader reader(object, "spec.delay", &error_);
    StageDelay delay;
    delay.duration_milliseconds = reader.TakeCount("durationMilliseconds").value_or(0);
    delay.duration_from = ParseFrom(reader, "durationFrom");
    delay.jitter_milliseconds = reader.TakeCount("jitterDurationMilliseconds");
    delay.jitter_from = ParseFrom(reader, "jitterDurationFrom");
    reader.Finish();
    stage_.delay = std::move(delay);
  }

  // --- actions

  void ParseStep(const Value* object, const std::string& path) {
    FieldReader reader(object, path, &error_);
    step_begin_ = stage_.actions.size();
    if (const Value* event = reader.TakeObject("event")) ParseEvent(event, path);
    if (const Value* finalizers = reader.TakeObject("finalizers")) {
      ParseFinalizers(finalizers, path);
    }
    if (reader.TakeBool("delete")) Add(DeleteAction{});
    if (const Value* patch = reader.TakeObject("patch")) {
      ParsePatch(patch, reader.PathOf("patch"));
    }
    if (const Value* apply = reader.TakeObject("apply")) ParseApply(apply, reader.PathOf("apply"));
    reader.Finish();
  }

  // The deprecated form; its order is event, finalizers, patches, delete, each a step of its own.
  void ParseNext(const Value* object) {
    FieldReader reader(object, "spec.next", &error_);
    if (const Value* event = reader.TakeObject("event")) ParseEvent(event, "spec.next");
    if (const Value* finalizers = reader.TakeObject("finalizers")) {
      ParseFinalizers(finalizers, "spec.next");
    }
    const std::string user = ParseUser(reader, "statusPatchAs");
    const std::string subresource = reader.TakeStringOr("statusSubresource", "status");
    const std::string status_template = reader.TakeStringOr("statusTemplate", "");
    const Value* patches = reader.TakeArray("patches");
    if (patches && patches->size() > 0) {
      for (size_t i = 0; i < patches->size(); ++i) {
        ParsePatch(&patches->elements()[i], fmt::format("spec.next.patches[{}]", i));
      }
    } else if (!status_template.empty()) {
      AddPatch(DefaultPatchType(), subresource.empty() ? "status" : subresource, "status",
               status_template, "spec.next.statusTemplate", user);
    }
    if (reader.TakeBool("delete")) Add(DeleteAction{});
    reader.Finish();
  }

  void ParseEvent(const Value* object, const std::string& parent) {
    FieldReader reader(object, parent + ".event", &error_);
    EventAction event{.type = reader.TakeStringOr("type", ""),
                      .reason = reader.TakeStringOr("reason", ""),
                      .message = reader.TakeStringOr("message", "")};
    if (event.type != "Normal" && event.type != "Warning") {
      reader.Fail("type", "must be Normal or Warning");
    }
    reader.Finish();
    Add(std::move(event));
  }

  std::vector<std::string> ParseFinalizerList(FieldReader& parent, std::string_view name) {
    std::vector<std::string> values;
    const Value* list = parent.TakeArray(name);
    for (size_t i = 0; list && i < list->size(); ++i) {
      FieldReader item(&list->elements()[i], fmt::format("{}[{}]", parent.PathOf(name), i),
                       &error_);
      values.push_back(item.TakeStringOr("value", ""));
      if (values.back().empty()) item.Fail("value", "is required");
      item.Finish();
    }
    return values;
  }

  void ParseFinalizers(const Value* object, const std::string& parent) {
    FieldReader reader(object, parent + ".finalizers", &error_);
    FinalizersAction action{.add = ParseFinalizerList(reader, "add"),
                            .remove = ParseFinalizerList(reader, "remove"),
                            .empty = reader.TakeBool("empty")};
    reader.Finish();
    Add(std::move(action));
  }

  void ParsePatch(const Value* object, const std::string& path) {
    FieldReader reader(object, path, &error_);
    const PatchType type = ParseType<PatchType>(reader, DefaultPatchType(),
                                                {{"json", PatchType::kJson},
                                                 {"merge", PatchType::kMerge},
                                                 {"strategic", PatchType::kStrategic}});
    const std::string subresource = reader.TakeStringOr("subresource", "");
    const std::string root = reader.TakeStringOr("root", "");
    const std::string body = reader.TakeStringOr("template", "");
    const std::string user = ParseUser(reader, "impersonation");
    reader.Finish();
    AddPatch(type, subresource, root, body, reader.PathOf("template"), user);
  }

  void AddPatch(PatchType type, std::string subresource, std::string root, std::string_view text,
                std::string_view path, std::string user) {
    if (auto body = CompileTemplate(text, path)) {
      Add(PatchAction{type, std::move(subresource), std::move(root), std::move(*body),
                      std::move(user)});
    }
  }

  void ParseApply(const Value* object, const std::string& path) {
    FieldReader reader(object, path, &error_);
    using Type = ApplyAction::Type;
    const Type type = ParseType<Type>(
        reader, Type::kApply,
        {{"apply", Type::kApply}, {"merge", Type::kMerge}, {"strategic", Type::kStrategic}});
    std::string subresource = reader.TakeStringOr("subresource", "");
    const std::string text = reader.TakeStringOr("template", "");
    std::string user = ParseUser(reader, "impersonation");
    reader.Finish();
    if (auto body = CompileTemplate(text, reader.PathOf("template"))) {
      Add(ApplyAction{type, std::move(subresource), std::move(*body), std::move(user)});
    }
  }

  // One of the words, or `otherwise` when there is none.
  template <class Type>
  static Type ParseType(FieldReader& reader, Type otherwise,
                        std::initializer_list<std::pair<std::string_view, Type>> words) {
    const std::string text = reader.TakeStringOr("type", "");
    if (text.empty()) return otherwise;
    std::string known;
    for (const auto& [word, type] : words) {
      if (word == text) return type;
      known += fmt::format("{}{}", known.empty() ? "" : ", ", word);
    }
    reader.Fail("type", fmt::format("must be one of {}", known));
    return otherwise;
  }

  // {username: "…"}
  std::string ParseUser(FieldReader& parent, std::string_view name) {
    const Value* object = parent.TakeObject(name);
    if (!object) return "";
    FieldReader reader(object, parent.PathOf(name), &error_);
    std::string user = reader.TakeStringOr("username", "");
    if (user.empty()) reader.Fail("username", "is required");
    reader.Finish();
    return user;
  }

  std::optional<Template> CompileTemplate(std::string_view text, std::string_view path) {
    auto body = Template::Compile(text, Scope());
    if (body) return std::move(*body);
    if (error_.empty()) error_ = fmt::format("{}: {}", path, body.error());
    return std::nullopt;
  }

  // Once the object is deleted, events are all that can still be done.
  template <class Action>
  void Add(Action action) {
    if (deleted_ && !std::is_same_v<Action, EventAction>) return;
    deleted_ = deleted_ || std::is_same_v<Action, DeleteAction>;
    const size_t begin = step_begin_.value_or(stage_.actions.size());
    stage_.step_begins.push_back(static_cast<uint16_t>(begin));
    stage_.actions.emplace_back(std::in_place_type<Action>, std::move(action));
  }

  [[nodiscard]] bool Is(std::string_view kind) const {
    return stage_.group.empty() && stage_.kind == kind;
  }
  [[nodiscard]] PatchType DefaultPatchType() const {
    return Is("Pod") || Is("Node") ? PatchType::kStrategic : PatchType::kMerge;
  }
  [[nodiscard]] TemplateScope Scope() const {
    return Is("Pod")    ? TemplateScope::kPod
           : Is("Node") ? TemplateScope::kNode
                        : TemplateScope::kAny;
  }

  const CelEnvironment& cel_;
  Stage stage_;
  std::string api_group_;
  bool deleted_ = false;
  std::optional<size_t> step_begin_;  // the first action of the step; nothing: each is a step
  std::string error_;
};

}  // namespace

std::expected<Stage, std::string> Stage::Parse(const Value& object, const CelEnvironment& cel) {
  return Parser(cel).Parse(object);
}

}  // namespace kulisse::simulator
