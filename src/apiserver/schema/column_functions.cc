// SPDX-License-Identifier: Apache-2.0
#include "apiserver/schema/column_functions.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "apiserver/schema/pod_columns.h"
#include "apiserver/schema/schema_node.h"
#include "base/text.h"

namespace tidegate::apiserver::schema {
namespace {

constexpr std::size_t kMaxAddresses = 3;  // shown of an endpoints list, as kubectl does

struct Call {
  const Json& object;
  std::string_view argument;
  TimePoint now;
};

std::string or_none(std::string text) { return text.empty() ? "<none>" : text; }

std::string names_of(const Json& list, std::string_view key) {
  std::vector<std::string> names;
  for (const Json& item : list) names.push_back(json::string_at(item, key));
  return text::join(names, ",");
}

std::string labels_text(const Json& labels) {
  std::vector<std::string> parts;
  for (const auto& [key, value] : labels.items()) {
    if (value.is_string()) parts.push_back(key + "=" + value.get<std::string>());
  }
  return text::join(parts, ",");
}

std::string requirement_text(const Json& requirement) {
  const std::string key = json::string_at(requirement, "key"), op = json::string_at(requirement, "operator");
  if (op == "Exists") return key;
  if (op == "DoesNotExist") return "!" + key;
  std::vector<std::string> values;
  for (const Json& value : json::array_at(requirement, "values")) {
    if (value.is_string()) values.push_back(value.get<std::string>());
  }
  return key + (op == "NotIn" ? " notin (" : " in (") + text::join(values, ",") + ")";
}

Json count(const Call& call) {
  std::size_t total = 0;
  for (const auto path : text::split(call.argument, ',')) {
    const Json* value = json::find(call.object, path);
    if (value && value->is_structured()) total += value->size();
  }
  return total;
}

Json number(const Call& call) { return json::int_at(call.object, call.argument); }

Json text_or_none(const Call& call) { return or_none(json::string_at(call.object, call.argument)); }

Json labels(const Call& call) { return or_none(labels_text(json::object_at(call.object, call.argument))); }

Json selector(const Call& call) {
  const Json& selector = json::object_at(call.object, call.argument);
  std::vector<std::string> parts;
  if (auto text = labels_text(json::object_at(selector, "matchLabels")); !text.empty())
    parts.push_back(std::move(text));
  for (const Json& one : json::array_at(selector, "matchExpressions")) parts.push_back(requirement_text(one));
  return or_none(text::join(parts, ","));
}

Json deployment_ready(const Call& call) {
  return std::to_string(json::int_at(call.object, "status.readyReplicas")) + "/" +
         std::to_string(json::int_at(call.object, "spec.replicas"));
}

Json job_completions(const Call& call) {
  return std::to_string(json::int_at(call.object, "status.succeeded")) + "/" +
         std::to_string(json::int_at(call.object, "spec.completions", 1));
}
Json job_status(const Call& call) {
  for (const Json& condition : json::array_at(call.object, "status.conditions")) {
    if (json::string_at(condition, "status") == "True") return json::string_at(condition, "type");
  }
  return json::bool_at(call.object, "spec.suspend") ? "Suspended" : "Running";
}

Json template_containers(const Call& call) {
  return names_of(json::array_at(call.object, "spec.template.spec.containers"), "name");
}
Json template_images(const Call& call) {
  return names_of(json::array_at(call.object, "spec.template.spec.containers"), "image");
}

Json service_external_ip(const Call& call) {
  const std::string type = json::string_at(call.object, "spec.type");
  if (type == "ExternalName") return json::string_at(call.object, "spec.externalName");
  std::vector<std::string> addresses;
  if (type == "LoadBalancer") {
    for (const Json& ingress : json::array_at(call.object, "status.loadBalancer.ingress")) {
      addresses.push_back(json::string_at(ingress, "ip", json::string_at(ingress, "hostname")));
    }
  }
  for (const Json& address : json::array_at(call.object, "spec.externalIPs")) {
    if (address.is_string()) addresses.push_back(address.get<std::string>());
  }
  if (addresses.empty()) return type == "LoadBalancer" ? "<pending>" : "<none>";
  return text::join(addresses, ",");
}

Json service_ports(const Call& call) {
  std::vector<std::string> parts;
  for (const Json& port : json::array_at(call.object, "spec.ports")) {
    const auto node_port = json::int_at(port, "nodePort");
    parts.push_back(std::to_string(json::int_at(port, "port")) +
                    (node_port > 0 ? ":" + std::to_string(node_port) : "") + "/" +
                    json::string_at(port, "protocol", "TCP"));
  }
  return or_none(text::join(parts, ","));
}

std::string shortened(const std::vector<std::string>& all) {
  const std::size_t shown = std::min(all.size(), kMaxAddresses);
  std::string out = text::join({all.begin(), all.begin() + static_cast<std::ptrdiff_t>(shown)}, ",");
  if (shown < all.size()) out += " + " + std::to_string(all.size() - shown) + " more...";
  return out;
}

Json endpoints(const Call& call) {
  std::vector<std::string> all;
  for (const Json& subset : json::array_at(call.object, "subsets")) {
    const Json& ports = json::array_at(subset, "ports");
    for (const Json& address : json::array_at(subset, "addresses")) {
      const std::string ip = json::string_at(address, "ip");
      if (ports.empty()) all.push_back(ip);
      for (const Json& port : ports) all.push_back(ip + ":" + std::to_string(json::int_at(port, "port")));
    }
  }
  return or_none(shortened(all));
}

Json slice_ports(const Call& call) {
  std::vector<std::string> ports;
  for (const Json& port : json::array_at(call.object, "ports")) {
    const auto number = json::int_at(port, "port");
    ports.push_back(number > 0 ? std::to_string(number) : "*");
  }
  return ports.empty() ? "<unset>" : shortened(ports);
}

Json slice_endpoints(const Call& call) {
  std::vector<std::string> all;
  for (const Json& endpoint : json::array_at(call.object, "endpoints")) {
    for (const Json& address : json::array_at(endpoint, "addresses")) {
      if (address.is_string()) all.push_back(address.get<std::string>());
    }
  }
  return all.empty() ? "<unset>" : shortened(all);
}

std::string first_time(const Json& object, std::initializer_list<std::string_view> paths) {
  for (const auto path : paths) {
    if (auto time = json::string_at(object, path); !time.empty()) return time;
  }
  return {};
}

Json event_last_seen(const Call& call) {
  return age_of(
      first_time(call.object, {"series.lastObservedTime", "lastTimestamp", "eventTime", "firstTimestamp"}),
      call.now);
}
Json event_first_seen(const Call& call) {
  return age_of(first_time(call.object, {"firstTimestamp", "eventTime"}), call.now);
}
Json event_object(const Call& call) {
  return text::lower(json::string_at(call.object, "involvedObject.kind")) + "/" +
         json::string_at(call.object, "involvedObject.name");
}
Json event_message(const Call& call) {
  return std::string(text::trim(json::string_at(call.object, "message")));
}
Json event_count(const Call& call) {
  return json::int_at(call.object, "series.count", json::int_at(call.object, "count", 1));
}
Json event_source(const Call& call) {
  const std::string component =
      json::string_at(call.object, "source.component", json::string_at(call.object, "reportingComponent"));
  const std::string host = json::string_at(call.object, "source.host");
  return host.empty() ? component : component + ", " + host;
}

Json node_status(const Call& call) {
  std::string status = "Unknown";
  for (const Json& condition : json::array_at(call.object, "status.conditions")) {
    if (json::string_at(condition, "type") != "Ready") continue;
    status = json::string_at(condition, "status") == "True" ? "Ready" : "NotReady";
  }
  return json::bool_at(call.object, "spec.unschedulable") ? status + ",SchedulingDisabled" : status;
}

Json node_roles(const Call& call) {
  constexpr std::string_view kPrefix = "node-role.kubernetes.io/";
  std::vector<std::string> roles;
  for (const auto& [key, value] : json::object_at(call.object, "metadata.labels").items()) {
    if (key.starts_with(kPrefix)) roles.push_back(key.substr(kPrefix.size()));
  }
  return or_none(text::join(roles, ","));
}

Json role_ref(const Call& call) {
  return json::string_at(call.object, "roleRef.kind") + "/" + json::string_at(call.object, "roleRef.name");
}

Json pod_ready_cell(const Call& call) { return pod_ready(call.object); }
Json pod_status_cell(const Call& call) { return pod_status(call.object); }
Json pod_restarts_cell(const Call& call) { return pod_restarts(call.object, call.now); }

using Function = Json (*)(const Call&);
const std::map<std::string_view, Function>& functions() {
  static const std::map<std::string_view, Function> all = {
      {"count", count},
      {"number", number},
      {"or-none", text_or_none},
      {"labels", labels},
      {"selector", selector},
      {"deployment-ready", deployment_ready},
      {"job-completions", job_completions},
      {"job-status", job_status},
      {"template-containers", template_containers},
      {"template-images", template_images},
      {"service-external-ip", service_external_ip},
      {"service-ports", service_ports},
      {"endpoints", endpoints},
      {"slice-ports", slice_ports},
      {"slice-endpoints", slice_endpoints},
      {"event-last-seen", event_last_seen},
      {"event-first-seen", event_first_seen},
      {"event-object", event_object},
      {"event-message", event_message},
      {"event-count", event_count},
      {"event-source", event_source},
      {"node-status", node_status},
      {"node-roles", node_roles},
      {"role-ref", role_ref},
      {"pod-ready", pod_ready_cell},
      {"pod-status", pod_status_cell},
      {"pod-restarts", pod_restarts_cell},
  };
  return all;
}

Function find_function(std::string_view text) {
  const auto found = functions().find(text.substr(0, text.find(':')));
  return found == functions().end() ? nullptr : found->second;
}

}  // namespace

bool is_column_function(std::string_view function) { return find_function(function) != nullptr; }

Json compute_cell(std::string_view text, const Json& object, TimePoint now) {
  const Function function = find_function(text);
  const auto colon = text.find(':');
  const auto argument = colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  return function ? function({object, argument, now}) : Json();
}

std::string age_of(std::string_view time, TimePoint now) {
  const auto then = text::parse_time(time);
  return then ? text::format_age(std::max(now - *then, Duration(0))) : "<unknown>";
}

}  // namespace tidegate::apiserver::schema
