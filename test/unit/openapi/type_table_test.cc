#include "openapi/type_table.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace kulisse::openapi {
namespace {

const TypeTable& Table() { return TypeTable::BuiltIn(); }

const TypeInfo& TypeOf(std::string_view name) {
  const TypeId id = Table().Find(name);
  EXPECT_NE(id, kNoType) << name;
  return Table().Get(id == kNoType ? TypeId{0} : id);
}

const TypeInfo& Core(std::string_view kind) {
  return TypeOf("io.k8s.api.core.v1." + std::string(kind));
}

const TypeInfo& Meta(std::string_view kind) {
  return TypeOf("io.k8s.apimachinery.pkg.apis.meta.v1." + std::string(kind));
}

const FieldInfo& Field(const TypeInfo& type, std::string_view json_name) {
  const int index = type.FindJson(json_name);
  EXPECT_GE(index, 0) << type.name << "." << json_name;
  return *type.json_fields[index < 0 ? 0 : index].field;
}

TEST(TypeTable, EveryTypeIsFoundByItsName) {
  EXPECT_GT(Table().types().size(), 600u);
  for (size_t i = 0; i < Table().types().size(); ++i) {
    EXPECT_EQ(Table().Find(Table().types()[i].name), i) << Table().types()[i].name;
  }
  EXPECT_EQ(Table().Find("io.k8s.api.core.v1.Pot"), kNoType);
  EXPECT_EQ(Table().Find(""), kNoType);
}

TEST(TypeTable, ProtobufNumbersOfATypeAreUnique) {
  for (const TypeInfo& type : Table().types()) {
    std::set<uint32_t> seen;
    for (const FieldInfo& field : type.fields) {
      if (field.number == 0) continue;
      EXPECT_TRUE(seen.insert(field.number).second) << type.name << " " << field.go_name;
      EXPECT_EQ(type.FindNumber(field.number), &field) << type.name << " " << field.go_name;
    }
    EXPECT_EQ(type.FindNumber(0), nullptr);
    EXPECT_EQ(type.FindNumber(1'000'000), nullptr);
  }
}

TEST(TypeTable, JsonNamesOfATypeAreUniqueAndFound) {
  for (const TypeInfo& type : Table().types()) {
    for (size_t i = 0; i < type.json_fields.size(); ++i) {
      const std::string_view name = type.json_fields[i].field->json_name;
      EXPECT_FALSE(name.empty()) << type.name;
      EXPECT_EQ(type.FindJson(name), static_cast<int>(i)) << type.name << " " << name;
    }
    EXPECT_EQ(type.FindJson("noSuchField"), -1) << type.name;
  }
}

TEST(TypeTable, EveryFieldHasATypeOfTheTable) {
  for (const TypeInfo& type : Table().types()) {
    for (const FieldInfo& field : type.fields) {
      ASSERT_LT(field.type, Table().types().size()) << type.name << " " << field.go_name;
      if (field.inlined) {
        EXPECT_EQ(Table().Get(field.type).kind, TypeKind::kStruct) << type.name;
      }
    }
  }
}

TEST(TypeTable, PodIsWrittenInTheOrderOfItsGoStruct) {
  const TypeInfo& pod = Core("Pod");
  EXPECT_EQ(pod.go_name, "Pod");
  ASSERT_EQ(pod.json_fields.size(), 5u);
  const char* names[] = {"kind", "apiVersion", "metadata", "spec", "status"};
  for (size_t i = 0; i < 5; ++i) EXPECT_EQ(pod.json_fields[i].field->json_name, names[i]);
  // TypeMeta is no field of the message: its number is 0.
  ASSERT_NE(pod.json_fields[0].parent, nullptr);
  EXPECT_EQ(pod.json_fields[0].parent->number, 0);
  EXPECT_EQ(pod.FindNumber(1)->json_name, "metadata");
  EXPECT_EQ(pod.FindNumber(1)->type, Table().object_meta());
  EXPECT_FALSE(Field(pod, "status").omit_empty) << "a struct is never empty for Go";
}

TEST(TypeTable, AnInlinedStructIsAMessageOfItsOwnOnTheWire) {
  const TypeInfo& volume = Core("Volume");
  const int secret = volume.FindJson("secret");
  ASSERT_GE(secret, 0);
  const JsonField& field = volume.json_fields[secret];
  ASSERT_NE(field.parent, nullptr);
  EXPECT_EQ(field.parent->number, 2);
  EXPECT_EQ(field.field->number, 6);
  EXPECT_TRUE(field.field->pointer);
  EXPECT_EQ(volume.json_fields[volume.FindJson("name")].parent, nullptr);
}

TEST(TypeTable, InliningGoesTwoLevelsDeepInNamedRuleWithOperations) {
  const TypeInfo& rule = TypeOf("io.k8s.api.admissionregistration.v1.NamedRuleWithOperations");
  const JsonField& field = rule.json_fields[rule.FindJson("apiGroups")];
  ASSERT_NE(field.parent, nullptr);
  ASSERT_NE(field.outer, nullptr);
  EXPECT_EQ(field.parent->go_name, "Rule");
  EXPECT_EQ(field.outer->go_name, "RuleWithOperations");
}

TEST(TypeTable, LeavesHaveTheirKinds) {
  EXPECT_EQ(Table().Get(Field(Core("Secret"), "data").type).kind, TypeKind::kBytes);
  EXPECT_EQ(Field(Core("Secret"), "data").shape, FieldShape::kMap);
  EXPECT_EQ(Table().Get(Field(Core("ResourceRequirements"), "limits").type).kind,
            TypeKind::kQuantity);
  EXPECT_EQ(Table().Get(Field(Core("ServicePort"), "targetPort").type).kind,
            TypeKind::kIntOrString);
  EXPECT_EQ(Table().Get(Field(Meta("ManagedFieldsEntry"), "fieldsV1").type).kind,
            TypeKind::kFieldsV1);
  const FieldInfo& extra =
      Field(TypeOf("io.k8s.api.certificates.v1.CertificateSigningRequestSpec"), "extra");
  EXPECT_EQ(extra.shape, FieldShape::kMap);
  EXPECT_EQ(Table().Get(extra.type).kind, TypeKind::kStringList);
  EXPECT_EQ(
      Table().Get(Field(TypeOf("io.k8s.api.coordination.v1.LeaseSpec"), "renewTime").type).kind,
      TypeKind::kMicroTime);
}

TEST(TypeTable, CreationTimestampIsLeftOutWhenZero) {
  const FieldInfo& field = Field(Meta("ObjectMeta"), "creationTimestamp");
  EXPECT_TRUE(field.omit_zero);
  EXPECT_FALSE(field.pointer);
  EXPECT_EQ(Table().Get(field.type).kind, TypeKind::kTime);
}

TEST(TypeTable, PatchAndListFactsAreThere) {
  const FieldInfo& containers = Field(Core("PodSpec"), "containers");
  EXPECT_TRUE(containers.patch_merge);
  EXPECT_FALSE(containers.patch_retain_keys);
  EXPECT_EQ(containers.patch_merge_key, "name");
  EXPECT_EQ(containers.list_type, ListType::kMap);
  EXPECT_EQ(containers.list_map_keys, "name");
  EXPECT_TRUE(containers.required);
  const FieldInfo& volumes = Field(Core("PodSpec"), "volumes");
  EXPECT_TRUE(volumes.patch_merge && volumes.patch_retain_keys);
  EXPECT_EQ(Field(Core("ServiceSpec"), "ports").list_map_keys, "port,protocol");
  EXPECT_EQ(Field(Meta("ObjectMeta"), "finalizers").list_type, ListType::kSet);
  EXPECT_TRUE(Field(Core("PodSpec"), "nodeSelector").map_atomic);
  EXPECT_TRUE(Core("ObjectReference").map_atomic);
  EXPECT_TRUE(Field(Core("PersistentVolumeSpec"), "claimRef").map_granular);
  EXPECT_TRUE(
      Field(TypeOf("io.k8s.api.policy.v1.PodDisruptionBudgetSpec"), "selector").patch_replace);
}

TEST(TypeTable, DefaultsAndEnumsAreThere) {
  EXPECT_EQ(Field(Core("ContainerPort"), "protocol").default_json, "\"TCP\"");
  EXPECT_EQ(Field(Core("ContainerPort"), "protocol").enum_values, "SCTP,TCP,UDP");
  EXPECT_EQ(Field(Core("Container"), "name").default_json, "");
}

}  // namespace
}  // namespace kulisse::openapi
