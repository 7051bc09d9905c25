// SPDX-License-Identifier: Apache-2.0
// Reading: lists, pages, selectors, discovery, and what is no resource at all.
#include "apiserver/api_fixture.h"

namespace tidegate::apiserver {
namespace {

class ReadsTest : public ApiTest {
 protected:
  void make(int count) {
    for (int i = 0; i < count; ++i) {
      ASSERT_EQ(call("POST", kMaps, config_map("m" + std::to_string(i), "1", {{"odd", i % 2 ? "yes" : "no"}}))
                    .status,
                201);
    }
  }
  static std::string names(const Answer& list) {
    std::string names;
    for (const auto& item : json::array_at(list.json, "items"))
      names += (names.empty() ? "" : " ") + json::string_at(item, "metadata.name");
    return names;
  }
};

TEST_F(ReadsTest, ANewServerHasItsNamespaces) {
  EXPECT_EQ(names(call("GET", "/api/v1/namespaces")), "default kube-public kube-system");
}

TEST_F(ReadsTest, ListsInPagesWithoutLossOrRepetition) {
  make(7);
  const auto whole = call("GET", kMaps);
  std::string all, token;
  int pages = 0;
  do {
    const auto page =
        call("GET", std::string(kMaps) + "?limit=3" + (token.empty() ? "" : "&continue=" + token));
    ASSERT_EQ(page.status, 200);
    EXPECT_EQ(page.version(), whole.version()) << "a watch starts where the first page was read";
    all += (all.empty() ? "" : " ") + names(page);
    token = page.at("metadata.continue");
    ASSERT_LT(++pages, 10);
  } while (!token.empty());
  EXPECT_EQ(pages, 3);
  EXPECT_EQ(all, names(whole));
}

TEST_F(ReadsTest, PagesCarrySelectors) {
  make(6);
  const auto first = call("GET", std::string(kMaps) + "?limit=2&labelSelector=odd%3Dyes");
  EXPECT_EQ(names(first), "m1 m3");
  EXPECT_EQ(names(call("GET", std::string(kMaps) + "?limit=2&labelSelector=odd%3Dyes&continue=" +
                                  first.at("metadata.continue"))),
            "m5");
}

TEST_F(ReadsTest, RefusesAContinueTokenThatIsNone) {
  EXPECT_EQ(call("GET", std::string(kMaps) + "?continue=x").status, 400);
  EXPECT_EQ(call("GET", std::string(kMaps) + "?continue=" + text::base64_encode("x\ny")).status, 400);
}

TEST_F(ReadsTest, RefusesSelectorsThatAreNone) {
  EXPECT_EQ(call("GET", std::string(kMaps) + "?labelSelector=a%20in%20b").status, 400);
  EXPECT_EQ(call("GET", std::string(kMaps) + "?fieldSelector=a").status, 400);
}

TEST_F(ReadsTest, SelectsByFields) {
  make(3);
  EXPECT_EQ(names(call("GET", std::string(kMaps) + "?fieldSelector=metadata.name%3Dm1")), "m1");
  EXPECT_EQ(names(call("GET", "/api/v1/namespaces?fieldSelector=status.phase%21%3DActive")), "");
}

TEST_F(ReadsTest, NamesWhatIsMissing) {
  const auto missing = call("GET", in(kMaps, "no"));
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(missing.at("message"), "configmaps \"no\" not found");
  EXPECT_EQ(missing.at("reason"), "NotFound");
  for (const char* target : {"/", "/nope", "/api/v2", "/api/v1/nope", "/apis/nope",
                             "/apis/apps/v9/deployments", "/api/v1/namespaces/default/configmaps/a/nope",
                             "/apis/apps/v1/namespaces/default/deployments/a/b/c", "/openapi/v9"}) {
    const auto answer = call("GET", target);
    EXPECT_EQ(answer.status, 404) << target;
    EXPECT_EQ(answer.at("kind"), "Status") << target;
  }
}

TEST_F(ReadsTest, RefusesVerbsThatMakeNoSense) {
  EXPECT_EQ(call("POST", in(kMaps, "a"), config_map("a")).status, 405);
  EXPECT_EQ(call("PUT", kMaps, config_map("a")).status, 405);
  EXPECT_EQ(call("POST", "/api/v1/configmaps", config_map("a")).status, 405);
  EXPECT_EQ(call("BREW", kMaps).status, 405);
}

TEST_F(ReadsTest, DiscoversKindsOfDefinitions) {
  EXPECT_EQ(call("GET", "/apis/example.com/v1").status, 404);
  define_things();
  EXPECT_EQ(call("GET", "/apis/example.com/v1").json["resources"][0]["name"], "things");
  EXPECT_EQ(call("GET", "/apis/example.com").at("preferredVersion.groupVersion"), "example.com/v1");
  EXPECT_EQ(call("GET", "/openapi/v3/apis/example.com/v1").status, 200);
}

TEST_F(ReadsTest, AnswersTablesWithColumns) {
  make(1);
  Extra extra;
  extra.accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
  for (const std::string& target : {std::string(kMaps), in(kMaps, "m0")}) {
    const auto table = call_text("GET", target, "", extra);
    EXPECT_EQ(table.at("kind"), "Table") << target;
    EXPECT_EQ(table.json["columnDefinitions"][0]["name"], "Name") << target;
    EXPECT_EQ(table.json["rows"][0]["cells"][0], "m0") << target;
  }
}

TEST_F(ReadsTest, ReportsItsVersionAndHealth) {
  EXPECT_EQ(call("GET", "/version").at("gitVersion"), "v1.31.0+tidegate");
  for (const char* path : {"/healthz", "/livez", "/readyz", "/readyz?verbose"})
    EXPECT_EQ(call("GET", path).status, 200) << path;
}

TEST_F(ReadsTest, AllowsItsUserEverything) {
  const auto review = call("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
                           {{"spec", {{"resourceAttributes", {{"verb", "create"}, {"resource", "pods"}}}}}});
  EXPECT_EQ(review.status, 201);
  EXPECT_TRUE(json::bool_at(review.json, "status.allowed"));
  EXPECT_EQ(call("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", Json::object())
                .at("status.userInfo.username"),
            "tester");
}

TEST_F(ReadsTest, SaysSoWhereNobodyRunsPods) {
  EXPECT_EQ(call("GET", "/api/v1/namespaces/default/pods/p/log").status, 501);
}

// Sends what it is given when asked, and remembers what was asked for.
class FakeLogs final : public LogSource {
 public:
  Result<std::unique_ptr<Handle>> read(const Query& query, std::function<bool(std::string_view)> write,
                                       std::function<void()> end) override {
    if (query.pod == "none") return Error{ErrorCode::kNotFound, "pods \"none\" not found"};
    asked = query;
    write("line 1\n");
    if (!query.follow) end();
    more = std::move(write);
    return std::unique_ptr<Handle>(std::make_unique<Open>(*this));
  }
  Query asked;
  std::function<bool(std::string_view)> more;
  bool stopped = false;

