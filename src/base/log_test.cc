// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/json.h"

namespace tidegate::log {
namespace {

class LogTest : public testing::Test {
 protected:
  ~LogTest() override { configure(Level::kInfo, Format::kText); }
};

TEST_F(LogTest, WritesTextOnOneLine) {
  testing::internal::CaptureStderr();
  info("pod started",
       {{"pod", "shop/a"}, {"count", 3}, {"note", "two\nlines=\"x\""}, {"ok", true}, {"none", ""}});
  const std::string line = testing::internal::GetCapturedStderr();
  EXPECT_NE(
      line.find("Z info pod started pod=shop/a count=3 note=\"two\\nlines=\\\"x\\\"\" ok=true none=\"\"\n"),
      std::string::npos)
      << line;
}

TEST_F(LogTest, WritesJsonLines) {
  configure(Level::kInfo, Format::kJson);
  testing::internal::CaptureStderr();
  warning("odd \"thing\"", {{"key", "a\nb"}});
  const auto line = json::parse(testing::internal::GetCapturedStderr());
  ASSERT_TRUE(line) << line.error().detail;
  EXPECT_EQ(json::string_at(*line, "message"), "odd \"thing\"");
  EXPECT_EQ(json::string_at(*line, "level"), "warning");
  EXPECT_EQ(json::string_at(*line, "key"), "a\nb");
  EXPECT_EQ(json::string_at(*line, "time").size(), 24U);
}

TEST_F(LogTest, LeavesOutWhatIsBelowTheLevel) {
  configure(Level::kError, Format::kText);
  testing::internal::CaptureStderr();
  warning("not this");
  error("but this");
  const std::string lines = testing::internal::GetCapturedStderr();
  EXPECT_EQ(lines.find("not this"), std::string::npos);
  EXPECT_NE(lines.find("error but this"), std::string::npos);
}

}  // namespace
}  // namespace tidegate::log
