// SPDX-License-Identifier: Apache-2.0
#include "proxy/access_log.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "proxy/testbed.h"
#include "tests/support/temp_dir.h"

namespace tidegate::proxy {
namespace {

AccessRecord record() {
  AccessRecord r;
  r.time = TimePoint(std::chrono::seconds(1'700'000'000));
  r.client = "10.0.0.1:4000";
  r.method = "GET";
  r.host = "shop.example";
  r.target = "/a\"b";
  r.status = 200;
  r.response_bytes = 12;
  r.duration = Duration(34);
  r.route = "shop/web";
  return r;
}

TEST(AccessLog, TextLineHoldsAllFieldsAndBreaksForNoInput) {
  EXPECT_EQ(format_text(record()),
            "2023-11-14T22:13:20.000000Z 10.0.0.1:4000 GET \"shop.example/a\\\"b\" 200 0 12 34ms - - "
            "shop/web - - - - -\n");
}

TEST(AccessLog, JsonLineIsJson) {
  const auto line = json::parse(format_json(record()));
  ASSERT_TRUE(line);
  EXPECT_EQ((*line)["target"], "/a\"b");
  EXPECT_EQ((*line)["duration_ms"], 34);
}

std::vector<std::string> lines_of(const std::string& path) {
  std::vector<std::string> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

TEST(AccessLog, OneInSoManyRequestsIsWrittenByTheTimeTheProxyIsGone) {
  const tidegate::test::TempDir dir;
  const std::string path = dir.path() + "/access.log";
  {
    const auto address = test::free_address();
    test::FakeBackend web("hello");
    test::TableBuilder table(address);
    table.rule("/", {{table.backend("web", {web.endpoint()})}});
    Runtime::Options options;
    options.access_log = {path, true, 5};
    test::ProxyUnderTest proxy(1, options);
    proxy.publish(table.build());
    test::Client client(address);
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(client.get("/"));
  }
  const auto lines = lines_of(path);
  ASSERT_EQ(lines.size(), 4U);
  const auto line = json::parse(lines[0]);
  ASSERT_TRUE(line);
  EXPECT_EQ((*line)["status"], 200);
  EXPECT_EQ((*line)["backend"], "shop/web");
  EXPECT_EQ((*line)["response_bytes"], 5);
}

TEST(AccessLog, AnUnwritablePathIsAnError) {
  const auto log = AccessLog::open({"/nonexistent/access.log"});
  ASSERT_FALSE(log);
  EXPECT_NE(log.error().detail.find("/nonexistent/access.log"), std::string::npos);
}

}  // namespace
}  // namespace tidegate::proxy
