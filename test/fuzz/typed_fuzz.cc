// Any JSON as an object of some types: Normalize ends with a canonical object or an error, defaults
// keep it canonical, and doing either again changes nothing.
//
// Input: one byte that picks the type, then JSON.
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "base/json/parse.h"
#include "base/json/write.h"
#include "openapi/defaulting.h"
#include "openapi/protobuf.h"
#include "openapi/typed.h"

namespace {

constexpr std::string_view kTypes[] = {
    "io.k8s.api.core.v1.Pod",
    "io.k8s.api.core.v1.Secret",
    "io.k8s.api.core.v1.Service",
    "io.k8s.api.apps.v1.StatefulSet",
    "io.k8s.api.batch.v1.Job",
    "io.k8s.api.coordination.v1.Lease",
    "io.k8s.api.authorization.v1.SubjectAccessReview",
    "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition",
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (input.empty()) return 0;
  const kulisse::openapi::TypeTable& table = kulisse::openapi::TypeTable::BuiltIn();
  const auto pick = static_cast<unsigned char>(input[0]) % std::size(kTypes);
  const kulisse::openapi::TypeId type = table.Find(kTypes[pick]);
  KULISSE_ASSERT(type != kulisse::openapi::kNoType);
  auto document = kulisse::json::Parse(input.substr(1));
  if (!document) return 0;
  kulisse::json::Value& object = document->root;
  kulisse::openapi::NormalizeReport report;
  if (!Normalize(object, type, table, document->arena, &report)) return 0;

  std::string bytes;
  AppendMessage(object, type, table, &bytes);
  ApplyDefaults(object, type, table, document->arena);
  const std::string once = kulisse::json::ToString(object);
  KULISSE_ASSERT(Normalize(object, type, table, document->arena, nullptr).has_value());
  KULISSE_ASSERT(kulisse::json::ToString(object) == once);
  return 0;
}
