// One step of a field path as FieldsV1 names it: `f:` and a field, `k:` and the keys of a list
// element, `v:` and the value of a set element, `i:` and an index. A step is kept as the text
// between the quotes of FieldsV1, escaped as JSON: f:spec, k:{\"name\":\"a\"}. Equal steps have
// equal texts, so that field sets at rest are read and written without decoding them.
// Upstream: sigs.k8s.io/structured-merge-diff/fieldpath.
//
// Threads: pure functions.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "base/json/value.h"

namespace kulisse::openapi {

// The order in which sets list their steps: fields by name, then keys, values, indices, numbers
// by size. REQUIRES: both are canonical.
[[nodiscard]] std::strong_ordering ComparePathElements(std::string_view a, std::string_view b);

// The canonical text of a step that a client wrote (`text` is decoded, not escaped). Nothing for
// texts that are no step; "" for a kind of step that is not known, which readers leave out.
[[nodiscard]] std::optional<std::string> CanonicalPathElement(std::string_view text);

// As messages show it: .spec, [name="a"], [="x"], [0].
[[nodiscard]] std::string PathElementText(std::string_view element);

// Whether the text looks otherwise within JSON quotes.
[[nodiscard]] bool NeedsEscapes(std::string_view text);
// Appends `text` escaped as within JSON quotes.
void AppendEscaped(std::string_view text, std::string* out);

}  // namespace kulisse::openapi
