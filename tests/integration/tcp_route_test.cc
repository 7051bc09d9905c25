// SPDX-License-Identifier: Apache-2.0
// Example 10 as its README tells it: connections are split exactly, and a change of weights is for new ones.
#include <map>

#include "api/routes.h"
#include "session/http_client.h"
#include "tests/integration/world_fixture.h"

namespace tidegate::test {
namespace {

constexpr std::uint16_t kPort = 7000;

class TcpRoute : public WorldTest {
 protected:
  using Client = std::shared_ptr<session::HttpClient>;

  static bool served(const Json& route) {
    const auto decoded = api::decode_tcp_route(route);
    if (decoded.status.parents.empty()) return false;
    const auto& conditions = decoded.status.parents[0].conditions;
    const auto* programmed = api::find_condition(conditions, "tidegate.dev/Programmed");
    return programmed != nullptr && programmed->status == "True" &&
           programmed->observed_generation == decoded.meta.generation;
  }
  Client connection(const std::string& address) {
    session::Endpoint endpoint;
    endpoint.address = {address, kPort};
    return std::make_shared<session::HttpClient>(loop_.io(), loop_.scheduler(), endpoint, "shop");
  }
  // The version that answers; empty: nobody does.
  static Task<std::string> version(Client client) {
    session::ClientRequest request;
    const auto response = co_await client->send(request);
    if (!response) co_return "";
    co_return std::string(response->headers.get("x-version").value_or("none"));
  }
  Task<void> both_sides_answer(std::string address) {
    std::map<std::string, int> seen;
    while (seen["v1"] == 0 || seen["v2"] == 0) {
      const auto client = connection(address);
      const std::string answer = co_await version(client);
      ++seen[answer];
    }
  }
};

TEST_F(TcpRoute, SplitsConnectionsAndLeavesOpenOnesWhereTheyAre) {
  play(example("10-tcp"), [this]() -> Task<void> {
    co_await wait_for(api::kTcpRoutes, "shop", "is served", served);
    const std::string address = co_await gateway_address("demo");
    co_await both_sides_answer(address);

    std::map<std::string, int> answers;
    std::vector<Client> open;
    for (int i = 0; i < 8; ++i) {
      const auto client = connection(address);
      const std::string answer = co_await version(client);
      ++answers[answer];
      open.push_back(client);
    }
    EXPECT_NEAR(answers["v1"], 6, 1);
    EXPECT_EQ(answers["v1"] + answers["v2"], 8);

    const Json patch = Json::parse(R"({"spec": {"rules": [{"backendRefs": [
        {"name": "shop-blue", "port": 80, "weight": 0}, {"name": "shop-green", "port": 80, "weight": 1}]}]}})");
    const api::Key key{"default", "shop"};
    auto patched = co_await world_->client().patch(api::kTcpRoutes, key, kube::PatchType::kMerge, patch);
    EXPECT_TRUE(patched) << patched.error().detail;
    co_await wait_for(api::kTcpRoutes, "shop", "is served with its new weights", served);
    std::map<std::string, int> still, now;
    for (const auto& client : open) {
      const std::string answer = co_await version(client);
      ++still[answer];
    }
    EXPECT_EQ(still, answers);
    for (int i = 0; i < 4; ++i) {
      const auto client = connection(address);
      const std::string answer = co_await version(client);
      ++now[answer];
    }
    EXPECT_EQ(now["v2"], 4);
  });
}

}  // namespace
}  // namespace tidegate::test
