#include "simulator/jq/resolver.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "base/assert.h"
#include "simulator/jq/definitions.h"
#include "simulator/jq/parser.h"

namespace kulisse::simulator::jq {

namespace {

using NodeKind = Node::Kind;

struct Form {
  std::string_view name;
  size_t arity;
  NodeKind kind;
};

// Functions that are parts of the language to the evaluator.
constexpr Form kForms[] = {
    {"empty", 0, NodeKind::kEmpty},     {"first", 1, NodeKind::kFirst},
    {"getpath", 1, NodeKind::kGetPath}, {"isempty", 1, NodeKind::kIsEmpty},
    {"last", 1, NodeKind::kLast},       {"path", 1, NodeKind::kPath},
    {"_range", 3, NodeKind::kRange},
};

// Functions and variables of gojq that mean nothing in a server.
constexpr std::string_view kRefused[] = {"$ENV",
                                         "debug",
                                         "env",
                                         "get_search_list",
                                         "halt",
                                         "halt_error",
                                         "input",
                                         "input_filename",
                                         "input_line_number",
                                         "inputs",
                                         "modulemeta",
                                         "stderr"};

struct Name {
  enum class Kind : uint8_t { kVariable, kParameter, kDefinition, kLabel };
  Kind kind;
  std::string_view text;
  int slot = -1;
  const Definition* definition = nullptr;
};

// The names of one frame. Those of inner scopes are taken away at their end.
struct Scope {
  Scope* outer = nullptr;
  std::vector<Name> names;
  int slots = 0;
};

class Resolver {
 public:
  // Gives the builtin definition of that name, or null.
  using FindBuiltin = const Definition* (*)(std::string_view name, size_t arity, void* library);

  Resolver(FindBuiltin find_builtin, void* library)
      : find_builtin_(find_builtin), library_(library) {}

  bool ResolveRoot(NodePtr* root, int* slots) {
    Scope scope;
    const bool done = ResolveNode(root->get(), &scope);
    *slots = scope.slots;
    return done;
  }

  bool ResolveDefinition(Definition* definition, Scope* outer) {
    Scope scope{.outer = outer, .names = {}, .slots = 0};
    for (size_t i = 0; i < definition->parameters.size(); ++i) {
      std::string_view name = definition->parameters[i];
      if (name.starts_with('$')) name.remove_prefix(1);
      scope.names.push_back({Name::Kind::kParameter, name, static_cast<int>(i)});
    }
    // The value of a `$parameter` is bound before the body runs, the first one outermost.
    for (size_t i = definition->parameters.size(); i-- > 0;) {
      if (!definition->parameters[i].starts_with('$')) continue;
      auto source = std::make_unique<Node>(NodeKind::kParameter);
      source->slot = static_cast<int>(i);
      auto bind = std::make_unique<Node>(NodeKind::kBind);
      bind->patterns.emplace_back().variable = definition->parameters[i];
      bind->children.push_back(std::move(source));
      bind->children.push_back(std::move(definition->body));
      definition->body = std::move(bind);
    }
    if (!ResolveNode(definition->body.get(), &scope)) return false;
    definition->slots = scope.slots;
    definition->results = definition->body->results;
    return true;
  }

  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  bool Fail(const Node& node, std::string_view what) {
    if (error_.empty()) error_ = fmt::format("{} (at {})", what, node.offset);
    return false;
  }

  // Resolves a child whose names end with it.
  bool ResolveChild(Node* node, size_t index, Scope* scope) {
    if (!node->children[index]) return true;
    const size_t names = scope->names.size();
    const bool done = ResolveNode(node->children[index].get(), scope);
    scope->names.resize(names);
    return done;
  }

  bool ResolveNode(Node* node, Scope* scope) {
    switch (node->kind) {
      case NodeKind::kCall:
        if (!ResolveCall(node, scope)) return false;
        break;
      case NodeKind::kBind:
      case NodeKind::kReduce:
      case NodeKind::kForeach:
        if (!ResolveBinding(node, scope)) return false;
        break;
      case NodeKind::kDefine: {
        const size_t names = scope->names.size();
        scope->names.push_back(
            {Name::Kind::kDefinition, node->definition->name, -1, node->definition.get()});
        const bool done = ResolveDefinition(node->definition.get(), scope) &&
                          ResolveNode(node->children[0].get(), scope);
        scope->names.resize(names);
        if (!done) return false;
        break;
      }
      case NodeKind::kLabel: {
        node->slot = scope->slots++;
        scope->names.push_back({Name::Kind::kLabel, node->text, node->slot});
        if (!ResolveNode(node->children[0].get(), scope)) return false;
        scope->names.pop_back();
        break;
      }
      case NodeKind::kBreak: {
        const Name* label = Find(node->text, 0, Name::Kind::kLabel, scope, &node->level);
        if (!label) return Fail(*node, fmt::format("label not defined: {}", node->text));
        node->slot = label->slot;
        break;
      }
      default:
        for (size_t i = 0; i < node->children.size(); ++i) {
          if (!ResolveChild(node, i, scope)) return false;
        }
    }
    node->results = ResultsOf(*node);
    return true;
  }

