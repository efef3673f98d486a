#include "apiserver/discovery/discovery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/json/parse.h"

namespace kulisse::apiserver {
namespace {

using openapi::Catalog;
using openapi::ResourceInfo;
using openapi::SubresourceInfo;
using openapi::Verb;
using testing::HasSubstr;

// What a default kube-apiserver serves: the catalog without what is custom or aggregated.
std::vector<const ResourceInfo*> BuiltIn() {
  std::vector<const ResourceInfo*> rows = DiscoveryRows(Catalog::BuiltIn());
  std::erase_if(rows, [](const ResourceInfo* row) { return row->custom || row->aggregated; });
  return rows;
}

// SHA-512 of what a kube-apiserver 1.36.3 with default flags answers (compact JSON).
struct RecordedDocument {
  std::string_view path;
  std::string_view sha512;
};
constexpr RecordedDocument kRecorded[] = {
    {"/apis",
     "9B0263F9A6DD1F3BC05DB00A2ACC5D5740A87DDA58BE217A143C7CD8CA68DD88"
     "138AB81923551EDE13B529E7BD0900EB9A17B06245B81EC2732FE9762C972A9D"},
    {"/apis/apiregistration.k8s.io/v1",
     "4ABFDEE19174AB5449008AADFF09F3F7B7A11DCA5644C5EE301675A267003AA2"
     "250383018081001C80B171276B5297C027F93258FB811C4BFB8A044F1AABF7D1"},
    {"/apis/apps/v1",
     "41C96756C0E41BBFAAB038CB5FD43FDBF0B1900B197F9C273BF930B8F787D7D4"
     "9EBBCD7E3853253E5943BB165A12F4CBD029A3B76A79841294A64FCE2B3B17EF"},
    {"/apis/events.k8s.io/v1",
     "1EC43C881FA8E9628879CEFE2B02A2ACF4C49379B370F5180389F0C41843A919"
     "5A1466FE3C26B6707AB65B61397EB22C7D8BAA5EB8822783BEFF656163AD14BD"},
    {"/apis/authentication.k8s.io/v1",
     "244F447C6307DBAA6EB10DD12F72143F30BB2B7C1DBB077BA7285FCE3364B8CA"
     "56B9AD5195B9F0064EEF01CDACCBD1900193FAEBA9BADEA0088967AC0B3F97B2"},
    {"/apis/authorization.k8s.io/v1",
     "6859DD27F9DE4011C82F3793CCCC2A954BC6C1796A8279EE4A0673946F916509"
     "7A8EC00A473161C2EDE18FEDC07758B684430BA4F112C9750C3C95371DE71C18"},
    {"/apis/autoscaling/v2",
     "C791785A17DFC5E963D88FA0F898A76D46B28ABE0F3447183F242B4156B724A4"
     "BF7E133266A7E2BB7BF4E9A9C4A46DDE8C214F50C9F5B59F13151521A4452D75"},
    {"/apis/autoscaling/v1",
     "C9A64DF08E9A9A6123F467B0648356B1C2E7B37F7BAB0C92B0EC233982A09BCB"
     "D9CF67FD9199DA16C34B625C75F173CE7CBB8603CDAE6D10BC0CC1568F2A3D8B"},
    {"/apis/batch/v1",
     "53D36DADFEF83FE2398CB9D0F4D1EA3565B215DC49AE8A7D614180537CC066BF"
     "3DBB06155C3447117373AD40F18537C0503A193B3B3E49F15217613FB60DB4C6"},
    {"/apis/certificates.k8s.io/v1",
     "19A961D720A9B75A4AEA78E8C8B337C0C48E6DCF83F40E88BB8ADF6BF9272F61"
     "EC16BC654356750199A0E4254FF47F0A8276D6834D4C949EAB7474C25AF26158"},
    {"/apis/networking.k8s.io/v1",
     "07180A8F9CB4A03336112424C34C1F52F3D8A82D5AE733A5369121F45F57E483"
     "1D32574E6C30493E79E6C0746F2CFAA32292720194AFA8327D0A4A3C91F5FEEA"},
    {"/apis/policy/v1",
     "DD46261D552B3F81DC01E61D99ADB4D2C73F9066C8376AFB87BE016180D6A07A"
     "6ECBF10E562B0C5477385C9EE09E1F3884D1A701B5B706B6BC4649BCBBACA90D"},
    {"/apis/rbac.authorization.k8s.io/v1",
     "6920500DA333E97F24A5CAAB9835AB13FEDA6D45B465FC1FCA6ABE1CFE2951C8"
     "3F7B1DD0C557FDC187B03F2B0F3099ABA97C0A03238936213C579AA1B1400790"},
    {"/apis/storage.k8s.io/v1",
     "DBC599CACBCB705745ED2422ACA6DCE9DF17C3604E7DE4CFDA63C83EC4A9D0A7"
     "B47EC7C09DD74AE7E2679F90E0A2E3EC855C9492DB466D3B84F04C564D033DCF"},
    {"/apis/admissionregistration.k8s.io/v1",
     "F7504FF25AB3ADF6C73C4131BE257D5D89377C05283888A9257A470F6A6EF984"
     "6A61BBA6CEE7F814347E978F0A28DAF09F15CC56D009EA671F4EA9531A98FDE7"},
    {"/apis/apiextensions.k8s.io/v1",
     "11143C122BEAF898D8D78C8580011979118D0F83B079E13A3568720986E33145"
     "4219A9F7DE5B35D7E970B111AD4FCCCFE3D37C107CC42DA6D41F1240F117ABD5"},
    {"/apis/scheduling.k8s.io/v1",
     "6E474E2E24B8D26CB2CE1FDBC94B67D04582CCAC70296C556EA3629512EBEB45"
     "B1A5CB83DB1D592B13BFEE77C2652F817203F62EEC71D950E9641D9AADE37153"},
    {"/apis/coordination.k8s.io/v1",
     "2AFC1B57BE1AE16EF16A2C345199ACA36C5ED2B0C086592D7514C423CF3D5C76"
     "7CD17A7731F795E28BFA5CC7DA35E3B72564BE6232325CB53971692FED5CB7F3"},
    {"/apis/node.k8s.io/v1",
     "4D8E48ED38408CFF7921D76278E2E5954B54CFEB064B5EA288CB75D82075F021"
     "62BA414E524ADF3890AC64CA59060F297BAB971F889E186E63F9090287422B19"},
    {"/apis/discovery.k8s.io/v1",
     "FE18C96A0F178793093DB6A9AAD815212108F0767C611D12F18D3930BA330FD6"
     "87636BFF04CF4FD9C72647F9A31720A35495EB6D8CE6BA0BEF5367CF8EE63E35"},
    {"/apis/resource.k8s.io/v1",
     "6C0072DC2728A8F6F5088CFADA6030969A1084BEAB7C4C97AE01520BCBED35E0"
     "89C77DB307B5723B05DA1BF4E5B46D62E63D41273E0B40E857F4E82B97F9B1BD"},
    {"/apis/flowcontrol.apiserver.k8s.io/v1",
     "D9E5DE384C8D4342E8CCF027B7E2CE7478596A7DEC0E659AC5842C62B2D23CCE"
     "98C51E49BBDD17AD1FEBD84E383525387F3AE0EEF8C7817BD1EA58FDC9FBAB81"},
    {"/api/v1",
     "F8C87C60054FA9680352E04C3CF25A87FB2954716CA73983302B7F289F568BDB"
     "4840336FFC392DC37A872103CFBC9D373CAD323ACCDDF07B062979390C99A071"},
    {"/apis/autoscaling",
     "A51C0E185CF329DA64EEC279491D58C9EC5C108A0112C8D46C82F89FF515F09C"
     "169CDEC9164869F61BAA94C4A16ECA8D3E4838D213E88B17358CAA15D46817A9"},
    {"/apis/apps",
     "90A434CF0A2A79710215619441E1E02F22AFFD875BF5B910B13EEC914C833246"
     "A744B38CA59704DA347B1291D3B247AED3A03C3864624DB3D16520989449EA72"},
};

std::string Document(std::string_view path) {
  const std::vector<const ResourceInfo*> rows = BuiltIn();
  if (path == "/apis") return ApiGroupList(rows);
  if (path == "/api/v1") return ApiResourceList(rows, "", "v1").value_or("");
  std::string_view rest = path.substr(std::string_view("/apis/").size());
  const size_t slash = rest.find('/');
  if (slash == rest.npos) return ApiGroup(rows, rest).value_or("");
  return ApiResourceList(rows, rest.substr(0, slash), rest.substr(slash + 1)).value_or("");
}

TEST(Discovery, EveryDocumentEqualsARealServersByteForByte) {
  for (const RecordedDocument& recorded : kRecorded) {
    const std::string document = Document(recorded.path);
    EXPECT_EQ(ETagOf(document), "\"" + std::string(recorded.sha512) + "\"")
        << recorded.path << " " << document;
  }
}

TEST(Discovery, AggregatedDocumentsHaveARealServersETag) {
  EXPECT_EQ(AggregatedApi(BuiltIn()).etag,
            "\"4D7E1BED90B364BC86049DD9E636494980AEF65B7F8CFAA267616FA062B514A8"
            "A3CC2C2851CC9337B8D28B4C80960E2353DE5E0B152E87CC223E02EA3C5C37AC\"");
  EXPECT_EQ(AggregatedApis(BuiltIn()).etag,
            "\"A74552DF419C4697E3A22F67B8FE55FD8F2CC33F6134FF206B16341598294CDE"
            "9896C7F67B2819217E6BB70E74F97FCC864DDFCDB02FDA565699CC7D6E3CC377\"");
  EXPECT_THAT(AggregatedApi(BuiltIn()).body,
              testing::StartsWith(R"({"kind":"APIGroupDiscoveryList","apiVersion":)"
                                  R"("apidiscovery.k8s.io/v2","metadata":{},"items":[{)"));
}

TEST(Discovery, UnknownGroupsAndVersionsHaveNoDocument) {
  EXPECT_FALSE(ApiGroup(BuiltIn(), "extensions").has_value());
  EXPECT_FALSE(ApiGroup(BuiltIn(), "").has_value());
  EXPECT_FALSE(ApiResourceList(BuiltIn(), "apps", "v2").has_value());
  EXPECT_FALSE(ApiResourceList(BuiltIn(), "", "v2").has_value());
}

TEST(Discovery, ApiTellsTheServersAddress) {
  EXPECT_EQ(ApiVersions("192.0.2.2:21443"),
            R"({"kind":"APIVersions","versions":["v1"],"serverAddressByClientCIDRs":)"
            R"([{"clientCIDR":"0.0.0.0/0","serverAddress":"192.0.2.2:21443"}]})"
            "\n");
}

ResourceInfo CustomRow(std::string_view group, std::string_view version) {
  ResourceInfo row;
  row.group = group;
  row.version = version;
  row.resource = "foos";
  row.singular = "foo";
  row.kind = "Foo";
  row.namespaced = true;
  row.verbs = 0xff;
  row.short_names = {"fo"};
  row.categories = {"all"};
  row.custom = true;
  return row;
}

// Recorded from a kube-apiserver 1.36.3.
TEST(Discovery, ACustomResourceLooksAsOnARealServer) {
  ResourceInfo v1 = CustomRow("example.com", "v1");
  v1.storage_version_hash = "4XyhoHMtUhg=";
  const uint16_t read_write = 1 << static_cast<int>(Verb::kGet) |
                              1 << static_cast<int>(Verb::kPatch) |
                              1 << static_cast<int>(Verb::kUpdate);
  SubresourceInfo status;
  status.name = "status";
  status.kind = "Foo";
  status.verbs = read_write;
  SubresourceInfo scale;
  scale.name = "scale";
  scale.kind = "Scale";
  scale.group = "autoscaling";
  scale.version = "v1";
  scale.verbs = read_write;
  v1.subresources = {status, scale};
  const ResourceInfo beta = CustomRow("example.com", "v2beta1");
  const ResourceInfo* custom[] = {&beta, &v1};
  const std::vector<const ResourceInfo*> rows = DiscoveryRows(Catalog::BuiltIn(), custom);
  EXPECT_EQ(
      ApiResourceList(rows, "example.com", "v1").value_or(""),
      R"({"kind":"APIResourceList","apiVersion":"v1","groupVersion":"example.com/v1","resources":[)"
      R"({"name":"foos","singularName":"foo","namespaced":true,"kind":"Foo","verbs":["delete",)"
      R"("deletecollection","get","list","patch","create","update","watch"],"shortNames":["fo"],)"
      R"("categories":["all"],"storageVersionHash":"4XyhoHMtUhg="},{"name":"foos/status",)"
      R"("singularName":"","namespaced":true,"kind":"Foo","verbs":["get","patch","update"]},)"
      R"({"name":"foos/scale","singularName":"","namespaced":true,"group":"autoscaling",)"
      R"("version":"v1","kind":"Scale","verbs":["get","patch","update"]}]})"
      "\n");
  EXPECT_EQ(ApiGroup(rows, "example.com").value_or(""),
            R"({"kind":"APIGroup","apiVersion":"v1","name":"example.com","versions":[)"
            R"({"groupVersion":"example.com/v1","version":"v1"},)"
            R"({"groupVersion":"example.com/v2beta1","version":"v2beta1"}],)"
            R"("preferredVersion":{"groupVersion":"example.com/v1","version":"v1"}})"
            "\n");
  const std::string group =
      R"({"metadata":{"name":"example.com"},"versions":[{"version":"v1","resources":[)"
      R"({"resource":"foos","responseKind":{"group":"example.com","version":"v1","kind":"Foo"},)"
      R"("scope":"Namespaced","singularResource":"foo","verbs":["delete","deletecollection","get",)"
      R"("list","patch","create","update","watch"],"shortNames":["fo"],"categories":["all"],)"
      R"("subresources":[{"subresource":"status","responseKind":{"group":"example.com",)"
      R"("version":"v1","kind":"Foo"},"verbs":["get","patch","update"]},{"subresource":"scale",)"
      R"("responseKind":{"group":"autoscaling","version":"v1","kind":"Scale"},)"
      R"("verbs":["get","patch","update"]}]}],"freshness":"Current"},{"version":"v2beta1",)";
  EXPECT_THAT(AggregatedApis(rows).body, HasSubstr(group));
  EXPECT_NE(AggregatedApis(rows).etag, AggregatedApis(BuiltIn()).etag);
  EXPECT_EQ(AggregatedApi(rows).etag, AggregatedApi(BuiltIn()).etag);
}

TEST(Discovery, CustomGroupsComeAfterTheBuiltInOnesAndVersionsStayWithTheirGroup) {
  const ResourceInfo z = CustomRow("z.example.com", "v1");
  const ResourceInfo a = CustomRow("a.example.com", "v1");
  const ResourceInfo apps = CustomRow("apps", "v9");
  const ResourceInfo last = CustomRow("flowcontrol.apiserver.k8s.io", "v9");
  const ResourceInfo* custom[] = {&z, &last, &apps, &a};
  const std::vector<const ResourceInfo*> rows = DiscoveryRows(Catalog::BuiltIn(), custom);
  EXPECT_EQ(rows.size(), Catalog::BuiltIn().resources().size() + 4);
  const auto first = std::ranges::find(rows, &a);
  ASSERT_NE(first, rows.end());
  EXPECT_EQ(*(first - 1), &last);
  EXPECT_EQ((*(first + 1))->group, "kwok.x-k8s.io");
  EXPECT_EQ(rows.back()->group, "metrics.k8s.io");  // the aggregated ones are last
  EXPECT_EQ(*(rows.end() - 3), &z);
  const auto found = std::ranges::find(rows, &apps);
  ASSERT_NE(found, rows.end());
  EXPECT_EQ((*(found - 1))->group, "apps");
  EXPECT_EQ((*(found + 1))->group, "events.k8s.io");
}

TEST(Discovery, VersionsArePreferredAsInKubernetes) {
  const std::vector<std::string_view> order = {"v10",      "v2",      "v1",        "v11beta2",
                                               "v10beta3", "v3beta1", "v12alpha1", "v11alpha2",
                                               "foo1",     "foo10"};
  for (size_t i = 0; i < order.size(); ++i) {
    for (size_t j = 0; j < order.size(); ++j) {
      EXPECT_EQ(IsPreferredVersion(order[i], order[j]), i < j) << order[i] << " " << order[j];
    }
  }
}

TEST(Discovery, StorageVersionHashesAreThoseOfARealServer) {
  size_t compared = 0;
  for (const ResourceInfo& row : Catalog::BuiltIn().resources()) {
    if (row.storage_version_hash.empty() || row.storage != &row) continue;
    // A real server still stores these in v1beta1.
    if (row.kind == "CustomResourceDefinition" || row.kind.starts_with("MutatingAdmission"))
      continue;
    ++compared;
    EXPECT_EQ(StorageVersionHash(row.group, row.version, row.kind), row.storage_version_hash)
        << row.resource;
  }
  EXPECT_GT(compared, 50u);
  EXPECT_EQ(StorageVersionHash("example.com", "v1", "Foo"), "4XyhoHMtUhg=");
}

TEST(Discovery, VersionAndRootPathsAreIndentedJson) {
  EXPECT_THAT(VersionInfo(), testing::StartsWith("{\n  \"major\": \"1\",\n  \"minor\": \"36\""));
  const std::string_view other[] = {"/version", "/healthz"};
  const std::string root = RootPaths(BuiltIn(), other);
  const auto document = json::Parse(root);
  ASSERT_TRUE(document.has_value());
  const json::Value* paths = document->root.Find("paths");
  ASSERT_NE(paths, nullptr);
  EXPECT_EQ(paths->size(), 47u);
  EXPECT_TRUE(std::ranges::is_sorted(paths->elements(), {}, &json::Value::AsString));
  EXPECT_THAT(root, HasSubstr("    \"/apis/apps/v1\",\n"));
}

}  // namespace
}  // namespace kulisse::apiserver
