// ScaleTemplate makes the objects of `kulisse scale`: a KwokctlResource of KWOK, which is a
// template of one object and the parameters that the template reads.
//
//   kind: KwokctlResource
//   apiVersion: config.kwok.x-k8s.io/v1alpha1
//   metadata: {name: widget}
//   parameters: {size: 3}
//   template: |
//     kind: Widget
//     …
//
// Templates are those of stages, with the functions Name, Namespace, Index, AddCIDR and AddIP.
//
// Owns: all that it was made of. Threads: one at a time.
// Errors: in words, for a person; they name the resource and the field.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/runtime.h"
#include "simulator/stage/template.h"

namespace kulisse::simulator {

class ScaleTemplate {
 public:
  // `resource` is the whole object.
  [[nodiscard]] static std::expected<ScaleTemplate, std::string> Parse(const json::Value& resource);
  // The KwokctlResource of that name from the files (later ones do not replace earlier ones), else
  // the shipped one: there are node and pod.
  [[nodiscard]] static std::expected<ScaleTemplate, std::string> Find(
      std::string_view name, std::span<const std::string> config_paths);

  // Changes the parameters by jq expressions, one after the other, each of which gives the whole
  // of them: `.nodeName = "node-1"`.
  std::expected<void, std::string> SetParameters(std::span<const std::string> expressions,
                                                 SystemTime now);

  // The object of that name. `runtime` is for what templates ask of time and chance.
  [[nodiscard]] std::expected<json::Document, std::string> Render(const ScaledObject& object,
                                                                  Runtime& runtime) const;

 private:
  ScaleTemplate(std::string name, json::Document parameters, Template body);

  std::string name_;
  json::Document parameters_;
  Template body_;
};

}  // namespace kulisse::simulator
