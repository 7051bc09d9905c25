// SPDX-License-Identifier: Apache-2.0
// Calls to the API server that kube::Client has no word for. Thread: control.
#pragma once

#include <optional>
#include <string>

#include "kube/client.h"

namespace tidegate::local {

struct DeleteOptions {
  std::string uid = {};  // precondition: only this very object
  std::string propagation = "Background";
  std::optional<std::int64_t> grace_seconds = {};
};
Task<Result<void>> remove_with(kube::Client& client, api::Resource resource, api::Key key,
                               DeleteOptions options);

// GET by a path of discovery ("/apis"), as a document.
Task<Result<Json>> get_document(kube::Client& client, std::string path);

}  // namespace tidegate::local
