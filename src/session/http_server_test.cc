// SPDX-License-Identifier: Apache-2.0
#include "session/http_server.h"

#include "session/http_client.h"
#include "session/loopback.h"

namespace tidegate::session {
namespace {

class HttpServerTest : public LoopbackTest {
 protected:
  void open(HttpServer::Options options, HttpServer::Handler handler) {
    options.address = {"127.0.0.1", 0};
    auto server = HttpServer::open(loop_.io(), scheduler_, std::move(options), std::move(handler));
    ASSERT_TRUE(server) << server.error().detail;
    server_ = std::move(*server);
  }
  static void echo(const Request& request, Responder responder) {
    Response response;
    response.content_type = "text/plain";
    response.body = request.head.method + " " + request.head.target + " " + request.client_common_name + " " +
                    request.body;
    responder.send(std::move(response));
  }
  Result<ClientResponse> call(HttpClient& client, ClientRequest request) {
    std::optional<Result<ClientResponse>> answer;
    auto task = [](HttpClient& client, ClientRequest request,
                   std::optional<Result<ClientResponse>>& answer) -> Task<void> {
      answer = co_await client.send(std::move(request));
    };
    net::spawn(loop_.io(), task(client, std::move(request), answer));
    run_until([&] { return answer.has_value(); });
    return answer ? *answer : Result<ClientResponse>(Error{ErrorCode::kTimeout, "the test waited in vain"});
  }

  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, AnswersOverTlsWithAClientCertificate) {
  HttpServer::Options options;
  options.tls = test_server_tls(true);
  open(std::move(options), echo);
  HttpClient client(loop_.io(), scheduler_, {server_->address(), test_client_tls("admin"), "gate.test"},
                    "gate.test");
  for (int i = 0; i < 3; ++i) {
    auto answer =
        call(client, {.method = "POST", .target = "/api?x=1", .content_type = "text/plain", .body = "hello"});
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->body, "POST /api?x=1 admin hello");
    EXPECT_EQ(answer->headers.get("content-type"), "text/plain");
  }
  EXPECT_EQ(server_->connections(), 1u) << "the connection was not reused";
}

TEST_F(HttpServerTest, AnswersPlainRequestsOnOneConnection) {
  open({}, echo);
  HttpClient client(loop_.io(), scheduler_, {server_->address(), nullptr, ""}, "gate.test");
  for (int i = 0; i < 3; ++i) {
    auto answer = call(client, {});
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->body, "GET /  ");
  }
  EXPECT_EQ(server_->connections(), 1u);
}

TEST_F(HttpServerTest, StreamsAnAnswer) {
  std::optional<Responder> responder;
  open({}, [&](const Request&, Responder given) { responder = given; });
  HttpClient client(loop_.io(), scheduler_, {server_->address(), nullptr, ""}, "gate.test");
  int status = 0;
  std::string data;
  std::optional<bool> ended;
  HttpClient::StreamCallbacks callbacks;
  callbacks.on_head = [&](int got, const http::Headers&) { status = got; };
  callbacks.on_data = [&](std::string_view got) { data += got; };
  callbacks.on_end = [&](Result<void> result) { ended = result.has_value(); };
  const auto handle = client.stream({}, std::move(callbacks));
  run_until([&] { return responder.has_value(); });
  responder->begin(200, "application/json");
  run_until([&] { return status == 200; });
  EXPECT_TRUE(responder->write("{\"a\":1}\n"));
  run_until([&] { return data == "{\"a\":1}\n"; });
  EXPECT_TRUE(responder->write("{\"a\":2}\n"));
  responder->end();
  run_until([&] { return ended.has_value(); });
  EXPECT_EQ(data, "{\"a\":1}\n{\"a\":2}\n");
  EXPECT_TRUE(*ended);
}

const std::string kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

TEST_F(HttpServerTest, ABodyOverTheLimitIsAnswered413) {
  HttpServer::Options options;
  options.max_body_bytes = 10;
  int handled = 0;
  open(std::move(options), [&](const Request& request, Responder responder) {
    ++handled;
    echo(request, std::move(responder));
  });
  const std::string declared = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n";
  const std::string in_chunks =
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n6\r\nabcdef\r\n";
  for (const std::string& text : {declared, in_chunks}) {
    const auto peer = connect(server_->address());
    peer->send(text);
    run_until([&] { return peer->received().find("\r\n\r\n") != std::string::npos; });
    EXPECT_TRUE(peer->received().starts_with("HTTP/1.1 413 ")) << peer->received();
  }
  EXPECT_EQ(handled, 0);
}

