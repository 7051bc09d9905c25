// SPDX-License-Identifier: Apache-2.0
#include "proxy/admin.h"

#include <gtest/gtest.h>

#include "proxy/testbed.h"

namespace tidegate::proxy {
namespace {

struct Fixture {
  metrics::Exposition exposition;
  routing::TablePtr table;
  bool ready = false;
  AdminSources sources() {
    return {&exposition, [this] { return table; }, [this] { return ready; }};
  }
};

TEST(Admin, AnswersItsPathsAndNothingElse) {
  Fixture f;
  const auto sources = f.sources();
  EXPECT_EQ(answer_admin(sources, "GET", "/healthz").status, 200);
  EXPECT_EQ(answer_admin(sources, "GET", "/readyz").status, 503);
  EXPECT_EQ(answer_admin(sources, "GET", "/debug/routes").status, 503);
  EXPECT_EQ(answer_admin(sources, "GET", "/").status, 404);
  EXPECT_EQ(answer_admin(sources, "POST", "/healthz").status, 405);
  f.ready = true;
  routing::Table table;
  table.generation = 42;
  f.table = std::make_shared<const routing::Table>(table);
  EXPECT_EQ(answer_admin(sources, "GET", "/readyz").status, 200);
  EXPECT_EQ(answer_admin(sources, "GET", "/debug/routes").body, "generation: 42\n");
}

TEST(Admin, ServesOverHttp) {
  Fixture f;
  net::EventLoop loop;
  auto server = open_admin(loop, {test::free_address().ip, 0}, f.sources());
  ASSERT_TRUE(server) << server.error().detail;
  const auto address = (*server)->address();
  std::optional<test::Reply> reply;
  std::thread client([&] {
    reply = test::Client(address).get("/metrics");
    loop.stop();
  });
  loop.run();
  client.join();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 200);
  EXPECT_TRUE(reply->headers.at("content-type").starts_with("text/plain; version=0.0.4"));
}

}  // namespace
}  // namespace tidegate::proxy
