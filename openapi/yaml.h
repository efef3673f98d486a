// YAML as sigs.k8s.io/yaml reads and writes it: libyaml events, YAML 1.1 scalars, everything goes
// through JSON. Used for request bodies, answers, stages and configuration files.
//
// Threads: pure functions. Limits: kJsonDepthMax levels; aliases may not expand a document to more
// than ten times its text (as yaml.v2's guard).
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/value.h"

namespace kulisse::openapi {

// The first document of the text. Errors in Go's words: "yaml: line 2: mapping values are not
// allowed in this context"; the frame "error converting YAML to JSON: " is the caller's.
// Duplicate keys: reported into `duplicates` when given, else an error, as the strict decoder does.
[[nodiscard]] std::expected<json::Document, std::string> ParseYaml(
    std::string_view text, std::vector<std::string>* duplicates = nullptr);
// All documents; empty ones are left out.
[[nodiscard]] std::expected<std::vector<json::Document>, std::string> ParseYamlDocuments(
    std::string_view text);
// Block style, keys sorted, as sigs.k8s.io/yaml.Marshal prints.
[[nodiscard]] std::string ToYaml(const json::Value& value);

}  // namespace kulisse::openapi
