// The tree of a template: made by template_parser.cc, run by template.cc.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/value.h"
#include "simulator/stage/template.h"
#include "simulator/stage/template_functions.h"

namespace kulisse::simulator {

struct PipelineNode;

// One word of a command.
struct OperandNode {
  enum class Kind : uint8_t {
    kDot,
    kNil,
    kConstant,  // constant
    kField,     // dot.fields…
    kVariable,  // slot.fields…
    kFunction,  // function
    kPipeline,  // (pipeline).fields…
  };
  Kind kind = Kind::kDot;
  int slot = 0;
  int line = 0;
  const TemplateFunction* function = nullptr;
  json::Value constant;  // its string lies in the tree's arena
  std::vector<std::string> fields;
  std::unique_ptr<PipelineNode> pipeline;
};

struct CommandNode {
  std::vector<OperandNode> operands;  // the first may be a function; the rest are its arguments
};

struct PipelineNode {
  // `$x :=`, `$x =`, `range $i, $x :=`: where the result goes.
  std::vector<int> slots;
  bool declares = false;
  std::vector<CommandNode> commands;
};

struct TemplateNode {
  enum class Kind : uint8_t {
    kText,
    kAction,
    kIf,
    kRange,
    kWith,
    kTemplate,
    kBreak,
    kContinue,
  };
  Kind kind = Kind::kText;
  int line = 0;
  std::string text;  // kText; kTemplate: its name
  std::unique_ptr<PipelineNode> pipeline;
  std::vector<TemplateNode> body;
  std::vector<TemplateNode> otherwise;
};

// One named template: the main one is "".
struct TemplateBody {
  std::string name;
  std::vector<TemplateNode> nodes;
  int slots = 1;  // variables; slot 0 is $
};

struct TemplateTree {
  json::Arena arena;
  std::vector<std::unique_ptr<TemplateBody>> bodies;  // the main one first

  [[nodiscard]] const TemplateBody* Find(std::string_view name) const {
    for (const auto& body : bodies) {
      if (body->name == name) return body.get();
    }
    return nullptr;
  }
};

[[nodiscard]] std::expected<std::unique_ptr<TemplateTree>, std::string> ParseTemplate(
    std::string_view text, TemplateScope scope);

}  // namespace kulisse::simulator
