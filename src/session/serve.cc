// SPDX-License-Identifier: Apache-2.0
#include "session/serve.h"

#include <array>

#include "http/h2_session.h"
#include "session/deadline.h"
#include "session/h2_server.h"

namespace tidegate::session {
namespace {

// A connection whose protocol the first bytes will tell; then it stands for the one that they told.
class Greeting final : public ServerConnection, public std::enable_shared_from_this<Greeting> {
 public:
  Greeting(std::unique_ptr<net::Stream> stream, ServerOptions options)
      : options_(std::move(options)),
        stream_(std::move(stream)),
        buffer_(std::make_unique_for_overwrite<Buffer>()),
        deadline_(*options_.scheduler, [this] { close(); }) {}

  void start() {
    deadline_.set(options_.limits->header_timeout);
    read();
  }
  void drain() override { served_ ? served_->drain() : end(); }
  void close() override { served_ ? served_->close() : end(); }
  bool idle() const override { return !served_ || served_->idle(); }

 private:
  using Buffer = std::array<char, 16 * 1024>;  // as HTTP/1 reads: one that comes first is not read twice

  void read() {
    stream_->read(std::span(*buffer_).subspan(size_),
                  [self = shared_from_this()](const Result<std::size_t>& bytes) { self->on_read(bytes); });
  }

  void on_read(const Result<std::size_t>& bytes) {
    if (ended_) return;
    if (!bytes || *bytes == 0) return end();
    size_ += *bytes;
    const std::string_view text(buffer_->data(), size_);
    if (text.starts_with(http::kH2Preface)) return serve(serve_h2, text);
    if (!http::kH2Preface.starts_with(text)) return serve(serve_h1, text);
    read();
  }

  template <typename Serve>
  void serve(Serve how, std::string_view received) {
    deadline_.stop();
    ServerOptions options = options_;
    options.received = received;
    options.closed = [self = shared_from_this()](ServerConnection*) { self->end(); };
    auto served = how(std::move(stream_), std::move(options));
    buffer_.reset();
    if (!ended_) served_ = std::move(served);
  }

  void end() {
    if (std::exchange(ended_, true)) return;
    const auto self = shared_from_this();
    deadline_.stop();
    if (stream_) stream_->close();
    served_.reset();
    if (const auto closed = std::exchange(options_.closed, nullptr)) closed(this);
  }

  ServerOptions options_;
  std::unique_ptr<net::Stream> stream_;  // until it is served
  std::unique_ptr<Buffer> buffer_;       // the same
  std::size_t size_ = 0;
  Deadline deadline_;
  std::shared_ptr<ServerConnection> served_;
  bool ended_ = false;
};

}  // namespace

std::shared_ptr<ServerConnection> serve_http(std::unique_ptr<net::Stream> stream, ServerOptions options) {
  if (stream->alpn() == "h2") return serve_h2(std::move(stream), std::move(options));
  if (options.scheme == "https") return serve_h1(std::move(stream), std::move(options));
  auto greeting = std::make_shared<Greeting>(std::move(stream), std::move(options));
  greeting->start();
  return greeting;
}

}  // namespace tidegate::session