  // --- variables

  // `source as $x | body`, `reduce source as $x (start; update)`: start does not see $x.
  bool ResolveBinding(Node* node, Scope* scope) {
    const bool is_fold = node->kind != NodeKind::kBind;
    if (!ResolveChild(node, 0, scope)) return false;
    if (is_fold && !ResolveChild(node, 1, scope)) return false;
    const size_t names = scope->names.size();
    for (Pattern& pattern : node->patterns) {
      if (!ResolvePattern(&pattern, names, scope)) return false;
    }
    bool done = true;
    for (size_t i = is_fold ? 2 : 1; i < node->children.size() && done; ++i) {
      done = ResolveChild(node, i, scope);
    }
    scope->names.resize(names);
    return done;
  }

  // A name that another alternative binds too keeps its slot.
  static int Declare(std::string_view variable, size_t names, Scope* scope) {
    for (size_t i = names; i < scope->names.size(); ++i) {
      if (scope->names[i].text == variable) return scope->names[i].slot;
    }
    scope->names.push_back({Name::Kind::kVariable, variable, scope->slots});
    return scope->slots++;
  }

  bool ResolvePattern(Pattern* pattern, size_t names, Scope* scope) {
    if (pattern->kind == Pattern::Kind::kVariable) {
      pattern->slot = Declare(pattern->variable, names, scope);
      return true;
    }
    for (Pattern::Entry& entry : pattern->entries) {
      if (entry.key && !ResolveNode(entry.key.get(), scope)) return false;
      if (!entry.variable.empty()) entry.slot = Declare(entry.variable, names, scope);
      if (entry.value && !ResolvePattern(entry.value.get(), names, scope)) return false;
    }
    return true;
  }

  // --- calls

  const Name* Find(std::string_view text, size_t arity, Name::Kind kind, Scope* scope, int* level) {
    *level = 0;
    for (; scope; scope = scope->outer, ++*level) {
      for (size_t i = scope->names.size(); i-- > 0;) {
        const Name& name = scope->names[i];
        if (name.text != text || (name.kind == Name::Kind::kLabel) != (kind == Name::Kind::kLabel))
          continue;
        const size_t takes = name.definition ? name.definition->parameters.size() : 0;
        if (takes == arity) return &name;
      }
    }
    return nullptr;
  }

  bool ResolveCall(Node* node, Scope* scope) {
    const size_t arity = node->children.size();
    if (const Name* name = Find(node->text, arity, Name::Kind::kVariable, scope, &node->level)) {
      node->slot = name->slot;
      node->kind = name->kind == Name::Kind::kVariable    ? NodeKind::kVariable
                   : name->kind == Name::Kind::kParameter ? NodeKind::kParameter
                                                          : NodeKind::kDefinition;
      node->called_definition = name->definition;
      return ResolvePassed(node, scope);
    }
    if (std::ranges::find(kRefused, node->text) != std::end(kRefused)) {
      return Fail(*node,
                  fmt::format("`{}` is not supported: it has no meaning in a server", node->text));
    }
    if (node->text.starts_with('$')) {
      return Fail(*node, fmt::format("variable not defined: {}", node->text));
    }
    const auto* form = std::ranges::find_if(
        kForms, [&](const Form& row) { return row.name == node->text && row.arity == arity; });
    if (form != std::end(kForms)) {
      node->kind = form->kind;
    } else if (const Definition* found = find_builtin_(node->text, arity, library_)) {
      node->kind = NodeKind::kDefinition;
      node->called_definition = found;
      return ResolvePassed(node, scope);
    } else if (const Native* native = FindNative(node->text, arity)) {
      node->kind = NodeKind::kNative;
      node->native = native;
    } else {
      return Fail(*node, fmt::format("function not defined: {}/{}", node->text, arity));
    }
    for (size_t i = 0; i < arity; ++i) {
      if (!ResolveChild(node, i, scope)) return false;
    }
    return true;
  }

  // The functions that a call passes run in frames of their own.
  bool ResolvePassed(Node* node, Scope* scope) {
    for (const NodePtr& child : node->children) {
      Scope own{.outer = scope, .names = {}, .slots = 0};
      if (!ResolveNode(child.get(), &own)) return false;
      child->closure_slots = own.slots;
    }
    return true;
  }

  // --- how many results

