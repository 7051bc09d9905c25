// SPDX-License-Identifier: Apache-2.0
#include "proxy/admin.h"

#include "routing/table_yaml.h"

namespace tidegate::proxy {
namespace {

session::Response text(int status, std::string body, std::string type = "text/plain; charset=utf-8") {
  return {status, std::move(type), std::move(body)};
}

}  // namespace

session::Response answer_admin(const AdminSources& sources, std::string_view method, std::string_view path) {
  if (method != "GET" && method != "HEAD") return text(405, "only GET\n");
  if (path == "/healthz") return text(200, "ok\n");
  if (path == "/readyz")
    return sources.ready() ? text(200, "ok\n") : text(503, "not all Gateways are programmed yet\n");
  if (path == "/metrics")
    return text(200, sources.exposition->text(), "text/plain; version=0.0.4; charset=utf-8");
  if (path == "/debug/routes") {
    const auto table = sources.table();
    return table ? text(200, routing::to_yaml(*table), "application/yaml")
                 : text(503, "no table has been published yet\n");
  }
  return text(404, "there is /metrics, /healthz, /readyz and /debug/routes\n");
}

Result<std::unique_ptr<session::HttpServer>> open_admin(net::EventLoop& loop, net::Address address,
                                                        AdminSources sources) {
  session::HttpServer::Options options;
  options.address = std::move(address);
  options.max_body_bytes = 0;
  return session::HttpServer::open(
      loop.io(), loop.scheduler(), std::move(options),
      [sources = std::move(sources)](session::Request request, session::Responder responder) {
        responder.send(answer_admin(sources, request.head.method, request.head.path()));
      });
}

}  // namespace tidegate::proxy
