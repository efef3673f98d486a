// Every cap of CEL expressions, with its name. cel-go's and kube-apiserver's values are kept where
// there are any.
#pragma once

#include <cstddef>

namespace kulisse::openapi::cel {

// Code points of one expression (cel-go: 100,000). A compile error.
inline constexpr size_t kCelCodePointsMax = 100'000;
// Expressions inside of each other, as cel-go counts them (250). A compile error.
inline constexpr int kCelDepthMax = 250;
// How high the tree of an expression may be, macros expanded: what walks it recurses. A compile
// error; cel-go's limit of 250 operands in a row or in each other is hit first, but where rows and
// nesting multiply.
inline constexpr int kCelHeightMax = 600;
// Types in a type, as list(map(string, int)) has four. Parts of larger ones are dyn to the checker.
inline constexpr unsigned kCelTypeSizeMax = 500;
// Errors that one compilation reports (cel-go: 100); how many more there are is told.
inline constexpr size_t kCelIssuesMax = 100;
// A line of the expression that errors quote, bytes (cel-go: 16,384). Longer ones are not quoted.
inline constexpr size_t kCelSnippetBytesMax = 16'384;
// Steps of one evaluation: nodes evaluated, elements compared or copied, and bytes read or written
// by the hundred (kube-apiserver: cost 1,000,000 for one call). An evaluation error.
inline constexpr size_t kCelStepsMax = 1'000'000;
// Memory that one evaluation may take for what it makes. An evaluation error.
inline constexpr size_t kCelMemoryBytesMax = 16 * 1024 * 1024;
// Lists and maps inside of each other when values are compared or printed. An evaluation error.
inline constexpr int kCelValueDepthMax = 1'000;
// Memory of one compiled regular expression, bytes. An evaluation error.
inline constexpr long kCelRegexBytesMax = 1024 * 1024;
// Steps that compiling a regular expression takes which is not a literal: some are slow.
inline constexpr size_t kCelRegexSteps = 5'000;
// A file of the time zone database, bytes; larger ones are no time zone.
inline constexpr size_t kTimeZoneBytesMax = 256 * 1024;

}  // namespace kulisse::openapi::cel
