// SPDX-License-Identifier: Apache-2.0
#include "kube/events.h"

#include <gtest/gtest.h>

#include "api/core.h"
#include "kube/event_series.h"
#include "kube/limits.h"
#include "kube/playback.h"

namespace tidegate::kube {
namespace {

constexpr TimePoint kStart{std::chrono::seconds(1'800'000'000)};

TEST(EventLog, CountsTheSameAndTellsOthersApart) {
  EventLog log;
  const auto first = log.note("o", "a", kStart);
  const auto again = log.note("o", "a", kStart + 3s);
  EXPECT_EQ(first, again);
  EXPECT_EQ(again->count, 2);
  EXPECT_EQ(again->first, kStart);
  EXPECT_EQ(again->last, kStart + 3s);
  EXPECT_NE(log.note("o", "b", kStart), first);
}

TEST(EventLog, AnObjectHasABurstOf25AndOneMoreEvery5Seconds) {
  EventLog log;
  int written = 0;
  for (int i = 0; i < 40; ++i) written += log.note("o", std::to_string(i), kStart) != nullptr;
  EXPECT_EQ(written, 25);
  EXPECT_TRUE(log.note("other", "x", kStart));
  EXPECT_FALSE(log.note("o", "y", kStart + 4s));
  EXPECT_TRUE(log.note("o", "y", kStart + 5s));
  EXPECT_FALSE(log.note("o", "z", kStart + 6s));
}

TEST(EventLog, WhatIsHeldBackIsCountedAllTheSame) {
  EventLog log;
  for (int i = 0; i < 30; ++i) (void)log.note("o", "a", kStart);
  const auto later = log.note("o", "a", kStart + 5s);
  ASSERT_TRUE(later);
  EXPECT_EQ(later->count, 31);
}

TEST(EventLog, TheLeastRecentlySeenAreForgotten) {
  EventLog log;
  (void)log.note("o", "old", kStart);
  for (std::size_t i = 0; i < kMaxEventSeries; ++i)
    (void)log.note("p" + std::to_string(i), std::to_string(i), kStart);
  EXPECT_EQ(log.note("o", "old", kStart)->count, 1);
}

class EventsTest : public PlaybackTest {
 protected:
  void record(EventRecorder& recorder, std::string message = "weight is 20") {
    recorder.record(api::kServices, about_, EventRecorder::Type::kNormal, "Stepped", message);
  }
  void await_requests(std::size_t count) {
    run_ahead_until([&] { return requests_.size() >= count; });
    settle();
  }
  api::Meta about_ = [] {
    api::Meta meta;
    meta.ns = "shop";
    meta.name = "web";
    meta.uid = "u-1";
    return meta;
  }();
};

TEST_F(EventsTest, WritesAnEventAsKubectlReadsIt) {
  answer(201, "{}");
  EventRecorder recorder(client(), "tidegate");
  record(recorder);
  await_requests(1);
  EXPECT_EQ(asked_[0], "POST /api/v1/namespaces/shop/events?fieldManager=tidegate");
  const Json event = Json::parse(requests_[0].body);
  EXPECT_EQ(json::string_at(event, "involvedObject.kind"), "Service");
  EXPECT_EQ(json::string_at(event, "involvedObject.uid"), "u-1");
  EXPECT_EQ(json::string_at(event, "reason"), "Stepped");
  EXPECT_EQ(json::string_at(event, "type"), "Normal");
  EXPECT_EQ(json::string_at(event, "reportingComponent"), "tidegate");
  EXPECT_EQ(json::int_at(event, "count"), 1);
  EXPECT_FALSE(json::string_at(event, "firstTimestamp").empty());
  const auto name = json::string_at(event, "metadata.name");
  EXPECT_EQ(name.substr(0, 4), "web.");
  EXPECT_EQ(name.size(), 20u);
}

TEST_F(EventsTest, ARepeatedEventIsCountedUp) {
  answer(201, "{}");
  answer(200, "{}");
  EventRecorder recorder(client(), "tidegate");
  record(recorder);
  await_requests(1);
  const auto name = json::string_at(Json::parse(requests_[0].body), "metadata.name");
  record(recorder);
  await_requests(2);
  EXPECT_EQ(asked_[1], "PATCH /api/v1/namespaces/shop/events/" + name + "?fieldManager=tidegate");
  EXPECT_EQ(json::int_at(Json::parse(requests_[1].body), "count"), 2);
}

TEST_F(EventsTest, RepeatsWhileAWriteIsUnderWayBecomeOneMoreWrite) {
  answer(201, "{}");
  answer(200, "{}");
  EventRecorder recorder(client(), "tidegate");
  for (int i = 0; i < 5; ++i) record(recorder);
  await_requests(1);
  settle();
  ASSERT_LE(requests_.size(), 2u);
  EXPECT_EQ(json::int_at(Json::parse(requests_.back().body), "count"), 5);
}

TEST_F(EventsTest, AnEventThatExpiredIsWrittenAnew) {
  answer(201, "{}");
  answer(404, "{}");
  answer(201, "{}");
  EventRecorder recorder(client(), "tidegate");
  record(recorder);
  await_requests(1);
  record(recorder);
  await_requests(3);
  EXPECT_TRUE(asked_[2].starts_with("POST"));
  EXPECT_EQ(json::int_at(Json::parse(requests_[2].body), "count"), 2);
}

TEST_F(EventsTest, IsWrittenOnceTheServerIsBack) {
  EventRecorder recorder(client(), "tidegate");
  answer(503, "away");
  answer(409, "{}");
  answer(201, "{}");
  record(recorder);
  await_requests(3);
  scheduler_.advance(5min);
  settle();
  ASSERT_EQ(requests_.size(), 3u);
  EXPECT_TRUE(asked_[2].starts_with("POST")) << asked_[2];
}

TEST_F(EventsTest, IsGivenUpAfterAMinute) {
  EventRecorder recorder(client(), "tidegate");
  const TimePoint start = scheduler_.clock().now();
  for (int i = 0; i < 20; ++i) answer(503, "away");
  record(recorder);
  await_requests(7);
  EXPECT_LE(scheduler_.clock().now() - start, 70s);
  scheduler_.advance(5min);
  settle();
  EXPECT_EQ(requests_.size(), 7u);
}

TEST_F(EventsTest, LongMessagesAreCutBetweenCharacters) {
  answer(201, "{}");
  EventRecorder recorder(client(), "tidegate");
  std::string message;
  while (message.size() < 1100) message += "\u20ac";
  record(recorder, message);
  await_requests(1);
  EXPECT_EQ(json::string_at(Json::parse(requests_[0].body), "message"), message.substr(0, 1023));
}

}  // namespace
}  // namespace tidegate::kube
