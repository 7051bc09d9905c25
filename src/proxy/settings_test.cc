// SPDX-License-Identifier: Apache-2.0
#include "proxy/settings.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

namespace tidegate::proxy {
namespace {

using namespace std::chrono_literals;

std::map<std::string, double> values(const Settings& settings) {
  std::map<std::string, double> out;
  for (const Setting& setting : all_settings()) out[setting.name] = setting.get(settings);
  return out;
}

TEST(Settings, EachIsItsOwnAndHasItsWholeRange) {
  for (const Setting& setting : all_settings()) {
    for (const double value : {setting.least, setting.most}) {
      Settings settings;
      auto wanted = values(settings);
      wanted[setting.name] = value;
      setting.set(settings, value);
      EXPECT_EQ(values(settings), wanted) << setting.name;
    }
  }
}

TEST(Settings, DefaultsAreWithinTheirRanges) {
  for (const Setting& setting : all_settings()) {
    const double value = setting.get(Settings{});
    EXPECT_TRUE(value >= setting.least && value <= setting.most) << setting.name << ": " << value;
  }
}

TEST(Settings, AFileChangesWhatItNames) {
  Settings settings;
  const auto done = apply_settings(
      "clients:\n  headerTimeout: 5s\n  headerBytes: 128Ki\n  http2: {pings: {perSecond: 0.5}}\n"
      "backends: {connections: 7}\n---\ndrainTimeout: 1m30s\n",
      "limits.yaml", settings);
  ASSERT_TRUE(done) << done.error().detail;
  EXPECT_EQ(settings.clients.header_timeout, 5s);
  EXPECT_EQ(settings.clients.http.header_bytes, 128 * 1024U);
  EXPECT_EQ(settings.clients.h2.pings.per_second, 0.5);
  EXPECT_EQ(settings.backends.max_connections, 7U);
  EXPECT_EQ(settings.drain_timeout, 90s);
  EXPECT_EQ(settings.clients.keep_alive_timeout, Settings{}.clients.keep_alive_timeout);
}

TEST(Settings, WhatIsPrintedCanBeRead) {
  Settings wanted;
  for (const Setting& setting : all_settings()) setting.set(wanted, setting.least);
  Settings read;
  const auto done = apply_settings(to_yaml(wanted), "printed", read);
  ASSERT_TRUE(done) << done.error().detail << "\n" << to_yaml(wanted);
  EXPECT_EQ(values(read), values(wanted));
}

TEST(Settings, BadFilesAreRefusedByName) {
  struct Case {
    const char *yaml, *error;
  };
  const Case cases[] = {
      {"clients: {headerTimout: 5s}",
       "f.yaml: clients.headerTimout: there is no such setting; `tidegate limits` prints all"},
      {"clients: {headerTimeout: 5}",
       "f.yaml: clients.headerTimeout: 5 is no duration such as 10s, from 100ms to 1h"},
      {"clients: {headerTimeout: 1ms}",
       "f.yaml: clients.headerTimeout: \"1ms\" is no duration such as 10s, from 100ms to 1h"},
      {"clients: {headerTimeout: soon}",
       "f.yaml: clients.headerTimeout: \"soon\" is no duration such as 10s, from 100ms to 1h"},
      {"clients: {headerBytes: 1Gi}",
       "f.yaml: clients.headerBytes: \"1Gi\" is no number of bytes such as 65536, 64Ki or 1Mi, from 1Ki to "
       "16Mi"},
      {"clients: {headerCount: 12.5}",
       "f.yaml: clients.headerCount: 12.5 is no whole number, from 8 to 10000"},
      {"backends: {connections: -1}",
       "f.yaml: backends.connections: -1 is no whole number, from 1 to 1000000"},
      {"retry: {budgetPercent: 101}",
       "f.yaml: retry.budgetPercent: 101 is no percentage without its sign, from 0 to 100"},
      {"clients: 12", "f.yaml: clients: 12 is no map of settings"},
      {"- clients", "f.yaml: is no map of settings; `tidegate limits` prints one"},
  };
  for (const auto& [yaml, error] : cases) {
    Settings settings;
    const auto done = apply_settings(std::string("drainTimeout: 1s\n---\n") + yaml, "f.yaml", settings);
    ASSERT_FALSE(done) << yaml;
    EXPECT_EQ(done.error().detail, error);
    EXPECT_EQ(values(settings), values(Settings{})) << "half of a bad file was taken: " << yaml;
  }
}

std::string row(const Setting& setting) {
  return "| `" + setting.name + "` | " + to_text(setting.unit, setting.get(Settings{})) + " | " +
         to_text(setting.unit, setting.least) + " to " + to_text(setting.unit, setting.most) + " | " +
         std::string(setting.meaning) + " |";
}

TEST(Settings, AreThoseOfTheDocument) {
  std::ifstream file(TIDEGATE_TREE "/docs/hardening.md");
  std::string shown, wanted;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("## ")) inside = line == "## Settings";
    if (inside && line.starts_with("| `")) shown += line + "\n";
  }
  for (const Setting& setting : all_settings()) wanted += row(setting) + "\n";
  EXPECT_EQ(shown, wanted);
}

}  // namespace
}  // namespace tidegate::proxy
