// SPDX-License-Identifier: Apache-2.0
// A Kubernetes API client: requests by coroutine, watches by callback. Knows nothing of whose API server it
// talks to. Thread: control. Owns: an HTTP client (connection pool). Every Error says verb, resource and key;
// codes follow the Status's reason (kNotFound, kConflict for Conflict and AlreadyExists, kInvalid,
// kForbidden, kGone, kUnavailable for 429 and 5xx, kTimeout). GETs are tried again where the server is away,
// anything where it says 429 (it did nothing then); other writes never.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "api/object.h"
#include "net/task.h"
#include "session/http_client.h"

namespace tidegate::kube {

struct ClientConfig {
  net::Address address;
  std::string authority;                 // host:port as in the server URL
  std::shared_ptr<net::TlsContext> tls;  // null: plain
  std::string server_name;
  std::string path_prefix;  // of the server URL, without a slash at its end; mostly empty
  std::string bearer_token;
  std::string bearer_token_file;  // read anew every minute, and before bearer_token: kubelets renew it
  std::string user_agent = "tidegate";
  std::uint64_t seed = 0;  // of the jitter in waits; 0: a random one
};
// A kubeconfig file (current context): server, CA, client certificate or token, inline or as files.
Result<ClientConfig> load_kubeconfig(const std::string& path);
// In a pod: KUBERNETES_SERVICE_HOST, the service account's token and CA.
Result<ClientConfig> in_cluster_config();
// --kubeconfig if not empty, else $KUBECONFIG, else in-cluster, else ~/.kube/config.
Result<ClientConfig> find_config(const std::string& kubeconfig_flag);

enum class PatchType { kJson, kMerge, kStrategicMerge, kApply };

struct List {
  std::vector<Json> items;
  std::string resource_version;
};

struct ListOptions {
  std::string ns;  // empty: all
  std::string label_selector;
  std::string field_selector;
};

class Client {
 public:
  Client(asio::io_context& io, Scheduler& scheduler, ClientConfig config);
  ~Client();

  Task<Result<Json>> get(api::Resource resource, api::Key key);
  Task<Result<List>> list(api::Resource resource, ListOptions options);  // follows `continue` in pages of 500
  Task<Result<Json>> create(api::Resource resource, Json object);
  // PUT; kInvalid without metadata.resourceVersion, which guards it.
  Task<Result<Json>> update(api::Resource resource, Json object);
  Task<Result<Json>> patch(api::Resource resource, api::Key key, PatchType type, Json patch,
                           std::string subresource = {});
  Task<Result<Json>> update_status(api::Resource resource, Json object);  // the same on /status
  Task<Result<void>> remove(api::Resource resource, api::Key key, std::string propagation = "Background");
  Task<Result<std::string>> raw(std::string method, std::string target, std::string content_type,
                                std::string body);

  // A watch from `resource_version`. on_event gets "ADDED", "MODIFIED", "DELETED" or "BOOKMARK" and the
  // object; on_end is final (kGone: list again). Destroying the handle cancels silently.
  struct WatchCallbacks {
    std::function<void(std::string_view type, Json object)> on_event;
    std::function<void(Result<void>)> on_end;
  };
  [[nodiscard]] std::unique_ptr<session::HttpClient::Handle> watch(const api::Resource& resource,
                                                                   const ListOptions& options,
                                                                   const std::string& resource_version,
                                                                   WatchCallbacks callbacks);

  asio::io_context& io();
  Scheduler& scheduler();
  std::uint64_t random();  // for jitter and names, not for secrets

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tidegate::kube
