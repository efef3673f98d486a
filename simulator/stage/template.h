// Template is one compiled Go text/template: a tree that runs on parsed objects.
//
// The language is whole but for method calls and complex numbers: actions, pipelines, variables,
// if/else if/else, range (lists, maps, integers; with else, break, continue), with, define,
// template, block, comments, trim markers, raw strings, character constants. Functions are those of
// template_functions.cc; a name that is not there is refused at compile time. The text is trimmed,
// as KWOK does.
//
// Data are JSON values as KWOK gives them to its templates: a missing field is nil, and a number of
// the object is a json.Number (true even when it is 0; printed as it stands).
//
// Owns: its tree and text. Immutable. Threads: any.
// Limits: kTemplateBytesMax, kTemplateOutputBytesMax, kExpressionStepsMax, kExpressionDepthMax.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/value.h"
#include "base/time.h"

namespace kulisse::simulator {

// An object that `kulisse scale` makes; the functions Name, Namespace and Index.
struct ScaledObject {
  std::string_view name;
  std::string_view ns;  // "" when none was asked for
  int64_t index = 0;    // its number, from 0
};

// What templates may ask of the world around them.
class TemplateEnvironment {
 public:
  virtual ~TemplateEnvironment() = default;

  [[nodiscard]] virtual SystemTime Now() const = 0;
  [[nodiscard]] virtual SystemTime StartTime() const = 0;
  // 64 random bits, as of Runtime.
  virtual uint64_t RandomBits() = 0;
  // What NodeIP, NodeName and NodePort return: options of the simulator, "" and 0 when unset.
  [[nodiscard]] virtual std::string NodeIP() const = 0;
  [[nodiscard]] virtual std::string NodeName() const = 0;
  [[nodiscard]] virtual int64_t NodePort() const = 0;
  // At most two addresses of the node, the internal one first.
  virtual std::vector<std::string> NodeIPsWith(std::string_view node) = 0;

  struct PodReference {
    std::string_view node;
    bool host_network = false;
    std::string_view uid;
    std::string_view name;
    std::string_view ns;
  };
  // The addresses of the pod: those it has, else new ones of its node's pod CIDRs. The same pod
  // gets the same addresses however often it is asked in one rendering.
  virtual std::expected<std::vector<std::string>, std::string> PodIPsWith(
      const PodReference& pod) = 0;
  // What is made; of kScale alone.
  [[nodiscard]] virtual ScaledObject Scaled() const { return {}; }
};

// Which functions a template may use: those of KWOK differ by kind. kScale: objects of
// `kulisse scale`.
enum class TemplateScope : uint8_t { kAny, kNode, kPod, kScale };

struct TemplateTree;

class Template {
 public:
  // The error says what and where: `line 3: function "foo" is not defined`.
  [[nodiscard]] static std::expected<Template, std::string> Compile(std::string_view text,
                                                                    TemplateScope scope);

  Template(Template&&) noexcept;
  Template& operator=(Template&&) noexcept;
  ~Template();

  [[nodiscard]] std::expected<std::string, std::string> Render(
      const json::Value& data, TemplateEnvironment& environment) const;
  // The rendered text read as YAML into `arena`.
  [[nodiscard]] std::expected<json::Value, std::string> RenderValue(
      const json::Value& data, TemplateEnvironment& environment, json::Arena& arena) const;

 private:
  explicit Template(std::unique_ptr<const TemplateTree> tree);

  std::unique_ptr<const TemplateTree> tree_;
};

}  // namespace kulisse::simulator
