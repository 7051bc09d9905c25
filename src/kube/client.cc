// SPDX-License-Identifier: Apache-2.0
#include "kube/client.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "http/uri.h"
#include "kube/call.h"
#include "kube/limits.h"
#include "kube/watch.h"

namespace tidegate::kube {

struct Client::State {
  std::shared_ptr<Caller> caller;
};

namespace {

constexpr std::string_view kJsonType = "application/json";
constexpr std::string_view kFieldManager = "fieldManager=tidegate";

std::string_view content_type(PatchType type) {
  switch (type) {
    case PatchType::kJson:
      return "application/json-patch+json";
    case PatchType::kMerge:
      return "application/merge-patch+json";
    case PatchType::kStrategicMerge:
      return "application/strategic-merge-patch+json";
    case PatchType::kApply:
      return "application/apply-patch+yaml";
  }
  TIDEGATE_ASSERT(false);
}

std::string describe(std::string_view verb, const api::Resource& resource, const std::string& key) {
  std::string text = std::string(verb) + " " + std::string(resource.plural);
  return key.empty() ? text : text + " " + key;
}

// Names come out of users' objects: encoded, and never such that a path could climb.
std::string path_of(const api::Resource& resource, const api::Key& key, std::string_view subresource = {}) {
  return resource.path(http::percent_encode(key.ns), http::percent_encode(key.name), subresource);
}

Result<void> check_segment(std::string_view field, const std::string& value) {
  if (value != "." && value != "..") return {};
  return Error{ErrorCode::kInvalid, std::string(field) + " \"" + value + "\" can't be part of a path"};
}

Result<void> check_key(const api::Resource& resource, const api::Key& key) {
  if (key.name.empty()) return Error{ErrorCode::kInvalid, "the name is empty"};
  if (resource.namespaced && key.ns.empty()) return Error{ErrorCode::kInvalid, "the namespace is empty"};
  if (auto ok = check_segment("the name", key.name); !ok) return ok;
  return check_segment("the namespace", key.ns);
}

api::Key key_of(const Json& object) {
  return {json::string_at(object, "metadata.namespace"), json::string_at(object, "metadata.name")};
}

// The call about one object; the checks of its key come with it, so that no method can leave them out.
Result<Call> call_of(std::string_view verb, std::string method, const api::Resource& resource,
                     const api::Key& key, std::string_view subresource, std::string_view query) {
  Call call{describe(verb, resource, api::to_string(key)), std::move(method)};
  if (auto ok = check_key(resource, key); !ok) return context(call.what, ok.error());
  call.target = path_of(resource, key, subresource);
  if (!query.empty()) call.target += "?" + std::string(query);
  return call;
}

void set_body(Call& call, std::string_view type, const Json& body) {
  call.content_type = type;
  call.body = json::dump(body);
}

Task<Result<Json>> send_json(std::shared_ptr<Caller> caller, Result<Call> call) {
  if (!call) co_return call.error();
  const std::string what = call->what;
  auto body = co_await Caller::send(std::move(caller), std::move(*call));
  if (!body) co_return body.error();
  auto document = json::parse(*body, kMaxPageBytes);
  if (document) co_return std::move(document);
  co_return context(what, Error{ErrorCode::kInternal, "the answer is not JSON: " + document.error().detail});
}

Task<Result<void>> send_void(std::shared_ptr<Caller> caller, Result<Call> call) {
  if (!call) co_return call.error();
  auto body = co_await Caller::send(std::move(caller), std::move(*call));
  if (!body) co_return body.error();
  co_return Result<void>();
}

Result<Call> put(std::string_view verb, const api::Resource& resource, const Json& object,
                 std::string_view subresource) {
  auto call = call_of(verb, "PUT", resource, key_of(object), subresource, kFieldManager);
  if (!call) return call;
  if (json::string_at(object, "metadata.resourceVersion").empty()) {
    return Error{ErrorCode::kInvalid,
                 call->what + ": metadata.resourceVersion is missing; an update without it could undo " +
                     "what others wrote"};
  }
  set_body(*call, kJsonType, object);
  return call;
}

std::string selectors(const ListOptions& options) {
  std::string query;
  if (!options.label_selector.empty())
    query += "&labelSelector=" + http::percent_encode(options.label_selector);
  if (!options.field_selector.empty())
    query += "&fieldSelector=" + http::percent_encode(options.field_selector);
  return query;
}

// Items of typed lists come without apiVersion and kind; every reader wants them.
void take_items(Json& page, const api::Resource& resource, std::vector<Json>& into) {
  auto items = page.find("items");
  if (items == page.end() || !items->is_array()) return;
  for (auto& item : *items) {
    if (!item.is_object()) continue;
    if (!item.contains("kind")) item["kind"] = resource.kind;
    if (!item.contains("apiVersion")) item["apiVersion"] = resource.api_version();
    into.push_back(std::move(item));
  }
}

Task<Result<List>> list_all(std::shared_ptr<Caller> caller, api::Resource resource, ListOptions options) {
  const std::string what = describe("list", resource, options.ns);
  const std::string path = path_of(resource, {options.ns, {}}) + "?limit=";
  List list;
  std::string next;
  for (std::size_t limit = kListPage;;) {
    Call call{what};
    call.target = path + std::to_string(limit) + selectors(options);
    if (!next.empty()) call.target += "&continue=" + http::percent_encode(next);
    auto page = co_await send_json(caller, Result<Call>(std::move(call)));
    if (!page && page.error().code == ErrorCode::kGone && !next.empty()) {
      // The pages' snapshot was compacted away meanwhile: once more from the start, in one page.
      list = {};
      next.clear();
      limit = 0;
      continue;
    }
    if (!page) co_return page.error();
    take_items(*page, resource, list.items);
    list.resource_version = json::string_at(*page, "metadata.resourceVersion");
    next = json::string_at(*page, "metadata.continue");
    if (next.empty()) co_return list;
    if (list.items.size() > kMaxListItems) {
      co_return Error{ErrorCode::kLimit, what + ": more than " + std::to_string(kMaxListItems) + " items"};
    }
  }
}

}  // namespace

Client::Client(asio::io_context& io, Scheduler& scheduler, ClientConfig config)
    : state_(std::make_shared<State>(State{std::make_shared<Caller>(io, scheduler, std::move(config))})) {}

Client::~Client() { state_->caller->close(); }

Task<Result<Json>> Client::get(api::Resource resource, api::Key key) {
  return send_json(state_->caller, call_of("get", "GET", resource, key, {}, {}));
}

Task<Result<List>> Client::list(api::Resource resource, ListOptions options) {
  return list_all(state_->caller, resource, std::move(options));
}

Task<Result<Json>> Client::create(api::Resource resource, Json object) {
  const auto key = key_of(object);
  // The name may be the server's to make (generateName).
  Call call{describe("create", resource, api::to_string(key)), "POST"};
  call.target = path_of(resource, {key.ns, {}}) + "?" + std::string(kFieldManager);
  set_body(call, kJsonType, object);
  if (auto ok = check_segment("the namespace", key.ns); !ok)
    return send_json(state_->caller, context(call.what, ok.error()));
  return send_json(state_->caller, std::move(call));
}

Task<Result<Json>> Client::update(api::Resource resource, Json object) {
  return send_json(state_->caller, put("update", resource, object, {}));
}

Task<Result<Json>> Client::update_status(api::Resource resource, Json object) {
  return send_json(state_->caller, put("update status of", resource, object, "status"));
}

Task<Result<Json>> Client::patch(api::Resource resource, api::Key key, PatchType type, Json patch,
                                 std::string subresource) {
  const std::string verb = subresource.empty() ? "patch" : "patch " + subresource + " of";
  std::string query(kFieldManager);
  if (type == PatchType::kApply) query += "&force=true";
  auto call = call_of(verb, "PATCH", resource, key, subresource, query);
  if (call) set_body(*call, content_type(type), patch);
  return send_json(state_->caller, std::move(call));
}

Task<Result<void>> Client::remove(api::Resource resource, api::Key key, std::string propagation) {
  auto call = call_of("delete", "DELETE", resource, key, {}, {});
  const Json options = {{"apiVersion", "v1"}, {"kind", "DeleteOptions"}, {"propagationPolicy", propagation}};
  if (call) set_body(*call, kJsonType, options);
  return send_void(state_->caller, std::move(call));
}

Task<Result<std::string>> Client::raw(std::string method, std::string target, std::string content_type,
                                      std::string body) {
  Call call{text::lower(method) + " " + target, method, target, std::move(content_type), std::move(body)};
  return Caller::send(state_->caller, std::move(call));
}

std::unique_ptr<session::HttpClient::Handle> Client::watch(const api::Resource& resource,
                                                           const ListOptions& options,
                                                           const std::string& resource_version,
                                                           WatchCallbacks callbacks) {
  const auto spread = static_cast<std::uint64_t>((kWatchMax - kWatchMin) / 1s);
  const auto seconds =
      std::chrono::seconds(kWatchMin / 1s + static_cast<std::int64_t>(random() % (spread + 1)));
  std::string target = path_of(resource, {options.ns, {}}) +
                       "?watch=1&allowWatchBookmarks=true&timeoutSeconds=" + std::to_string(seconds.count()) +
                       "&resourceVersion=" + http::percent_encode(resource_version) + selectors(options);
  return start_watch(state_->caller, describe("watch", resource, options.ns), std::move(target),
                     seconds + kWatchGrace, std::move(callbacks));
}

asio::io_context& Client::io() { return state_->caller->io(); }
Scheduler& Client::scheduler() { return state_->caller->scheduler(); }
std::uint64_t Client::random() { return state_->caller->random(); }

}  // namespace tidegate::kube
