#include "openapi/table.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "base/json/parse.h"
#include "base/json/write.h"

namespace kulisse::openapi {
namespace {

const ResourceInfo* Resource(std::string_view api_version, std::string_view resource) {
  const size_t slash = api_version.find('/');
  const bool core = slash == std::string_view::npos;
  return Catalog::BuiltIn().Find(core ? "" : api_version.substr(0, slash),
                                 core ? api_version : api_version.substr(slash + 1), resource);
}

// Goal: the cells that a real kube-apiserver 1.36 sends. Method: test/golden/table/rows.jsonl has
// objects, the time at which a server made a Table of them, and the cells of that Table.
TEST(TableTest, CellsAreThoseOfARealServer) {
  std::ifstream file(std::string(KULISSE_SOURCE_DIR) + "/test/golden/table/rows.jsonl");
  ASSERT_TRUE(file.is_open());
  std::set<std::string> seen;
  for (std::string line; std::getline(file, line);) {
    const auto row = json::Parse(line);
    ASSERT_TRUE(row.has_value()) << line;
    const std::string_view api_version = row->root.FindString({"apiVersion"});
    const std::string_view name = row->root.FindString({"resource"});
    const json::Value* object = row->root.Find("object");
    SCOPED_TRACE(std::string(api_version) + " " + std::string(name) + " " +
                 std::string(object->FindString({"metadata", "name"})));
    const ResourceInfo* resource = Resource(api_version, name);
    ASSERT_NE(resource, nullptr);
    std::string cells;
    AppendTableCells(*resource, *object, *ParseTime(row->root.FindString({"now"})), &cells);
    EXPECT_EQ(cells, json::ToString(*row->root.Find("cells")));
    seen.insert(std::string(api_version) + " " + std::string(name));
  }
  EXPECT_GE(seen.size(), 55U);
}

TEST(TableTest, HasColumnsForWhatCanBeRead) {
  const auto names = [](std::string_view api_version, std::string_view resource) {
    std::string out;
    for (const TableColumn& column : TableColumns(*Resource(api_version, resource))) {
      out += (out.empty() ? "" : ",") + std::string(column.name) + ":" + std::string(column.type) +
             ":" + std::string(column.format) + ":" + std::to_string(column.priority);
    }
    return out;
  };
  EXPECT_EQ(names("v1", "namespaces"), "Name:string:name:0,Status:string::0,Age:string::0");
  EXPECT_EQ(names("rbac.authorization.k8s.io/v1", "roles"),
            "Name:string:name:0,Created At:date::0");
  EXPECT_EQ(names("apps/v1", "statefulsets"),
            "Name:string:name:0,Ready:string::0,Age:string::0,Containers:string::1,"
            "Images:string::1");
  EXPECT_EQ(names("authentication.k8s.io/v1", "tokenreviews"), "");
}

TEST(TableTest, HasAsManyCellsAsColumns) {
  for (const ResourceInfo& resource : Catalog::BuiltIn().resources()) {
    const auto columns = TableColumns(resource);
    if (columns.empty() || resource.resource == "ipaddresses") continue;  // one more, as upstream
    SCOPED_TRACE(std::string(resource.group) + " " + std::string(resource.resource));
    std::string cells;
    json::Document empty;
    empty.root = json::Value::Object();
    AppendTableCells(resource, empty.root, SystemTime(), &cells);
    const auto parsed = json::Parse(cells);
    ASSERT_TRUE(parsed.has_value()) << cells;
    EXPECT_EQ(parsed->root.size(), columns.size()) << cells;
  }
}

}  // namespace
}  // namespace kulisse::openapi