  static Results AllOf(const Node& node) {
    Results results = Results::kOne;
    for (const NodePtr& child : node.children) {
      if (child) results = std::min(results, child->results);
    }
    return results;
  }

  static Results KeysOf(const Pattern& pattern) {
    Results results = Results::kOne;
    for (const Pattern::Entry& entry : pattern.entries) {
      if (entry.key) results = std::min(results, entry.key->results);
      if (entry.value) results = std::min(results, KeysOf(*entry.value));
    }
    return results;
  }

  static Results ResultsOf(const Node& node) {
    switch (node.kind) {
      case NodeKind::kIterate:
      case NodeKind::kComma:
      case NodeKind::kForeach:
      case NodeKind::kLabel:
      case NodeKind::kBreak:
      case NodeKind::kRange:
      case NodeKind::kEmpty:
      case NodeKind::kPath:
      case NodeKind::kFirst:
      case NodeKind::kLast:
        return Results::kAny;
      case NodeKind::kArray:
      case NodeKind::kIsEmpty:
      case NodeKind::kModify:
        return Results::kOne;
      case NodeKind::kParameter:
        return Results::kOneIfParameters;
      case NodeKind::kTry:
        return node.children[1] ? AllOf(node) : Results::kAny;
      case NodeKind::kReduce:
      case NodeKind::kAssign:
      case NodeKind::kUpdate:
        return node.children[1]->results;
      case NodeKind::kBind:
        if (node.patterns.size() > 1) return Results::kAny;
        return std::min(AllOf(node), KeysOf(node.patterns[0]));
      case NodeKind::kDefinition: {
        const Definition& called = *node.called_definition;
        if (called.results != Results::kOneIfParameters) return called.results;
        const Results passed = AllOf(node);
        return called.is_builtin ? passed : std::min(passed, Results::kOneIfParameters);
      }
      default:
        return AllOf(node);
    }
  }

  FindBuiltin find_builtin_;
  void* library_;
  std::string error_;
};

// Library is the functions that are written in jq, read once.
class Library {
 public:
  static const Library& Get() {
    static const Library library;
    return library;
  }

  [[nodiscard]] const Definition* Find(std::string_view name, size_t arity) const {
    const auto found = definitions_.find(std::pair(name, arity));
    return found == definitions_.end() ? nullptr : found->second.definition.get();
  }

  [[nodiscard]] std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& [key, entry] : definitions_) {
      if (!key.first.starts_with('_')) names.push_back(fmt::format("{}/{}", key.first, key.second));
    }
    return names;
  }

 private:
  struct Entry {
    std::unique_ptr<Definition> definition;
    bool is_resolved = false;
  };

  Library() {
    auto read = ParseDefinitions(kDefinitions);
    KULISSE_ASSERT(read.has_value());
    for (auto& definition : *read) {
      definition->is_builtin = true;
      const std::pair<std::string_view, size_t> key(definition->name,
                                                    definition->parameters.size());
      definitions_[key].definition = std::move(definition);
    }
    for (const auto& [key, entry] : definitions_) (void)Resolved(key.first, key.second, this);
  }

  // One that is being resolved further up counts as having any number of results.
  static const Definition* Resolved(std::string_view name, size_t arity, void* library) {
    auto& definitions = static_cast<Library*>(library)->definitions_;
    const auto found = definitions.find(std::pair(name, arity));
    if (found == definitions.end()) return nullptr;
    if (!std::exchange(found->second.is_resolved, true)) {
      Resolver resolver(&Resolved, library);
      const bool done = resolver.ResolveDefinition(found->second.definition.get(), nullptr);
      KULISSE_ASSERT(done);
    }
    return found->second.definition.get();
  }

  std::map<std::pair<std::string_view, size_t>, Entry> definitions_;
};

}  // namespace

std::expected<Program, std::string> Resolve(NodePtr root) {
  constexpr Resolver::FindBuiltin kFind = [](std::string_view name, size_t arity, void*) {
    return Library::Get().Find(name, arity);
  };
  Resolver resolver(kFind, nullptr);
  Program program{.root = std::move(root), .slots = 0};
  if (!resolver.ResolveRoot(&program.root, &program.slots)) {
    return std::unexpected(resolver.error());
  }
  return program;
}

std::vector<std::string> BuiltinNames() {
  std::vector<std::string> names = Library::Get().Names();
  for (const Form& form : kForms) {
    if (!form.name.starts_with('_')) names.push_back(fmt::format("{}/{}", form.name, form.arity));
  }
  for (const Native& native : AllNatives()) {
    if (!native.name.starts_with('_')) {
      names.push_back(fmt::format("{}/{}", native.name, native.arity));
    }
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace kulisse::simulator::jq
