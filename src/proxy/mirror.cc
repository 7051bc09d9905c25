// SPDX-License-Identifier: Apache-2.0
#include "proxy/mirror.h"

namespace tidegate::proxy {

MirrorRequest::MirrorRequest(BackendEndpointPtr endpoint, const http::RequestHead& head, bool end,
                             SteadyTime deadline)
    : endpoint_(std::move(endpoint)),
      stream_(endpoint_->pool.request(head, end, *this)),
      deadline_(deadline),
      sent_(end) {
  ++endpoint_->active;
}

MirrorRequest::~MirrorRequest() {
  stream_.reset();
  --endpoint_->active;
}

bool MirrorRequest::send_data(std::string_view data) {
  if (done_) return true;
  if (stream_->unsent_bytes() + data.size() > kMirrorUnsentBytes) {
    done_ = true;
    return false;
  }
  stream_->send_data(data);
  return true;
}

void MirrorRequest::send_end(const http::Headers& trailers) {
  if (done_ || sent_) return;
  stream_->send_end(trailers);
  sent_ = true;
}

void MirrorRequest::abandon() {
  if (!sent_) done_ = true;
}

}  // namespace tidegate::proxy
