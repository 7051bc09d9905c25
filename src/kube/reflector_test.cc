// SPDX-License-Identifier: Apache-2.0
#include "kube/reflector.h"

#include <gtest/gtest.h>

#include "api/core.h"
#include "http/uri.h"
#include "kube/limits.h"
#include "kube/playback.h"

namespace tidegate::kube {
namespace {

using Held = std::map<std::string, std::string>;  // name to resourceVersion

Json config_map(const std::string& name, const std::string& version) {
  return {{"metadata", {{"namespace", "shop"}, {"name", name}, {"resourceVersion", version}}}};
}

std::string list_of(std::vector<Json> items, std::string version) {
  return Json({{"items", items}, {"metadata", {{"resourceVersion", version}}}}).dump();
}

std::string event(std::string type, Json object) {
  return Json({{"type", type}, {"object", object}}).dump() + "\n";
}

// Lists are answered from the recorded ones, watches stay open for the test to write into.
class ReflectorTest : public PlaybackTest {
 protected:
  void on_request(session::Request request, session::Responder responder) override {
    const auto query = http::parse_query(request.head.query());
    const auto value = [&](std::string_view name) {
      for (const auto& [key, text] : query) {
        if (key == name) return text;
      }
      return std::string();
    };
    if (value("watch").empty()) return PlaybackTest::on_request(std::move(request), std::move(responder));
    watched_from_.push_back(value("resourceVersion"));
    asked_seconds_.push_back(std::stoi(value("timeoutSeconds")));
    if (watch_status_ != 200) return responder.send({watch_status_, "application/json", "{}"});
    watch_.emplace(std::move(responder));
    watch_->begin(200, "application/json");
  }

  void start() {
    reflector_ = std::make_unique<Reflector>(client(), api::kConfigMaps, ListOptions{"shop", {}, {}}, store_,
                                             [this] { ++synced_; });
  }
  void start_with(std::vector<Json> items, std::string version) {
    answer(200, list_of(std::move(items), std::move(version)));
    start();
    run_ahead_until([&] { return watch_.has_value(); });
  }
  // The watch that follows the one that the test ended.
  void await_watch(std::size_t number) {
    run_ahead_until([&] { return watched_from_.size() >= number && watch_; });
  }
  Held held() const {
    Held out;
    for (const auto& [key, object] : store_.all()) out[key.name] = object->meta.resource_version;
    return out;
  }
  void expect(const Held& wanted) {
    run_ahead_until([&] { return held() == wanted; });
    EXPECT_EQ(held(), wanted);
  }

