#include "openapi/table.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "base/text.h"
#include "openapi/facts.h"
#include "openapi/table/cells.h"

namespace kulisse::openapi {

namespace {

using ResourceKey = std::pair<std::string_view, std::string_view>;  // group, resource

struct Tables {
  std::map<ResourceKey, std::vector<TableColumn>> columns;
  std::map<ResourceKey, const table::Printer*> printers;
  std::vector<TableColumn> fallback = {{"Name", "string", "name", 0},
                                       {"Created At", "date", "", 0}};
  std::vector<TableColumn> custom = {{"Name", "string", "name", 0}, {"Age", "date", "", 0}};
};

// "Name:string:name:0 | Age:string::0"
std::vector<TableColumn> ParseColumns(std::string_view text) {
  std::vector<TableColumn> columns;
  for (const std::string_view part : Split(text, '|')) {
    const auto fields = Split(TrimSpace(part), ':');
    if (fields.size() != 4) continue;
    columns.push_back(
        {fields[0], fields[1], fields[2], static_cast<int>(ParseInt64(fields[3]).value_or(0))});
  }
  return columns;
}

Tables LoadTables() {
  Tables tables;
  std::string_view rest = FactFile("table_columns.tsv");
  std::ignore = TakeUntil('\n', &rest);  // the heading
  while (!rest.empty()) {
    std::string_view line = TakeUntil('\n', &rest);
    const std::string_view version = TakeUntil('\t', &line);
    const std::string_view resource = TakeUntil('\t', &line);
    const size_t slash = version.find('/');
    const std::string_view group = slash == std::string_view::npos ? "" : version.substr(0, slash);
    tables.columns.try_emplace({group, resource}, ParseColumns(line));
  }
  for (const auto printers :
       {table::CorePrinters(), table::PodPrinters(), table::WorkloadPrinters(),
        table::NetworkPrinters(), table::StoragePrinters(), table::PolicyPrinters(),
        table::MetricsPrinters()}) {
    for (const table::Printer& printer : printers) {
      tables.printers[{printer.group, printer.resource}] = &printer;
    }
  }
  return tables;
}

const Tables& BuiltInTables() {
  static const Tables tables = LoadTables();
  return tables;
}

}  // namespace

std::span<const TableColumn> TableColumns(const ResourceInfo& resource) {
  if (!resource.Has(Verb::kGet) && !resource.Has(Verb::kList)) return {};
  const Tables& tables = BuiltInTables();
  if (resource.custom) return tables.custom;
  const auto it = tables.columns.find({resource.group, resource.resource});
  return it == tables.columns.end() ? tables.fallback : it->second;
}

void AppendTableCells(const ResourceInfo& resource, const json::Value& object, SystemTime now,
                      std::string* out) {
  const Tables& tables = BuiltInTables();
  table::Cells row(now, out);
  const auto it = tables.printers.find({resource.group, resource.resource});
  if (it != tables.printers.end()) {
    it->second->print(object, row);
    return;
  }
  row.Name(object);
  if (resource.custom) return row.Age(object);
  row.Text(object.FindString({"metadata", "creationTimestamp"}));
}

}  // namespace kulisse::openapi
