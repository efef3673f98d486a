// Goal: no address is given to two pods at a time, whatever nodes and pods come and go; and a pod
// that waits for one is named when it is there. Method: rows by hand, and random steps beside a
// model that knows who has what.
#include "simulator/kubelet/pod_addresses.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/random.h"

namespace kulisse::simulator {
namespace {

using Texts = PodAddresses::Texts;

class PodAddressesTest : public testing::Test {
 protected:
  PodAddresses Make(std::string_view shared) {
    return {shared, [this](const std::string& pod) { woken_.push_back(pod); }};
  }
  // What a new pod on the node gets; the full CIDR in brackets when it gets nothing.
  static std::string Give(PodAddresses& addresses, const std::string& node) {
    PodAddresses::Taken taken;
    const auto given = addresses.Give(node, {}, &taken);
    if (!given) {
      addresses.Return(taken);
      return "[" + given.error() + "]";
    }
    std::string text;
    for (const std::string& address : *given) text += (text.empty() ? "" : " ") + address;
    return text;
  }

  Texts woken_;
};

TEST_F(PodAddressesTest, GivesOneAddressOfEachCidrOfTheNode) {
  PodAddresses addresses = Make("10.9.0.0/24,fd09::/64");
  addresses.SetCidrs("dual", {"10.1.0.0/24", "fd01::/64"});
  EXPECT_EQ(Give(addresses, "dual"), "10.1.0.1 fd01::1");
  EXPECT_EQ(Give(addresses, "none"), "10.9.0.1 fd09::1");
  PodAddresses::Taken taken;
  const auto kept = addresses.Give("dual", {"10.1.0.77"}, &taken);
  EXPECT_EQ(*kept, (Texts{"10.1.0.77", "fd01::2"}));
}

TEST_F(PodAddressesTest, NamesOneThatWaitsForEachAddressThatIsFree) {
  PodAddresses addresses = Make("");
  addresses.SetCidrs("a", {"10.1.0.0/30"});
  EXPECT_EQ(Give(addresses, "a"), "10.1.0.1");
  EXPECT_EQ(Give(addresses, "a"), "10.1.0.2");
  EXPECT_EQ(Give(addresses, "a"), "[10.1.0.0/30]");
  for (const char* pod : {"n/x", "n/y", "n/z"}) addresses.Wait("10.1.0.0/30", pod);
  addresses.Release("a", {"10.1.0.2"});
  EXPECT_EQ(woken_, Texts{"n/x"});
  addresses.StopWaiting("n/x");  // gone without having taken it: the next may
  EXPECT_EQ(woken_, (Texts{"n/x", "n/y"}));
  EXPECT_EQ(Give(addresses, "a"), "10.1.0.2");
  addresses.SetCidrs("a", {"10.2.0.0/30"});  // who waits for the old one is not forgotten
  addresses.Release("a", {"10.1.0.1"});
  EXPECT_EQ(woken_, (Texts{"n/x", "n/y", "n/z"}));
}

TEST_F(PodAddressesTest, TheNextNodeOfACidrLeavesTheAddressesOfOrphans) {
  PodAddresses addresses = Make("");
  addresses.SetCidrs("old", {"10.1.0.0/29"});
  EXPECT_EQ(Give(addresses, "old"), "10.1.0.1");
  EXPECT_EQ(Give(addresses, "old"), "10.1.0.2");
  addresses.SetCidrs("old", {});
  addresses.SetCidrs("new", {"10.1.0.0/29"});
  EXPECT_EQ(Give(addresses, "new"), "10.1.0.3");
  addresses.Release("old", {"10.1.0.1"});
  EXPECT_EQ(Give(addresses, "new"), "10.1.0.4");  // freed ones come last
}

TEST_F(PodAddressesTest, NoAddressIsEverWithTwoPods) {
  const uint64_t seed = 20'261'123;
  Random random(seed);
  SCOPED_TRACE(seed);
  PodAddresses addresses = Make("10.200.0.0/28");
  const Texts cidrs = {"10.1.0.0/29", "10.2.0.0/29", "10.3.0.0/30"};
  struct Pod {
    std::string node;
    Texts addresses;
  };
  std::vector<Pod> pods;
  std::set<std::string> used;
  size_t given_count = 0;
  for (int step = 0; step < 20'000; ++step) {
    const std::string node(1, static_cast<char>('a' + random.Next() % 4));
    const uint64_t action = random.Next() % 10;
    if (action == 0) {
      const size_t cidr = random.Next() % (cidrs.size() + 1);
      addresses.SetCidrs(node, cidr == cidrs.size() ? Texts() : Texts{cidrs[cidr]});
    } else if (action < 6) {
      PodAddresses::Taken taken;
      const auto given = addresses.Give(node, {}, &taken);
      if (!given) {
        addresses.Return(taken);
        continue;
      }
      for (const std::string& address : *given) {
        ASSERT_TRUE(used.insert(address).second) << address << " at step " << step;
      }
      pods.push_back({node, *given});
      ++given_count;
    } else if (!pods.empty()) {
      const size_t which = random.Next() % pods.size();
      for (const std::string& address : pods[which].addresses) used.erase(address);
      addresses.Release(pods[which].node, pods[which].addresses);
      pods.erase(pods.begin() + static_cast<ptrdiff_t>(which));
    }
  }
  EXPECT_GT(given_count, 1000U);
  // When all have gone all can be given again: nothing is lost.
  for (const Pod& pod : pods) addresses.Release(pod.node, pod.addresses);
  addresses.SetCidrs("a", {"10.1.0.0/29"});
  for (int i = 0; i < 6; ++i) EXPECT_NE(Give(addresses, "a")[0], '[') << i;
  EXPECT_EQ(Give(addresses, "a"), "[10.1.0.0/29]");
}

}  // namespace
}  // namespace kulisse::simulator
