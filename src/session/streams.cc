// SPDX-License-Identifier: Apache-2.0
#include "session/streams.h"

namespace tidegate::session {

const char* to_string(StreamError error) {
  switch (error) {
    case StreamError::kNone:
      return "none";
    case StreamError::kConnectRefused:
      return "connect_refused";
    case StreamError::kConnectTimeout:
      return "connect_timeout";
    case StreamError::kTls:
      return "tls";
    case StreamError::kReset:
      return "reset";
    case StreamError::kTimeout:
      return "timeout";
    case StreamError::kProtocol:
      return "protocol";
    case StreamError::kOverflow:
      return "overflow";
    case StreamError::kCancelled:
      return "cancelled";
    case StreamError::kUnsupported:
      return "unsupported";
    case StreamError::kRefused:
      return "refused";
  }
  return "unknown";
}

}  // namespace tidegate::session
