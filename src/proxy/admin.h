// SPDX-License-Identifier: Apache-2.0
// The admin port: /metrics, /healthz, /readyz, /debug/routes (the table as YAML). Read only; meant for
// loopback or the cluster's inside. Thread: control. Owns: the HTTP server.
#pragma once

#include <functional>
#include <memory>

#include "metrics/exposition.h"
#include "net/event_loop.h"
#include "routing/table.h"
#include "session/http_server.h"

namespace tidegate::proxy {

struct AdminSources {
  const metrics::Exposition* exposition = nullptr;  // outlives the server
  std::function<routing::TablePtr()> table;         // may give null: none yet
  std::function<bool()> ready;
};

Result<std::unique_ptr<session::HttpServer>> open_admin(net::EventLoop& loop, net::Address address,
                                                        AdminSources sources);

// What the port answers; apart from sockets.
session::Response answer_admin(const AdminSources& sources, std::string_view method, std::string_view path);

}  // namespace tidegate::proxy
