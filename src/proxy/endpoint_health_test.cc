// SPDX-License-Identifier: Apache-2.0
#include "proxy/endpoint_health.h"

#include <gtest/gtest.h>

namespace tidegate::proxy {
namespace {

using namespace std::chrono_literals;
using session::StreamError;

constexpr SteadyTime kStart{1h};
const BalanceSettings kSettings;

bool fail(EndpointHealth& health, int times, SteadyTime now) {
  bool enough = false;
  for (int i = 0; i < times; ++i) enough = health.failed(now, kSettings);
  return enough;
}

TEST(EndpointHealth, OnlyFailuresInARowCount) {
  EndpointHealth health(kStart);
  EXPECT_FALSE(fail(health, 4, kStart));
  health.answered();
  EXPECT_FALSE(fail(health, 4, kStart));
  EXPECT_TRUE(fail(health, 1, kStart));
  EXPECT_FALSE(health.ejected(kStart)) << "the backend decides";
}

TEST(EndpointHealth, IsOutLongerEachTimeUntilItHasDoneWell) {
  EndpointHealth health(kStart);
  SteadyTime now = kStart;
  for (const Duration out : {30s, 60s, 90s}) {
    health.eject(now, kSettings);
    EXPECT_TRUE(health.ejected(now + out - 1ms));
    EXPECT_FALSE(health.ejected(now + out));
    now += out + 1s;
  }
  now += 90s;
  health.eject(now, kSettings);
  EXPECT_FALSE(health.ejected(now + 30s));
  for (int i = 0; i < 20; ++i) {
    while (health.ejected(now)) now += 1s;
    health.eject(now, kSettings);
  }
  EXPECT_TRUE(health.ejected(now + 299s));
  EXPECT_FALSE(health.ejected(now + 300s));
}

TEST(EndpointHealth, FailuresOfRequestsThatWereUnderWayDoNotCountAgain) {
  EndpointHealth health(kStart);
  health.eject(kStart, kSettings);
  EXPECT_FALSE(fail(health, 10, kStart + 1s));
  EXPECT_FALSE(fail(health, 4, kStart + 31s));
}

TEST(EndpointHealth, ANewOneAndOneThatComesBackGetTheirShareLittleByLittle) {
  EndpointHealth health(kStart);
  EXPECT_EQ(health.share(kStart, kSettings), 0.1);
  EXPECT_EQ(health.share(kStart + 5s, kSettings), 0.5);
  EXPECT_EQ(health.share(kStart + 10s, kSettings), 1);
  health.eject(kStart + 1min, kSettings);
  EXPECT_EQ(health.share(kStart + 1min + 35s, kSettings), 0.5);
  BalanceSettings at_once;
  at_once.slow_start = 0s;
  EXPECT_EQ(EndpointHealth(kStart).share(kStart, at_once), 1);
}

TEST(EndpointHealth, WhatSpeaksAgainstAnEndpoint) {
  for (const auto error : {StreamError::kConnectRefused, StreamError::kConnectTimeout, StreamError::kTls,
                           StreamError::kTimeout, StreamError::kProtocol}) {
    EXPECT_TRUE(is_endpoint_failure(error, true)) << to_string(error);
  }
  EXPECT_TRUE(is_endpoint_failure(StreamError::kReset, false));
  EXPECT_FALSE(is_endpoint_failure(StreamError::kReset, true)) << "a kept connection may close";
  EXPECT_FALSE(is_endpoint_failure(StreamError::kOverflow, true));
  EXPECT_FALSE(is_endpoint_failure(StreamError::kCancelled, false));
  EXPECT_FALSE(is_endpoint_failure(StreamError::kRefused, true)) << "it says itself that it is full";
}

}  // namespace
}  // namespace tidegate::proxy
