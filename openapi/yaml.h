// YAML as sigs.k8s.io/yaml reads and writes it: libyaml events, YAML 1.1 scalars, everything goes
// through JSON. Used for request bodies, answers, stages and configuration files.
//
// Threads: pure functions. Limits: kJsonDepthMax levels; the share of a document that comes from
// aliases is bounded as in yaml.v2 (99 % of small documents, down to 10 % of large ones).
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/value.h"

namespace kulisse::openapi {

// The first document of the text. Errors in Go's words: "yaml: line 2: mapping values are not
// allowed in this context"; the frame "error converting YAML to JSON: " is the caller's.
// Duplicate keys: the last counts and each is reported into `duplicates` when given (`line 3: key
// "a" already set in map`); else an error, as the strict decoder does.
[[nodiscard]] std::expected<json::Document, std::string> ParseYaml(
    std::string_view text, std::vector<std::string>* duplicates = nullptr);
// All documents; empty ones are left out.
[[nodiscard]] std::expected<std::vector<json::Document>, std::string> ParseYamlDocuments(
    std::string_view text);
// Block style, keys sorted (numbers in them by value: "a2" before "a10"), as
// sigs.k8s.io/yaml.Marshal prints.
[[nodiscard]] std::string ToYaml(const json::Value& value);

}  // namespace kulisse::openapi
