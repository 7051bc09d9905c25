// SPDX-License-Identifier: Apache-2.0
// The reading half on collections: lists in pages, and watches.
#include <nlohmann/json.hpp>

#include "apiserver/call.h"
#include "apiserver/limits.h"
#include "base/text.h"

namespace tidegate::apiserver {
namespace {

// Where the next page begins, and the revision that the first page was read at: what a watch after the last
// page starts from.
struct Continue {
  std::uint64_t revision = 0;
  std::string ns, name;
};

std::string encode(const Continue& token) {
  return text::base64_encode(std::to_string(token.revision) + "\n" + token.ns + "\n" + token.name);
}

std::optional<Continue> decode(const std::string& text) {
  const auto plain = text::base64_decode(text);
  if (!plain) return std::nullopt;
  const auto parts = text::split(*plain, '\n');
  if (parts.size() != 3) return std::nullopt;
  const auto revision = text::parse_int(parts[0]);
  if (!revision || *revision < 0) return std::nullopt;
  return Continue{static_cast<std::uint64_t>(*revision), std::string(parts[1]), std::string(parts[2])};
}

struct Page {
  std::vector<std::shared_ptr<const Stored>> items;
  Json metadata;
};

}  // namespace

void Api::list(const Call& call) {
  auto labels = LabelSelector::parse(call.query.get("labelSelector"));
  if (!labels) return call.refuse(from_error(labels.error()));
  auto fields = FieldSelector::parse(call.query.get("fieldSelector"));
  if (!fields) return call.refuse(from_error(fields.error()));
  Continue from{storage_.revision(), {}, {}};
  const std::string token = call.query.get("continue");
  if (!token.empty()) {
    auto decoded = decode(token);
    if (!decoded) return call.refuse(bad_request("continue key is not valid: \"" + token + "\""));
    from = std::move(*decoded);
  }
  const auto asked = call.query.number("limit", 0);
  const std::size_t limit =
      asked > 0 ? std::min<std::size_t>(static_cast<std::size_t>(asked), kMaxPage) : SIZE_MAX;

  Page page;
  page.metadata = {{"resourceVersion", std::to_string(from.revision)}};
  std::string last_ns, last_name;
  for (const auto& [id, stored] : storage_.list(TypeRegistry::resource_name(*call.type), call.about.ns)) {
    if (!token.empty() && std::tie(id.ns, id.name) <= std::tie(from.ns, from.name)) continue;
    if (!labels->matches(stored->labels) || !(fields->everything() || fields->matches(id, *stored))) continue;
    if (page.items.size() == limit) {
      page.metadata["continue"] = encode({from.revision, last_ns, last_name});
      break;
    }
    page.items.push_back(stored);
    last_ns = id.ns;
    last_name = id.name;
  }

  if (call.wants_table()) {
    std::vector<Json> objects;
    for (const auto& stored : page.items)
      objects.push_back(Writes::in_version(stored->parse(), *call.type, *call.version));
    return call.answer(200, schema::make_table(objects, *call.version, call.include(), true,
                                               scheduler_.clock().now(), page.metadata));
  }
  std::string body = "{\"kind\":\"" + call.type->list_kind + "\",\"apiVersion\":\"" +
                     call.type->api_version(call.version->name) +
                     "\",\"metadata\":" + json::dump(page.metadata) + ",\"items\":[";
  for (const auto& stored : page.items) {
    if (stored != page.items.front()) body += ',';
    body += call.version->storage
                ? *stored->bytes
                : json::dump(Writes::in_version(stored->parse(), *call.type, *call.version));
  }
  session::Responder(call.responder).send({200, "application/json", body + "]}\n"});
}

void Api::watch(const Call& call) {
  auto labels = LabelSelector::parse(call.query.get("labelSelector"));
  if (!labels) return call.refuse(from_error(labels.error()));
  std::string field_text = call.query.get("fieldSelector");
  if (!call.about.name.empty())
    field_text += (field_text.empty() ? "" : ",") + ("metadata.name=" + call.about.name);
  auto fields = FieldSelector::parse(field_text);
  if (!fields) return call.refuse(from_error(fields.error()));
  WatchRequest request;
  request.type = call.type;
  request.version = call.version;
  request.ns = call.about.ns;
  request.labels = std::move(*labels);
  request.fields = std::move(*fields);
  const auto revision = call.query.get("resourceVersion");
  const auto number = text::parse_int(revision);
  if (!revision.empty() && (!number || *number < 0))
    return call.refuse(bad_request("invalid resource version: \"" + revision + "\""));
  request.initial_events_end = call.query.is_true("sendInitialEvents");
  request.initial = revision.empty() || *number == 0 || request.initial_events_end;
  request.from = static_cast<std::uint64_t>(number.value_or(0));
  request.bookmarks = call.query.is_true("allowWatchBookmarks");
  request.table = call.wants_table();
  request.include = call.include();
  const auto timeout = call.query.number("timeoutSeconds", 0);
  request.timeout = timeout > 0 ? Duration(std::chrono::seconds(timeout)) : Duration(kDefaultWatchTimeout);
  if (auto started = watches_.start(std::move(request), call.responder); !started)
    call.refuse(from_error(started.error()));
}

}  // namespace tidegate::apiserver