TEST_F(HttpServerTest, AClientThatExpectsContinueGetsIt) {
  open({}, echo);
  const auto peer = connect(server_->address());
  peer->send("PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  run_until([&] { return peer->received() == "HTTP/1.1 100 Continue\r\n\r\n"; });
  peer->send("ab");
  run_until([&] { return peer->received().ends_with("PUT /x  ab"); });
}

TEST_F(HttpServerTest, ADroppedResponderAnswers500) {
  open({}, [](const Request&, const Responder&) {});
  const auto peer = connect(server_->address());
  peer->send(kGet);
  run_until([&] { return peer->received().starts_with("HTTP/1.1 500 "); });
}

TEST_F(HttpServerTest, TellsAStreamedAnswerThatItsClientLeft) {
  std::optional<Responder> responder;
  bool told = false;
  open({}, [&](const Request&, Responder given) {
    responder = given;
    responder->on_closed([&] { told = true; });
    responder->begin(200, "text/plain");
  });
  auto peer = connect(server_->address());
  peer->send(kGet);
  run_until([&] { return responder.has_value() && !peer->received().empty(); });
  peer.reset();
  run_until([&] { return told; });
  EXPECT_TRUE(responder->closed());
  EXPECT_FALSE(responder->write("late"));
  responder->end();
  EXPECT_EQ(server_->connections(), 0u);
}

TEST_F(HttpServerTest, CutsAStreamedAnswerWhoseReaderIsTooSlow) {
  HttpServer::Options options;
  options.max_unsent_bytes = 256 * 1024;
  std::optional<Responder> responder;
  int told = 0;
  open(std::move(options), [&](const Request&, Responder given) {
    responder = given;
    responder->on_closed([&] { ++told; });
    responder->begin(200, "text/plain");
  });
  const auto peer = connect(server_->address());
  peer->stop_reading();
  peer->send(kGet);
  run_until([&] { return responder.has_value(); });
  const std::string block(64 * 1024, 'x');
  std::size_t written = 0;
  while (responder->write(block) && written < (256u << 20)) {
    written += block.size();
    loop_.io().poll();
  }
  EXPECT_LT(written, 256u << 20) << "never cut";
  EXPECT_EQ(told, 1);
  run_until([&] { return server_->connections() == 0; });
}

TEST_F(HttpServerTest, ClosesConnectionsPastItsBound) {
  HttpServer::Options options;
  options.limits.max_connections = 2;
  open(std::move(options), echo);
  const auto first = connect(server_->address()), second = connect(server_->address());
  run_until([&] { return server_->connections() == 2; });
  const auto third = connect(server_->address());
  run_until([&] { return third->ended(); });
  first->send(kGet);
  run_until([&] { return first->received().starts_with("HTTP/1.1 200 "); });
  first->close();
  run_until([&] { return server_->connections() == 1; });
  const auto fourth = connect(server_->address());
  fourth->send(kGet);
  run_until([&] { return fourth->received().starts_with("HTTP/1.1 200 "); });
}

TEST_F(HttpServerTest, DrainsWithoutCuttingARequest) {
  std::optional<Responder> responder;
  open({}, [&](const Request&, Responder given) { responder = given; });
  const auto idle = connect(server_->address());
  const auto busy = connect(server_->address());
  busy->send(kGet);
  run_until([&] { return responder.has_value() && server_->connections() == 2; });
  server_->drain();
  run_until([&] { return idle->ended(); });
  EXPECT_EQ(connect(server_->address()), nullptr) << "still accepting";
  responder->send({});
  run_until([&] { return busy->ended(); });
  EXPECT_NE(busy->received().find("Connection: close\r\n"), std::string::npos) << busy->received();
  busy->close();
  run_until([&] { return server_->connections() == 0; });
}

TEST_F(HttpServerTest, ItsEndClosesEverythingAndLateAnswersDoNothing) {
  std::optional<Responder> responder;
  open({}, [&](const Request&, Responder given) { responder = given; });
  const auto peer = connect(server_->address());
  peer->send(kGet);
  run_until([&] { return responder.has_value(); });
  server_.reset();
  EXPECT_TRUE(responder->closed());
  responder->send({});
  run_until([&] { return peer->ended(); });
  EXPECT_EQ(peer->received(), "");
}

TEST_F(HttpServerTest, AClientWithoutTheRequiredCertificateGetsNothing) {
  HttpServer::Options options;
  options.tls = test_server_tls(true);
  int handled = 0;
  open(std::move(options), [&](const Request&, const Responder&) { ++handled; });
  HttpClient client(loop_.io(), scheduler_, {server_->address(), test_client_tls(""), "gate.test"},
                    "gate.test");
  const auto answer = call(client, {});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable) << answer.error().detail;
  EXPECT_EQ(handled, 0);
}

TEST_F(HttpServerTest, AnotherServerNameIsRefusedByTheClient) {
  HttpServer::Options options;
  options.tls = test_server_tls(false);
  open(std::move(options), echo);
  HttpClient client(loop_.io(), scheduler_, {server_->address(), test_client_tls(""), "other.test"},
                    "other.test");
  const auto answer = call(client, {});
  ASSERT_FALSE(answer);
  EXPECT_NE(answer.error().detail.find("certificate verify failed"), std::string::npos)
      << answer.error().detail;
}

