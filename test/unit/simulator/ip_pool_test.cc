#include "simulator/kubelet/ip_pool.h"

#include <gtest/gtest.h>

#include "simulator/kubelet/node_cidrs.h"

namespace kulisse::simulator {
namespace {

TEST(IpPoolTest, BeginsBehindTheAddressAsWrittenAndStaysWithinTheCidr) {
  auto pool = IpPool::Parse("10.0.0.4/29");
  ASSERT_TRUE(pool.has_value());
  EXPECT_EQ(pool->Take(), "10.0.0.5");
  EXPECT_EQ(pool->Take(), "10.0.0.6");
  EXPECT_EQ(pool->Take(), std::nullopt);  // 10.0.0.7 is the broadcast address
}

TEST(IpPoolTest, GivesFreedAddressesLast) {
  auto pool = IpPool::Parse("10.0.0.0/29");
  EXPECT_EQ(pool->Take(), "10.0.0.1");
  EXPECT_EQ(pool->Take(), "10.0.0.2");
  pool->Release("10.0.0.1");
  pool->Release("10.0.0.1");
  EXPECT_EQ(pool->Take(), "10.0.0.3");
  EXPECT_EQ(pool->used(), 2);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(pool->Take().has_value());
  EXPECT_EQ(pool->Take(), "10.0.0.1");
  EXPECT_EQ(pool->Take(), std::nullopt);
}

TEST(IpPoolTest, PassesOverAddressesInUseAndForeignOnes) {
  auto pool = IpPool::Parse("10.0.0.0/24");
  pool->MarkUsed("10.0.0.1");
  pool->MarkUsed("10.0.1.1");
  pool->MarkUsed("fd00::1");
  pool->MarkUsed("no address");
  EXPECT_EQ(pool->used(), 1);
  EXPECT_EQ(pool->Take(), "10.0.0.2");
}

TEST(IpPoolTest, KnowsIpv6) {
  auto pool = IpPool::Parse("fd00::/64");
  EXPECT_EQ(pool->Take(), "fd00::1");
  EXPECT_TRUE(pool->Contains("fd00::2"));
  EXPECT_FALSE(pool->Contains("fd00:0:0:1::2"));
}

TEST(IpPoolTest, RefusesWhatIsNoCidr) {
  for (const std::string_view text :
       {"", "10.0.0.0", "10.0.0.0/33", "10.0.0/24", "x/8", "10.0.0.1/32", "10.0.0.0/-1"}) {
    EXPECT_FALSE(IpPool::Parse(text).has_value()) << text;
  }
}

TEST(AddIpTest, CarriesAndEndsAtTheLastAddress) {
  EXPECT_EQ(AddIp("192.0.2.255", 1), "192.0.3.0");
  EXPECT_EQ(AddIp("255.255.255.255", 1), std::nullopt);
  EXPECT_EQ(AddIp("2001:db8::ffff", 1), "2001:db8::1:0");
  EXPECT_EQ(AddIp("x", 1), std::nullopt);
}

TEST(AddCidrTest, GoesOnByBlocksAndEndsAtTheLastOne) {
  EXPECT_EQ(AddCidr("10.0.0.0/24", 0), "10.0.0.0/24");
  EXPECT_EQ(AddCidr("10.0.0.7/24", 257), "10.1.1.0/24");
  EXPECT_EQ(AddCidr("fd00::/64", 3), "fd00:0:0:3::/64");
  EXPECT_EQ(AddCidr("10.0.0.1/32", 1), "10.0.0.2/32");
  EXPECT_EQ(AddCidr("0.0.0.0/0", 0), "0.0.0.0/0");
  EXPECT_EQ(AddCidr("::/0", 0), "::/0");
  for (const char* none : {"255.255.255.0/24", "0.0.0.0/0", "::/0", "ffff::/16", "10.0.0.0", "x/8",
                           "10.0.0.0/33", "10.0.0.0/x"}) {
    EXPECT_EQ(AddCidr(none, 1), std::nullopt) << none;
  }
}

TEST(NodeCidrsTest, GivesEachNodeABlockOfItsOwn) {
  NodeCidrs cidrs;
  cidrs.MarkUsed("10.244.1.0/24");
  cidrs.MarkUsed("192.168.0.0/24");  // not one of ours
  EXPECT_EQ(cidrs.Take(), "10.244.0.0/24");
  EXPECT_EQ(cidrs.Take(), "10.244.2.0/24");
}

TEST(NodeCidrsTest, BlocksAndIndicesAreInverse) {
  for (size_t i = 0; i < NodeCidrs::kNodeCidrsMax; i += 37) {
    ASSERT_EQ(NodeCidrs::IndexOf(NodeCidrs::Block(i)), i);
  }
  EXPECT_EQ(NodeCidrs::IndexOf("10.96.0.0/24"), std::nullopt);  // services
}

}  // namespace
}  // namespace kulisse::simulator
