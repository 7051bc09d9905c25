// SPDX-License-Identifier: Apache-2.0
// A copy of a request, sent to another backend and forgotten: its response is read and dropped, its failures
// touch nothing but a counter. The body is passed on as it comes; a mirror that can't keep up is dropped
// instead of slowing the request or being buffered without end. Thread: its worker's. Owns: its backend
// stream.
#pragma once

#include <memory>

#include "proxy/backends.h"
#include "session/streams.h"

namespace tidegate::proxy {

class MirrorRequest final : public session::ClientStreamEvents {
 public:
  MirrorRequest(BackendEndpointPtr endpoint, const http::RequestHead& head, bool end, SteadyTime deadline);
  ~MirrorRequest() override;

  // Of the request's body. False: the mirror could not keep up and is done.
  bool send_data(std::string_view data);
  void send_end(const http::Headers& trailers);
  void abandon();  // the request ended before its body did

  bool done(SteadyTime now) const { return done_ || now >= deadline_; }

 private:
  void on_head(http::ResponseHead&) override {}
  void on_data(std::string_view) override {}
  void on_end(const http::Headers&) override { done_ = true; }
  void on_writable() override {}
  void on_error(session::StreamError, bool, std::string_view) override { done_ = true; }

  BackendEndpointPtr endpoint_;
  std::unique_ptr<session::ClientStream> stream_;
  SteadyTime deadline_;
  bool sent_ = false;
  bool done_ = false;
};

}  // namespace tidegate::proxy
