// SPDX-License-Identifier: Apache-2.0
// What expressions mean: tables of what holds, what fails and what does not compile, by the language
// definition of CEL (github.com/google/cel-spec, doc/langdef.md) and the libraries of Kubernetes.
#include "apiserver/cel/program.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/yaml.h"

namespace tidegate::apiserver::cel {
namespace {

Json from_yaml(std::string_view text) { return yaml::parse_all(text)->front().value; }

const Json& schema() {
  static const Json kSchema = from_yaml(R"(
type: object
properties:
  name: {type: string}
  count: {type: integer}
  rate: {type: number}
  ready: {type: boolean}
  port: {x-kubernetes-int-or-string: true}
  since: {type: string, format: date-time}
  blob: {type: string, format: byte}
  wait: {type: string, format: duration}
  absent: {type: string}
  namespace: {type: string}
  a-b: {type: string}
  x__y: {type: string}
  nothing: {type: string, nullable: true}
  list: {type: array, items: {type: string}}
  numbers: {type: array, items: {type: integer}}
  set: {type: array, x-kubernetes-list-type: set, items: {type: string}}
  other: {type: array, x-kubernetes-list-type: set, items: {type: string}}
  labels: {type: object, additionalProperties: {type: string}}
  ports: {type: array, items: {type: object, properties: {name: {type: string}, port: {type: integer}}}}
  free: {x-kubernetes-preserve-unknown-fields: true}
)");
  return kSchema;
}

const Json& object() {
  static const Json kObject = from_yaml(R"(
apiVersion: v1
kind: Thing
metadata: {name: shop, labels: {a: b}}
name: web
count: 3
rate: 2
ready: true
port: 8080
since: "2026-02-03T04:05:06.789Z"
blob: aGk=
wait: 1m30s
namespace: team
a-b: dash
x__y: under
nothing: null
list: [a, b, c]
numbers: [3, 1, 2]
set: [x, y]
other: [y, x]
labels: {tier: front, zone: z1}
ports: [{name: http, port: 80}, {name: https, port: 443}, {port: 9}]
)");
  return kObject;
}

Result<Program> compiled(std::string_view source, Kind result = kBool) {
  const Type self = *declared_type(schema(), true);
  return Program::compile(source, {{"self", self}, {"oldSelf", self}}, result);
}

Value value_of(const Program& program, std::int64_t steps = kMaxRuleSteps) {
  Budget budget(steps);
  const Value self = from_json(object(), &schema());
  return program.run({self, self}, budget);
}

class Holds : public testing::TestWithParam<const char*> {};
TEST_P(Holds, Always) {
  const auto program = compiled(GetParam());
  ASSERT_TRUE(program) << program.error().detail;
  const Value value = value_of(*program);
  ASSERT_FALSE(value.failed()) << value.as<Failure>().what;
  ASSERT_EQ(value.kind(), kBool);
  EXPECT_TRUE(value.as<bool>());
}

INSTANTIATE_TEST_SUITE_P(
    Literals, Holds,
    testing::Values("0x1F == 31", "7u == 7u", "-9223372036854775808 < 0", "18446744073709551615u > 1u",
                    "1e3 == 1000.0", ".5 == 0.5", R"('a\tb' == "a\x09b")",
                    R"("\u00e9" == "\303\251" || "\u00e9" == "é")", R"('\U0001F600'.size() == 1)",
                    R"(r'\d' == '\\d')", "'''it's\ntwo lines'''.contains('\\n')", R"(b'\xff' != b'\x00')",
                    R"(b"\303\251" == bytes("é"))", "[1, 2,] == [1, 2]", "{'a': 1}['a'] == 1",
                    "{1: 'x', 2: 'y'}.size() == 2", "// a comment\ntrue", "null == null", "true && !false"));
INSTANTIATE_TEST_SUITE_P(Arithmetic, Holds,
                         testing::Values("1 + 2 * 3 == 7", "(1 + 2) * 3 == 9", "7 / 2 == 3", "-7 / 2 == -3",
                                         "-7 % 2 == -1", "7.0 / 2.0 == 3.5", "1.0 / 0.0 > 1e308",
                                         "2 - 3 == -1", "- (1) == -1", "!!true", "10 - 2 - 3 == 5",
                                         "'a' + 'b' == 'ab'", "b'a' + b'b' == b'ab'", "[1] + [2] == [1, 2]",
                                         "-(-1) == 1"));
INSTANTIATE_TEST_SUITE_P(Comparison, Holds,
                         testing::Values("1 == 1", "dyn(1) == 1u", "dyn(1) == 1.0", "dyn(1) != 'a'",
                                         "1 < 2.5", "2u < 3", "3.5 > 3u", "-1 < 0u",
                                         "9223372036854775807 < 9223372036854775808u",
                                         "9007199254740993 > 9007199254740992.0", "!(0.0 / 0.0 == 0.0 / 0.0)",
                                         "!(0.0 / 0.0 < 1.0)", "'a' < 'b'", "b'a' < b'b'", "false < true",
                                         "duration('1s') < duration('2s')", "[[1], [2]] == [[1], [2]]",
                                         "{'a': [1]} == {'a': [1]}", "{'a': 1} != {'a': 2}",
                                         "[dyn(1), dyn(2.0)] == [dyn(1u), dyn(2)]", "type(1) == int",
                                         "type(self.name) == string", "type([]) != type({})"));
INSTANTIATE_TEST_SUITE_P(Logic, Holds,
                         testing::Values("true || 1 / 0 == 1", "1 / 0 == 1 || true", "!(false && 1 / 0 == 1)",
                                         "!(1 / 0 == 1 && false)", "true ? true : 1 / 0 == 1",
                                         "false ? false : true", "true ? (false ? false : true) : false",
                                         "false || false || true", "true && true && true", "1 < 2 == true",
                                         "!false || false"));
INSTANTIATE_TEST_SUITE_P(
    Macros, Holds,
    testing::Values("[1, 2].all(x, x > 0)", "[].all(x, false)", "[1, 2].exists(x, x == 2)",
                    "![].exists(x, true)", "[1, 2, 2].exists_one(x, x == 1)",
                    "![1, 2, 2].exists_one(x, x == 2)", "[1, 2].map(x, x * 2) == [2, 4]",
                    "[1, 2, 3].map(x, x > 1, x * 2) == [4, 6]", "[1, 2, 3].filter(x, x > 1) == [2, 3]",
                    "{'a': 1, 'b': 2}.all(k, k in ['a', 'b'])", "{'a': 1}.map(k, k) == ['a']",
                    "[[1], [2]].all(l, l.all(x, x > 0))",
                    // An answer that is certain absorbs errors.
                    "[0, 1].exists(x, 1 / x == 1)", "![0, 1].all(x, 1 / x == 2)",
                    "has(self.name) && !has(self.absent)", "has({'a': 1}.a) && !has({'a': 1}.b)",
                    "[10, 20].all(i, v, v == (i + 1) * 10)",
                    "self.labels.exists(k, v, k == 'tier' && v == 'front')",
                    "['a', 'b'].existsOne(i, v, i == 1 && v == 'b')",
                    // The inner variable hides the outer.
                    "[1].all(x, [2].all(x, x == 2) && x == 1)", "['x'].all(self, self == 'x')"));
INSTANTIATE_TEST_SUITE_P(
    Documents, Holds,
    testing::Values("self.count == 3", "self.count + 1 == 4", "self.rate == 2.0", "self.rate / 4.0 == 0.5",
                    "self.ready", "self.port == 8080", "type(self.port) == int",
                    "self.metadata.name == 'shop'", "self.kind == 'Thing'", "self.apiVersion == 'v1'",
                    "self.since.getFullYear() == 2026", "self.blob == b'hi'", "self.wait > duration('1m')",
                    "self.__namespace__ == 'team'", "self.a__dash__b == 'dash'",
                    "self.x__underscores__y == 'under'", "self.nothing == null", "has(self.nothing)",
                    "self.list[1] == 'b'", "'b' in self.list", "!('d' in self.list)", "'tier' in self.labels",
                    "self.labels['tier'] == 'front'", "self.labels.tier == 'front'", "self.set == self.other",
                    "self.ports[0].port == 80", "self.ports.exists(p, has(p.name) && p.name == 'https')",
                    "self.ports.filter(p, !has(p.name)).size() == 1", "size(self.labels) == 2",
                    "self == oldSelf", "self.list + ['d'] == ['a', 'b', 'c', 'd']"));
INSTANTIATE_TEST_SUITE_P(
    Optionals, Holds,
    testing::Values("self.?absent.orValue('x') == 'x'", "self.?name.orValue('x') == 'web'",
                    "!self.?absent.hasValue()", "self.?ports[0].name.orValue('') == 'http'",
                    "self.list[?9].orValue('none') == 'none'", "self.labels[?'tier'].value() == 'front'",
                    "optional.none().or(optional.of(1)).value() == 1", "optional.of(1) == optional.of(1)",
                    "optional.ofNonZeroValue('') == optional.none()",
                    "self.?name.optMap(n, n + '!').orValue('') == 'web!'",
                    "self.?name.optFlatMap(n, optional.of(n.size())).value() == 3",
                    "[?optional.none(), 1] == [1]",
                    "{?'a': optional.of(1), ?'b': optional.none()} == {'a': 1}", "!has(self.?labels.none)"));
INSTANTIATE_TEST_SUITE_P(
    Text, Holds,
    testing::Values("'hello'.startsWith('he')", "'hello'.endsWith('lo')", "'hello'.contains('ll')",
                    "'hello'.matches('^h.*o$')", "matches('hello', 'l+')", "size('é') == 1",
                    "'tacocat'.charAt(3) == 'o'", "'añb'.charAt(1) == 'ñ'", "'hello'.indexOf('l') == 2",
                    "'hello'.indexOf('l', 3) == 3", "'hello'.indexOf('z') == -1",
                    "'hello'.lastIndexOf('l') == 3", "'héllo'.indexOf('l') == 2",
                    "'hello'.substring(1) == 'ello'", "'hello'.substring(1, 3) == 'el'",
                    "'Hello'.lowerAscii() == 'hello'", "'Hello'.upperAscii() == 'HELLO'",
                    "'a b a'.replace('a', 'x') == 'x b x'", "'aaa'.replace('a', 'x', 2) == 'xxa'",
                    "'ab'.replace('', '-') == '-a-b-'", "'a,b,c'.split(',') == ['a', 'b', 'c']",
                    "'a,b,c'.split(',', 2) == ['a', 'b,c']", "'abc'.split('') == ['a', 'b', 'c']",
                    "''.split(',') == ['']", "['a', 'b'].join('-') == 'a-b'", "['a', 'b'].join() == 'ab'",
                    "'  x\\t'.trim() == 'x'", "'abc'.find('[bc]+') == 'bc'",
                    "'a1b22'.findAll('[0-9]+') == ['1', '22']", "'a1b22'.findAll('[0-9]+', 1) == ['1']",
                    "'añ'.reverse() == 'ña'",
                    "'%s is %d and %.2f, %x'.format(['x', 3, 1.5, 255]) == 'x is 3 and 1.50, ff'",
                    "'%s'.format([[1, 2]]) == '[1, 2]'", "'100%%'.format([]) == '100%'",
                    "strings.quote('a\"b') == '\"a\\\\\"b\"'"));
INSTANTIATE_TEST_SUITE_P(
    Conversions, Holds,
    testing::Values("int('42') == 42", "int(3.9) == 3", "int(-3.9) == -3", "int(7u) == 7", "uint(7) == 7u",
                    "double('1.5') == 1.5", "double(2) == 2.0", "string(12) == '12'", "string(1.5) == '1.5'",
                    "string(true) == 'true'", "string(duration('90s')) == '90s'",
                    "string(duration('-1500ms')) == '-1.5s'", "bool('true')", "bytes('a') == b'a'",
                    "string(b'a') == 'a'", "int(timestamp('1970-01-01T00:01:00Z')) == 60",
                    "timestamp(60) == timestamp('1970-01-01T00:01:00Z')",
                    "string(timestamp('2026-01-02T03:04:05Z')) == '2026-01-02T03:04:05Z'"));
INSTANTIATE_TEST_SUITE_P(
    Times, Holds,
    testing::Values(
        "duration('1h30m') == duration('90m')", "duration('1h').getMinutes() == 60",
        "duration('1500ms').getMilliseconds() == 500",
        "timestamp('2026-03-01T00:00:00Z') - timestamp('2026-02-28T00:00:00Z') == duration('24h')",
        "timestamp('2026-01-01T00:00:00Z') + duration('1s') > timestamp('2026-01-01T00:00:00Z')",
        "self.since.getMonth() == 1", "self.since.getDate() == 3", "self.since.getDayOfMonth() == 2",
        "self.since.getDayOfWeek() == 2", "self.since.getDayOfYear() == 33", "self.since.getHours() == 4",
        "self.since.getHours('+02:00') == 6", "self.since.getMilliseconds() == 789"));
INSTANTIATE_TEST_SUITE_P(Collections, Holds,
                         testing::Values("[1, 2, 2].isSorted()", "!self.numbers.isSorted()",
                                         "self.numbers.sum() == 6", "self.numbers.min() == 1",
                                         "self.numbers.max() == 3", "['a', 'b', 'a'].indexOf('a') == 0",
                                         "['a', 'b', 'a'].lastIndexOf('a') == 2",
                                         "sets.contains([1, 2, 3], [1, 2])",
                                         "sets.equivalent([1, 2, 1], [2, 1])", "!sets.intersects([1], [2])",
                                         "[].sum() == 0", "['1.5'].map(x, double(x)).sum() == 1.5"));
INSTANTIATE_TEST_SUITE_P(
    Kubernetes, Holds,
    testing::Values(
        "quantity('1.5Gi').isGreaterThan(quantity('1500Mi'))", "quantity('500m').isLessThan(quantity('1'))",
        "quantity('50k').asInteger() == 50000", "quantity('2').add(quantity('500m')) == quantity('2500m')",
        "quantity('1').sub(1).sign() == 0", "!isQuantity('10 apples')",
        "quantity('1e3').compareTo(quantity('1k')) == 0", "!quantity('0.5').isInteger()",
        "quantity('0.0000000001') == quantity('1n')", "isURL('https://a.b/c?d=e')", "!isURL('a b')",
        "url('https://u@h:8080/p/q?x=1&x=2').getPort() == '8080'",
        "url('https://[::1]:80/').getHostname() == '::1'",
        "url('https://h/p?x=1&x=2').getQuery()['x'] == ['1', '2']", "url('/path').getScheme() == ''",
        "url('https://h/p%20q').getEscapedPath() == '/p%20q'", "isIP('10.0.0.1')", "isIP('::1')",
        "!isIP('10.0.0.01')", "!isIP('::ffff:1.2.3.4')", "ip('127.0.0.1').isLoopback()",
        "ip('fe80::1').isLinkLocalUnicast()", "ip('8.8.8.8').isGlobalUnicast()", "ip('::1').family() == 6",
        "cidr('10.0.0.0/8').containsIP('10.1.2.3')", "!cidr('10.0.0.0/8').containsIP('11.0.0.1')",
        "cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16')", "!cidr('10.1.0.0/16').containsCIDR('10.0.0.0/8')",
        "string(cidr('10.1.2.3/8').masked()) == '10.0.0.0/8'", "cidr('fd00::/9').prefixLength() == 9",
        "!format.dns1123Label().validate('web').hasValue()",
        "format.dns1123Label().validate('Web').hasValue()",
        "!format.named('uuid').value().validate('123e4567-e89b-12d3-a456-426614174000').hasValue()",
        "!format.named('colour').hasValue()"));

struct Failing {
  const char* source;
  const char* what;
};
class Fails : public testing::TestWithParam<Failing> {};
TEST_P(Fails, AndSaysWhy) {
  const auto program = compiled(GetParam().source);
  ASSERT_TRUE(program) << program.error().detail;
  const Value value = value_of(*program);
  ASSERT_TRUE(value.failed());
  EXPECT_EQ(value.as<Failure>().what, GetParam().what);
}
INSTANTIATE_TEST_SUITE_P(
    All, Fails,
    testing::Values(Failing{"1 / 0 == 1", "division by zero"}, Failing{"1 % 0 == 1", "modulus by zero"},
                    Failing{"9223372036854775807 + 1 > 0", "integer overflow"},
                    Failing{"-9223372036854775808 - 1 < 0", "integer overflow"},
                    Failing{"-(-9223372036854775808) > 0", "integer overflow"},
                    Failing{"-9223372036854775808 / -1 > 0", "integer overflow"},
                    Failing{"0u - 1u > 0u", "integer overflow"},
                    Failing{"self.absent == ''", "no such key: absent"},
                    Failing{"self.list[3] == ''", "index out of bounds: 3"},
                    Failing{"self.labels['none'] == ''", "no such key: none"},
                    Failing{"dyn(1) + dyn('a') == 1", "no such overload"},
                    Failing{"false || 1 / 0 == 1", "division by zero"},
                    Failing{"[0, 2].all(x, 1 / x == 0)", "division by zero"},
                    Failing{"[0, 1].exists_one(x, 1 / x == 1)", "division by zero"},
                    Failing{"'x'.matches('[')", "error parsing regexp: `[`"},
                    Failing{"int('x') == 1", "type conversion error: not a number: 'x'"},
                    Failing{"int(1e30) == 1", "range error: no int"},
                    Failing{"self.?absent.value() == ''", "optional.none() dereference"},
                    Failing{"'abc'.substring(9) == ''", "index out of range: 9"},
                    Failing{"[].min() == 1", "min called on empty list"},
                    Failing{"{'a': 1, 'a': 2}.size() == 1", "Failed with repeated key"},
                    Failing{"'%d'.format(['x']) == ''", "could not format an argument as %d"},
                    Failing{"duration('soon') > duration('1s')", "invalid duration: 'soon'"}));

class DoesNotCompile : public testing::TestWithParam<Failing> {};
TEST_P(DoesNotCompile, AndSaysWhere) {
  const auto program = compiled(GetParam().source);
  ASSERT_FALSE(program);
  EXPECT_EQ(program.error().detail, GetParam().what);
}
INSTANTIATE_TEST_SUITE_P(
    All, DoesNotCompile,
    testing::Values(
        Failing{"self.colour == 1", "ERROR: <input>:1:5: undefined field 'colour'"},
        Failing{"self.free == 1", "ERROR: <input>:1:5: undefined field 'free'"},
        Failing{"self.metadata.labels.size() == 1", "ERROR: <input>:1:14: undefined field 'labels'"},
        Failing{"sel.name == ''", "ERROR: <input>:1:1: undeclared reference to 'sel' (in container '')"},
        Failing{"self.name.shout() == ''",
                "ERROR: <input>:1:10: undeclared reference to 'shout' (in container '')"},
        Failing{"self.count + self.name == 1",
                "ERROR: <input>:1:12: found no matching overload for '_+_' applied to '(int, string)'"},
        Failing{"self.count + 1.0 > 1.0",
                "ERROR: <input>:1:12: found no matching overload for '_+_' applied to '(int, double)'"},
        Failing{"self.name.startsWith(1)",
                "ERROR: <input>:1:10: found no matching overload for 'startsWith' applied to 'string.(int)'"},
        Failing{"self.name == 1",
                "ERROR: <input>:1:11: found no matching overload for '_==_' applied to '(string, int)'"},
        Failing{"self.name && true",
                "ERROR: <input>:1:5: found no matching overload for '_&&_' applied to '(string)'"},
        Failing{"self.name", "must evaluate to bool, but is string"},
        Failing{
            "true ? 1 : 'a'",
            "ERROR: <input>:1:1: found no matching overload for '_?_:_' applied to '(bool, int, string)'"},
        Failing{"[1, 'a'].size() == 2", "ERROR: <input>:1:5: expected type 'int' but found 'string'"},
        Failing{"self.count.all(x, true)",
                "ERROR: <input>:1:5: expression of type 'int' cannot be range of a comprehension "
                "(must be list, map, or dynamic)"},
        Failing{"self.list.all(x.y, true)", "ERROR: <input>:1:16: argument must be a simple name"},
        Failing{"has(self)", "ERROR: <input>:1:1: invalid argument to has() macro"},
        Failing{"self.count ==", "ERROR: <input>:1:14: Syntax error: mismatched input '<EOF>'"},
        Failing{"(1 == 1", "ERROR: <input>:1:8: Syntax error: mismatched input '<EOF>' expecting ')'"},
        Failing{"1 = 1", "ERROR: <input>:1:3: Syntax error: token recognition error at: '='"},
        Failing{"'open", "ERROR: <input>:1:1: Syntax error: a string is not closed"},
        Failing{R"('\q' == '')", "ERROR: <input>:1:2: Syntax error: invalid escape in a string"},
        Failing{"true\n  && while", "ERROR: <input>:2:6: reserved identifier: while"},
        Failing{"9223372036854775808 > 0", "ERROR: <input>:1:1: invalid number literal: 9223372036854775808"},
        Failing{"99999999999999999999 > 0",
                "ERROR: <input>:1:1: invalid number literal: 99999999999999999999"},
        Failing{"true true", "ERROR: <input>:1:6: Syntax error: mismatched input 'true'"}));

std::string repeated(const std::string& text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

TEST(Bounds, DepthIsRefusedAndLengthIsNot) {
  const int n = 1000;
  for (const auto& deep :
       {repeated("(", n) + "1" + repeated(")", n) + " == 1", repeated("!", n) + "true",
        "1" + repeated(" + 1", n) + " == 1", repeated("[", n) + repeated("]", n) + ".size() == 1",
        repeated("true ? true : ", n) + "true", "self" + repeated(".metadata", n) + " == 1"}) {
    const auto program = compiled(deep);
    ASSERT_FALSE(program) << deep.substr(0, 40);
    EXPECT_NE(program.error().detail.find("too large or too deep"), std::string::npos)
        << program.error().detail;
  }
  EXPECT_TRUE(compiled("true" + repeated(" && true", n)));
  EXPECT_FALSE(compiled("true" + repeated(" && true", 30'000)));
}

TEST(Bounds, ABudgetEndsEvaluation) {
  const std::string numbers = "[" + repeated("1,", 200) + "]";
  const auto program = compiled(numbers + ".all(a, " + numbers + ".all(b, " + numbers + ".all(c, true)))");
  ASSERT_TRUE(program) << program.error().detail;
  Budget budget(kMaxRuleSteps);
  const Value self = from_json(object(), &schema());
  (void)program->run({self, self}, budget);
  EXPECT_TRUE(budget.exhausted());
}

TEST(Bounds, StringsThatGrowArePaidFor) {
  std::string source = "'" + repeated("x", 1000) + "'";
  for (int i = 0; i < 8; ++i) source = "[" + source + "].map(s, s + s + s + s + s + s + s + s)[0]";
  const auto program = compiled(source + ".size() > 0");
  ASSERT_TRUE(program) << program.error().detail;
  Budget budget(kMaxRuleSteps);
  const Value self = from_json(object(), &schema());
  (void)program->run({self, self}, budget);
  EXPECT_TRUE(budget.exhausted());
}

TEST(Program, KnowsItsVariables) {
  EXPECT_FALSE(compiled("self.ready")->uses(1));
  EXPECT_TRUE(compiled("self.list.all(x, x in oldSelf.list)")->uses(1));
  EXPECT_FALSE(compiled("['a'].all(oldSelf, oldSelf == 'a')")->uses(1));
}

}  // namespace
}  // namespace tidegate::apiserver::cel
