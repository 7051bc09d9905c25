// SPDX-License-Identifier: Apache-2.0
// Fields of HTTPRoute that no other story uses, from the API to an answer: whether one is lost on the way.
#include <fstream>

#include "api/routes.h"
#include "session/http_client.h"
#include "tests/integration/shop.h"

namespace tidegate::test {
namespace {

constexpr std::string_view kRoute = R"(
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: fields, namespace: default}
spec:
  parentRefs: [{name: demo}]
  hostnames: [fields.example.com]
  rules:
    - backendRefs: [{name: shop-stable, port: 80}]
      retry: {codes: [500], attempts: 1, backoff: 1ms}
      filters: [{type: CORS, cors: {allowOrigins: ["https://a.example"]}}]
    - matches: [{path: {value: /_demo}}]
      backendRefs: [{name: shop-stable, port: 80}]
    - matches: [{path: {value: /basket}}]
      sessionPersistence: {sessionName: basket, absoluteTimeout: 1h}
      backendRefs: [{name: shop-stable, port: 80}]
)";

class RouteFields : public ShopTest {
 protected:
  Task<void> serve_route() {
    const std::string file = dir_.path() + "/route.yaml";
    std::ofstream(file) << kRoute;
    co_await apply(file);
    co_await wait_for(api::kHttpRoutes, "fields", "is programmed", [](const Json& route) {
      const auto decoded = api::decode_http_route(route);
      if (decoded.status.parents.empty()) return false;
      const auto* programmed =
          api::find_condition(decoded.status.parents[0].conditions, "tidegate.dev/Programmed");
      return programmed != nullptr && programmed->status == "True";
    });
    const std::string address = co_await gateway_address("demo");
    session::Endpoint endpoint;
    endpoint.address = {address, 8080};
    client_ =
        std::make_unique<session::HttpClient>(loop_.io(), loop_.scheduler(), endpoint, "fields.example.com");
  }
  Task<session::ClientResponse> ask(session::ClientRequest request) {
    auto response = co_await client_->send(std::move(request));
    EXPECT_TRUE(response) << (response ? "" : response.error().detail);
    co_return response ? std::move(*response) : session::ClientResponse();
  }
  static std::string header(const session::ClientResponse& response, std::string_view name) {
    return std::string(response.headers.get(name).value_or(""));
  }

  std::unique_ptr<session::HttpClient> client_;
};

TEST_F(RouteFields, RetriesOriginsAndSessionsWorkAsTheRouteSays) {
  play(example("01-first-canary"), [this]() -> Task<void> {
    co_await version_1_serves();
    co_await end_load();
    co_await serve_route();

    session::ClientRequest plain;
    // A fifth of the requests may be sent again: these make room for the ones to come.
    for (int i = 0; i < 100; ++i) {
      const auto response = co_await ask(plain);
      EXPECT_EQ(response.status, 200);
    }
    // One of the two pods fails all that it gets: each of its failures is made good by the other.
    session::ClientRequest fail;
    fail.method = "PUT";
    fail.target = "/_demo/config";
    fail.content_type = "application/json";
    fail.body = R"({"error_rate": 1.0})";
    const auto told = co_await ask(fail);
    EXPECT_EQ(told.status, 200);
    for (int i = 0; i < 20; ++i) {
      session::ClientRequest request;
      request.headers.add("origin", "https://a.example");
      const auto response = co_await ask(request);
      EXPECT_EQ(response.status, 200);
      EXPECT_EQ(header(response, "access-control-allow-origin"), "https://a.example");
    }

    session::ClientRequest basket;
    basket.target = "/basket";
    const auto first = co_await ask(basket);
    const std::string cookie = header(first, "set-cookie");
    EXPECT_TRUE(cookie.starts_with("basket=")) << cookie;
    EXPECT_NE(cookie.find("; Path=/basket;"), std::string::npos) << cookie;
    basket.headers.add("cookie", cookie.substr(0, cookie.find(';')));
    for (int i = 0; i < 20; ++i) {
      const auto next = co_await ask(basket);
      EXPECT_EQ(next.status, first.status) << "the pod that fails and the one that does not";
      EXPECT_EQ(header(next, "set-cookie"), "");
    }
  });
}

}  // namespace
}  // namespace tidegate::test
