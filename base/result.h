// Result<T> is a value or the Status that a client is to see. Expected refusals travel in it;
// exceptions never cross a folder's border.
#pragma once

#include <expected>
#include <utility>

#include "base/status.h"

namespace kulisse {

template <class T>
using Result = std::expected<T, Status>;

}  // namespace kulisse

#define KULISSE_CONCAT_INNER(a, b) a##b
#define KULISSE_CONCAT(a, b) KULISSE_CONCAT_INNER(a, b)

// KULISSE_TRY(expression): returns the error of a Result<void>, or goes on.
#define KULISSE_TRY(expression)                                      \
  do {                                                               \
    auto kulisse_try_result = (expression);                          \
    if (!kulisse_try_result) [[unlikely]]                            \
      return std::unexpected(std::move(kulisse_try_result).error()); \
  } while (false)

// KULISSE_ASSIGN(auto x, expression): the value of a Result, or returns its error.
#define KULISSE_ASSIGN_INNER(temporary, target, expression) \
  auto temporary = (expression);                            \
  if (!temporary) [[unlikely]]                              \
    return std::unexpected(std::move(temporary).error());   \
  target = std::move(*temporary)
#define KULISSE_ASSIGN(target, expression) \
  KULISSE_ASSIGN_INNER(KULISSE_CONCAT(kulisse_result_, __LINE__), target, expression)
