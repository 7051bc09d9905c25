// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "local/demo_app.h"
#include "net/task.h"
#include "session/http_client.h"

namespace tidegate::local {
namespace {

class DemoAppTest : public testing::Test {
 protected:
  void open(DemoBehaviour behaviour) {
    DemoAppOptions options;
    options.listen = {"127.0.0.1", 0};
    options.version = "v7";
    options.pod = "pod-1";
    options.behaviour = behaviour;
    options.drain_delay = Duration(0);
    auto opened = DemoApp::open(loop, std::move(options));
    ASSERT_TRUE(opened) << opened.error().detail;
    app = *std::move(opened);
    session::Endpoint endpoint;
    endpoint.address = app->address();
    client = std::make_unique<session::HttpClient>(loop.io(), loop.scheduler(), endpoint, "shop.example.com");
  }

  session::ClientResponse send(session::ClientRequest request) {
    session::ClientResponse out;
    net::spawn(loop.io(), exchange(*this, std::move(request), out));
    loop.run();
    loop.io().restart();
    return out;
  }
  static Task<void> exchange(DemoAppTest& test, session::ClientRequest request,
                             session::ClientResponse& out) {
    auto response = co_await test.client->send(std::move(request));
    EXPECT_TRUE(response) << response.error().detail;
    if (response) out = *std::move(response);
    test.loop.stop();
  }
  session::ClientResponse get(std::string target) {
    session::ClientRequest request;
    request.target = std::move(target);
    return send(std::move(request));
  }
  Json get_json(std::string target) { return json::parse(get(std::move(target)).body).value_or(Json()); }

  net::EventLoop loop;
  std::unique_ptr<DemoApp> app;
  std::unique_ptr<session::HttpClient> client;
};

TEST_F(DemoAppTest, SaysWhatItIsAndWhatItWasAsked) {
  open({});
  session::ClientRequest request;
  request.target = "/cart?x=1";
  request.headers.add("X-Test", "yes");
  const auto response = send(std::move(request));
  EXPECT_EQ(response.status, 200);
  const auto body = json::parse(response.body);
  ASSERT_TRUE(body);
  EXPECT_EQ(json::string_at(*body, "version"), "v7");
  EXPECT_EQ(json::string_at(*body, "pod"), "pod-1");
  EXPECT_EQ(json::string_at(*body, "method"), "GET");
  EXPECT_EQ(json::string_at(*body, "path"), "/cart?x=1");
  EXPECT_EQ(json::string_at(*body, "host"), "shop.example.com");
  EXPECT_EQ(json::string_at(*body, "headers.x-test"), "yes");
}

TEST_F(DemoAppTest, FailsItsShareAndCounts) {
  DemoBehaviour behaviour;
  behaviour.error_rate = 0.2;
  open(behaviour);
  int failed = 0;
  for (int i = 0; i < 10; ++i) failed += get("/").status == 500;
  EXPECT_EQ(failed, 2);
  EXPECT_EQ(get("/healthz").status, 200);
  const Json stats = get_json("/_demo/stats");
  EXPECT_EQ(json::int_at(stats, "served"), 8);
  EXPECT_EQ(json::int_at(stats, "failed"), 2);
}

TEST_F(DemoAppTest, ChangesWhileItRuns) {
  open({});
  session::ClientRequest request;
  request.method = "PUT";
  request.target = "/_demo/config";
  request.body = R"({"error_rate": 1})";
  request.content_type = "application/json";
  EXPECT_EQ(send(request).status, 200);
  EXPECT_EQ(get("/").status, 500);
  EXPECT_EQ(json::number_at(get_json("/_demo/config"), "error_rate"), 1);
  request.body = R"({"error_rate": 7})";
  const auto refused = send(request);
  EXPECT_EQ(refused.status, 400);
  EXPECT_NE(refused.body.find("error_rate"), std::string::npos);
  EXPECT_EQ(get("/").status, 500);
}

TEST_F(DemoAppTest, DrainsToTheEnd) {
  open({});
  EXPECT_EQ(get("/").status, 200);
  bool drained = false;
  app->drain([&] {
    drained = true;
    loop.stop();
  });
  loop.run();
  EXPECT_TRUE(drained);
}

}  // namespace
}  // namespace tidegate::local
