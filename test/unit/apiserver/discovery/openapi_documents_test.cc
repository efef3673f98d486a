#include "apiserver/discovery/openapi_documents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "base/json/parse.h"
#include "base/json/write.h"

namespace kulisse::apiserver {
namespace {

using json::Arena;
using json::Member;
using json::Value;
using openapi::Catalog;
using openapi::ResourceInfo;
using testing::HasSubstr;

constexpr std::string_view kMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.";

// Of what a default kube-apiserver serves: the catalog without what is custom or aggregated.
OpenApiDocuments BuiltInDocuments() {
  std::vector<const ResourceInfo*> rows = DiscoveryRows(Catalog::BuiltIn());
  std::erase_if(rows, [](const ResourceInfo* row) { return row->custom || row->aggregated; });
  return OpenApiDocuments(std::move(rows));
}

json::Document Parse(std::string_view text) {
  auto parsed = json::Parse(text);
  EXPECT_TRUE(parsed.has_value()) << text.substr(0, 200);
  return parsed.has_value() ? std::move(*parsed) : json::Document();
}

// SHA-512 of a kube-apiserver 1.36.3's document after Canonical().
struct RecordedDocument {
  std::string_view path;
  std::string_view sha512;
};
constexpr RecordedDocument kRecorded[] = {
    {".well-known/openid-configuration",
     "BAB515E52BE9092B1A76E4AA950AAA9AF9C0E97AC450D5724D94BAB5384EB187"
     "F9AF733D10A1B846FCDBEBA2ADF037977FE1A649C7BE14DBB1D7BB71FDB122C4"},
    {"api",
     "FE1BCFF044B542C1C45783701796B5F4C657C9CFC33FF9C45572786C32CFDAA3"
     "765855E9A54D8C5E907A08B2BAB7DC8F0D98E4F85231291BC6087E8ED9C550A2"},
    {"api/v1",
     "594F3020A12FF45F195B0447475647DA22A7C3B54AE3989FA204C06AE8A04E9F"
     "0477BB0D0EA79CB9EB6F2AF5617545CD24A1AC6C85AD8E59282658A7FA62E6F0"},
    {"apis",
     "BDCE3AA90479A16359DACB3B9992CB75117FCA220611989B8BEE480AAB3EB0E2"
     "3352771F39C86774446FD594BA5320AFB549DAE1AB48DBE7B765CE3CFBAECD96"},
    {"apis/admissionregistration.k8s.io",
     "94A97C698A7CA7742D9140ABE6A23B1A518E044EDE0DB9E8D94ED0022CED6637"
     "47652452F42889C93E43E55043F5C056D21771314615204F4FFA65426F931882"},
    {"apis/admissionregistration.k8s.io/v1",
     "E8116AC401D52A0326FDFC2C497CE6A1991A73A77CA07CDB2DF249C612E8CDD5"
     "12E329B87D7AB2B4C7A4E92C69AD9F3CD13D476AB14EB8D1AA12DC38B80A82C2"},
    {"apis/apiextensions.k8s.io",
     "E276EAEC8BE28FF12C236B54723294F7C5A439DBEF652BF793D90F6B6473E176"
     "C47036FFDFCDAC7235D5D15B58BBA24BA9823E32E711E4C293847B161208E222"},
    {"apis/apiextensions.k8s.io/v1",
     "316FE40D7C740DF1C31A5B08323409643DEA01DD339339320ACBFEA3F9FCD059"
     "BE9541E4D3DABEB93EA29A855D0154431D1B83D22B7E3FC54B6A91E8903393B0"},
    {"apis/apiregistration.k8s.io",
     "5FD1E86BF8CA2EC6E6BFD536023860D4D5AD3A2DB255A165F12A9C67A6961203"
     "2B53F2B9741654F1633EA98469603187FD59FCEBEFD49C07A1D21078A9A600FC"},
    {"apis/apiregistration.k8s.io/v1",
     "74A7B2A7BD139716A9A2A6027BAF46FC663AE72285ED4F7C41553E9CCC94B613"
     "C5337E940C606B20E76B60CA3B7A7BA3BAE3DD540F57F2CC8D99E3286CF75C60"},
    {"apis/apps",
     "9349ADB1052C86C6863922E65A4476FB0BC5CDB7E53E1D77A209D4175676E6A4"
     "F3FC93138ED405D516E62B592527C4FCF28AB04497307721386CEFD711B7B574"},
    {"apis/apps/v1",
     "52F4E1A19394999D143BCBA8005988718675D2D07EA4F961A2113D05A61F4BB9"
     "B8CE12AE96301BE1C468E988C74A6DF84BB7F620487D197DFA5333316334825B"},
    {"apis/authentication.k8s.io",
     "B8F3D4928F0F28DB69C263E8E46AA82EA61F8910E067322BBA1F780FAD4A4D9E"
     "69B1574D4E06CCD66FB2DF4A9A5135814758882A229842F98B2A8C11E6F8CC16"},
    {"apis/authentication.k8s.io/v1",
     "CD8C445FDF72204FA7DAC560728F9870D05DC3014DF47CDF6671D5CE3C7D69B9"
     "5890E6BEE12A496140101A23B33020EC84EDA81C7E14F00E941942417D2AEF4A"},
    {"apis/authorization.k8s.io",
     "6FC26A188A72C9126014AF18E51A552CDB9C759637D434627827F64F354F3F92"
     "F508E4D9C6C3D6562B4F0B7E47D1BB1CA2DD9165BEC376662D5F502F745123DE"},
    {"apis/authorization.k8s.io/v1",
     "488F7A68B170125D5B6066DCC90B590C332D58662B9C81565E0268E2B6A76E9E"
     "4CC5C428E8041B9544D832B94195F40E6D227EEAFA69A47D8B111A388C54F4ED"},
    {"apis/autoscaling",
     "F8E950E11D86CC0DA58F98243A2434B727C105D4A195C3ECB733C623F903FA2F"
     "D87225625FA74C896E7E8234FAC74943F665307A09493EF2262607AEBB4B3EDA"},
    {"apis/autoscaling/v1",
     "E026E9742EF5930F68B844E80EBE659037A7FC3764799D5C7D5D242C67DF4BFE"
     "9C3A6908D2B91AE7C6B2C84885C146477EA977F5BF295F6E1752F4EAFF8CF376"},
    {"apis/autoscaling/v2",
     "630C9136FA5E569038F8F0749CB619120EAAF15EDFC68EE52F5FED960C194BF0"
     "FCE18AC6BBDADDB4DAC75F596359C5AE8F3BEE117A8D1005E5E5B54D57DA1761"},
    {"apis/batch",
     "8D2936077E5A52874BD76AE9C26B04D0E1A86715F68F357597DA741532BB4598"
     "3F5E3A449D955DD332E0D1534A0A18FFAC6A07CAFA90E9C326DDB395E36F1691"},
    {"apis/batch/v1",
     "732141F9B969BADB7CC62D12EA1D5E4C7410549EBF32B4CD83724AC6F07E6710"
     "CB4810232510AC58C62E8D0DE7B977801712D2D8871FFE5A91F55A6CFE4CFE55"},
    {"apis/certificates.k8s.io",
     "6B73BC6FD549BFBA253F5D1F1F0E4BEF944146A7F29C6237EFFA534092A35B53"
     "74490074623BF696D2D53C6B0A8960CA96B66846F53DA63C88A28A854E51E7FF"},
    {"apis/certificates.k8s.io/v1",
     "35BC03AB968720535BE1F208BE5607617E6FABA6FD2992665127A39CA5165FC9"
     "AA12D95940E7B424AB9A86B158C7DA2FC351A493136858FB25A87539688A953C"},
    {"apis/coordination.k8s.io",
     "416125F46B547C3CE90954DF7A11E082CA0C31355C2CD8FA6E45825D2C4765D4"
     "5BF674BA1C87D8F926BEA57D5CA6922E5E4C08B0A08CDDA4CC34F0492FFCCDDE"},
    {"apis/coordination.k8s.io/v1",
     "7AD106EBA38E78C238861613344929750C8759AB0063D84EA8C47FF725456E3C"
     "3A5193748F236752167B3CB8EEF16D17C998AB178A620DA68C6E54CDEC52D3E0"},
    {"apis/discovery.k8s.io",
     "2F151FAF92D058F7F37EDCF623901C8049940A6C83CF935F25C7855623EF98C1"
     "F99643FCEC9B977A1768093097B8451FA5222F503DFC74C968BB1CF738CEF2AA"},
    {"apis/discovery.k8s.io/v1",
     "6BF264568FF4A67ADFD44963A19B64F526AC76DF5661C9E6B5F210FF38D75DD1"
     "9D70D92E27D6A80F9A1457EAC80DAEB2284D962EC3170B2420D9A9A1CD048E77"},
    {"apis/events.k8s.io",
     "98CFAD934005713135F3CC3D595EF4BE137250EB75DC2D091CC320FBA672C0B1"
     "3B5A161616DB5EC56D15F3E90185075994653143ECBDDDF3751A9F3B7F502FAA"},
    {"apis/events.k8s.io/v1",
     "A38C04AE0838AC46690112A3D10100DEBAD7DB48925E01AFFBBB5604E24670B6"
     "24B19D651FD776921B1F1291193ED3E4037D2F3CBFEF2A51597E290D97AECBE1"},
    {"apis/flowcontrol.apiserver.k8s.io",
     "C6DEEABE35D722ABD4A9FB1E8D3987019DEE51B3B67E2E7277A0C7B25AEF8AE6"
     "433940905BBD29C54D4D74FA489BFB4AFC54D8F7011637EDEF453765BF4B1552"},
    {"apis/flowcontrol.apiserver.k8s.io/v1",
     "9873AD263A5013D0AC7B2A0901356F1C84DCB74CA1A9DBE87ECF05103481E658"
     "BBF85A21A210DE71401C1F04853FB4C7FBDF804A8C6B09060D864C89A6811322"},
    {"apis/networking.k8s.io",
     "FBA3844B95A413F5190B92188C28835592B6094DCC95F323288934CBBDF0E989"
     "807FE921A6DF79E5C75825DEAA224B8E0E9F5D32CE7A12D72F9437BB1A345502"},
    {"apis/networking.k8s.io/v1",
     "60A61C3758A16EF2810F5CAE762784E662A97CE202A1D5177D75BBB2067143B9"
     "DFE3D1FDD07CDA8B69AF8F5332EAE02AB43B092290C82B2DCA739EE43F87C9C2"},
    {"apis/node.k8s.io",
     "D6E8AC7554D140C2683CCD6AF88185C98EFD91456C2951F39DF9925CB087533C"
     "45B50282AE3B1DE5895BDDF5E8B42EE5D3210F04AE32576908967531A5012EB3"},
    {"apis/node.k8s.io/v1",
     "D0F84A1B43473D674BB7998F4EDBF119C6D6776C2A23B218EFED59E747FACCA6"
     "569ABFAF0F21E9501BD154DF5C5023860889CFCE7F739AFF5FE5254FD16BCE1E"},
    {"apis/policy",
     "3CAFDA59C7C4250ACD012BF19C82FA6A1621F7BB41E1218141490F2D4BBD402B"
     "657F53DF48DE40A269D4CA6A5A00999FC81F4692886672AC7C3FA6F8B9B32CD0"},
    {"apis/policy/v1",
     "BDA38001DD9E10A0A33D9180FC44AE5359E4B8A25AAB5F19BF49D5F02A81EE64"
     "27B9291924D29B21BA0DB9E36FF96E38472B5E208C61FB49FA73A3C1BDAF0C61"},
    {"apis/rbac.authorization.k8s.io",
     "02C9BCBB8115A6E4245D377542AA2C363FCD3254776486A9C4F9B76C2A0CBA63"
     "6E741468EAF8161DDB5719053731B3F921E682CEAB6E735A51E6A88DB80DC6E7"},
    {"apis/rbac.authorization.k8s.io/v1",
     "7A99B036F9BAF80DD5814E492F07EAE7D35414DE4396980864153A7B06868E8E"
     "2C02A0CE6359CB4071DD03B89BE9FE1FCADC6A3992631358C46885F37CEB9C65"},
    {"apis/resource.k8s.io",
     "661FB3F072E3977CF8BC0FAB0D6BFD83FF91458BC89CF8BBF793DDF7B84693E0"
     "A4E2ADAE6ECC0279D656A398DC64E785CAA16602E1B2D5C02567B3FDD8C5F0F1"},
    {"apis/resource.k8s.io/v1",
     "35CDA0DB496544C29871CB8C337FA36A968E4171515983D22B9C9B76030CDA19"
     "752B7560B3B5AE8FD1F41FB8F894C38F0B6FCE77075DEE707177BF8C3E71A75C"},
    {"apis/scheduling.k8s.io",
     "557E0BA7FB0CFCCA344F8601FB217F456E88828FD32FA51B73A6DF0A448AA6AF"
     "BD06B404595A147E5BEAC1545598CA86C5EB64BB2F5612374A10512240DA4B1F"},
    {"apis/scheduling.k8s.io/v1",
     "FC0A830C65B7E42099A7EB6CFDB90290711DF0F8DF294EE117B859C70439C944"
     "87923E6EF573505B40A79AD7166F09F717F11FC4E80C7B0507C6550CC63A9B08"},
    {"apis/storage.k8s.io",
     "76422AAA4D523FB5F41A8F2CD11B25E97C4AEB801AFF2DD56F4EF50FB018E10A"
     "5926A5A7E0A8A59EDAE66295D168125DED7F45D01EE228CF17D9E6DF0C5C7674"},
    {"apis/storage.k8s.io/v1",
     "F3452CB07D29110ED7711450C419B1DB29DF4E67F48E8C2714BB0A66DF6F23D1"
     "8F4F64B4F29838D375DD57BAE1F83B02EAA2A71E98E6E3E8D086287390589F7A"},
    {"openid/v1/jwks",
     "515EFF8ECC3EB0ED2064ABED94EFD4FC690EE905F01170BD0E813AADA2BD869E"
     "770EADD65E261E62DD6BACB7C590FEDEC16F6C5D5EBEFC2D4FE828AEEE4374D7"},
    {"version",
     "BB5F240D3C6B76EBFB487D5870D392F68EB568F8E30BD1900F00724D08D1FABF"
     "4CF0338B58EEE33CBE62770E117252FBB5AEA9DAAE957511DC8A965F8F053D3F"},
};
constexpr std::string_view kRecordedV2 =
    "06BF86CA6F6C7E8CA7B89BBE778B68F87CE7571CD308198E67165AEE5DD82705"
    "826D45E83049DB86BE4F0CC5578EF82A4563621554FEEFC7309F033D55285E5A";

// The document without what is ours to choose: descriptions are dropped, a reference that stands in
// an allOf for the sake of its description alone becomes plain, references to shared parameters
// become the parameters.
Value Canonical(const Value& value, const Value* parameters, Arena& arena) {
  if (value.IsArray()) {
    Value out = Value::Array();
    for (const Value& element : value.elements()) {
      out.PushBack(Canonical(element, parameters, arena), arena);
    }
    return out;
  }
  if (!value.IsObject()) return value.Clone(arena);
  constexpr std::string_view kParameters = "#/parameters/";
  const std::string_view reference = value.FindString({"$ref"});
  if (parameters != nullptr && reference.starts_with(kParameters)) {
    const Value* parameter = parameters->Find(reference.substr(kParameters.size()));
    EXPECT_NE(parameter, nullptr) << reference;
    return Canonical(*parameter, nullptr, arena);
  }
  Value out = Value::Object();
  for (const Member& member : value.members()) {
    if (member.name == "description" && member.value.IsString()) continue;
    out.Set(member.name, Canonical(member.value, parameters, arena), arena);
  }
  const Value* all = out.Find("allOf");
  if (out.size() == 1 && all != nullptr && all->size() == 1 &&
      !all->elements()[0].FindString({"$ref"}).empty()) {
    return all->elements()[0].Clone(arena);
  }
  return out;
}

std::string Quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

TEST(OpenApiDocuments, Version3EqualsARealServersButForDescriptions) {
  const OpenApiDocuments documents = BuiltInDocuments();
  for (const RecordedDocument& recorded : kRecorded) {
    const std::optional<OpenApiDocument> document = documents.V3(recorded.path);
    ASSERT_TRUE(document.has_value()) << recorded.path;
    json::Document parsed = Parse(document->body);
    const Value canonical = Canonical(parsed.root, nullptr, parsed.arena);
    EXPECT_EQ(ETagOf(json::ToSortedString(canonical)), Quoted(recorded.sha512)) << recorded.path;
  }
}

TEST(OpenApiDocuments, Version2EqualsARealServersButForDescriptions) {
  json::Document parsed = Parse(BuiltInDocuments().V2Json().body);
  Value canonical = Canonical(parsed.root, parsed.root.Find("parameters"), parsed.arena);
  EXPECT_TRUE(canonical.Remove("parameters"));
  for (const std::string_view kind : {"DeleteOptions", "WatchEvent"}) {
    // A real server names all versions it ever knew; we name those that are served.
    Value* definition = canonical.Find({"definitions", std::string(kMeta).append(kind)});
    ASSERT_NE(definition, nullptr);
    EXPECT_TRUE(definition->Remove("x-kubernetes-group-version-kind"));
  }
  EXPECT_EQ(ETagOf(json::ToSortedString(canonical)), Quoted(kRecordedV2));
}

TEST(OpenApiDocuments, TheIndexNamesEveryDocumentWithItsHash) {
  const OpenApiDocuments documents = BuiltInDocuments();
  const json::Document index = Parse(documents.V3Index());
  const Value* paths = index.root.Find("paths");
  ASSERT_NE(paths, nullptr);
  EXPECT_EQ(paths->size(), std::size(kRecorded));
  for (const Member& member : paths->members()) {
    const std::optional<OpenApiDocument> document = documents.V3(member.name);
    ASSERT_TRUE(document.has_value()) << member.name;
    const std::string hash = document->etag.substr(1, document->etag.size() - 2);
    EXPECT_EQ(member.value.FindString({"serverRelativeURL"}),
              "/openapi/v3/" + std::string(member.name) + "?hash=" + hash);
    EXPECT_EQ(document->etag, ETagOf(document->body));
  }
}

TEST(OpenApiDocuments, UnknownPathsHaveNoDocument) {
  const OpenApiDocuments documents = BuiltInDocuments();
  for (const std::string_view path : {"", "/", "api/v2", "api/", "apis/", "apis/extensions",
                                      "apis/apps/v2", "apis/apps/v1/x", "apis//v1", "nothing"}) {
    EXPECT_FALSE(documents.V3(path).has_value()) << path;
  }
}

// Every "$ref" below `value`.
void CollectReferences(const Value& value, std::set<std::string, std::less<>>* references) {
  for (const Value& element : value.elements()) CollectReferences(element, references);
  for (const Member& member : value.members()) {
    if (member.name == "$ref" && member.value.IsString()) {
      references->insert(std::string(member.value.AsString()));
    } else {
      CollectReferences(member.value, references);
    }
  }
}

ResourceInfo CustomRow(std::string_view schema) {
  ResourceInfo row;
  row.custom = true;
  row.schema = schema;
  row.group = "example.com";
  row.version = "v1";
  row.resource = "foos";
  row.singular = "foo";
  row.kind = "Foo";
  row.namespaced = true;
  row.verbs = 0xff;
  return row;
}

TEST(OpenApiDocuments, ACustomResourceHasADocumentWhoseReferencesResolve) {
  const ResourceInfo row =
      CustomRow(R"({"type":"object","required":["spec"],"properties":{"spec":{"type":"object",)"
                R"("properties":{"size":{"type":"integer"}}}}})");
  const ResourceInfo* custom[] = {&row};
  const OpenApiDocuments documents(DiscoveryRows(Catalog::BuiltIn(), custom));
  EXPECT_THAT(documents.V3Index(), HasSubstr("\"apis/example.com/v1\""));
  const std::optional<OpenApiDocument> document = documents.V3("apis/example.com/v1");
  ASSERT_TRUE(document.has_value());
  const json::Document parsed = Parse(document->body);
  const Value* schemas = parsed.root.Find({"components", "schemas"});
  ASSERT_NE(schemas, nullptr);
  std::set<std::string, std::less<>> references;
  CollectReferences(parsed.root, &references);
  EXPECT_GT(references.size(), 5u);
  for (const std::string_view reference : references) {
    EXPECT_NE(schemas->Find(reference.substr(reference.rfind('/') + 1)), nullptr) << reference;
  }
  EXPECT_EQ(schemas->FindString(
                {"com.example.v1.Foo", "properties", "spec", "properties", "size", "type"}),
            "integer");
  // No protobuf and no strategic merge for custom resources.
  EXPECT_THAT(document->body, testing::Not(HasSubstr("protobuf")));
  EXPECT_THAT(document->body, testing::Not(HasSubstr("strategic")));
  EXPECT_THAT(documents.V2Json().body, HasSubstr("com.example.v1.FooList"));
  EXPECT_NE(documents.V2Json().etag, BuiltInDocuments().V2Json().etag);
}

TEST(OpenApiDocuments, KwoksKindsAreDefinedOnceByTheirSchemas) {
  const OpenApiDocuments documents(DiscoveryRows(Catalog::BuiltIn(), {}));
  const std::string body = documents.V3("apis/kwok.x-k8s.io/v1alpha1")->body;
  std::vector<std::string> twice;
  const auto parsed = json::Parse(body, &twice);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_THAT(twice, testing::IsEmpty());
  // kubectl explain looks for a kind by this.
  for (const Member& schema : parsed->root.Find({"components", "schemas"})->members()) {
    if (!schema.name.starts_with("io.x-k8s.kwok.")) continue;
    EXPECT_NE(schema.value.Find("x-kubernetes-group-version-kind"), nullptr) << schema.name;
  }
  const std::string all = documents.V2Json().body;
  ASSERT_TRUE(json::Parse(all, &twice).has_value());
  EXPECT_THAT(twice, testing::IsEmpty());
}

TEST(OpenApiDocuments, ACustomResourceWithABrokenSchemaStillHasADocument) {
  for (const std::string_view schema : {"", "{", "[]", "null", R"({"properties":7})"}) {
    const ResourceInfo row = CustomRow(schema);
    const ResourceInfo* custom[] = {&row};
    const OpenApiDocuments documents(DiscoveryRows(Catalog::BuiltIn(), custom));
    const json::Document parsed = Parse(documents.V3("apis/example.com/v1")->body);
    EXPECT_EQ(parsed.root.FindString({"components", "schemas", "com.example.v1.Foo", "type"}),
              "object");
  }
}

// A field of a protobuf message that is of length-delimited type or a varint.
struct WireField {
  uint64_t number = 0;
  std::string_view bytes;
};

bool ReadVarint(std::string_view* rest, uint64_t* value) {
  *value = 0;
  for (int shift = 0; shift < 64 && !rest->empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(rest->front());
    rest->remove_prefix(1);
    *value |= uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

std::vector<WireField> ReadMessage(std::string_view rest) {
  std::vector<WireField> fields;
  while (!rest.empty()) {
    uint64_t tag = 0;
    uint64_t value = 0;
    EXPECT_TRUE(ReadVarint(&rest, &tag) && ReadVarint(&rest, &value));
    EXPECT_TRUE((tag & 7) == 0 || (tag & 7) == 2);
    EXPECT_LE(value, rest.size());
    if ((tag & 7) != 2) {
      fields.push_back({tag >> 3, {}});
      continue;
    }
    if (value > rest.size()) return fields;
    fields.push_back({tag >> 3, rest.substr(0, value)});
    rest.remove_prefix(value);
  }
  return fields;
}

// Names of the Named… messages that are field `number` of a message.
std::set<std::string_view> NamesIn(std::string_view message, uint64_t number) {
  std::set<std::string_view> names;
  for (const WireField& field : ReadMessage(message)) {
    if (field.number != number) continue;
    const std::vector<WireField> named = ReadMessage(field.bytes);
    if (!named.empty() && named[0].number == 1) names.insert(named[0].bytes);
  }
  return names;
}

TEST(OpenApiDocuments, TheProtobufFormHoldsAllPathsAndDefinitions) {
  const OpenApiDocuments documents = BuiltInDocuments();
  const OpenApiDocument text = documents.V2Json();
  const OpenApiDocument binary = documents.V2Protobuf();
  EXPECT_EQ(binary.etag, text.etag);
  const json::Document parsed = Parse(text.body);
  size_t parts = 0;
  for (const WireField& field : ReadMessage(binary.body)) {
    if (field.number == 1) {
      EXPECT_EQ(field.bytes, "2.0");
    }
    const auto expect_members = [&](std::string_view name, uint64_t number) {
      ++parts;
      const std::set<std::string_view> names = NamesIn(field.bytes, number);
      const Value* object = parsed.root.Find(name);
      ASSERT_NE(object, nullptr);
      EXPECT_EQ(names.size(), object->size());
      for (const Member& member : object->members()) {
        EXPECT_TRUE(names.contains(member.name)) << member.name;
      }
    };
    if (field.number == 8) expect_members("paths", 2);
    if (field.number == 9) expect_members("definitions", 1);
    if (field.number == 10) expect_members("parameters", 1);
    if (field.number == 13) expect_members("securityDefinitions", 1);
  }
  EXPECT_EQ(parts, 4u);
}

}  // namespace
}  // namespace kulisse::apiserver
