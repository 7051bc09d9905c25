// SPDX-License-Identifier: Apache-2.0
// tests/golden/rollout_view/<case>: what `tidegate get` and `describe` print of the objects in in.yaml, at
// the time that its document GoldenOptions says. tests/golden/lint/<case>: what `tidegate lint` finds in
// in.yaml. tests/golden/simulate: what `tidegate simulate` prints of in.yaml, by how the new version answers.
// UPDATE_GOLDEN=1 rewrites the texts.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "app/lint.h"
#include "app/rollout_view.h"
#include "app/simulate.h"
#include "base/text.h"
#include "base/yaml.h"

namespace tidegate::app {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

void expect_golden(const fs::path& file, const std::string& got) {
  if (const char* update = std::getenv("UPDATE_GOLDEN"); update && std::string_view(update) == "1") {
    std::ofstream(file) << got;
    return;
  }
  EXPECT_EQ(got, read(file)) << file << " differs (UPDATE_GOLDEN=1 rewrites it)";
}

std::vector<fs::path> cases(const char* folder) {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(fs::path(GOLDEN_DIR) / folder)) out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  return out;
}

std::string name_of(const testing::TestParamInfo<fs::path>& info) { return info.param.filename().string(); }

class RolloutViewGolden : public testing::TestWithParam<fs::path> {};

TEST_P(RolloutViewGolden, IsPrinted) {
  const auto documents = yaml::parse_all(read(GetParam() / "in.yaml"));
  ASSERT_TRUE(documents) << documents.error().detail;
  RolloutView view;
  for (const auto& document : *documents) {
    const std::string kind = json::string_at(document.value, "kind");
    if (kind == "GoldenOptions") view.now = text::parse_time(json::string_at(document.value, "now")).value();
    if (kind == "Rollout") view.rollout = document.value;
    if (kind == "ReplicaSet") view.replica_sets.push_back(document.value);
    if (kind == "Event") view.events.push_back(document.value);
  }
  expect_golden(GetParam() / "get.txt", summary(view));
  expect_golden(GetParam() / "describe.txt", description(view));
}
INSTANTIATE_TEST_SUITE_P(Cases, RolloutViewGolden, testing::ValuesIn(cases("rollout_view")), name_of);

class LintGolden : public testing::TestWithParam<fs::path> {};

TEST_P(LintGolden, IsPrinted) {
  const auto manifests = parse_manifests("in.yaml", read(GetParam() / "in.yaml"));
  ASSERT_TRUE(manifests) << manifests.error().detail;
  std::string got;
  for (const auto& finding : lint(*manifests)) got += to_string(finding) + "\n";
  expect_golden(GetParam() / "out.txt", got);
}
INSTANTIATE_TEST_SUITE_P(Cases, LintGolden, testing::ValuesIn(cases("lint")), name_of);

struct PlayCase {
  const char* name;
  double requests_a_second;
  Behaviour canary;
  bool promoted;
};
class SimulateGolden : public testing::TestWithParam<PlayCase> {};

TEST_P(SimulateGolden, IsPrinted) {
  const fs::path folder = fs::path(GOLDEN_DIR) / "simulate";
  const auto manifests = parse_manifests("in.yaml", read(folder / "in.yaml"));
  ASSERT_TRUE(manifests) << manifests.error().detail;
  const auto played = simulate(*manifests, GetParam().requests_a_second, GetParam().canary);
  ASSERT_TRUE(played) << played.error().detail;
  EXPECT_EQ(played->promoted, GetParam().promoted);
  expect_golden(folder / (std::string(GetParam().name) + ".txt"), played->text);
}
INSTANTIATE_TEST_SUITE_P(Cases, SimulateGolden,
                         testing::Values(PlayCase{"good", 100, {}, true},
                                         PlayCase{"failing", 100, {0.2, Duration(20)}, false},
                                         PlayCase{"slow", 100, {0, Duration(3000)}, false},
                                         PlayCase{"silent", 0, {}, false}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(Simulate, PlaysEveryExampleOfAGoodVersion) {
  std::size_t played = 0;
  for (const auto& folder : fs::directory_iterator(SOURCE_DIR "/examples")) {
    if (!folder.is_directory()) continue;
    const auto manifests = load_manifests(folder.path().string());
    if (!manifests) continue;
    const auto result = simulate(*manifests, 200, {});
    if (!result && result.error().detail.find("not modelled") != std::string::npos) continue;
    if (!result && result.error().detail.find("found 0") != std::string::npos) continue;
    ASSERT_TRUE(result) << folder.path() << ": " << result.error().detail;
    EXPECT_TRUE(result->promoted) << folder.path() << ":\n" << result->text;
    ++played;
  }
  EXPECT_GE(played, 5u);
}

TEST(Simulate, SaysWhatItCannotPlay) {
  const auto none = parse_manifests("x", "{apiVersion: v1, kind: Service, metadata: {name: a}}");
  EXPECT_EQ(simulate(*none, 1, {}).error().detail, "expected one Rollout, found 0");
  const auto slots = parse_manifests(
      "x", "{apiVersion: tidegate.dev/v1alpha1, kind: Rollout, metadata: {name: a}, spec: {services: {}}}");
  EXPECT_EQ(simulate(*slots, 1, {}).error().detail,
            "spec.services is not modelled: expected template or workloadRef");
}

TEST(Lint, TellsByItsExitCode) {
  const std::string folder = GOLDEN_DIR "/lint/";
  testing::internal::CaptureStdout();
  EXPECT_EQ(run_lint({folder + "clean/in.yaml"}, "text"), 0);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "0 findings in 3 objects\n");
  testing::internal::CaptureStdout();
  EXPECT_EQ(run_lint({folder + "clean/in.yaml", folder + "routes/in.yaml"}, "json"), 1);
  const auto printed = json::parse(testing::internal::GetCapturedStdout());
  ASSERT_TRUE(printed);
  EXPECT_EQ(json::string_at(*printed, "/0/field"), "spec.rules[0].backendRefs[1].port");
  EXPECT_EQ(json::string_at(*printed, "/0/value"), "99999");
  testing::internal::CaptureStderr();
  EXPECT_EQ(run_lint({"/nowhere"}, "text"), 2);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("/nowhere"), std::string::npos);
}

TEST(Lint, FindsNothingInTheExamples) {
  std::size_t read = 0;
  for (const auto& entry : fs::recursive_directory_iterator(SOURCE_DIR "/examples")) {
    const auto extension = entry.path().extension();
    if (extension != ".yaml") continue;
    const auto manifests = load_manifests(entry.path().string());
    ASSERT_TRUE(manifests) << manifests.error().detail;
    for (const auto& finding : lint(*manifests)) ADD_FAILURE() << to_string(finding);
    read += manifests->size();
  }
  EXPECT_GT(read, 20u);
}

}  // namespace
}  // namespace tidegate::app
