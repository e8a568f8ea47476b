// SPDX-License-Identifier: Apache-2.0
// The forms in which systemd and the container runtimes name control groups.
#include <gtest/gtest.h>

#include "probe/process_names.h"

namespace sonde::probe {
namespace {

const std::string kId(64, 'a');
const std::string kOther = std::string(63, '0') + "b";
const std::string kPod = "7f3c2b1a-0d4e-4b6f-9a8c-112233445566";

struct Origin {
  std::string unit;
  std::string container;
  bool operator==(const Origin&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Origin& o) {
  return out << "unit \"" << o.unit << "\" container \"" << o.container << "\"";
}

Origin origin(const std::string& cgroup) {
  Origin out;
  names::cgroup_facts(cgroup, out.unit, out.container);
  return out;
}

const Origin kContainer{"", kId};

TEST(ProcessOrigin, KnowsDocker) {
  EXPECT_EQ(origin("0::/system.slice/docker-" + kId + ".scope\n"), kContainer);
  EXPECT_EQ(origin("12:pids:/docker/" + kId + "\n1:name=systemd:/docker/" + kId + "\n0::/\n"),
            kContainer);
  EXPECT_EQ(origin("0::/docker/" + kId + "/init\n"), kContainer);
}

TEST(ProcessOrigin, KnowsTheInnerOfTwoContainers) {
  EXPECT_EQ(origin("0::/docker/" + kOther + "/docker/" + kId + "\n"), kContainer);
}

TEST(ProcessOrigin, KnowsPodman) {
  EXPECT_EQ(origin("0::/machine.slice/libpod-" + kId + ".scope/container\n"), kContainer);
  EXPECT_EQ(origin("0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + kId +
                   ".scope/container\n"),
            kContainer);
}

TEST(ProcessOrigin, TakesNoMonitorForItsContainer) {
  EXPECT_EQ(origin("0::/machine.slice/libpod-conmon-" + kId + ".scope\n"), Origin());
  EXPECT_EQ(origin("0::/system.slice/crio-conmon-" + kId + ".scope\n"), Origin());
}

TEST(ProcessOrigin, KnowsKubernetes) {
  const std::string slices =
      "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + kPod + ".slice/";
  EXPECT_EQ(origin(slices + "cri-containerd-" + kId + ".scope\n"), kContainer);
  EXPECT_EQ(origin(slices + "crio-" + kId + ".scope\n"), kContainer);
  EXPECT_EQ(origin(slices + "docker-" + kId + ".scope\n"), kContainer);
  EXPECT_EQ(origin("0::/kubepods/besteffort/pod" + kPod + "/" + kId + "\n"), kContainer);
  EXPECT_EQ(origin("11:cpu,cpuacct:/kubepods/pod" + kPod + "/" + kId + "\n"), kContainer);
}

TEST(ProcessOrigin, KnowsContainerdWhereTheTwoCgroupDriversDisagree) {
  EXPECT_EQ(origin("0::/system.slice/containerd.service/kubepods-besteffort-pod" + kPod +
                   ".slice:cri-containerd:" + kId + "\n"),
            kContainer);
}

TEST(ProcessOrigin, SeesThroughACgroupNamespace) {
  EXPECT_EQ(origin("0::/../../system.slice/docker-" + kId + ".scope\n"), kContainer);
  EXPECT_EQ(origin("0::/../nginx.service\n"), (Origin{"nginx.service", ""}));
}

TEST(ProcessOrigin, LooksForNoUnitInsideAContainer) {
  EXPECT_EQ(origin("0::/docker/" + kId + "/system.slice/nginx.service\n"), kContainer);
}

TEST(ProcessOrigin, KnowsUnits) {
  EXPECT_EQ(origin("0::/system.slice/nginx.service\n"), (Origin{"nginx.service", ""}));
  EXPECT_EQ(origin("0::/system.slice/web.slice/app@a:b.service\n"),
            (Origin{"app@a:b.service", ""}));
  EXPECT_EQ(origin("0::/system.slice/nginx.service/workers\n"), (Origin{"nginx.service", ""}));
  EXPECT_EQ(origin("9:name=systemd:/system.slice/nginx.service\n0::/\n"),
            (Origin{"nginx.service", ""}));
  EXPECT_EQ(
      origin("0::/machine.slice/systemd-nspawn@web.service/payload/system.slice/nginx.service\n"),
      (Origin{"nginx.service", ""}));
}

TEST(ProcessOrigin, TakesNeitherSessionsNorSlicesForUnits) {
  EXPECT_EQ(origin("0::/user.slice/user-0.slice/session-3.scope\n"), Origin());
  EXPECT_EQ(origin("0::/user.slice/user-0.slice/user@0.service/app.slice/a.service\n"), Origin());
  EXPECT_EQ(origin("0::/init.scope\n"), Origin());
  EXPECT_EQ(origin("0::/system.slice\n"), Origin());
}

TEST(ProcessOrigin, EndsOnAnything) {
  for (const char* text : {"", "\n\n", ":", "::", "0::", "0::/", "0:://", "0::/a//b", "no colons",
                           "0::/docker-.scope", "0::/-", "0::/:.scope", "0::/.service"}) {
    EXPECT_EQ(origin(text).container, "") << text;
  }
  EXPECT_EQ(origin("0::/docker/" + kId.substr(1) + "\n"), Origin());
  EXPECT_EQ(origin("0::/docker/" + kId.substr(1) + "g\n"), Origin());
}

}  // namespace
}  // namespace sonde::probe
