// SPDX-License-Identifier: Apache-2.0
// What the tests of served connections share: a handler that keeps what it is asked, and a client over a real
// socket.
#pragma once

#include "session/h1_server.h"
#include "session/loopback.h"

namespace tidegate::session {

using std::string;

// One request as its handler saw it, with the stream to answer on.
struct Seen final : ServerStreamEvents {
  http::RequestHead head;
  bool expects_continue = false;
  std::shared_ptr<ServerStream> stream;
  string body;
  bool ended = false;
  int writable = 0;
  std::optional<StreamError> aborted;
  std::function<void(Seen&)> then;

  void on_data(std::string_view data) override { body += data; }
  void on_end(const http::Headers&) override {
    ended = true;
    if (then) then(*this);
  }
  void on_writable() override { ++writable; }
  void on_abort(StreamError error) override { aborted = error; }

  void answer(const string& text, int status = 200) {
    http::ResponseHead head;
    head.status = status;
    head.content_length = text.size();
    stream->send_head(head, text.empty());
    if (text.empty()) return;
    stream->send_data(text);
    stream->send_end();
  }
  void begin(std::optional<std::uint64_t> length = {}) {
    http::ResponseHead head;
    head.content_length = length;
    stream->send_head(head, false);
  }
};

class H1ServerTest : public LoopbackTest, public RequestHandler {
 protected:
  void SetUp() override {
    auto listener = net::Listener::open(loop_.io(), {{"127.0.0.1", 0}}, [this](net::TcpSocket socket) {
      ServerOptions options;
      options.limits = &limits_;
      options.handler = this;
      options.scheduler = &scheduler_;
      options.closed = [this](ServerConnection*) { ++closed_; };
      connection_ = serve_(net::make_tcp_stream(std::move(socket)), std::move(options));
    });
    ASSERT_TRUE(listener);
    listener_ = std::move(*listener);
  }
  void TearDown() override {
    if (connection_) connection_->close();
    settle();
  }
  void on_request(http::RequestHead& head, bool expects_continue,
                  std::shared_ptr<ServerStream> stream) override {
    auto seen = std::make_unique<Seen>();
    seen->head = std::move(head);
    seen->expects_continue = expects_continue;
    seen->stream = std::move(stream);
    seen->then = then_;
    seen->stream->set_events(seen.get());
    requests_.push_back(std::move(seen));
    if (at_head_) at_head_(*requests_.back());
  }
  void on_refused(int status) override { refused_.push_back(status); }

  std::unique_ptr<RawPeer> client() {
    auto peer = connect(listener_->address());
    run_until([this] { return connection_ != nullptr; });
    return peer;
  }
  void answer_all(const string& text) {
    then_ = [text](Seen& seen) { seen.answer(text); };
  }
  // Waits for the answer to `bytes` to end with `tail`.
  string exchange(RawPeer& peer, const string& bytes, const string& tail) {
    peer.send(bytes);
    run_until([&] { return peer.received().ends_with(tail) || peer.ended(); });
    return peer.take();
  }
  Seen& request(std::size_t index = 0) {
    run_until([&] { return requests_.size() > index; });
    return *requests_[index];
  }

  std::function<std::shared_ptr<ServerConnection>(std::unique_ptr<net::Stream>, ServerOptions)> serve_ =
      serve_h1;
  ServerLimits limits_;
  std::unique_ptr<net::Listener> listener_;
  std::shared_ptr<ServerConnection> connection_;
  std::vector<std::unique_ptr<Seen>> requests_;
  std::vector<int> refused_;
  std::function<void(Seen&)> then_, at_head_;
  int closed_ = 0;
};

const string kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

}  // namespace tidegate::session
