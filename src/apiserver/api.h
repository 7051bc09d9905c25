// SPDX-License-Identifier: Apache-2.0
// The Kubernetes API over requests and responses, without sockets: discovery, OpenAPI, and every verb on
// every resource that the registry knows. Thread: control.
#pragma once

#include <memory>
#include <string>

#include "apiserver/server.h"
#include "apiserver/storage.h"
#include "apiserver/type_registry.h"
#include "apiserver/watch_hub.h"
#include "apiserver/writes.h"
#include "session/http_server.h"

namespace tidegate::apiserver {

class Api {
 public:
  Api(Storage& storage, Scheduler& scheduler);

  // Namespaces that always exist, and the kinds of stored CustomResourceDefinitions. Once, before the first
  // request.
  Result<void> prepare();

  void handle(session::Request request, session::Responder responder);
  void set_log_source(LogSource* logs) { logs_ = logs; }
  void end_watches() { watches_.end_all(); }

 private:
  struct Call;  // one request, decoded

  void route(Call call);
  void discover(const Call& call);
  bool answer_openapi(const Call& call);
  bool answer_access_review(const Call& call);
  void resource(Call call);
  void read(const Call& call);
  void list(const Call& call);
  void watch(const Call& call);
  void write(const Call& call);
  void patch(const Call& call, WriteRequest& request);
  void remove(const Call& call, WriteRequest& request);
  void remove_collection(const Call& call, WriteRequest& request);
  void scale(const Call& call);
  void finalize(const Call& call, WriteRequest& request);
  void logs(const Call& call);
  void send_written(const Call& call, const WriteRequest& request, Outcome<Writes::Written> outcome);
  void send_object(const Call& call, int status, const Json& object,
                   const std::vector<std::string>& warnings = {});
  WriteRequest write_request(const Call& call) const;
  Result<void> ensure_namespace(const std::string& name);

  Storage& storage_;
  Scheduler& scheduler_;
  TypeRegistry types_;
  Writes writes_;
  WatchHub watches_;
  LogSource* logs_ = nullptr;
};

}  // namespace tidegate::apiserver
