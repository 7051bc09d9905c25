// SPDX-License-Identifier: Apache-2.0
#include "local/api_calls.h"

#include <nlohmann/json.hpp>

namespace tidegate::local {

Task<Result<void>> remove_with(kube::Client& client, api::Resource resource, api::Key key,
                               DeleteOptions options) {
  Json body = {{"apiVersion", "v1"}, {"kind", "DeleteOptions"}, {"propagationPolicy", options.propagation}};
  if (!options.uid.empty()) body["preconditions"] = {{"uid", options.uid}};
  if (options.grace_seconds) body["gracePeriodSeconds"] = *options.grace_seconds;
  const std::string method = "DELETE", type = "application/json", target = resource.path(key.ns, key.name),
                    text = json::dump(body);
  const auto result = co_await client.raw(method, target, type, text);
  if (!result) co_return result.error();
  co_return Result<void>();
}

Task<Result<Json>> get_document(kube::Client& client, std::string path) {
  const std::string method = "GET", type, body;
  const auto result = co_await client.raw(method, path, type, body);
  if (!result) co_return result.error();
  co_return json::parse(*result);
}

}  // namespace tidegate::local
