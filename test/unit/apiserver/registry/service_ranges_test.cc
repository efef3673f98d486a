// Goal: ranges of addresses and ports are read, divided and used up as kube-apiserver does it.
// Method: tables with upstream's numbers (ipallocator_test.go, portallocator:
// calculateRangeOffset), and a whole range of ports taken and given back.
#include <gtest/gtest.h>

#include <set>

#include "apiserver/registry/service/ip_range.h"
#include "apiserver/registry/service/port_allocator.h"
#include "base/virtual_runtime.h"

namespace kulisse::apiserver {
namespace {

TEST(IpRangeTest, KnowsWhatItGivesOut) {
  struct Row {
    std::string_view text, printed, first;
    uint64_t size, static_size;
  };
  constexpr Row kRows[] = {
      {"10.96.0.0/16", "10.96.0.0/16", "10.96.0.1", 65534, 256},
      {"10.96.0.7/12", "10.96.0.0/12", "10.96.0.1", 1048574, 256},
      {"192.168.1.0/24", "192.168.1.0/24", "192.168.1.1", 254, 16},
      {"192.168.0.0/20", "192.168.0.0/20", "192.168.0.1", 4094, 256},
      {"192.168.1.0/28", "192.168.1.0/28", "192.168.1.1", 14, 0},
      {"192.168.1.0/30", "192.168.1.0/30", "192.168.1.1", 2, 0},
      {"192.168.1.0/31", "192.168.1.0/31", "192.168.1.1", 0, 0},
      {"192.168.1.1/32", "192.168.1.1/32", "192.168.1.2", 0, 0},
      {"fd00::/112", "fd00::/112", "fd00::1", 65535, 256},
      {"fd00:10:96::/64", "fd00:10:96::/64", "fd00:10:96::1", UINT64_MAX, 256},
  };
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.text);
    const auto range = IpRange::Parse(row.text);
    ASSERT_TRUE(range.has_value());
    EXPECT_EQ(range->ToString(), row.printed);
    EXPECT_EQ(range->first().ToString(), row.first);
    EXPECT_EQ(range->size(), row.size);
    EXPECT_EQ(range->static_size(), row.static_size);
  }
  for (const std::string_view text :
       {"", "10.0.0.0", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/x", "x/8", "fd00::/63",
        "fd00::/129", "0.0.0.0/", "1.2.3.4/8/9"}) {
    EXPECT_FALSE(IpRange::Parse(text).has_value()) << text;
  }
}

TEST(IpRangeTest, GivesOutNeitherEndOfANetwork) {
  const auto range = *IpRange::Parse("10.96.0.0/24");
  const auto in = [&](std::string_view text) { return range.Allocates(*IpAddress::Parse(text)); };
  EXPECT_FALSE(in("10.96.0.0"));
  EXPECT_TRUE(in("10.96.0.1"));
  EXPECT_TRUE(in("10.96.0.254"));
  EXPECT_FALSE(in("10.96.0.255"));
  EXPECT_FALSE(in("10.96.1.1"));
  EXPECT_FALSE(in("10.95.255.255"));
  EXPECT_FALSE(in("::10.96.0.1"));
  EXPECT_TRUE(IpRange::Parse("fd00::/112")->Allocates(*IpAddress::Parse("fd00::ffff")));
  EXPECT_FALSE(IpRange::Parse("fd00::/112")->Allocates(*IpAddress::Parse("fd00::1:0")));
}

TEST(IpRangeTest, SaysWhatIsWrongWithAnAddress) {
  EXPECT_EQ(CheckIpAddress("10.0.0.1"), "");
  EXPECT_EQ(CheckIpAddress("2001:db8::1"), "");
  EXPECT_EQ(CheckIpAddress("010.0.0.1"), "must not have leading 0s");
  EXPECT_EQ(CheckIpAddress("::ffff:10.0.0.1"), "must not be an IPv4-mapped IPv6 address");
  for (const std::string_view text :
       {"", "10.0.0", "10.0.0.256", "a", "1.2.3.4.5", "fe80::1%eth0"}) {
    EXPECT_EQ(CheckIpAddress(text), "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")
        << text;
  }
}

TEST(PortRangeTest, ReadsTheThreeForms) {
  EXPECT_EQ(PortRange::Parse("30000-32767"), (PortRange{30000, 2768}));
  EXPECT_EQ(PortRange::Parse("30000+9"), (PortRange{30000, 10}));
  EXPECT_EQ(PortRange::Parse("65530+90"), (PortRange{65530, 6}));
  EXPECT_EQ(PortRange::Parse("30000"), (PortRange{30000, 1}));
  for (const std::string_view text : {"", "-", "a-b", "2-1", "1-65536", "65536", "1+", "-1",
                                      "9223372036854775807+9223372036854775807"}) {
    EXPECT_FALSE(PortRange::Parse(text).has_value()) << text;
  }
  EXPECT_EQ((PortRange{30000, 2768}).static_size(), 86);
  EXPECT_EQ((PortRange{30000, 16}).static_size(), 0);
  EXPECT_EQ((PortRange{30000, 100}).static_size(), 16);
  EXPECT_EQ((PortRange{1, 65535}).static_size(), 128);
}

TEST(PortAllocatorTest, UsesTheUpperPartFirstAndEveryPortOnce) {
  VirtualRuntime runtime(7);
  PortAllocator ports({30000, 100}, runtime);
  std::set<int64_t> given;
  for (int i = 0; i < 100; ++i) {
    const auto port = ports.AllocateNext();
    ASSERT_TRUE(port.has_value());
    EXPECT_EQ(*port >= 30016, i < 84) << i;
    EXPECT_TRUE(given.insert(*port).second);
  }
  EXPECT_EQ(ports.AllocateNext().error(), "range is full");
  ports.Release(30050);
  ports.Release(1);
  EXPECT_EQ(ports.AllocateNext(), 30050);
}

TEST(PortOperationTest, IsUndoneUnlessKept) {
  VirtualRuntime runtime(7);
  PortAllocator ports({30000, 100}, runtime);
  {
    PortOperation operation(ports, false);
    EXPECT_TRUE(operation.Allocate(30001));
    EXPECT_EQ(operation.Allocate(30001).error(), "provided port is already allocated");
    EXPECT_TRUE(ports.Has(30001));
  }
  EXPECT_FALSE(ports.Has(30001));
  {
    PortOperation operation(ports, false);
    EXPECT_TRUE(operation.Allocate(30002));
    operation.Keep();
  }
  EXPECT_TRUE(ports.Has(30002));
  {
    PortOperation operation(ports, true);
    EXPECT_EQ(operation.Allocate(30002).error(), "provided port is already allocated");
    EXPECT_TRUE(operation.Allocate(30003));
    EXPECT_EQ(operation.AllocateNext(), 30004);
    operation.ReleaseLater(30002);
    operation.Keep();
  }
  EXPECT_TRUE(ports.Has(30002));
  EXPECT_FALSE(ports.Has(30003));
}

}  // namespace
}  // namespace kulisse::apiserver
