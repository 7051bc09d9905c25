// SPDX-License-Identifier: Apache-2.0
// Each bound on clients, made small by its setting, met over a real socket: what the client sees, and the
// counter that tells.
#include <gtest/gtest.h>

#include "http/h2_peer.h"
#include "proxy/settings.h"
#include "proxy/testbed.h"

namespace tidegate::proxy::test {
namespace {

using http::H2Frame;
using std::string;

string repeat(const string& what, int times) {
  string out;
  while (times-- > 0) out += what;
  return out;
}
string h2(const string& frames) { return http::h2_hello() + frames; }
string get(const string& target, const string& fields) {
  return "GET " + target + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}
string post(const string& body) { return "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n" + body; }
string pings(int count) { return repeat(http::h2_frame(H2Frame::kPing, 0, 0, "12345678"), count); }

struct Case {
  const char *name, *yaml, *limit;
  string bytes;
  const char* verdict;  // the status, or what HTTP/2's GOAWAY says
};

class ClientLimit : public ::testing::TestWithParam<Case> {
 protected:
  // What comes until the connection is closed.
  static string answer(const net::Address& address, const string& bytes) {
    const int fd = connect_to(address);
    string in;
    if (write_all(fd, bytes)) {
      while (read_some(fd, in)) {
      }
    }
    ::close(fd);
    return in;
  }
  static string verdict(const string& in) {
    if (in.starts_with("HTTP/1.1 ")) return in.substr(9, 3);
    for (const auto& frame : http::h2_frames(in)) {
      if (frame.type == H2Frame::kGoaway) return frame.number(4) == 11 ? "calm down" : "good-bye";
    }
    return "";
  }
};

TEST_P(ClientLimit, HasASettingAVerdictAndACounter) {
  Runtime::Options options;
  const auto applied = apply_settings(GetParam().yaml, "limits.yaml", options.settings);
  ASSERT_TRUE(applied) << applied.error().detail;
  const net::Address address = free_address();
  FakeBackend backend("web");
  TableBuilder table{address};
  table.rule("/", {{table.backend("web", {backend.endpoint()})}});
  ProxyUnderTest proxy(1, std::move(options));
  proxy.publish(table.build());
  EXPECT_EQ(verdict(answer(address, GetParam().bytes)), GetParam().verdict);
  const string label = string("limit=\"") + GetParam().limit + "\"";
  EXPECT_TRUE(proxy.wait_until([&] { return proxy.metric("tidegate_limit_hits_total", {label}) == 1; }))
      << proxy.metrics();
}

const Case kCases[] = {
    {"StartLine", "clients: {startLineBytes: 256}", "start_line_bytes", get("/" + string(300, 'x'), ""),
     "414"},
    {"HeaderBytes", "clients: {headerBytes: 1Ki}", "header_bytes",
     get("/", "X: " + string(2000, 'x') + "\r\n"), "431"},
    {"HeaderCount", "clients: {headerCount: 8}", "header_bytes", get("/", repeat("X: a\r\n", 9)), "431"},
    {"HeaderTimeout", "clients: {headerTimeout: 100ms}", "header_timeout", "GET / HT", "408"},
    {"BodyIdleTimeout", "clients: {bodyIdleTimeout: 100ms}", "body_idle_timeout", post("abc"), "408"},
    {"SilentHttp2", "clients: {headerTimeout: 100ms}", "header_timeout", h2(""), "good-bye"},
    {"Continuations", "clients: {http2: {continuations: 2}}", "http2_continuations",
     h2(http::h2_frame(H2Frame::kHeaders, http::kEndStream, 1, http::hpack(http::h2_get())) +
        repeat(http::h2_frame(H2Frame::kContinuation, 0, 1, ""), 3)),
     "calm down"},
    {"FloodFactor", "clients: {headerBytes: 1Ki, http2: {floodFactor: 1}}", "http2_flood_factor",
     h2(http::h2_headers(1, http::h2_get(http::H2FieldList(10, {"x", string(200, 'x')})))), "calm down"},
    {"Pings", "clients: {http2: {pings: {burst: 3, perSecond: 0}}}", "http2_pings", h2(pings(4)),
     "calm down"},
    {"Settings", "clients: {http2: {settings: {burst: 3, perSecond: 0}}}", "http2_settings",
     h2(repeat(http::h2_frame(H2Frame::kSettings, 0, 0, ""), 4)), "calm down"},
    {"Priorities", "clients: {http2: {priorities: {burst: 3, perSecond: 0}}}", "http2_priorities",
     h2(repeat(http::h2_frame(H2Frame::kPriority, 0, 1, string(5, '\x01')), 4)), "calm down"},
};

INSTANTIATE_TEST_SUITE_P(All, ClientLimit, ::testing::ValuesIn(kCases),
                         [](const auto& info) { return string(info.param.name); });

}  // namespace
}  // namespace tidegate::proxy::test
