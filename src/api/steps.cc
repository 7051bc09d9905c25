// SPDX-License-Identifier: Apache-2.0
#include "api/steps.h"

#include <nlohmann/json.hpp>
#include <set>

#include "base/text.h"

namespace tidegate::api {
namespace {

constexpr std::int64_t kMaxReplicas = 100'000;
constexpr std::size_t kMaxSteps = 200;
constexpr std::size_t kMaxHeaderMatches = 16;  // HTTPRouteMatch.headers' maximum
constexpr std::size_t kMaxHeaderName = 256;    // HTTPHeaderName's maximum
constexpr std::size_t kMaxHeaderValue = 4096;  // HTTPHeaderMatch.value's maximum
constexpr std::size_t kMaxTemplates = 8;       // HTTPRouteRule.backendRefs' maximum is 16
constexpr const char* kKinds =
    "setWeight, pause, setCanaryScale, analysis, setHeaderRoute, setMirrorRoute or experiment";

// HTTPHeaderName of the Gateway API: a token of RFC 9110 section 5.6.2.
bool is_header_name(std::string_view name) {
  constexpr std::string_view kToken =
      "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  return !name.empty() && name.size() <= kMaxHeaderName && name.find_first_not_of(kToken) == name.npos;
}

Step decode_set_weight(const FieldReader& step) {
  return SetWeight{step.number("setWeight", 0, 100).value_or(0)};
}

Step decode_pause(const FieldReader& step) {
  const FieldReader at = step.child("pause");
  Pause pause;
  pause.duration = at.duration("duration");
  pause.min_requests = at.integer("minRequests", 0, 1'000'000'000).value_or(0);
  return pause;
}

Step decode_set_canary_scale(const FieldReader& step) {
  const FieldReader at = step.child("setCanaryScale");
  SetCanaryScale scale;
  scale.replicas = at.integer("replicas", 0, kMaxReplicas);
  scale.weight = at.number("weight", 0, 100);
  scale.match_traffic_weight = at.flag("matchTrafficWeight").value_or(false);
  if (int(at.has("replicas")) + int(at.has("weight")) + int(scale.match_traffic_weight) != 1) {
    step.problem("setCanaryScale", "exactly one of replicas, weight and matchTrafficWeight: true");
  }
  return scale;
}

Step decode_analysis_step(const FieldReader& step) {
  const FieldReader at = step.child("analysis");
  at.refuse("startingStep", "no startingStep: a step starts where it stands");
  return AnalysisStep{decode_analysis(at)};
}

HeaderMatch decode_header_match(const FieldReader& owner, const char* key, std::string header) {
  HeaderMatch match;
  match.header = std::move(header);
  const FieldReader value = owner.child(key);
  int forms = 0;
  for (const auto& [form, how] : {std::pair{"exact", HeaderMatch::How::kExact},
                                  {"prefix", HeaderMatch::How::kPrefix},
                                  {"regex", HeaderMatch::How::kRegex}}) {
    if (!value.has(form)) continue;
    ++forms;
    match.how = how;
    match.value = value.text(form);
    if (match.value.empty() || match.value.size() > kMaxHeaderValue)
      value.problem(form, "1 to " + std::to_string(kMaxHeaderValue) + " characters");
  }
  if (forms != 1) owner.problem(key, "exactly one of exact, prefix and regex");
  return match;
}

std::string route_name(const FieldReader& at) {
  std::string name = at.text("name");
  if (!text::is_dns_label(name)) at.problem("name", "a name of lower case letters, digits and dashes");
  return name;
}

Step decode_set_header_route(const FieldReader& step) {
  const FieldReader at = step.child("setHeaderRoute");
  SetHeaderRoute out{route_name(at), {}};
  for (const auto& entry : at.items("match")) {
    HeaderMatch match = decode_header_match(entry, "headerValue", entry.text("headerName"));
    if (!is_header_name(match.header)) entry.problem("headerName", "the name of a header");
    for (const auto& other : out.match) {
      if (text::lower(other.header) == text::lower(match.header))
        entry.problem("headerName", "a header that is not listed before: all entries have to hold at once");
    }
    out.match.push_back(std::move(match));
  }
  if (out.match.size() > kMaxHeaderMatches)
    at.problem("match", "at most " + std::to_string(kMaxHeaderMatches) + " headers, as a route allows");
  return out;
}

MirrorMatch decode_mirror_match(const FieldReader& entry) {
  MirrorMatch out;
  entry.refuse("path", "no path: the paths of the driven rules hold; name the rule in trafficRouting.routes");
  if (entry.has("method")) {
    out.method = entry.child("method").text("exact");
    if (out.method.empty()) entry.problem("method", "exact with a method, such as POST");
  }
  const Json* headers = entry.raw("headers");
  if (headers && headers->is_object()) {
    for (const auto& [name, value] : headers->items()) {
      if (!is_header_name(name)) entry.problem("headers", "names of headers, not \"" + name + "\"");
      out.headers.push_back(decode_header_match(entry.child("headers"), name.c_str(), name));
    }
  }
  if (out.method.empty() && out.headers.empty()) entry.problem("", "method, headers or both");
  if (out.headers.size() > kMaxHeaderMatches)
    entry.problem("headers", "at most " + std::to_string(kMaxHeaderMatches) + " headers, as a route allows");
  return out;
}

Step decode_set_mirror_route(const FieldReader& step) {
  const FieldReader at = step.child("setMirrorRoute");
  SetMirrorRoute out{route_name(at), at.integer("percentage", 1, 100), {}};
  for (const auto& entry : at.items("match")) out.match.push_back(decode_mirror_match(entry));
  if (!out.percent && !out.match.empty()) at.problem("percentage", "how many of the requests are copied");
  return out;
}

ExperimentTemplate decode_template(const FieldReader& at) {
  ExperimentTemplate out;
  out.name = route_name(at);
  const std::string version = at.text("specRef");
  if (version != "stable" && version != "canary") at.problem("specRef", "stable or canary");
  out.canary = version == "canary";
  out.replicas = at.integer("replicas", 1, kMaxReplicas).value_or(1);
  out.weight = at.number("weight", 0, 100).value_or(0);
  return out;
}

Step decode_experiment(const FieldReader& step) {
  const FieldReader at = step.child("experiment");
  Experiment out;
  out.duration = at.duration("duration");
  std::set<std::string> names;
  for (const auto& item : at.items("templates")) {
    out.templates.push_back(decode_template(item));
    if (!names.insert(out.templates.back().name).second)
      item.problem("name", "a name that no other template of the step has");
  }
  if (out.templates.empty() || out.templates.size() > kMaxTemplates)
    at.problem("templates", "1 to " + std::to_string(kMaxTemplates) + " templates");
  if (at.has("analysis")) {
    at.child("analysis").refuse("startingStep", "no startingStep: a step starts where it stands");
    out.analysis = decode_analysis(at.child("analysis"));
  }
  if (!out.duration && !out.analysis)
    at.problem("duration", "a duration, an analysis or both: when it is over");
  return out;
}

struct StepKind {
  const char* name;
  Step (*decode)(const FieldReader& step);  // null: not supported yet
};
constexpr StepKind kStepKinds[] = {{"setWeight", decode_set_weight},
                                   {"pause", decode_pause},
                                   {"setCanaryScale", decode_set_canary_scale},
                                   {"analysis", decode_analysis_step},
                                   {"setHeaderRoute", decode_set_header_route},
                                   {"setMirrorRoute", decode_set_mirror_route},
                                   {"experiment", decode_experiment},
                                   {"plugin", nullptr}};

void refuse_unknown_kinds(const FieldReader& step, const Json& json) {
  for (const auto& [key, value] : json.items()) {
    bool known = false;
    for (const auto& kind : kStepKinds) known = known || key == kind.name;
    if (!known) step.problem(key, std::string("a kind of step: ") + kKinds);
  }
}

std::optional<Step> decode_step(const FieldReader& step, const Json& json) {
  if (!step.is_object()) return std::nullopt;
  refuse_unknown_kinds(step, json);
  std::optional<Step> out;
  int kinds = 0;
  for (const auto& kind : kStepKinds) {
    if (!json.contains(kind.name)) continue;
    ++kinds;
    if (!step.has(kind.name)) step.problem(kind.name, "a value");
    if (!kind.decode) step.problem(kind.name, "another kind of step: this one is not supported yet");
    if (kind.decode && step.has(kind.name)) out = kind.decode(step);
  }
  if (kinds == 0) step.problem("", std::string("a step: ") + kKinds);
  if (kinds > 1) step.problem("", "one kind of step, not " + std::to_string(kinds));
  return out;
}

// Steps that contradict each other: traffic for a canary that the steps themselves keep without pods.
void check_scale(const FieldReader& reader, const std::vector<Step>& steps) {
  bool no_pods = false;
  const auto refuse = [&](std::size_t index, const char* key) {
    reader.items("steps")[index].problem(key,
                                         "no traffic yet, or a setCanaryScale before it that gives the "
                                         "canary pods: an earlier step took them all");
  };
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (const auto* scale = std::get_if<SetCanaryScale>(&steps[i])) {
      no_pods = scale->replicas == 0 || scale->weight == 0.0;
    } else if (const auto* weight = std::get_if<SetWeight>(&steps[i])) {
      if (weight->percent > 0 && no_pods) refuse(i, "setWeight");
    } else if (const auto* header = std::get_if<SetHeaderRoute>(&steps[i])) {
      if (!header->match.empty() && no_pods) refuse(i, "setHeaderRoute");
    } else if (const auto* mirror = std::get_if<SetMirrorRoute>(&steps[i])) {
      if (mirror->percent && no_pods) refuse(i, "setMirrorRoute");
    }
  }
}

// A step that removes what no step before it has set is a slip of the pen; so is one name for two things.
void check_names(const FieldReader& reader, const std::vector<Step>& steps) {
  std::set<std::string> headers, mirrors;
  const auto check = [&](std::size_t index, const char* kind, const char* key, const std::string& name,
                         bool removes, std::set<std::string>& same, std::set<std::string>& other) {
    const FieldReader at = reader.items("steps")[index].child(kind);
    if (other.contains(name)) at.problem("name", "a name that no step of another kind has");
    if (!removes) {
      same.insert(name);
    } else if (!same.contains(name)) {
      at.problem(key, "a value, or a step before it that sets what this one removes");
    }
  };
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (const auto* header = std::get_if<SetHeaderRoute>(&steps[i])) {
      check(i, "setHeaderRoute", "match", header->name, header->match.empty(), headers, mirrors);
    } else if (const auto* mirror = std::get_if<SetMirrorRoute>(&steps[i])) {
      check(i, "setMirrorRoute", "percentage", mirror->name, !mirror->percent, mirrors, headers);
    }
  }
}

std::string number_text(double number) {
  std::string text = std::to_string(number);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

// Stable gives what experiments get; a canary keeps its share.
void check_shares(const FieldReader& reader, const std::vector<Step>& steps) {
  double canary = 0;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (const auto* weight = std::get_if<SetWeight>(&steps[i])) canary = weight->percent;
    const auto* experiment = std::get_if<Experiment>(&steps[i]);
    if (!experiment) continue;
    double sum = canary;
    for (const auto& part : experiment->templates) sum += part.weight;
    if (sum > 100)
      reader.items("steps")[i]
          .child("experiment")
          .problem("templates", "weights that are, with the canary's " + number_text(canary) +
                                    " %, at most 100 % together");
  }
}

struct Describe {
  std::string operator()(const SetWeight& step) const { return "setWeight " + number_text(step.percent); }
  std::string operator()(const Pause& step) const {
    if (step.for_person()) return "pause until promoted";
    std::string text = "pause";
    if (step.duration) text += " " + text::format_duration(*step.duration);
    if (step.min_requests > 0)
      text += (step.duration ? " and " : " ") + std::to_string(step.min_requests) + " requests";
    return text;
  }
  std::string operator()(const SetCanaryScale& step) const {
    if (step.replicas) return "setCanaryScale to " + std::to_string(*step.replicas);
    if (step.weight) return "setCanaryScale to " + number_text(*step.weight) + " %";
    return "setCanaryScale with the weight";
  }
  std::string operator()(const AnalysisStep&) const { return "analysis"; }
  std::string operator()(const SetHeaderRoute& step) const {
    return "setHeaderRoute " + step.name + (step.match.empty() ? " removed" : "");
  }
  std::string operator()(const SetMirrorRoute& step) const {
    return "setMirrorRoute " + step.name +
           (step.percent ? " " + std::to_string(*step.percent) + " %" : std::string(" removed"));
  }
  std::string operator()(const Experiment& step) const {
    std::string text = "experiment";
    for (const auto& part : step.templates) text += (text == "experiment" ? " " : ", ") + part.name;
    return text + (step.duration ? " for " + text::format_duration(*step.duration) : std::string());
  }
};

}  // namespace

std::string describe(const Step& step) { return std::visit(Describe{}, step); }

const Analysis* analysis_of(const Step& step) {
  if (const auto* analysis = std::get_if<AnalysisStep>(&step)) return &analysis->analysis;
  const auto* experiment = std::get_if<Experiment>(&step);
  return experiment && experiment->analysis ? &*experiment->analysis : nullptr;
}

std::vector<Step> decode_steps(const FieldReader& canary) {
  std::vector<Step> out;
  const auto items = canary.items("steps");
  if (items.size() > kMaxSteps) {
    canary.problem("steps", "at most " + std::to_string(kMaxSteps) + " steps");
    return out;
  }
  const Json* array = canary.raw("steps");
  bool complete = true;
  for (std::size_t i = 0; i < items.size(); ++i) {
    auto step = decode_step(items[i], (*array)[i]);
    complete = complete && step.has_value();
    if (step) out.push_back(std::move(*step));
  }
  if (complete) {
    check_scale(canary, out);
    check_names(canary, out);
    check_shares(canary, out);
  }
  return out;
}

}  // namespace tidegate::api
