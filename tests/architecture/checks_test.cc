// SPDX-License-Identifier: Apache-2.0
// Each check finds what it is for in a small tree, and nothing in a good one.
#include "tests/architecture/checks.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace tidegate::architecture {
namespace {

const std::string kPage = R"(# Page

| layer | may include | what it is |
|---|---|---|
| base | | |
| kube | base | |
| gateway | kube base | |
| app | everything | |

| shell of | files | alone may include |
|---|---|---|
| gateway | `controller*` | kube |

| text | in | only in | why |
|---|---|---|---|
| `steady_clock::now` | `*` | `base/clock.cc` | time is an argument |
| `std::mutex` | `proxy/*` | | one thread owns it |
| `#include <yaml-cpp` | `*` | `base/yaml.cc` | one place |
)";

Strings layers(std::string path, std::string text) { return check_layers({{path, text}}, kPage); }
Strings places(std::string path, std::string text) { return check_places({{path, text}}, kPage); }

TEST(CheckLayers, FollowsTheTables) {
  struct Case {
    std::string path, text;
    Strings findings;
  };
  const Case cases[] = {
      {"src/kube/a.cc", "#include \"base/x.h\"\n#include \"kube/a.h\"\n#include <map>\n", {}},
      {"src/base/a.cc",
       "#include \"kube/x.h\"\n",
       {"src/base/a.cc includes kube/x.h: base may not include kube"}},
      {"src/app/a.cc", "#include \"kube/x.h\"\n", {}},
      {"src/new/a.cc",
       "#include \"base/x.h\"\n",
       {"src/new/a.cc includes base/x.h: new is not in the layer table"}},
      {"src/gateway/controller_x.cc", "#include \"kube/x.h\"\n", {}},
      {"src/gateway/translate.cc",
       "#include \"kube/x.h\"\n",
       {"src/gateway/translate.cc includes kube/x.h: only the shell of gateway may include kube"}},
      {"src/kube/a_test.cc", "#include \"tests/support/x.h\"\n", {}},
      {"src/kube/a.cc",
       "#include \"tests/support/x.h\"\n",
       {"src/kube/a.cc includes tests/support/x.h: only test code includes tests/"}},
  };
  for (const auto& c : cases) EXPECT_EQ(layers(c.path, c.text), c.findings) << c.path;
  EXPECT_EQ(check_layers({}, "no table").size(), 1u);
}

TEST(CheckPlaces, FollowsTheTable) {
  EXPECT_EQ(places("src/kube/a.cc", "auto t = std::chrono::steady_clock::now();\n"),
            Strings{"src/kube/a.cc holds steady_clock::now: time is an argument"});
  EXPECT_EQ(places("src/kube/a.cc", "// steady_clock::now is not for us\n"), Strings{});
  EXPECT_EQ(places("src/base/clock.cc", "return steady_clock::now();\n"), Strings{});
  EXPECT_EQ(places("src/kube/a_test.cc", "return steady_clock::now();\n"), Strings{});
  EXPECT_EQ(places("src/proxy/a.h", "std::mutex m;\n").size(), 1u);
  EXPECT_EQ(places("src/kube/a.h", "std::mutex m;\n"), Strings{});
  EXPECT_EQ(places("src/kube/a.cc", "#include <yaml-cpp/parser.h>\n").size(), 1u);
  EXPECT_EQ(check_places({}, "no table").size(), 1u);
}

std::string lines(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += "  f();\n";
  return text;
}

TEST(CheckSizes, MeasuresFilesAndFunctions) {
  EXPECT_EQ(check_sizes({{"a.cc", std::string(601, '\n')}}, ""), Strings{"a.cc has 601 lines, at most 600"});
  EXPECT_EQ(check_sizes({{"a.cc", std::string(600, '\n')}}, ""), Strings{});
  EXPECT_EQ(check_sizes({{"a.cc", "void g() {\n" + lines(68) + "}\n"}}, ""), Strings{});
  EXPECT_EQ(check_sizes({{"a.cc", "namespace x {\nvoid g() {\n" + lines(69) + "}\n}\n"}}, ""),
            Strings{"a.cc: void g() has 71 lines, at most 70"});
}

