// SPDX-License-Identifier: Apache-2.0
#include "kube/watch.h"

#include <nlohmann/json.hpp>

#include "kube/limits.h"
#include "kube/status.h"
#include "kube/watch_lines.h"

namespace tidegate::kube {

namespace {

using Stream = session::HttpClient::Handle;

class Watch : public std::enable_shared_from_this<Watch> {
 public:
  Watch(std::shared_ptr<Caller> caller, std::string what, Client::WatchCallbacks callbacks)
      : caller_(std::move(caller)), what_(std::move(what)), callbacks_(std::move(callbacks)) {}

  void start(std::string target, Duration deadline) {
    // Each callback first takes hold of the watch: what it calls may destroy the handle, and the callback
    // with it.
    session::HttpClient::StreamCallbacks events;
    events.on_head = [weak = weak_from_this()](int status, const http::Headers& headers) {
      if (auto self = weak.lock()) self->on_head(status, headers);
    };
    events.on_data = [weak = weak_from_this()](std::string_view data) {
      if (auto self = weak.lock()) self->on_data(data);
    };
    events.on_end = [weak = weak_from_this()](Result<void> result) {
      if (auto self = weak.lock()) self->on_end(std::move(result));
    };
    stream_ = caller_->stream(std::move(target), std::move(events));
    const auto late = [this] { end(Error{ErrorCode::kTimeout, "the server did not end the watch in time"}); };
    const auto closed = [this] { end(Error{ErrorCode::kCancelled, "the client was closed"}); };
    deadline_ = stream_ ? caller_->scheduler().after(deadline, late)
                        : caller_->scheduler().after(Duration(0), closed);
  }

  void cancel() {
    done_ = true;
    deadline_.reset();
    stream_.reset();
  }

 private:
  void on_head(int status, const http::Headers& headers) {
    status_ = status;
    headers_ = headers;
  }

  void on_data(std::string_view data) {
    if (status_ != 200) {
      refusal_.append(data.substr(0, kMaxErrorBody - std::min(kMaxErrorBody, refusal_.size())));
      return;
    }
    const auto lines = lines_.feed(data);
    if (!lines) return end(lines.error());
    for (const auto& line : *lines) {
      if (done_) return;
      on_line(line);
    }
  }

  void on_line(const std::string& line) {
    auto event = parse_watch_event(line);
    if (!event) return end(event.error());
    if (event->type == "ERROR") return end(status_error(event->object, 500));
    callbacks_.on_event(event->type, std::move(event->object));
  }

  void on_end(Result<void> result) {
    if (status_ != 0 && status_ != 200 && result) return end(read_refusal(status_, headers_, refusal_).error);
    end(std::move(result));
  }

  void end(Result<void> result) {
    if (done_) return;
    const auto self = shared_from_this();
    auto on_end = std::move(callbacks_.on_end);
    cancel();
    on_end(result ? std::move(result) : Result<void>(context(what_, result.error())));
  }

  const std::shared_ptr<Caller> caller_;
  const std::string what_;
  Client::WatchCallbacks callbacks_;
  std::unique_ptr<Stream> stream_;
  std::unique_ptr<Scheduler::Timer> deadline_;
  int status_ = 0;
  http::Headers headers_;
  std::string refusal_;
  WatchLines lines_{kMaxWatchLine};
  bool done_ = false;
};

class WatchHandle final : public Stream {
 public:
  explicit WatchHandle(std::shared_ptr<Watch> watch) : watch_(std::move(watch)) {}
  ~WatchHandle() override { watch_->cancel(); }

 private:
  std::shared_ptr<Watch> watch_;
};

}  // namespace

std::unique_ptr<Stream> start_watch(std::shared_ptr<Caller> caller, std::string what, std::string target,
                                    Duration deadline, Client::WatchCallbacks callbacks) {
  auto watch = std::make_shared<Watch>(std::move(caller), std::move(what), std::move(callbacks));
  watch->start(std::move(target), deadline);
  return std::make_unique<WatchHandle>(std::move(watch));
}

}  // namespace tidegate::kube
