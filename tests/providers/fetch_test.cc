// SPDX-License-Identifier: Apache-2.0
#include "metrics/providers/fetch.h"

#include <iterator>
#include <map>
#include <optional>
#include <random>

#include "metrics/providers/limits.h"
#include "session/http_server.h"
#include "session/loopback.h"

namespace tidegate::metrics::providers {
namespace {

using Answered = std::optional<Result<HttpAnswer>>;

// Names as a test gives them: those without addresses do not exist, and nobody ever tells of the others.
class Names final : public net::Resolver {
 public:
  using Known = std::map<std::string, std::vector<std::string>>;
  Names(Scheduler& scheduler, Known known, int* looked_up)
      : scheduler_(scheduler), known_(std::move(known)), looked_up_(looked_up) {}

  std::unique_ptr<Lookup> lookup(const std::string& host, std::uint16_t port, Done done) override {
    auto out = std::make_unique<Answer>(looked_up_);
    if (const auto at = known_.find(host); at != known_.end()) {
      std::vector<net::Address> addresses;
      for (const auto& ip : at->second) addresses.push_back({ip, port});
      out->timer = scheduler_.after(Duration(0), [addresses, done = std::move(done)] {
        if (addresses.empty()) return done(Error{ErrorCode::kUnavailable, "no such name"});
        done(addresses);
      });
    }
    return out;
  }

 private:
  struct Answer final : Lookup {
    explicit Answer(int* count) : count(count) { ++*count; }
    ~Answer() override { --*count; }
    int* count;
    std::unique_ptr<Scheduler::Timer> timer;
  };
  Scheduler& scheduler_;
  const Known known_;
  int* looked_up_;
};

class FetchTest : public session::LoopbackTest {
 protected:
  // A server that sends the same bytes to each that asks, and then closes, or waits.
  void serve(std::string bytes, bool then_close = true, const net::Address& at = {"127.0.0.1", 0}) {
    auto accepted = [this, bytes, then_close](net::TcpSocket socket) {
      auto& peer =
          *peers_.emplace_back(std::make_unique<session::RawPeer>(net::make_tcp_stream(std::move(socket))));
      if (!bytes.empty()) peer.send(bytes);
      if (then_close) peer.half_close();
    };
    auto listener = net::Listener::open(loop_.io(), {.address = at}, accepted);
    ASSERT_TRUE(listener) << listener.error().detail;
    listener_ = std::move(*listener);
    url_ = "http://" + net::to_string(listener_->address());
  }
  void serve_tls(std::shared_ptr<net::TlsContext> tls = session::test_server_tls(false),
                 const net::Address& at = {"127.0.0.1", 0}) {
    session::HttpServer::Options options;
    options.address = at;
    options.tls = std::move(tls);
    auto server = session::HttpServer::open(
        loop_.io(), scheduler_, options,
        [](session::Request, session::Responder responder) { responder.send({.body = "[1]"}); });
    ASSERT_TRUE(server) << server.error().detail;
    server_ = std::move(*server);
    url_ = "https://" + net::to_string(server_->address());
  }
  void name(const Names::Known& known) {
    fetch_ = open_fetch(loop_.io(), scheduler_, std::make_unique<Names>(scheduler_, known, &looked_up_));
  }
  // From here on, requests ask for that host, at the port of the server.
  void ask_for(const std::string& host) {
    const auto authority = url_.find("://") + 3;
    url_.replace(authority, url_.rfind(':') - authority, host);
  }

  HttpRequest request(const std::string& path = "/") {
    HttpRequest request;
    request.url = url_ + path;
    request.timeout = std::chrono::seconds(8);
    return request;
  }
  Result<HttpAnswer> fetch(HttpRequest request) {
    Answered answered;
    const auto call =
        fetch_->start(std::move(request), [&](Result<HttpAnswer> answer) { answered = answer; });
    run_until([&] { return answered.has_value(); });
    return answered ? *answered : Result<HttpAnswer>(Error{ErrorCode::kInternal, "waited in vain"});
  }
  std::string fetched(HttpRequest request) {
    const auto answer = fetch(std::move(request));
    if (!answer) return std::string(to_string(answer.error().code)) + ": " + answer.error().detail;
    return std::to_string(answer->status) + " " + answer->body;
  }

