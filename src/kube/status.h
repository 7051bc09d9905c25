// SPDX-License-Identifier: Apache-2.0
// Refusals of an API server as Errors: a metav1.Status where there is one, else the HTTP status. Total.
// Thread: none; pure.
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "http/headers.h"

namespace tidegate::kube {

struct Refusal {
  Error error;
  std::optional<Duration> retry_after;  // asked for by Retry-After, or by the Status's details
};
Refusal read_refusal(int http_status, const http::Headers& headers, std::string_view body);

// Of a Status document, such as the object of a watch's ERROR event; `http_status` counts where it names no
// reason and no code.
Error status_error(const Json& status, int http_status);

}  // namespace tidegate::kube