 private:
  struct Open final : Handle {
    explicit Open(FakeLogs& logs) : logs(logs) {}
    ~Open() override { logs.stopped = true; }
    FakeLogs& logs;
  };
};

TEST_F(ReadsTest, SendsLogs) {
  FakeLogs logs;
  api_->set_log_source(&logs);
  const std::string pods = "/api/v1/namespaces/default/pods/";
  const auto answer = call("GET", pods + "p/log?container=c&tailLines=3&sinceTime=2026-01-02T03:04:05Z");
  EXPECT_EQ(answer.text, "line 1\n");
  EXPECT_EQ(logs.asked.container, "c");
  EXPECT_EQ(logs.asked.tail_lines, 3);
  EXPECT_EQ(logs.asked.since, text::parse_time("2026-01-02T03:04:05Z"));
  EXPECT_EQ(call("GET", pods + "none/log").status, 404);
}

TEST_F(ReadsTest, FollowsLogsUntilTheClientLeaves) {
  FakeLogs logs;
  api_->set_log_source(&logs);
  const auto stream = watch("/api/v1/namespaces/default/pods/p/log?follow=true");
  EXPECT_TRUE(logs.more("line 2\n"));
  EXPECT_EQ(stream->body, "line 1\nline 2\n");
  EXPECT_FALSE(stream->ended);
  stream->leave();
  EXPECT_FALSE(logs.more("line 3\n"));
  logs.more = nullptr;
  EXPECT_TRUE(logs.stopped);
}

}  // namespace
}  // namespace tidegate::apiserver
