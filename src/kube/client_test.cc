// SPDX-License-Identifier: Apache-2.0
#include "kube/client.h"

#include <gtest/gtest.h>

#include <fstream>

#include "api/core.h"
#include "kube/playback.h"
#include "tests/support/temp_dir.h"

namespace tidegate::kube {
namespace {

using Asked = std::vector<std::string>;
using api::kConfigMaps;

Json config_map(std::string name, std::string version) {
  return {{"metadata", {{"namespace", "shop"}, {"name", name}, {"resourceVersion", version}}}};
}

std::string status(int code, std::string reason, std::string message) {
  return Json({{"kind", "Status"}, {"code", code}, {"reason", reason}, {"message", message}}).dump();
}

class ClientTest : public PlaybackTest {};

TEST_F(ClientTest, GetsAnObject) {
  answer(200, R"({"kind":"ConfigMap","metadata":{"name":"a"}})");
  const auto object = wait(client().get(kConfigMaps, {"shop", "a"}));
  ASSERT_TRUE(object) << object.error().detail;
  EXPECT_EQ(json::string_at(*object, "metadata.name"), "a");
  EXPECT_EQ(asked_, Asked{"GET /api/v1/namespaces/shop/configmaps/a"});
  EXPECT_EQ(requests_[0].head.headers.get("Accept"), "application/json");
}

TEST_F(ClientTest, RefusalsBecomeErrorsThatNameVerbResourceAndKey) {
  struct Case {
    int http;
    std::string body;
    ErrorCode code;
    std::string detail;
  };
  const Case cases[] = {
      {404, status(404, "NotFound", "configmaps \"a\" not found"), ErrorCode::kNotFound,
       "get configmaps shop/a: configmaps \"a\" not found (404 NotFound)"},
      {409, status(409, "AlreadyExists", "it exists"), ErrorCode::kConflict,
       "get configmaps shop/a: it exists (409 AlreadyExists)"},
      {422, status(422, "Invalid", "spec.x: bad"), ErrorCode::kInvalid,
       "get configmaps shop/a: spec.x: bad (422 Invalid)"},
      {403, status(403, "Forbidden", "no"), ErrorCode::kForbidden,
       "get configmaps shop/a: no (403 Forbidden)"},
      {410, status(410, "Expired", "too old"), ErrorCode::kGone,
       "get configmaps shop/a: too old (410 Expired)"},
      {400, "<html>\n", ErrorCode::kInvalid, "get configmaps shop/a: Bad Request (400)"},
  };
  for (const auto& c : cases) {
    answer(c.http, c.body);
    const auto object = wait(client().get(kConfigMaps, {"shop", "a"}));
    ASSERT_FALSE(object);
    EXPECT_EQ(object.error(), (Error{c.code, c.detail}));
  }
}

TEST_F(ClientTest, AnAnswerThatIsNotJsonIsAnError) {
  answer(200, "<html>");
  const auto object = wait(client().get(kConfigMaps, {"shop", "a"}));
  ASSERT_FALSE(object);
  EXPECT_EQ(object.error().code, ErrorCode::kInternal);
  EXPECT_TRUE(object.error().detail.starts_with("get configmaps shop/a: the answer is not JSON"));
}

TEST_F(ClientTest, GetsAreTriedAgainWhileTheServerIsUnavailable) {
  answer(503, "");
  answer(500, status(500, "InternalError", "etcd"));
  answer(429, "");
  answer(200, "{}");
  EXPECT_TRUE(wait(client().get(kConfigMaps, {"shop", "a"})));
  EXPECT_EQ(asked_.size(), 4u);
}

TEST_F(ClientTest, GetsAreGivenUpAfterThreeRetries) {
  for (int i = 0; i < 6; ++i) answer(503, "");
  const auto object = wait(client().get(kConfigMaps, {"shop", "a"}));
  ASSERT_FALSE(object);
  EXPECT_EQ(object.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(asked_.size(), 4u);
}

TEST_F(ClientTest, WritesAreNotTriedAgain) {
  answer(503, "");
  const auto object = wait(client().create(kConfigMaps, config_map("a", "")));
  ASSERT_FALSE(object);
  EXPECT_EQ(object.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(asked_, Asked{"POST /api/v1/namespaces/shop/configmaps?fieldManager=tidegate"});
}

TEST_F(ClientTest, RetryAfterOf429IsKeptForWritesToo) {
  answer(429, status(429, "TooManyRequests", "slow down"), {{"Retry-After", "7"}});
  answer(201, "{}");
  const auto before = scheduler_.clock().now();
  EXPECT_TRUE(wait(client().create(kConfigMaps, config_map("a", ""))));
  EXPECT_GE(scheduler_.clock().now() - before, std::chrono::seconds(7));
  EXPECT_EQ(asked_.size(), 2u);
}

TEST_F(ClientTest, ARetryAfterOfHoursIsReportedAtOnce) {
  answer(429, "", {{"Retry-After", "7200"}});
  EXPECT_FALSE(wait(client().get(kConfigMaps, {"shop", "a"})));
  EXPECT_EQ(asked_.size(), 1u);
}

TEST_F(ClientTest, AServerThatIsNotThereIsUnavailable) {
  client();
  server_.reset();
  const auto object = wait(client().get(kConfigMaps, {"shop", "a"}));
  ASSERT_FALSE(object);
  EXPECT_EQ(object.error().code, ErrorCode::kUnavailable);
}

TEST_F(ClientTest, ListsFollowPages) {
  answer(200,
         R"({"items":[{"metadata":{"name":"a"}}],"metadata":{"resourceVersion":"7","continue":"x/=y"}})");
  answer(200, R"({"items":[{"metadata":{"name":"b"}}],"metadata":{"resourceVersion":"7"}})");
  const ListOptions options{"shop", "app=x,tier in (a)", "metadata.name=a"};
  const auto list = wait(client().list(kConfigMaps, options));
  ASSERT_TRUE(list) << list.error().detail;
  ASSERT_EQ(list->items.size(), 2u);
  EXPECT_EQ(json::string_at(list->items[1], "metadata.name"), "b");
  EXPECT_EQ(json::string_at(list->items[1], "kind"), "ConfigMap");
  EXPECT_EQ(json::string_at(list->items[1], "apiVersion"), "v1");
  EXPECT_EQ(list->resource_version, "7");
  const std::string first =
      "GET /api/v1/namespaces/shop/configmaps?limit=500&labelSelector=app%3Dx%2Ctier%20in%20%28a%29"
      "&fieldSelector=metadata.name%3Da";
  EXPECT_EQ(asked_, (Asked{first, first + "&continue=x%2F%3Dy"}));
}

TEST_F(ClientTest, AListWhosePagesExpiredIsReadAnewInOne) {
  answer(200, R"({"items":[{"metadata":{"name":"a"}}],"metadata":{"resourceVersion":"7","continue":"x"}})");
  answer(410, status(410, "Expired", "too old"));
  answer(200, R"({"items":[{"metadata":{"name":"c"}}],"metadata":{"resourceVersion":"9"}})");
  const auto list = wait(client().list(kConfigMaps, {}));
  ASSERT_TRUE(list) << list.error().detail;
  ASSERT_EQ(list->items.size(), 1u);
  EXPECT_EQ(json::string_at(list->items[0], "metadata.name"), "c");
  EXPECT_EQ(asked_[2], "GET /api/v1/configmaps?limit=0");
}

TEST_F(ClientTest, WritesGoWhereTheyBelong) {
  for (int i = 0; i < 5; ++i) answer(200, "{}");
  (void)wait(client().update(kConfigMaps, config_map("a", "3")));
  (void)wait(client().update_status(kConfigMaps, config_map("a", "3")));
  (void)wait(client().patch(kConfigMaps, {"shop", "a"}, PatchType::kMerge, {{"data", {{"x", nullptr}}}}));
  (void)wait(client().patch(kConfigMaps, {"shop", "a"}, PatchType::kApply, Json::object(), "status"));
  (void)wait(client().remove(kConfigMaps, {"shop", "a"}));
  const std::string path = "/api/v1/namespaces/shop/configmaps/a";
  EXPECT_EQ(asked_,
            (Asked{"PUT " + path + "?fieldManager=tidegate", "PUT " + path + "/status?fieldManager=tidegate",
                   "PATCH " + path + "?fieldManager=tidegate",
                   "PATCH " + path + "/status?fieldManager=tidegate&force=true", "DELETE " + path}));
  EXPECT_EQ(requests_[2].head.headers.get("Content-Type"), "application/merge-patch+json");
  EXPECT_EQ(requests_[2].body, R"({"data":{"x":null}})");
  EXPECT_EQ(requests_[3].head.headers.get("Content-Type"), "application/apply-patch+yaml");
  EXPECT_EQ(requests_[4].body,
            R"({"apiVersion":"v1","kind":"DeleteOptions","propagationPolicy":"Background"})");
}

TEST_F(ClientTest, RefusesUnguardedUpdatesAndNamesThatClimb) {
  EXPECT_EQ(wait(client().update(kConfigMaps, config_map("a", ""))).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(wait(client().get(kConfigMaps, {"shop", ".."})).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(wait(client().get(kConfigMaps, {"shop", ""})).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(asked_, Asked{});
  answer(404, "");
  (void)wait(client().get(kConfigMaps, {"shop", "../secrets/x?y"}));
  EXPECT_EQ(asked_, Asked{"GET /api/v1/namespaces/shop/configmaps/..%2Fsecrets%2Fx%3Fy"});
}

TEST_F(ClientTest, ATokenFileIsReadAnewAfterAMinute) {
  const test::TempDir dir;
  auto with_token = config();
  with_token.bearer_token_file = dir.path() + "/token";
  std::ofstream(with_token.bearer_token_file) << "one\n";
  client_ = std::make_unique<Client>(loop_.io(), scheduler_, with_token);
  for (int i = 0; i < 3; ++i) answer(200, "{}");
  (void)wait(client().get(kConfigMaps, {"shop", "a"}));
  std::ofstream(with_token.bearer_token_file) << "two\n";
  (void)wait(client().get(kConfigMaps, {"shop", "a"}));
  scheduler_.advance(std::chrono::minutes(1));
  (void)wait(client().get(kConfigMaps, {"shop", "a"}));
  ASSERT_EQ(requests_.size(), 3u);
  EXPECT_EQ(requests_[0].head.headers.get("Authorization"), "Bearer one");
  EXPECT_EQ(requests_[1].head.headers.get("Authorization"), "Bearer one");
  EXPECT_EQ(requests_[2].head.headers.get("Authorization"), "Bearer two");
}

TEST_F(ClientTest, DestroyingItEndsCallsUnderWay) {
  std::optional<Result<Json>> result;
  auto run = [](Task<Result<Json>> task, std::optional<Result<Json>>& result) -> Task<void> {
    result = co_await std::move(task);
  };
  server_->drain();
  net::spawn(loop_.io(), run(client().get(kConfigMaps, {"shop", "a"}), result));
  loop_.io().poll();
  client_.reset();
  run_ahead_until([&] { return result.has_value(); });
  EXPECT_FALSE(*result);
}

}  // namespace
}  // namespace tidegate::kube
