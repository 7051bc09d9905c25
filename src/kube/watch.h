// SPDX-License-Identifier: Apache-2.0
// A watch under way: bytes of a streamed answer to events. Thread: control. Owns: the stream and its
// deadline.
#pragma once

#include <memory>
#include <string>

#include "kube/call.h"

namespace tidegate::kube {

// `what` opens every error. Past `deadline` without an end from the server, the watch ends with kTimeout.
std::unique_ptr<session::HttpClient::Handle> start_watch(std::shared_ptr<Caller> caller, std::string what,
                                                         std::string target, Duration deadline,
                                                         Client::WatchCallbacks callbacks);

}  // namespace tidegate::kube