TEST(CheckSizes, TheAllowListMayOnlyShrink) {
  const Tree large{{"a.cc", std::string(601, '\n')}};
  EXPECT_EQ(check_sizes(large, "# known\na.cc\n"), Strings{});
  EXPECT_EQ(check_sizes({{"a.cc", "\n"}}, "a.cc\n"),
            Strings{"the allow list names what is small enough by now: a.cc"});
}

TEST(FunctionsOf, SeesWhatBracesHide) {
  // Not R"cpp: that would be formatted, and the lines below are counted.
  const auto functions = functions_of(R"text(
#define OPEN() {
namespace n {
constexpr int kTable[] = {1, 2};
template <typename T>
struct S {
  S() : a_{1}, b_(2) {
    x();
  }
  int f() const { return '{' + 10'000; }
  std::string g() {
    // }
    return "}" R"x(}})x";
  }
};
enum class E { kA };
auto h(std::vector<int> v = {}) -> int {
  if (v.empty()) {
    return 1;
  }
  return 2;
}
}  // namespace n
)text");
  std::vector<std::pair<int, int>> sizes;
  for (const auto& function : functions) sizes.emplace_back(function.line, function.lines);
  EXPECT_TRUE(std::find(sizes.begin(), sizes.end(), std::pair(10, 1)) != sizes.end());
  EXPECT_TRUE(std::find(sizes.begin(), sizes.end(), std::pair(11, 4)) != sizes.end());
  ASSERT_FALSE(functions.empty());
  EXPECT_EQ(functions.back().line + functions.back().lines - 1, 22);
}

TEST(CheckHeaders, AskForLicenceCommentAndGuard) {
  const std::string spdx = "// SPDX-License-Identifier: Apache-2.0\n";
  EXPECT_EQ(check_headers(
                {{"a.h", spdx + "// What it is.\n#pragma once\n"}, {"a.cc", spdx + "#include \"a.h\"\n"}}),
            Strings{});
  EXPECT_EQ(check_headers({{"a.cc", "#include \"a.h\"\n"}}),
            Strings{"a.cc: the first line is not the SPDX line"});
  EXPECT_EQ(check_headers({{"a.h", spdx + "#pragma once\n"}}), Strings{"a.h: no opening comment in line 2"});
  EXPECT_EQ(check_headers({{"a.h", spdx + "// What.\n#include <map>\n"}}),
            Strings{"a.h: no #pragma once after the opening comment"});
}

TEST(CheckForm, FindsLeftovers) {
  EXPECT_EQ(check_form({{"a.md", "good\n"}, {"b.md", ""}}), Strings{});
  EXPECT_EQ(check_form({{"a.md", "no end"}}).size(), 1u);
  EXPECT_EQ(check_form({{"a.md", "a\r\n"}}).size(), 1u);
  EXPECT_EQ(check_form({{"a.md", std::string("// TO") + "DO later\n"}}).size(), 1u);
  EXPECT_EQ(check_form({{"a.md", std::string("see /ho") + "me/me/x\n"}}).size(), 1u);
}

TEST(CheckLinks, FindsWhatIsNotThere) {
  const Tree tree{
      {"docs/a.md",
       "[x](b.md#part) [y](../src) [z](https://example.org) ![p](gone.svg)\n```\n[q](no.md)\n```\n"}};
  EXPECT_EQ(check_links(tree, {"docs/b.md", "src"}),
            Strings{"docs/a.md links to gone.svg, which is not there"});
}

TEST(CheckMetrics, ComparesBothWays) {
  const std::string page =
      "| metric | labels |\n|---|---|\n| `tidegate_a_total`, `tidegate_b{state}` | x |\n";
  const Tree both{{"src/p/a.cc", "f(\"tidegate_a_total\"); g(\"tidegate_b_bucket\");\n"}};
  EXPECT_EQ(check_metrics(both, page), Strings{});
  EXPECT_EQ(check_metrics({{"src/p/a.cc", "f(\"tidegate_a_total\");\n// tidegate_b\n"}}, page),
            Strings{"docs/metrics.md names tidegate_b, which nothing in src/ registers"});
  EXPECT_EQ(check_metrics({{"src/p/a.cc", "f(\"tidegate_a_total tidegate_b tidegate_c\");\n"}}, page),
            Strings{"src/ names the metric tidegate_c, which docs/metrics.md does not"});
}

}  // namespace
}  // namespace tidegate::architecture
