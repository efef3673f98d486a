// Quantities and resource lists as values of CEL, with KWOK's operators.
// Upstream: kwok pkg/utils/cel/quantity.go and resource_list.go.
// Threads: any.
#pragma once

#include "openapi/cel/environment.h"
#include "openapi/cel/value.h"
#include "openapi/quantity.h"

namespace kulisse::simulator {

// The types: kubernetes.Quantity, kubernetes.ResourceList.
[[nodiscard]] const openapi::cel::HostType& QuantityType();
[[nodiscard]] const openapi::cel::HostType& ResourceListType();

[[nodiscard]] openapi::cel::Value MakeQuantity(openapi::Quantity quantity,
                                               openapi::cel::Evaluation& evaluation);
// REQUIRES: a value of QuantityType().
[[nodiscard]] const openapi::Quantity& AsQuantity(const openapi::cel::Value& value);

// Adds the operators, Quantity(text), double(quantity) and string(quantity).
void AddQuantities(openapi::cel::Environment& environment);

}  // namespace kulisse::simulator