TEST_F(HttpServerTest, AHandshakeThatTakesTooLongIsCut) {
  HttpServer::Options options;
  options.tls = test_server_tls(false);
  const Duration time = options.limits.tls_timeout;
  open(std::move(options), echo);
  const auto silent = connect(server_->address());
  settle();
  EXPECT_FALSE(silent->ended());
  scheduler_.advance(time);
  run_until([&] { return silent->ended(); });
}

TEST_F(HttpServerTest, PlainBytesToATlsPortAreCut) {
  HttpServer::Options options;
  options.tls = test_server_tls(false);
  open(std::move(options), echo);
  const auto peer = connect(server_->address());
  peer->send(kGet);
  run_until([&] { return peer->ended(); });
  EXPECT_EQ(peer->received().find("HTTP/"), std::string::npos);
}

TEST_F(HttpServerTest, ALargeBodyPassesOverTls) {
  HttpServer::Options options;
  options.tls = test_server_tls(false);
  open(std::move(options), [](const Request& request, Responder responder) {
    responder.send({.status = 200, .content_type = "text/plain", .body = request.body});
  });
  HttpClient client(loop_.io(), scheduler_, {server_->address(), test_client_tls(""), "gate.test"},
                    "gate.test");
  std::string body(2 * 1024 * 1024, 'x');
  for (std::size_t i = 0; i < body.size(); i += 1000) body[i] = static_cast<char>('a' + i % 26);
  const auto answer = call(client, {.method = "POST", .body = body});
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_TRUE(answer->body == body);
}

class HttpClientTest : public HttpServerTest {};

TEST_F(HttpClientTest, TimesOut) {
  std::vector<Responder> kept;
  open({}, [&](const Request&, Responder given) { kept.push_back(given); });
  HttpClient client(loop_.io(), scheduler_, {server_->address(), nullptr, ""}, "a");
  std::optional<Result<ClientResponse>> answer;
  auto task = [](HttpClient& client, std::optional<Result<ClientResponse>>& answer) -> Task<void> {
    ClientRequest request;
    request.timeout = Duration(500);
    answer = co_await client.send(std::move(request));
  };
  net::spawn(loop_.io(), task(client, answer));
  run_until([&] { return kept.size() == 1; });
  scheduler_.advance(Duration(499));
  settle();
  EXPECT_FALSE(answer.has_value());
  scheduler_.advance(Duration(1));
  run_until([&] { return answer.has_value(); });
  EXPECT_EQ(answer->error().code, ErrorCode::kTimeout);
}

TEST_F(HttpClientTest, BoundsTheAnswer) {
  open({}, [](const Request&, Responder responder) { responder.send({.body = std::string(1000, 'x')}); });
  HttpClient client(loop_.io(), scheduler_, {server_->address(), nullptr, ""}, "a", 999);
  const auto answer = call(client, {});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kLimit);
}

TEST_F(HttpClientTest, ARefusedConnectionIsUnavailable) {
  open({}, echo);
  const net::Address address = server_->address();
  server_.reset();
  HttpClient client(loop_.io(), scheduler_, {address, nullptr, ""}, "a");
  const auto answer = call(client, {});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable);
}

TEST_F(HttpClientTest, ADroppedStreamIsSilent) {
  std::optional<Responder> responder;
  open({}, [&](const Request&, Responder given) {
    responder = given;
    responder->begin(200, "text/plain");
  });
  HttpClient client(loop_.io(), scheduler_, {server_->address(), nullptr, ""}, "a");
  bool ended = false;
  bool begun = false;
  HttpClient::StreamCallbacks callbacks;
  callbacks.on_head = [&](int, const http::Headers&) { begun = true; };
  callbacks.on_end = [&](const Result<void>&) { ended = true; };
  auto handle = client.stream({}, std::move(callbacks));
  run_until([&] { return begun; });
  handle.reset();
  run_until([&] { return responder->closed(); });
  EXPECT_FALSE(ended);
}

TEST_F(HttpClientTest, ItsEndCancelsCallsUnderWay) {
  std::optional<Responder> responder;
  open({}, [&](const Request&, Responder given) {
    responder = given;
    responder->begin(200, "text/plain");
  });
  std::optional<HttpClient> client;
  client.emplace(loop_.io(), scheduler_, Endpoint{server_->address(), nullptr, ""}, "a");
  std::optional<Error> error;
  HttpClient::StreamCallbacks callbacks;
  callbacks.on_end = [&](const Result<void>& result) { error = result.error(); };
  const auto handle = client->stream({}, std::move(callbacks));
  run_until([&] { return responder.has_value(); });
  client.reset();
  run_until([&] { return error.has_value(); });
  EXPECT_EQ(error->code, ErrorCode::kCancelled);
}

}  // namespace
}  // namespace tidegate::session
