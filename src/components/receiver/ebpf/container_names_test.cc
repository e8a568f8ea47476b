// SPDX-License-Identifier: Apache-2.0
// A fake engine on a unix socket, in the same thread: nothing here waits for anything.
#include "components/receiver/ebpf/container_names.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

namespace sonde {
namespace {

constexpr std::string_view kOk = "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n";
const std::string kId(64, 'a');
const std::string kOther(64, 'b');

class Engine {
 public:
  explicit Engine(const std::string& path) : path_(path) {
    fd_ = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    sockaddr_un a{};
    a.sun_family = AF_UNIX;
    std::memcpy(a.sun_path, path.data(), path.size());
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&a), sizeof a), 0);
    EXPECT_EQ(listen(fd_, 8), 0);
  }
  ~Engine() {
    hang_up();
    close(fd_);
  }
  // The request that waits, or nothing.
  std::string request() {
    client_ = accept(fd_, nullptr, nullptr);
    char buffer[1024];
    const ssize_t n = client_ < 0 ? 0 : recv(client_, buffer, sizeof buffer, 0);
    return n > 0 ? std::string(buffer, static_cast<size_t>(n)) : std::string();
  }
  ssize_t say(std::string_view bytes) {
    return send(client_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  void hang_up() {
    if (client_ >= 0) close(client_);
    client_ = -1;
  }
  void answer(std::string_view bytes) {
    EXPECT_NE(request(), "");
    EXPECT_EQ(say(bytes), static_cast<ssize_t>(bytes.size()));
    hang_up();
  }

 private:
  std::string path_;
  int fd_ = -1;
  int client_ = -1;
};

class ContainerNamesTest : public testing::Test {
 protected:
  ContainerNamesTest() {
    char path[] = "/tmp/sonde_engine_XXXXXX";
    folder = mkdtemp(path);
  }
  ~ContainerNamesTest() override { std::filesystem::remove_all(folder); }
  void make(std::vector<std::string> sockets) {
    names = std::make_unique<ContainerNames>(
        std::move(sockets), [this](const std::string& id, const ContainerName& name) {
          named.push_back(id.substr(0, 1) + " " + name.name + " " + name.service);
        });
  }
  std::string folder;
  std::unique_ptr<ContainerNames> names;
  std::vector<std::string> named;
  int64_t now = 1'000'000'000'000;
};

TEST_F(ContainerNamesTest, AsksOnceAndRemembers) {
  Engine engine(folder + "/docker.sock");
  make({folder + "/docker.sock"});
  EXPECT_EQ(names->find(kId, now), nullptr);
  EXPECT_EQ(names->find(kId, now), nullptr);
  names->tick(now);
  const std::string request = engine.request();
  EXPECT_TRUE(request.starts_with("GET /containers/" + kId + "/json HTTP/1.0\r\n")) << request;
  engine.say(kOk);
  names->tick(now);
  EXPECT_TRUE(named.empty());
  engine.say(
      R"({"Id":"x","Args":["Name",{"Name":"no"}],"Name":"/shop-web-1","State":{"Name":"no"},)");
  names->tick(now);
  engine.say(R"("Config":{"Image":"i","Labels":{"com.docker.compose.service":"web"}}})");
  engine.hang_up();
  names->tick(now);
  EXPECT_EQ(named, std::vector<std::string>{"a shop-web-1 web"});
  ASSERT_NE(names->find(kId, now), nullptr);
  EXPECT_EQ(names->find(kId, now)->service, "web");
  names->tick(now);
  EXPECT_EQ(engine.request(), "");
  EXPECT_FALSE(names->busy());
  EXPECT_EQ(names->stats().named, 1U);
}

TEST_F(ContainerNamesTest, AsksTheNextEngineAndLaterAgain) {
  Engine docker(folder + "/docker.sock");
  Engine podman(folder + "/podman.sock");
  make({folder + "/none.sock", folder + "/docker.sock", folder + "/podman.sock"});
  names->find(kId, now);
  names->tick(now);
  docker.answer("HTTP/1.0 404 Not Found\r\n\r\n{\"message\":\"No such container\"}");
  names->tick(now);
  podman.answer("HTTP/1.0 500 Internal\r\n\r\n");
  names->tick(now);
  EXPECT_EQ(names->stats().failed, 1U);
  EXPECT_FALSE(names->busy());

  EXPECT_EQ(names->find(kId, now + 1'000'000'000), nullptr);
  EXPECT_FALSE(names->busy());
  names->tick(now + ContainerNames::kAskAgainNs - 1);
  EXPECT_EQ(names->stats().asked, 1U);
  names->tick(now + ContainerNames::kAskAgainNs);
  docker.answer("HTTP/1.0 404 Not Found\r\n\r\n");
  names->tick(now);
  podman.answer(std::string(kOk) + R"({"Name":"pod"})");
  names->tick(now);
  EXPECT_EQ(named, std::vector<std::string>{"a pod pod"});
}

TEST_F(ContainerNamesTest, GivesUpOnASilentEngineAndOnAnEndlessAnswer) {
  Engine engine(folder + "/docker.sock");
  make({folder + "/docker.sock"});
  names->find(kId, now);
  names->find(kOther, now);
  names->tick(now);
  EXPECT_NE(engine.request(), "");
  names->tick(now + ContainerNames::kTimeoutNs - 1);
  EXPECT_EQ(names->stats().failed, 0U);
  names->tick(now += ContainerNames::kTimeoutNs);
  EXPECT_EQ(names->stats().failed, 1U);

  EXPECT_NE(engine.request(), "");  // For the other one.
  const std::string much(65536, 'x');
  engine.say(kOk);
  size_t said = 0;
  while (names->busy() && said < 64 * ContainerNames::kMaxAnswer) {
    if (const ssize_t n = engine.say(much); n > 0) said += static_cast<size_t>(n);
    names->tick(now);
  }
  EXPECT_EQ(names->stats().failed, 2U);
  EXPECT_LE(said, 2 * ContainerNames::kMaxAnswer);
  EXPECT_TRUE(named.empty());
}

TEST_F(ContainerNamesTest, TakesOnlyIdsAndABoundedNumberOfThem) {
  make({folder + "/none.sock"});
  for (const char* bad : {"", "../x", "AAAA"}) names->find(bad, now);
  names->find(std::string(63, 'a') + "/", now);
  EXPECT_FALSE(names->busy());
  for (size_t i = 0; i < ContainerNames::kMaxWaiting + 10; ++i) {
    std::string id = std::to_string(i);
    names->find(std::string(64 - id.size(), 'c') + id, now);
  }
  EXPECT_EQ(names->stats().refused, 10U);
  while (names->busy()) names->tick(now);
  EXPECT_EQ(names->stats().asked, ContainerNames::kMaxWaiting);
  EXPECT_EQ(names->stats().failed, ContainerNames::kMaxWaiting);
  names->find(kId, now);
  EXPECT_EQ(names->stats().refused, 11U) << "what failed waits for its next try";
  make({});
  names->find(kId, now);
  EXPECT_FALSE(names->busy());
}

TEST_F(ContainerNamesTest, GivesUpAnIdThatNobodyKnowsUntilItIsSeenAgain) {
  make({folder + "/none.sock"});
  names->find(kId, now);
  names->tick(now);
  int64_t pause = ContainerNames::kAskAgainNs;
  for (int tries = 1; tries < ContainerNames::kMaxTries; ++tries, pause *= 2) {
    names->tick(now += pause - 1);
    EXPECT_EQ(names->stats().failed, static_cast<uint64_t>(tries));
    names->tick(now += 1);
    EXPECT_EQ(names->stats().failed, static_cast<uint64_t>(tries) + 1);
  }
  names->tick(now += 100 * pause);
  EXPECT_EQ(names->stats().failed, static_cast<uint64_t>(ContainerNames::kMaxTries));

  Engine engine(folder + "/none.sock");
  names->find(kId, now);
  names->tick(now);
  engine.answer(std::string(kOk) + R"({"Name":"late"})");
  names->tick(now);
  EXPECT_EQ(named, std::vector<std::string>{"a late late"});
}

TEST(ContainerAnswer, ReadsOnlyWhatIsWellFormed) {
  EXPECT_EQ(json_text_at(R"({"a":{"b":"\"x\"\n\u00e9"},"c":1})", {"a", "b"}), "\"x\"\n?");
  EXPECT_EQ(json_text_at(R"({"a":[{"b":"no"}],"b":true})", {"a", "b"}), "");
  EXPECT_EQ(json_text_at(R"({"a":null,"a2":-1.5e3,"b":"yes"})", {"b"}), "yes");
  for (const char* bad :
       {"", "{", "{\"a\"", "{\"a\":", "{\"a\":\"x", "[", "{a:1}", "{\"a\":\"\\"}) {
    EXPECT_EQ(json_text_at(bad, {"a"}), "") << bad;
  }
  EXPECT_EQ(json_text_at(std::string(100000, '['), {"a"}), "");
  EXPECT_EQ(container_name_of("HTTP/1.0 200 OK\r\n\r\n{\"Name\":5}").name, "");
  EXPECT_EQ(container_name_of("HTTP/1.1 404 x\r\n\r\n{\"Name\":\"x\"}").name, "");
  EXPECT_EQ(container_name_of("nonsense").name, "");
}

}  // namespace
}  // namespace sonde
