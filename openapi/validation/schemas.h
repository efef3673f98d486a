// The schemas in definitions of custom resources: what may be written in them. A schema is a value
// of JSONSchemaProps in canonical form. Upstream:
// apiextensions-apiserver/pkg/apis/apiextensions/validation and pkg/apiserver/schema.
//
// Threads: pure functions. Limits: schemas are as deep as JSON may be (kJsonDepthMax).
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "openapi/validation/walk.h"

namespace kulisse::openapi {

// Whether the schema or one within it satisfies the predicate.
[[nodiscard]] bool SchemaHas(const Value& schema, const std::function<bool(const Value&)>& holds);

// Why the schema cannot be read as a structural one; "" when it can.
[[nodiscard]] std::string StructuralObstacle(const Value& schema);

// The rules of structural schemas. REQUIRES: there is no StructuralObstacle.
void CheckStructure(const Value& schema, const Path& path, Walk& walk);

// What is known of a schema.
struct SchemaState {
  bool structural = false;  // it has no StructuralObstacle
  bool compiles_rules =
      false;  // nothing is wrong with its structure: its expressions are looked at
};

// The other rules, of the schema and those within it.
void CheckSchema(const Value& schema, SchemaState state, const Path& path, Walk& walk);

// A property by its name, or null.
[[nodiscard]] const Value* FindProperty(const Value& schema, std::string_view name);

// A field that a JSON path of names (".spec.size") leads to.
struct FieldInSchema {
  const Value* schema = nullptr;
  std::string_view first;  // name of the path
  std::string error;       // why there is none; else ""
};
// With `brackets` names may also be written as ['name'].
[[nodiscard]] FieldInSchema FindFieldInSchema(const Value& schema, std::string_view json_path,
                                              bool brackets);

}  // namespace kulisse::openapi
