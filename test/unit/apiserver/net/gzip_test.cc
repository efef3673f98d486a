#include "apiserver/net/gzip.h"

#include <gtest/gtest.h>

#include "test/unit/apiserver/net/net_support.h"

namespace kulisse::apiserver::net {
namespace {

TEST(GzipTest, ReadsAcceptEncoding) {
  struct Row {
    std::string_view header;
    bool want;
  };
  constexpr Row kRows[] = {
      {"", false},
      {"gzip", true},
      {"deflate, gzip, br", true},
      {"GZIP", true},
      {"gzip;q=0.5", true},
      {"gzip;q=0", false},
      {"gzip ; q=0.000", false},
      {"gzip;q=1.0", true},
      {"x-gzip", false},
      {"identity", false},
      {"*", false},
  };
  for (const Row& row : kRows) EXPECT_EQ(AcceptsGzip(row.header), row.want) << row.header;
}

TEST(GzipTest, JoinsPiecesToOneStream) {
  Gzip gzip;
  std::string out;
  std::string want;
  for (int i = 0; i < 100; ++i) {
    const std::string piece(static_cast<size_t>(i) * 1'000, static_cast<char>('a' + i % 26));
    want += piece;
    gzip.Append(piece, i % 10 == 0 ? Gzip::Flush::kSync : Gzip::Flush::kNone, &out);
  }
  gzip.Append("", Gzip::Flush::kFinish, &out);
  EXPECT_EQ(Gunzip(out), want);
}

}  // namespace
}  // namespace kulisse::apiserver::net
