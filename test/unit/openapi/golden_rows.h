// Rows of test/golden/forms/*.jsonl: each line is a JSON array of strings, inputs first and the
// answer of the upstream Go library last.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "base/json/parse.h"

namespace kulisse {

inline std::vector<std::vector<std::string>> GoldenRows(const std::string& name) {
  std::ifstream file(std::string(KULISSE_SOURCE_DIR) + "/test/golden/forms/" + name);
  EXPECT_TRUE(file.is_open()) << name;
  std::vector<std::vector<std::string>> rows;
  for (std::string line; std::getline(file, line);) {
    const auto document = json::Parse(line);
    EXPECT_TRUE(document.has_value()) << line;
    if (!document) continue;
    auto& row = rows.emplace_back();
    for (const json::Value& cell : document->root.elements()) row.emplace_back(cell.AsString());
  }
  EXPECT_FALSE(rows.empty()) << name;
  return rows;
}

}  // namespace kulisse