  std::vector<std::string> watched_from_;
  std::vector<int> asked_seconds_;
  int watch_status_ = 200;
  std::optional<session::Responder> watch_;
  Store<api::Object> store_{[](const Json& json) { return api::make_object(json); }};
  int synced_ = 0;
  std::unique_ptr<Reflector> reflector_;
};

TEST_F(ReflectorTest, ListsThenFollowsEvents) {
  start_with({config_map("a", "1"), config_map("b", "2")}, "5");
  EXPECT_EQ(held(), (Held{{"a", "1"}, {"b", "2"}}));
  EXPECT_EQ(synced_, 1);
  EXPECT_EQ(watched_from_, std::vector<std::string>{"5"});
  const std::string all = event("MODIFIED", config_map("a", "6")) + event("DELETED", config_map("b", "7")) +
                          event("ADDED", config_map("c", "8"));
  watch_->write(all.substr(0, 30));  // chunks end where they like
  settle();
  watch_->write(all.substr(30));
  expect({{"a", "6"}, {"c", "8"}});
  EXPECT_GE(asked_seconds_[0], 300);
  EXPECT_LE(asked_seconds_[0], 600);
}

TEST_F(ReflectorTest, ResumesFromTheLastEventOrBookmark) {
  start_with({}, "5");
  watch_->write(event("ADDED", config_map("a", "6")));
  expect({{"a", "6"}});
  std::exchange(watch_, {})->end();
  await_watch(2);
  watch_->write(event("BOOKMARK", config_map("", "9")) + event("DELETED", config_map("zz", "")));
  settle();
  std::exchange(watch_, {})->end();
  await_watch(3);
  EXPECT_EQ(watched_from_, (std::vector<std::string>{"5", "6", "9"}));
  EXPECT_EQ(asked_.size(), 1u) << "listed once";
  EXPECT_EQ(held(), (Held{{"a", "6"}}));
}

TEST_F(ReflectorTest, ListsAgainWhenItsPlaceIsGone) {
  start_with({config_map("a", "1"), config_map("b", "2")}, "5");
  answer(200, list_of({config_map("b", "8"), config_map("c", "9")}, "12"));
  const Json gone = {{"kind", "Status"}, {"code", 410}, {"reason", "Expired"}, {"message", "too old"}};
  std::exchange(watch_, {})->write(event("ERROR", gone));
  await_watch(2);
  EXPECT_EQ(held(), (Held{{"b", "8"}, {"c", "9"}}));
  EXPECT_EQ(watched_from_, (std::vector<std::string>{"5", "12"}));
  EXPECT_EQ(synced_, 1);
}

TEST_F(ReflectorTest, ListsAgainWhenTheWatchIsRefusedAsGone) {
  watch_status_ = 410;
  answer(200, list_of({}, "5"));
  answer(200, list_of({config_map("a", "6")}, "7"));
  start();
  run_ahead_until([&] { return watched_from_.size() == 1; });
  watch_status_ = 200;
  expect({{"a", "6"}});
}

TEST_F(ReflectorTest, GoesOnFromItsPlaceWhenTheServerCameBack) {
  start_with({config_map("a", "1")}, "5");
  const auto address = server_->address();
  watch_.reset();
  server_.reset();
  const auto before = scheduler_.clock().now();
  run_ahead_until([&] { return scheduler_.clock().now() > before + std::chrono::seconds(1); });
  serve(address);
  await_watch(2);
  watch_->write(event("MODIFIED", config_map("a", "6")));
  expect({{"a", "6"}});
  EXPECT_EQ(watched_from_[1], "5");
}

TEST_F(ReflectorTest, AListThatFailsIsTriedAgainUntilItSucceeds) {
  for (int i = 0; i < 3; ++i) answer(403, "{}");
  answer(200, list_of({config_map("a", "1")}, "5"));
  start();
  expect({{"a", "1"}});
  EXPECT_EQ(asked_.size(), 4u);
  EXPECT_EQ(synced_, 1);
}

TEST_F(ReflectorTest, AnEndlessLineOrNonsenseLeadsToAFreshList) {
  start_with({config_map("a", "1")}, "5");
  answer(200, list_of({config_map("b", "2")}, "6"));
  std::exchange(watch_, {})->write("<html>\n");
  expect({{"b", "2"}});
}

TEST_F(ReflectorTest, AWatchThatTheServerForgetsIsReplaced) {
  start_with({}, "5");
  settle();  // the answer's head has a time-out of its own
  const auto silent = std::exchange(watch_, {});
  scheduler_.advance(std::chrono::seconds(asked_seconds_[0]) + kWatchGrace);
  await_watch(2);
  EXPECT_EQ(watched_from_, (std::vector<std::string>{"5", "5"}));
}

TEST_F(ReflectorTest, DestroyingItStopsItEvenFromWithinItsOwnEvents) {
  start_with({}, "5");
  store_.on_change([&](const auto&, const auto&) { reflector_.reset(); });
  watch_->write(event("ADDED", config_map("a", "6")) + event("ADDED", config_map("b", "7")));
  run_ahead_until([&] { return !reflector_; });
  settle();
  EXPECT_EQ(held(), (Held{{"a", "6"}}));
}

TEST_F(ReflectorTest, AKindThatMayBeUnknownHasNoObjectsUntilItIsThere) {
  answer(404, R"({"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404})");
  answer(200, list_of({config_map("a", "1")}, "5"));
  reflector_ = std::make_unique<Reflector>(
      client(), api::kConfigMaps, ListOptions{"shop", {}, {}}, store_, [this] { ++synced_; },
      Unknown::kEmpty);
  run_ahead_until([&] { return synced_ == 1; });
  EXPECT_EQ(held(), Held{});
  expect({{"a", "1"}});
  EXPECT_EQ(synced_, 1);
}

TEST_F(ReflectorTest, AKindThatGoesUnknownIsNotForgotten) {
  answer(200, list_of({config_map("a", "1")}, "5"));
  reflector_ = std::make_unique<Reflector>(
      client(), api::kConfigMaps, ListOptions{"shop", {}, {}}, store_, [this] { ++synced_; },
      Unknown::kEmpty);
  run_ahead_until([&] { return watch_.has_value(); });
  answer(404, R"({"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404})");
  answer(404, R"({"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404})");
  answer(200, list_of({config_map("a", "1"), config_map("b", "6")}, "7"));
  watch_->write(event("ERROR", {{"kind", "Status"}, {"code", 410}, {"reason", "Expired"}}));
  std::exchange(watch_, {})->end();
  run_ahead_until([&] { return asked_.size() >= 2; });
  EXPECT_EQ(held(), (Held{{"a", "1"}}));
  expect({{"a", "1"}, {"b", "6"}});
}

}  // namespace
}  // namespace tidegate::kube
