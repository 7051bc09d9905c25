// SPDX-License-Identifier: Apache-2.0
#include "apiserver/api.h"

#include <nlohmann/json.hpp>

#include "apiserver/call.h"
#include "apiserver/lifecycle.h"
#include "base/log.h"
#include "base/text.h"

namespace tidegate::apiserver {
namespace {

// kubectl chooses behaviour by the minor version: 1.31 is the last that sends JSON bodies for all built-in
// kinds.
const char* const kVersion =
    R"({"major":"1","minor":"31","gitVersion":"v1.31.0+tidegate","gitCommit":"","gitTreeState":"clean","buildDate":"","goVersion":"","compiler":"","platform":"linux/amd64"})";

constexpr const char* kProtobufOpenApi = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

// The checks of upstream's that make sense here: who gets an answer has met them all. nullopt: not a health
// path.
std::optional<std::string> health(std::string_view path, bool verbose) {
  constexpr std::string_view kChecks[] = {"ping", "log", "storage"};
  for (const std::string_view endpoint : {"healthz", "livez", "readyz"}) {
    if (!path.starts_with('/') || !path.substr(1).starts_with(endpoint)) continue;
    const auto rest = path.substr(1 + endpoint.size());
    for (const auto check : kChecks) {
      if (rest == "/" + std::string(check)) return "ok";
    }
    if (!rest.empty()) return std::nullopt;
    if (!verbose) return "ok";
    std::string lines;
    for (const auto check : kChecks) lines += "[+]" + std::string(check) + " ok\n";
    return lines + std::string(endpoint) + " check passed\n";
  }
  return std::nullopt;
}

}  // namespace

Api::Api(Storage& storage, Scheduler& scheduler)
    : storage_(storage),
      scheduler_(scheduler),
      writes_(storage, types_, scheduler.clock()),
      watches_(storage, scheduler) {
  storage_.on_change([this](const Change& change) { watches_.on_change(change); });
}

Result<void> Api::prepare() {
  for (const auto& [id, stored] : storage_.list("customresourcedefinitions.apiextensions.k8s.io", "")) {
    const Json definition = stored->parse();
    serve_definition(types_, nullptr, &definition);
  }
  for (const char* name : {"default", "kube-system", "kube-public"}) {
    if (auto made = ensure_namespace(name); !made) return made.error();
  }
  return {};
}

Result<void> Api::ensure_namespace(const std::string& name) {
  if (storage_.get({"namespaces", "", name})) return {};
  const auto type = types_.find("", "namespaces");
  WriteRequest request;
  request.type = type;
  request.version = &type->storage_version();
  request.manager = "tidegate";
  Json object = {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", name}}}};
  auto made = writes_.create(request, std::move(object));
  if (!made) return Error{ErrorCode::kInternal, "namespace " + name + ": " + made.refusal().message};
  return {};
}

void Api::handle(session::Request request, session::Responder responder) {
  const session::Responder answer = responder;
  // Documents are read with total look-ups, but one slip there must cost the client its request and not
  // everybody the server.
  try {
    route(Call{std::move(request), std::move(responder), {}, {}, {}, nullptr});
  } catch (const std::exception& problem) {
    log::error("a request failed", {{"problem", problem.what()}});
    const ApiStatus status{500, "InternalError",
                           std::string("the request could not be handled: ") + problem.what()};
    session::Responder(answer).send({status.code, "application/json", json::dump(to_json(status)) + "\n"});
  }
}

void Api::route(Call call) {
  call.path = std::string(call.request.head.path());
  while (call.path.size() > 1 && call.path.ends_with('/')) call.path.pop_back();
  call.query = Query::parse(call.request.head.query());
  if (auto text = health(call.path, call.query.has("verbose"))) {
    return call.responder.send({200, "text/plain; charset=utf-8", std::move(*text)});
  }
  if (call.path == "/version") return call.responder.send({200, "application/json", kVersion});
  if (call.path.starts_with("/openapi/") && answer_openapi(call)) return;
  if (call.path == "/api" || call.path == "/apis") return discover(call);
  if (answer_access_review(call)) return;
  auto about = parse_resource_path(call.path);
  if (about && about->plural.empty() && types_.serves_version(about->group, about->version)) {
    return call.answer(200, schema::api_resource_list(types_.all(), about->group, about->version));
  }
  if (!about && call.path.starts_with("/apis/")) return discover(call);
  if (!about) return call.refuse(no_such_path());
  call.about = std::move(*about);
  resource(std::move(call));
}

void Api::discover(const Call& call) {
  if (call.path != "/api" && call.path != "/apis") {
    const Json group = schema::api_group(types_.all(), call.path.substr(6));
    return json::array_at(group, "versions").empty() ? call.refuse(no_such_path()) : call.answer(200, group);
  }
  const bool core = call.path == "/api";
  const auto accept = call.accept();
  if (accept.find("as=APIGroupDiscoveryList") != std::string::npos) {
    const std::string version =
        accept.find("v=v2;") != std::string::npos || accept.find("v=v2,") != std::string::npos ? "v2"
                                                                                               : "v2beta1";
    return call.answer(200, schema::aggregated_discovery(types_.all(), core, version),
                       "application/json;g=apidiscovery.k8s.io;v=" + version + ";as=APIGroupDiscoveryList");
  }
  call.answer(200, core ? schema::api_versions() : schema::api_group_list(types_.all()));
}

bool Api::answer_openapi(const Call& call) {
  if (call.path == "/openapi/v2") {
    if (call.accept().find("protobuf") == std::string::npos) {
      call.answer(200, schema::openapi_v2(types_.all()));
    } else {
      session::Responder(call.responder)
          .send({200, kProtobufOpenApi, schema::openapi_v2_protobuf(types_.all())});
    }
    return true;
  }
  if (call.path == "/openapi/v3") {
    call.answer(200, schema::openapi_v3_index(types_.all()));
    return true;
  }
  if (!call.path.starts_with("/openapi/v3/")) return false;
  const auto about = parse_resource_path(call.path.substr(std::string_view("/openapi/v3").size()));
  if (!about || !about->plural.empty() || !types_.serves_version(about->group, about->version)) return false;
  call.answer(200, schema::openapi_v3(types_.all(), about->group, about->version));
  return true;
}

// Whoever gets in may do everything: there is one user, and this machine is theirs.
bool Api::answer_access_review(const Call& call) {
  const bool access = call.path.ends_with("/selfsubjectaccessreviews") &&
                      call.path.starts_with("/apis/authorization.k8s.io/");
  const bool self =
      call.path.ends_with("/selfsubjectreviews") && call.path.starts_with("/apis/authentication.k8s.io/");
  if ((!access && !self) || call.method() != "POST") return false;
  auto body = call.body();
  if (!body) {
    call.refuse(body.refusal());
    return true;
  }
  if (access) {
    (*body)["status"] = {{"allowed", true}};
  } else {
    (*body)["status"]["userInfo"] = {{"username", call.request.client_common_name},
                                     {"groups", {"system:masters", "system:authenticated"}}};
  }
  call.answer(201, *body);
  return true;
}

void Api::resource(Call call) {
  call.type = types_.find(call.about.group, call.about.plural);
  call.version = call.type ? call.type->version(call.about.version) : nullptr;
  if (!call.version || !call.version->served) return call.refuse(no_such_path());
  if (!call.type->namespaced && !call.about.ns.empty()) return call.refuse(no_such_path());
  const auto& subresource = call.about.subresource;
  if (subresource == "log" && call.type->kind == "Pod") return logs(call);
  if (subresource == "scale" && call.version->scale) return scale(call);
  const bool known = subresource.empty() || (subresource == "status" && call.version->status) ||
                     (subresource == "finalize" && is_namespace(*call.type));
  if (!known) return call.refuse(no_such_path());
  if (call.method() != "GET" && call.method() != "HEAD") return write(call);
  const auto watching = call.query.is_true("watch");
  if (watching) return watch(call);
  if (call.about.name.empty()) return list(call);
  read(call);
}

void Api::send_object(const Call& call, int status, const Json& object,
                      const std::vector<std::string>& warnings) {
  session::Response response{status, "application/json", {}};
  for (const auto& warning : warnings) {
    std::string quoted = warning;
    for (std::size_t at = 0; (at = quoted.find('"', at)) != std::string::npos; at += 2)
      quoted.insert(at, "\\");
    response.headers.add("Warning", "299 - \"" + quoted + "\"");  // RFC 7234 section 5.5
  }
  if (call.wants_table()) {
    const Json metadata = {{"resourceVersion", json::string_at(object, "metadata.resourceVersion")}};
    response.body = json::dump(schema::make_table({object}, *call.version, call.include(), true,
                                                  scheduler_.clock().now(), metadata));
  } else {
    response.body = json::dump(object);
  }
  response.body += "\n";
  session::Responder(call.responder).send(std::move(response));
}

void Api::read(const Call& call) {
  const auto stored = storage_.get({TypeRegistry::resource_name(*call.type), call.about.ns, call.about.name});
  if (!stored) return call.refuse(not_found(call.type->plural, call.type->group, call.about.name));
  send_object(call, 200, Writes::in_version(stored->parse(), *call.type, *call.version));
}

void Api::logs(const Call& call) {
  if (!logs_) return call.refuse({501, "NotImplemented", "this API server runs no pods"});
  LogSource::Query query;
  query.ns = call.about.ns;
  query.pod = call.about.name;
  query.container = call.query.get("container");
  query.follow = call.query.is_true("follow");
  query.timestamps = call.query.is_true("timestamps");
  query.previous = call.query.is_true("previous");
  query.tail_lines = call.query.number("tailLines", -1);
  query.limit_bytes = call.query.number("limitBytes", -1);
  query.since = text::parse_time(call.query.get("sinceTime"));
  if (const auto seconds = call.query.number("sinceSeconds", 0); seconds > 0) {
    query.since = scheduler_.clock().now() - std::chrono::seconds(seconds);
  }
  auto responder = std::make_shared<session::Responder>(call.responder);
  auto begun = std::make_shared<bool>(false);
  const auto begin = [responder, begun] {
    if (!std::exchange(*begun, true)) responder->begin(200, "text/plain");
  };
  auto handle = logs_->read(
      query, [=](std::string_view text) { return begin(), responder->write(text); },
      [=] { begin(), responder->end(); });
  if (!handle) return call.refuse(from_error(handle.error()));
  begin();
  responder->on_closed([kept = std::shared_ptr<LogSource::Handle>(std::move(*handle))] {});
}

}  // namespace tidegate::apiserver
