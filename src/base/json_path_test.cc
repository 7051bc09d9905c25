// SPDX-License-Identifier: Apache-2.0
#include "base/json_path.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace tidegate::json {
namespace {

struct PathCase {
  const char* name;
  const char* path;
  const char* found;  // JSON list; "error" where refused
};
class JsonPath : public testing::TestWithParam<PathCase> {};
TEST_P(JsonPath, Finds) {
  const Json object = {{"a", {{"b", 1}, {"x.y/z", 2}}},
                       {"l", {{{"t", "A"}, {"v", 1}}, {{"t", "B"}, {"v", 2}, {"w", "x"}}}}};
  const auto found = select(object, GetParam().path);
  EXPECT_EQ(found ? dump(Json(*found)) : "error", GetParam().found) << GetParam().path;
}
INSTANTIATE_TEST_SUITE_P(
    All, JsonPath,
    testing::Values(PathCase{"key", ".a.b", "[1]"}, PathCase{"braces", "{.a.b}", "[1]"},
                    PathCase{"root", "$.a.b", "[1]"}, PathCase{"without_dot", "a.b", "[1]"},
                    PathCase{"bracket_key", ".a['x.y/z']", "[2]"},
                    PathCase{"escaped_dot", ".a.x\\.y/z", "[2]"}, PathCase{"index", ".l[0].t", "[\"A\"]"},
                    PathCase{"from_the_end", ".l[-1].t", "[\"B\"]"}, PathCase{"outside", ".l[7].t", "[]"},
                    PathCase{"all", ".l[*].v", "[1,2]"}, PathCase{"members", ".a.*", "[1,2]"},
                    PathCase{"filter", ".l[?(@.t==\"B\")].v", "[2]"},
                    PathCase{"filter_spaces", ".l[?( @.t == 'B' )].v", "[2]"},
                    PathCase{"filter_number", ".l[?(@.v<2)].t", "[\"A\"]"},
                    PathCase{"filter_exists", ".l[?(@.w)].t", "[\"B\"]"},
                    PathCase{"filter_not", ".l[?(@.t!=\"B\")].v", "[1]"}, PathCase{"missing", ".a.c.d", "[]"},
                    PathCase{"everything", "",
                             R"([{"a":{"b":1,"x.y/z":2},"l":[{"t":"A","v":1},{"t":"B","v":2,"w":"x"}]}])"},
                    PathCase{"descent", "..b", "error"}, PathCase{"open_bracket", ".l[0", "error"},
                    PathCase{"open_filter", ".l[?(@.t==\"B\"", "error"},
                    PathCase{"open_quote", ".a['b", "error"}, PathCase{"empty_name", ".a..b", "error"},
                    PathCase{"no_operand", ".l[?(@.t==)]", "error"}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace tidegate::json
