// SPDX-License-Identifier: Apache-2.0
// Attacks on a whole proxy over real sockets, with the memory that they make it hold. What each must get
// stands in docs/hardening.md and only there: this file knows the bytes. Heads and frames in their hundreds
// are tried on the codecs (http/h1_hostile_test.cc, http/h2_hostile_test.cc), and what takes time on the
// sessions.
#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <set>

#include "base/text.h"
#include "http/h2_peer.h"
#include "proxy/settings.h"
#include "proxy/testbed.h"

namespace tidegate::proxy::test {
namespace {

using http::H2FieldList;
using http::H2Frame;
using std::string;

constexpr int kAtOnce = 8;     // connections that attack, so that what one holds is seen
constexpr int kLooks = 20;     // at the memory, each after a request of somebody else
constexpr int kStreams = 100;  // of one connection

string repeat(const string& what, int times) {
  string out;
  while (times-- > 0) out += what;
  return out;
}
string get(const string& fields, const string& target = "/") {
  return "GET " + target + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}
string post(const string& fields, const string& body) {
  return "POST / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n" + body;
}
string many_fields(int count) {
  string out;
  for (int i = 0; i < count; ++i) out += "X-" + std::to_string(i) + ": a\r\n";
  return out;
}
string h2(const string& frames) { return http::h2_hello() + frames; }
string window(http::H2StreamId stream, std::uint32_t by) {
  return http::h2_frame(H2Frame::kWindowUpdate, 0, stream, http::big_endian(by));
}
template <typename Behind>
string streams(int count, Behind behind, const string& path = "/", bool end = false) {
  string out;
  for (int i = 0; i < count; ++i)
    out += http::h2_headers(2 * i + 1, http::h2_get({}, path), end) + behind(2 * i + 1);
  return out;
}
string continuations(const string& block) {
  return http::h2_frame(H2Frame::kHeaders, http::kEndStream, 1, http::hpack(http::h2_get())) +
         repeat(http::h2_frame(H2Frame::kContinuation, 0, 1, block), 2000);
}
// One field in the dynamic table, and a reference of one byte for each time that it counts.
string hpack_bomb() {
  const string block = http::hpack(http::h2_get()) + "\x40" + http::hpack_length(1) + "x" +
                       http::hpack_length(3900) + string(3900, 'y') + string(10'000, '\xbe');
  return http::h2_frame(H2Frame::kHeaders, http::kEndHeaders | http::kEndStream, 1, block);
}
H2FieldList crumbs(int count) { return H2FieldList(static_cast<std::size_t>(count), {"cookie", "a=1"}); }

struct Attack {
  const char* name;
  string bytes;
};
const std::vector<Attack> kAttacks = {
    {"CL.TE", post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\nGET /x")},
    {"TE.CL", post("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "0\r\n\r\n")},
    {"CL.CL", post("Content-Length: 4\r\nContent-Length: 5\r\n", "abcde")},
    {"TE.TE, one of them unknown", post("Transfer-Encoding: chunked, xchunked\r\n", "0\r\n\r\n")},
    {"TE behind a tab", post("Transfer-Encoding:\x0b chunked\r\n", "0\r\n\r\n")},
    {"TE in HTTP/1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
    {"space before a colon", post("Content-Length : 4\r\n", "abcd")},
    {"folded field", get("X: a\r\n b\r\n")},
    {"bare LF", "GET / HTTP/1.1\nHost: a\n\n"},
    {"bare CR in a value", get("X: a\rTransfer-Encoding: chunked\r\n")},
    {"NUL in a value", get(string("X: a\0b\r\n", 8))},
    {"two hosts", get("Host: b\r\n")},
    {"no host", "GET / HTTP/1.1\r\n\r\n"},
    {"chunk size that overflows", post("Transfer-Encoding: chunked\r\n", "10000000000000002\r\nab\r\n")},
    {"chunk extensions without end",
     post("Transfer-Encoding: chunked\r\n", "1;" + string(5000, 'x') + "\r\na\r\n")},
    {"trailer that frames", post("Transfer-Encoding: chunked\r\n", "0\r\nContent-Length: 9\r\n\r\n")},
    {"header bomb", get("X: " + string(80'000, 'x') + "\r\n")},
    {"many fields", get(many_fields(1000))},
    {"cookie bomb", get("Cookie: " + repeat("a=1; ", 20'000) + "\r\n")},
    {"long target", get("", "/" + string(20'000, 'x'))},
    {"climbing above the root", get("", "/a/../../etc/passwd")},
    {"encoded slash", get("", "/a%2Fb")},
    {"encoded NUL", get("", "/a%00b")},
    {"backslash", get("", "/a\\b")},
    {"encoding cut short", get("", "/a%2")},
    {"CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"},
    {"HTTP/0.9", "GET /\r\n\r\n"},
    {"upgrade to h2c",
     get("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n")},

    {"H2.TE", h2(http::h2_headers(1, http::h2_get({{"transfer-encoding", "chunked"}})))},
    {"H2.CL", h2(http::h2_headers(1, http::h2_get({{"content-length", "5"}})))},
    {"H2 CRLF in a value", h2(http::h2_headers(1, http::h2_get({{"x", "a\r\nhost: evil"}})))},
    {"H2 space in :path", h2(http::h2_headers(1, http::h2_get({}, "/ HTTP/1.1")))},
    {"H2 host other than :authority", h2(http::h2_headers(1, http::h2_get({{"host", "evil"}})))},
    {"H2 header bomb", h2(http::h2_headers(1, http::h2_get({{"x", string(80'000, 'x')}})))},
    {"H2 cookie crumbs", h2(http::h2_headers(1, http::h2_get(crumbs(600))))},
    {"HPACK bomb", h2(hpack_bomb())},
    {"CONTINUATION flood (CVE-2024-27316)", h2(continuations(http::hpack({{"x", "y"}})))},
    {"empty CONTINUATION flood", h2(continuations(""))},
    {"rapid reset (CVE-2023-44487)", h2(streams(
                                         1000, [](auto id) { return http::h2_reset(id); }, "/", true))},
    {"MadeYouReset (CVE-2025-8671)", h2(streams(300, [](auto id) { return window(id, 0x7fffffff); }))},
    {"PING flood (CVE-2019-9512)", h2(repeat(http::h2_frame(H2Frame::kPing, 0, 0, string(8, 'p')), 1000))},
    {"SETTINGS flood (CVE-2019-9515)", h2(repeat(http::h2_frame(H2Frame::kSettings, 0, 0, ""), 1000))},
    {"empty DATA flood (CVE-2019-9518)",
     h2(http::h2_headers(1, http::h2_get(), false) + repeat(http::h2_data(1, "", false), 1000))},
    {"PRIORITY flood (CVE-2019-9513)",
     h2(repeat(http::h2_frame(H2Frame::kPriority, 0, 1, http::big_endian(3) + "\x10"), 5000))},
    {"WINDOW_UPDATE flood", h2(repeat(window(0, 1), 5000))},

    // Held: the client asks for a lot and takes nothing.
    {"reader that takes nothing", get("", "/large")},
    {"H2 zero window (CVE-2019-9517)",
     string(http::kH2Preface) + http::h2_frame(H2Frame::kSettings, 0, 0, string("\0\4\0\0\0\0", 6)) +
         streams(
             kStreams, [](auto) { return string(); }, "/large", true)},
};

// Answers "/large" with a body that has no end, from memory that all share; else with "ok".
class EndlessBackend {
 public:
  EndlessBackend() : address_{own_ip(), 0}, listener_(listen_on(address_)) {
    acceptor_ = std::thread([this] {
      for (int fd; (fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
        ++open_;
        threads_.emplace_back([this, fd] { serve(fd); });
      }
    });
  }
  int open_connections() const { return open_; }
  ~EndlessBackend() {
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    ::close(listener_);
    for (auto& thread : threads_) thread.join();
  }
  routing::Endpoint endpoint() const { return {address_.ip, address_.port, false}; }

 private:
  void serve(int fd) {
    string in;
    while (read_some(fd, in)) {
      if (in.find("\r\n\r\n") == string::npos) continue;
      const bool large = in.starts_with("GET /large");
      in.clear();
      if (!large && !write_all(fd, ok("ok"))) break;
      if (large) {
        write_all(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n");
        while (write_all(fd, kPart)) {
        }
      }
    }
    ::close(fd);
    --open_;
  }
  inline static const string kPart = string(64 * 1024, 'x');
  net::Address address_;
  int listener_;
  std::atomic<int> open_{0};
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

using Cells = std::vector<string>;
// The rows of the table below `heading`, without its head.
std::vector<Cells> rows_of(const string& heading) {
  std::ifstream file(TIDEGATE_TREE "/docs/hardening.md");
  std::vector<Cells> rows;
  bool here = false;
  for (string line; std::getline(file, line);) {
    if (line.starts_with("## ")) here = line == "## " + heading;
    if (!here || !line.starts_with("| ") || line.starts_with("| attack")) continue;
    Cells& cells = rows.emplace_back();
    for (const auto cell : text::split(std::string_view(line).substr(1), '|'))
      cells.emplace_back(text::trim(cell));
  }
  return rows;
}

class HostileTest : public ::testing::Test {
 protected:
  HostileTest() {
    table_.rule("/", {{table_.backend("web", {backend_.endpoint()})}});
    proxy_.publish(table_.build());
    other_.emplace(address_);
    for (int i = 0; i < kLooks; ++i) somebody_else();
  }
  ~HostileTest() override { close_all(); }
  // One idle connection to the backend: what a pool keeps is bounded by its own setting and of no attack.
  static Runtime::Options options() {
    Runtime::Options options;
    EXPECT_TRUE(apply_settings("backends: {idleConnections: 1}", "limits.yaml", options.settings));
    return options;
  }
  void somebody_else() { ASSERT_EQ(other_->get("/")->status, 200); }
  // "400": answers with that code; "`pings`": meetings of that limit.
  double counts(const string& what) const {
    if (!what.starts_with('`'))
      return proxy_.metric("tidegate_listener_requests_total", {"code=\"" + what + "\""});
    return proxy_.metric("tidegate_limit_hits_total", {"limit=\"" + what.substr(1, what.size() - 2) + "\""});
  }
  void close_all() {
    for (const int fd : std::exchange(open_, {})) ::close(fd);
  }

  // Until it is closed, or answers what comes behind.
  string verdict(const Attack& attack) {
    const bool http2 = attack.bytes.starts_with(http::kH2Preface);
    const int fd = open_.emplace_back(connect_to(address_, 4096));
    const string probe = http2 ? http::h2_frame(H2Frame::kPing, 0, 0, "are you?") : get("", "/behind");
    bool open = write_all(fd, attack.bytes);
    if (held(attack)) return "held";
    if (http2) open = open && write_all(fd, probe);
    string in;
    while ((open = read_some(fd, in)) && !(http2 ? answered(in) : in.find("\r\n\r\n") != string::npos)) {
    }
    if (http2) return of_http2(in);
    if (in.size() < 12) return "closed";
    string out = in.substr(9, 3);
    while (open && in.find("Connection: close") != string::npos) open = read_some(fd, in);
    return open ? out : out + ", closed";
  }
  static bool held(const Attack& attack) { return attack.bytes.find("/large") != string::npos; }

  static bool answered(const string& in) {
    const auto frames = http::h2_frames(in);
    return std::any_of(frames.begin(), frames.end(), [](const http::RawFrame& frame) {
      return frame.type == H2Frame::kPing && (frame.flags & http::kAck) != 0 && frame.payload == "are you?";
    });
  }
  static string of_http2(const string& in) {
    http::H2End client(http::H2Session::Role::kClient);
    http::RequestHead head;
    head.method = "GET";
    head.target = "/";
    head.authority = "a";
    client.session.request(head, "http", true);
    client.take();
    client.feed(in);
    string of_stream;
    for (const http::RawFrame& frame : http::h2_frames(in)) {
      if (frame.type == H2Frame::kGoaway) return "GOAWAY " + name_of(frame.number(4));
      if (frame.type == H2Frame::kRstStream && of_stream.empty())
        of_stream = "RST_STREAM " + name_of(frame.number());
    }
    const auto& message = client.story.messages[1];
    return of_stream.empty() && message.has_head ? std::to_string(message.response.status) : of_stream;
  }
  static string name_of(std::uint32_t code) {
    if (code == 1) return "PROTOCOL_ERROR";
    if (code == 9) return "COMPRESSION_ERROR";
    return code == 11 ? "ENHANCE_YOUR_CALM" : std::to_string(code);
  }

  // Until nothing is left of connections that attacked before.
  void settle() {
    close_all();
    ASSERT_TRUE(proxy_.wait_until([&] {
      return proxy_.metric("tidegate_listener_connections") == 1 && backend_.open_connections() <= 1;
    }));
  }
  // What each of the attacking connections makes the proxy hold, in KiB, at its worst.
  std::size_t cost(const Attack& attack) {
    settle();
    const auto held = [] { return ::mallinfo2().uordblks + ::mallinfo2().hblkhd; };  // mapped blocks too
    const auto before = held();
    for (int i = 0; i < kAtOnce; ++i) verdict(attack);
    std::size_t most = 0;
    for (int i = 0; i < kLooks; ++i) {
      somebody_else();
      const auto now = held();
      most = std::max(most, now > before ? now - before : 0);
    }
    close_all();
    return most / kAtOnce / 1024;
  }

  EndlessBackend backend_;
  net::Address address_ = free_address();
  TableBuilder table_{address_};
  ProxyUnderTest proxy_{1, options()};
  std::optional<Client> other_;
  std::vector<int> open_;
};

TEST_F(HostileTest, EachAttackGetsWhatTheTablePromises) {
  std::map<string, Cells> rows;
  for (const Cells& row : rows_of("Attacks")) EXPECT_TRUE(rows.emplace(row.at(0), row).second) << row[0];
  std::set<string> tried;
  for (const Attack& attack : kAttacks) {
    SCOPED_TRACE(attack.name);
    tried.insert(attack.name);
    const auto row = rows.find(attack.name);
    if (row == rows.end()) {
      ADD_FAILURE() << "the page does not know it";
      continue;
    }
    const string& counter = row->second.at(4);
    const double before = counts(counter);
    EXPECT_EQ(verdict(attack), row->second.at(1));
    if (counter != "none") {
      EXPECT_TRUE(proxy_.wait_until([&] { return counts(counter) > before; }))
          << counter << " is not counted";
    }
    EXPECT_LE(cost(attack), std::stoul(row->second.at(2)));
    somebody_else();
  }
  for (const auto& [name, _] : rows)
    EXPECT_TRUE(tried.contains(name)) << name << " is promised and not tried";
}

TEST(Hostile, EachAttackOverTimeHasItsTest) {
  const auto rows = rows_of("Over time");
  EXPECT_FALSE(rows.empty());
  for (const Cells& row : rows) {
    const string cell = row.at(3);
    const auto end = cell.rfind('`');
    std::ifstream file(TIDEGATE_TREE "/src/" + cell.substr(1, end - 1));
    const string source{std::istreambuf_iterator<char>(file), {}};
    EXPECT_NE(source.find(", " + cell.substr(end + 2) + ") {"), string::npos) << cell;
  }
}

}  // namespace
}  // namespace tidegate::proxy::test