  std::unique_ptr<Fetch> fetch_ = open_fetch(loop_.io(), scheduler_);
  int looked_up_ = 0;  // lookups that nobody has let go of
  std::vector<std::unique_ptr<session::RawPeer>> peers_;
  std::unique_ptr<net::Listener> listener_;
  std::unique_ptr<session::HttpServer> server_;
  std::string url_;
};

TEST_F(FetchTest, SendsWhatItIsGiven) {
  serve("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  auto post = request("/a%20b?q=%7B%22x%22%7D&r=1");
  post.method = "POST";
  post.body = "{}";
  post.headers = {{"Content-Type", "application/json"}, {"X-Key", "k"}};
  EXPECT_EQ(fetched(post), "200 ok");
  const auto& seen = peers_.at(0)->received();
  run_until([&] { return seen.ends_with("{}"); });
  EXPECT_TRUE(seen.starts_with("POST /a%20b?q=%7B%22x%22%7D&r=1 HTTP/1.1\r\n")) << seen;
  EXPECT_NE(seen.find("Host: " + url_.substr(7) + "\r\n"), std::string::npos) << seen;
  EXPECT_NE(seen.find("Content-Type: application/json\r\n"), std::string::npos) << seen;
  EXPECT_NE(seen.find("X-Key: k\r\n"), std::string::npos) << seen;
  EXPECT_TRUE(seen.ends_with("\r\n\r\n{}")) << seen;
}

struct Spoken {
  const char* name;
  const char* bytes;
  const char* fetched;  // "URL" stands for the server's
};
class FetchAnswer : public FetchTest, public testing::WithParamInterface<Spoken> {};
TEST_P(FetchAnswer, IsGivenWholeOrNotAtAll) {
  serve(GetParam().bytes);
  std::string expected = GetParam().fetched;
  if (const auto at = expected.find("URL"); at != std::string::npos) expected.replace(at, 3, url_);
  EXPECT_EQ(fetched(request()), expected);
  EXPECT_EQ(peers_.size(), 1u);
}
INSTANTIATE_TEST_SUITE_P(
    All, FetchAnswer,
    testing::Values(
        Spoken{"chunked",
               "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
               "200 abc"},
        Spoken{"until_closed", "HTTP/1.0 200 OK\r\n\r\nabc", "200 abc"},
        Spoken{"error", "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\naway", "503 away"},
        Spoken{"redirect", "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
               "302 "},
        Spoken{"cut_short", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab",
               "unavailable: URL: closed in the middle of a response"},
        Spoken{"cut_chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
               "unavailable: URL: closed in the middle of a response"},
        Spoken{"nothing", "", "unavailable: URL: closed without a response"},
        Spoken{"not_http", "SSH-2.0-OpenSSH_9.2\r\n\r\n",
               "internal: URL: the answer can't be read: status line is not version, status, reason"},
        Spoken{"negative_chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nab\r\n",
               "internal: URL: the answer can't be read: chunk size is no hex number"},
        Spoken{"chunk_back", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n-1\r\nab\r\n",
               "internal: URL: the answer can't be read: chunk size is no hex number"},
        Spoken{"not_a_chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxy\r\nab\r\n",
               "internal: URL: the answer can't be read: chunk size is no hex number"}),
    [](const auto& info) { return info.param.name; });

// What a server says may be anything; it must not end the process, nor keep the place of another request.
TEST_F(FetchTest, OutlivesWhateverIsSaid) {
  const std::string whole = "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 12\r\n\r\n[1,2,3,4,56]";
  const std::string chunked =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n[1,2\r\n1;x=y\r\n]\r\n0\r\n\r\n";
  const std::string tokens[] = {
      "\r\n", "-", "ffffffff", "7fffffff", "0", ":", "HTTP/1.1 100 Continue\r\n\r\n", "\xff"};
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    std::string said = round % 2 ? whole : chunked;
    for (auto steps = random() % 3 + 1; steps > 0; --steps) {
      const auto at = random() % said.size();
      if (random() % 2) said.erase(at, random() % 4);
      said.insert(std::min<std::size_t>(at, said.size()), tokens[random() % std::size(tokens)]);
    }
    serve(said);
    Answered answered;
    const auto call = fetch_->start(request(), [&](Result<HttpAnswer> answer) { answered = answer; });
    run_until(
        [&] { return answered || (!peers_.empty() && peers_.back()->received().ends_with("\r\n\r\n")); });
    settle();
    scheduler_.advance(std::chrono::seconds(8));
    ASSERT_TRUE(answered) << said;
    peers_.clear();
  }
}

TEST_F(FetchTest, BoundsTheAnswer) {
  serve("HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n" + std::string(1048576, 'x'), false);
  EXPECT_EQ(fetched(request()), "200 " + std::string(1048576, 'x'));
  serve("HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n" + std::string(1048577, 'x'), false);
  EXPECT_EQ(fetched(request()), "limit: " + url_ + ": the answer has more than 1024 KiB");
}

TEST_F(FetchTest, BoundsAChunk) {
  serve("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffff\r\n" + std::string(1048577, 'x'),
        false);
  EXPECT_EQ(fetched(request()), "limit: " + url_ + ": the answer has more than 1024 KiB");
}

TEST_F(FetchTest, BoundsTheHeadOfAnAnswer) {
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "X-Field: value\r\n";
  for (const auto& head : {std::string(100'000, 'x'), "X-Field: " + std::string(100'000, 'x'), many}) {
    serve("HTTP/1.1 200 OK\r\n" + head, false);
    const auto text = fetched(request());
    EXPECT_TRUE(text.starts_with("internal: " + url_ + ": the answer can't be read: ")) << text;
    EXPECT_TRUE(text.ends_with("over the limit")) << text;
  }
}

TEST_F(FetchTest, EndsAtItsDeadline) {
  serve("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", false);
  Answered answered;
  const auto call = fetch_->start(request(), [&](Result<HttpAnswer> answer) { answered = answer; });
  run_until([&] { return !peers_.empty(); });
  scheduler_.advance(std::chrono::seconds(7));
  settle();
  EXPECT_FALSE(answered);
  scheduler_.advance(std::chrono::seconds(1));
  ASSERT_TRUE(answered);
  EXPECT_EQ(answered->error(), (Error{ErrorCode::kTimeout, url_ + ": no answer within 8000 ms"}));
  run_until([&] { return peers_[0]->ended(); });
}

TEST_F(FetchTest, TellsWhyItCouldNot) {
  serve("");
  listener_.reset();
  EXPECT_EQ(fetched(request()),
            "unavailable: " + url_ + ": connect to " + url_.substr(7) + ": connection refused");
  url_ = "http://127.0.0.1:1";
  EXPECT_EQ(fetched(request("/%zz{ {?token=t")), "invalid: http://127.0.0.1:1: not a url");
}

TEST_F(FetchTest, ReachesTheLocalHostByItsName) {
  serve("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  ask_for("localhost");
  EXPECT_EQ(fetched(request()), "200 ok");
}

TEST_F(FetchTest, TriesTheAddressesOfANameInTurn) {
  name({{"both.test", {"::1", "127.0.0.1"}}});
  serve("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nv4");
  ask_for("both.test");
  EXPECT_EQ(fetched(request()), "200 v4");
  listener_.reset();
  const auto port = url_.substr(url_.rfind(':'));
  EXPECT_EQ(fetched(request()),
            "unavailable: " + url_ + ": connect to 127.0.0.1" + port + ": connection refused");
  if (!net::Listener::open(loop_.io(), {.address = {"::1", 0}}, [](net::TcpSocket) {}))
    GTEST_SKIP() << "this machine has no IPv6";
  name({{"both.test", {"127.0.0.1", "::1"}}});
  serve("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nv6", true, {"::1", 0});
  ask_for("both.test");
  EXPECT_EQ(fetched(request()), "200 v6");
}

// One that takes connections and says nothing, and behind it one that answers.
TEST_F(FetchTest, GivesEachAddressItsShareOfTheTime) {
  name({{"gate.test", {"127.0.0.1", "127.0.0.2"}}});
  serve("", false);
  serve_tls(session::test_server_tls(false), {"127.0.0.2", listener_->address().port});
  ask_for("gate.test");
  auto asked = request();
  asked.ca_pem = session::test_authority().certificate_pem;
  Answered answered;
  const auto call = fetch_->start(asked, [&](Result<HttpAnswer> answer) { answered = answer; });
  run_until([&] { return !peers_.empty(); });
  scheduler_.advance(asked.timeout / 2);
  run_until([&] { return answered.has_value(); });
  ASSERT_TRUE(answered && *answered) << answered->error().detail;
  EXPECT_EQ((*answered)->body, "[1]");
}

TEST_F(FetchTest, TellsThatANameIsNone) {
  name({{"nowhere.invalid", {}}});
  url_ = "http://nowhere.invalid";
  EXPECT_EQ(fetched(request()), "unavailable: http://nowhere.invalid: no such name");
}

TEST_F(FetchTest, LetsGoOfLookupsThatTakeTooLong) {
  name({});
  url_ = "http://slow.test";
  Answered answered;
  const auto call = fetch_->start(request(), [&](Result<HttpAnswer> answer) { answered = answer; });
  EXPECT_EQ(looked_up_, 1);
  scheduler_.advance(std::chrono::seconds(8));
  ASSERT_TRUE(answered);
  EXPECT_EQ(answered->error(), (Error{ErrorCode::kTimeout, url_ + ": no answer within 8000 ms"}));
  EXPECT_EQ(looked_up_, 0);
}

TEST_F(FetchTest, DroppedCallsSayNothing) {
  serve("", false);
  bool called = false;
  auto call = fetch_->start(request(), [&](auto) { called = true; });
  auto other = fetch_->start(request(), [&](auto) { called = true; });
  run_until([&] { return peers_.size() == 2; });
  call.reset();
  run_until([&] { return peers_[0]->ended() || peers_[1]->ended(); });
  fetch_.reset();
  run_until([&] { return peers_[0]->ended() && peers_[1]->ended(); });
  scheduler_.advance(std::chrono::minutes(1));
  settle();
  EXPECT_FALSE(called);
}

TEST_F(FetchTest, SendsNoMoreThanSoManyAtOnce) {
  serve("", false);
  std::vector<std::unique_ptr<Fetch::Call>> calls;
  std::size_t answered = 0;
  for (std::size_t i = 0; i < kMaxInFlight + 3; ++i) {
    calls.push_back(
        fetch_->start(request(), [&](Result<HttpAnswer> answer) { answered += answer.has_value(); }));
  }
  run_until([&] { return peers_.size() >= kMaxInFlight; });
  settle();
  EXPECT_EQ(peers_.size(), kMaxInFlight);
  for (std::size_t i = 0; i < kMaxInFlight + 3; ++i) {
    run_until([&] { return peers_.size() > i && peers_[i]->received().ends_with("\r\n\r\n"); });
    peers_[i]->send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  }
  run_until([&] { return answered == kMaxInFlight + 3; });
}

TEST_F(FetchTest, RefusesWhatWouldWaitBehindTooMany) {
  serve("", false);
  std::vector<std::unique_ptr<Fetch::Call>> calls;
  std::vector<Error> errors;
  for (std::size_t i = 0; i <= kMaxInFlight + kMaxWaiting; ++i) {
    calls.push_back(fetch_->start(request(), [&](auto answer) { errors.push_back(answer.error()); }));
  }
  EXPECT_TRUE(errors.empty()) << "called within start()";
  scheduler_.run_posted();
  EXPECT_EQ(errors, (std::vector<Error>{{ErrorCode::kLimit, url_ + ": too many requests are waiting"}}));
}

TEST_F(FetchTest, VerifiesTlsUnlessToldOtherwise) {
  serve_tls();
  auto plain = request();
  EXPECT_EQ(fetched(plain), "unavailable: " + url_ + ": TLS handshake with " + url_.substr(8) +
                                ": certificate verify failed");
  auto insecure = request();
  insecure.insecure_skip_verify = true;
  EXPECT_EQ(fetched(insecure), "200 [1]");
  auto trusting = request();
  trusting.ca_pem = session::test_authority().certificate_pem;
  EXPECT_EQ(fetched(trusting), "200 [1]");
  trusting.url.replace(trusting.url.find("127.0.0.1"), 9, "localhost");
  EXPECT_EQ(fetched(trusting).substr(0, 11), "unavailable") << "the certificate is for another name";
}

// The server picks its certificate by the name that it is asked for, and refuses names that it does not know.
TEST_F(FetchTest, AsksForTheNameAndVerifiesIt) {
  const auto gate = session::test_certificate("gate.test", false);
  const auto shop = session::test_certificate("shop.test", false);
  const std::vector<net::NamedIdentity> identities = {
      {"gate.test", gate}, {"shop.test", shop}, {"impostor.test", shop}};
  serve_tls(net::make_server_tls(identities).value_or(nullptr));
  Names::Known known;
  for (const char* host : {"gate.test", "shop.test", "impostor.test", "unknown.test"})
    known[host] = {"127.0.0.1"};
  name(known);
  const auto of = [&](const std::string& host) {
    ask_for(host);
    auto asked = request();
    asked.ca_pem = session::test_authority().certificate_pem;
    return fetched(asked);
  };
  EXPECT_EQ(of("gate.test"), "200 [1]");
  EXPECT_EQ(of("shop.test"), "200 [1]");
  const auto impostor = of("impostor.test");
  EXPECT_TRUE(impostor.starts_with("unavailable") && impostor.ends_with("certificate verify failed"))
      << impostor;
  const auto unknown = of("unknown.test");
  EXPECT_TRUE(unknown.starts_with("unavailable") && unknown.ends_with("unrecognized name")) << unknown;
}

TEST_F(FetchTest, RefusesCertificatesThatAreNone) {
  serve_tls();
  auto broken = request();
  broken.ca_pem = "not a certificate";
  const auto text = fetched(broken);
  EXPECT_TRUE(text.starts_with("invalid: " + url_ + ": CA certificate: ")) << text;
}

}  // namespace
}  // namespace tidegate::metrics::providers
