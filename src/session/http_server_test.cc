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

}  // namespace
}  // namespace tidegate::session
