// SPDX-License-Identifier: Apache-2.0
// Each rule (x-kubernetes-validations) of the CRDs in crds/ has a row here: an object that breaks it and
// nothing else is refused with its message, one that differs from that by the mistake alone passes. What
// breaks a rule of the Gateway API is taken from the cases of its own tests (kubernetes-sigs/gateway-api,
// tests/cel).
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "apiserver/schema/resource_type.h"
#include "apiserver/schema/rules.h"
#include "base/yaml.h"

namespace tidegate::apiserver::schema {
namespace {

Json from_yaml(const std::string& text) {
  const auto documents = yaml::parse_all(text);
  EXPECT_TRUE(documents) << documents.error().detail << ": " << text;
  return documents && !documents->empty() ? documents->front().value : Json();
}

using Types = std::map<std::string, ResourceType>;  // by plural

const Types& types() {
  static const Types kTypes = [] {
    Types found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(TIDEGATE_CRDS)) {
      if (entry.path().extension() != ".yaml") continue;
      std::stringstream text;
      text << std::ifstream(entry.path()).rdbuf();
      auto type = decode_crd(from_yaml(text.str()));
      EXPECT_TRUE(type.has_value()) << entry.path() << ": " << type.error().detail;
      if (type) found.emplace(type->plural, std::move(*type));
    }
    return found;
  }();
  return kTypes;
}

// Of a kind, an object that keeps every rule.
const std::map<std::string, std::string>& valid_specs() {
  static const std::map<std::string, std::string> kSpecs = {
      {"rollouts",
       "{template: {}, strategy: {canary: {stableService: a, canaryService: b, trafficRouting: {routes: "
       "[{name: r}]}, "
       "steps: [{setWeight: 5}]}}}"},
      {"analysistemplates",
       "{metrics: [{name: m, provider: {gateway: {metric: latency, quantile: 0.9}}, threshold: {max: 1}}]}"},
      {"httproutes", "{rules: [{backendRefs: [{name: web, port: 80}]}]}"},
      {"grpcroutes", "{rules: [{backendRefs: [{name: web, port: 80}]}]}"},
      {"tlsroutes", "{hostnames: [a.example], rules: [{backendRefs: [{name: web, port: 80}]}]}"},
      {"tcproutes", "{rules: [{backendRefs: [{name: web, port: 80}]}]}"},
      {"udproutes", "{rules: [{backendRefs: [{name: web, port: 80}]}]}"},
      {"gateways", "{gatewayClassName: tidegate, listeners: [{name: http, port: 80, protocol: HTTP}]}"},
      {"clusteranalysistemplates",
       "{metrics: [{name: m, provider: {gateway: {metric: latency, quantile: 0.9}}, threshold: {max: 1}}]}"},
      {"analysisruns",
       "{metrics: [{name: m, provider: {gateway: {metric: latency, quantile: 0.9}}, threshold: {max: 1}}]}"},
      {"gatewayclasses", "{controllerName: tidegate.dev/gateway-controller}"},
      {"backendtlspolicies",
       "{targetRefs: [{group: '', kind: Service, name: web}], validation: {hostname: a.b, "
       "wellKnownCACertificates: System}}"}};
  return kSpecs;
}

struct Row {
  const char* plural;
  const char* field;    // where it is told
  const char* message;  // how it begins
  std::string broken;   // merged into the valid spec
  std::string kept;     // likewise; "" where the valid spec itself shows it
};

// A spec's schema alone holds rules here, so that rows say only what is in `spec`.
std::string broken_by(const std::string& plural, const std::string& change) {
  const Version& version = types().at(plural).storage_version();
  Json spec = from_yaml(valid_specs().at(plural));
  if (!change.empty()) json::merge_patch(spec, from_yaml(change));
  Json object = {{"metadata", {{"name", "x"}}}, {"spec", std::move(spec)}};
  apply_defaults(object, version.schema);
  auto errors = validate(object, version.schema);
  for (auto& error : broken_rules(*version.rules, version.schema, object, nullptr))
    errors.push_back(std::move(error));
  std::string found;
  for (const auto& error : errors) found += (found.empty() ? "" : "\n") + error.field + ": " + error.message;
  return found;
}

std::string metric(const std::string& rest) { return "{metrics: [{name: m, " + rest + "}]}"; }
std::string step(const std::string& one) { return "{strategy: {canary: {steps: [" + one + "]}}}"; }
std::string slots(const std::string& canary) {
  return "{template: null, services: {slots: [x, y], revision: \"1\"}, strategy: {canary: {stableService: "
         "null, "
         "canaryService: null, " +
         canary + "}}}";
}
std::string filter(const std::string& one) { return "{rules: [{filters: [" + one + "]}]}"; }
std::string path(const std::string& value) {
  return "{rules: [{matches: [{path: {value: \"" + value + "\"}}]}]}";
}
std::string tls(const std::string& listener) {
  return "{listeners: [{name: a, port: 443, " + listener + ", tls: {certificateRefs: [{name: c}]}}]}";
}

const std::vector<Row>& rollout_rows() {
  static const std::vector<Row> kRows = {
      {"rollouts", "spec", "spec says whose pods", "{workloadRef: {name: shop}}",
       "{template: null, workloadRef: {name: shop}}"},
      {"rollouts", "spec", "spec says whose pods", "{template: null}", ""},
      {"rollouts", "spec", "spec.strategy.blueGreen stands beside",
       "{template: null, services: {slots: [x, y], revision: \"1\"}, strategy: {canary: null, blueGreen: "
       "{activeService: a, "
       "previewService: b}}}",
       "{strategy: {canary: null, blueGreen: {activeService: a, previewService: b}}}"},
      {"rollouts", "spec", "stableService or canaryService stands beside",
       "{template: null, services: {slots: [x, y], revision: \"1\"}, strategy: {canary: {canaryService: "
       "null}}}",
       slots("steps: []")},
      {"rollouts", "spec", "dynamicStableScale stands beside", slots("dynamicStableScale: true"),
       slots("dynamicStableScale: false")},
      {"rollouts", "spec", "a step experiment stands beside",
       slots("steps: [{experiment: {duration: 5m, templates: [{name: e, specRef: canary}]}}]"),
       step("{experiment: {duration: 5m, templates: [{name: e, specRef: canary}]}}")},
      {"rollouts", "spec", "spec.strategy.canary lacks a Service",
       "{strategy: {canary: {stableService: null}}}", ""},
      {"rollouts", "spec.services", "spec.services.slots names one Service twice",
       "{template: null, services: {slots: [x, x], revision: \"1\"}, strategy: {canary: {stableService: "
       "null, canaryService: null}}}",
       slots("steps: []")},
      {"rollouts", "spec.strategy", "spec.strategy has none or both",
       "{strategy: {blueGreen: {activeService: a, previewService: b}}}", ""},
      {"rollouts", "spec.strategy.blueGreen", "previewService is the same",
       "{strategy: {canary: null, blueGreen: {activeService: a, previewService: a}}}",
       "{strategy: {canary: null, blueGreen: {activeService: a, previewService: b}}}"},
      {"rollouts", "spec.strategy.canary", "canaryService is the same",
       "{strategy: {canary: {canaryService: a}}}", ""},
      {"rollouts", "spec.strategy.canary", "steps drive a route",
       "{strategy: {canary: {trafficRouting: null}}}",
       "{strategy: {canary: {trafficRouting: null, steps: [{pause: {}}]}}}"},
      {"rollouts", "spec.strategy.canary", "analysis.startingStep is behind",
       "{strategy: {canary: {analysis: {startingStep: 1, templates: [{templateName: t}]}}}}",
       "{strategy: {canary: {analysis: {startingStep: 0, templates: [{templateName: t}]}}}}"},
      {"rollouts", "spec.strategy.canary.analysis", "the analysis measures nothing",
       "{strategy: {canary: {analysis: {metrics: []}}}}",
       "{strategy: {canary: {analysis: {templates: [{templateName: t}]}}}}"},
      {"rollouts", "spec.strategy.canary.steps[0].analysis", "the analysis measures nothing",
       step("{analysis: {}}"), step("{analysis: {templates: [{templateName: t}]}}")}};
  return kRows;
}

const std::vector<Row>& step_rows() {
  static const std::vector<Row> kRows = {
      {"rollouts", "spec.strategy.canary.steps[0]", "the step is of no kind",
       step("{setWeight: 5, pause: {}}"), step("{pause: {}}")},
      {"rollouts", "spec.strategy.canary.steps[0]", "the step is of no kind", step("{setWieght: 5}"),
       step("{setWeight: 5}")},
      {"rollouts", "spec.strategy.canary.steps[0].setCanaryScale", "setCanaryScale has none or several",
       step("{setCanaryScale: {replicas: 1, weight: 5}}"),
       step("{setCanaryScale: {matchTrafficWeight: true}}")},
      {"rollouts", "spec.strategy.canary.steps[0].experiment", "experiment.duration is missing",
       step("{experiment: {templates: [{name: e, specRef: canary}]}}"),
       step("{experiment: {duration: 5m, templates: [{name: e, specRef: canary}]}}")},
      {"rollouts", "spec.strategy.canary.steps[0].setHeaderRoute.match", "match lists a header twice",
       step("{setHeaderRoute: {name: h, match: [{headerName: x-a, headerValue: {exact: a}}, {headerName: "
            "X-A, headerValue: {exact: b}}]}}"),
       step("{setHeaderRoute: {name: h, match: [{headerName: x-a, headerValue: {exact: a}}, {headerName: "
            "X-B, headerValue: {exact: b}}]}}")},
      {"rollouts", "spec.strategy.canary.steps[0].setHeaderRoute.match[0].headerValue",
       "headerValue has no form",
       step("{setHeaderRoute: {name: h, match: [{headerName: x-a, headerValue: {exact: a, prefix: a}}]}}"),
       step("{setHeaderRoute: {name: h, match: [{headerName: x-a, headerValue: {prefix: a}}]}}")},
      {"rollouts", "spec.strategy.canary.steps[0].setMirrorRoute", "setMirrorRoute.match stands without",
       step("{setMirrorRoute: {name: m, match: [{method: {exact: GET}}]}}"),
       step("{setMirrorRoute: {name: m, percentage: 5, match: [{method: {exact: GET}}]}}")},
      {"rollouts", "spec.strategy.canary.steps[0].setMirrorRoute.match[0]",
       "the match holds for every request", step("{setMirrorRoute: {name: m, percentage: 5, match: [{}]}}"),
       step("{setMirrorRoute: {name: m, percentage: 5, match: [{headers: {x-a: {exact: b}}}]}}")},
      {"rollouts", "spec.strategy.canary.steps[0].setMirrorRoute.match[0].headers[x-a]",
       "the header has no form",
       step("{setMirrorRoute: {name: m, percentage: 5, match: [{headers: {x-a: {}}}]}}"),
       step("{setMirrorRoute: {name: m, percentage: 5, match: [{headers: {x-a: {regex: b}}}]}}")}};
  return kRows;
}

// Metrics stand in four kinds and several places, with the same rules.
std::vector<Row> metric_rows() {
  const std::string gateway = "provider: {gateway: {metric: latency}}, ", web = "provider: {web: {url: u}}, ";
  const std::vector<Row> rows = {
      {"", "metrics", "two metrics share a name",
       "{metrics: [{name: m, " + web + "threshold: {min: 1}}, {name: m, " + web + "threshold: {min: 1}}]}",
       "{metrics: [{name: m, " + web + "threshold: {min: 1}}, {name: n, " + web + "threshold: {min: 1}}]}"},
      {"", "metrics[0]", "the metric is judged in no way", metric(web + "interval: 5s"),
       metric(web + "successCondition: 'true'")},
      {"", "metrics[0]", "the metric is judged in no way",
       metric(web + "successCondition: 'true', threshold: {min: 1}"),
       metric(web + "successCondition: 'true', failureCondition: 'false'")},
      {"", "metrics[0]", "a job has a condition", metric("provider: {job: {spec: {}}}, threshold: {min: 1}"),
       metric("provider: {job: {spec: {}}}")},
      {"", "metrics[0]", "compare cannot judge", metric(web + "compare: {}"),
       metric(gateway + "compare: {}")},
      {"", "metrics[0]", "minRequests stands with", metric(web + "minRequests: 5, threshold: {min: 1}"),
       metric(gateway + "minRequests: 5, threshold: {min: 1}")},
      {"", "metrics[0].threshold", "threshold holds no range", metric(web + "threshold: {}"),
       metric(web + "threshold: {min: 1, max: 1}")},
      {"", "metrics[0].threshold", "threshold holds no range", metric(web + "threshold: {min: 2, max: 1}"),
       metric(web + "threshold: {max: 1}")},
      {"", "metrics[0].provider.gateway", "quantile stands with",
       metric("provider: {gateway: {metric: success-rate, quantile: 0.9}}, threshold: {min: 99}"),
       metric("provider: {gateway: {metric: '{{args.metric}}', quantile: 0.9}}, threshold: {min: 99}")},
      {"", "args[0]", "the arg has two values",
       "{metrics: [{name: m, " + web +
           "threshold: {min: 1}}], args: [{name: a, value: b, valueFrom: {podTemplateHashValue: Stable}}]}",
       "{metrics: [{name: m, " + web + "threshold: {min: 1}}], args: [{name: a, value: b}]}"},
      {"", "args[0].valueFrom", "valueFrom names no source",
       "{metrics: [{name: m, " + web + "threshold: {min: 1}}], args: [{name: a, valueFrom: {}}]}",
       "{metrics: [{name: m, " + web +
           "threshold: {min: 1}}], args: [{name: a, valueFrom: {podTemplateHashValue: Stable}}]}"}};
  return rows;
}

struct Place {
  const char* plural;
  std::string field, before, after;
};
std::vector<Row> metric_rows_everywhere() {
  const std::string canary = "spec.strategy.canary.";
  const Place places[] = {
      {"analysistemplates", "spec.", "", ""},
      {"clusteranalysistemplates", "spec.", "", ""},
      {"analysisruns", "spec.", "", ""},
      {"rollouts", canary + "analysis.", "{strategy: {canary: {analysis: ", "}}}"},
      {"rollouts", canary + "steps[0].analysis.", "{strategy: {canary: {steps: [{analysis: ", "}]}}}"},
      {"rollouts", canary + "steps[0].experiment.analysis.",
       "{strategy: {canary: {steps: [{experiment: {templates: [{name: e, specRef: canary}], analysis: ",
       "}}]}}}"}};
  static std::vector<std::string> fields;  // that rows point to
  fields.reserve(1000);
  std::vector<Row> rows;
  for (const Place& place : places) {
    for (const Row& row : metric_rows()) {
      fields.push_back(place.field + row.field);
      rows.push_back({place.plural, fields.back().c_str(), row.message,
                      place.before + row.broken + place.after, place.before + row.kept + place.after});
    }
  }
  return rows;
}

std::vector<Row> reference_rows(const char* plural) {
  return {{plural, "spec.parentRefs", "one parent is named twice",
           "{parentRefs: [{name: g}, {name: g, sectionName: s}]}",
           "{parentRefs: [{name: g, sectionName: r}, {name: g, sectionName: s}]}"},
          {plural, "spec.parentRefs", "two parentRefs are the same",
           "{parentRefs: [{name: g, sectionName: s, port: 80}, {name: g, sectionName: s, port: 80}]}",
           "{parentRefs: [{name: g, sectionName: s, port: 80}, {name: g, sectionName: s, port: 81}, {name: "
           "h}, {name: g, namespace: n}]}"},
          {plural, "spec.rules[0].backendRefs[0]", "a Service is named without a port",
           "{rules: [{backendRefs: [{name: web}]}]}",
           "{rules: [{backendRefs: [{name: web, group: x.y, kind: Z}]}]}"}};
}

std::vector<Row> route_rows(const char* plural) {
  const std::string modifier = "{type: RequestHeaderModifier, requestHeaderModifier: {remove: [a]}}";
  const char* filter_field = "spec.rules[0].filters[0]";
  std::vector<Row> rows = {
      {plural, "spec.rules", "Rule name must be unique", "{rules: [{name: a}, {name: a}]}",
       "{rules: [{name: a}, {name: b}, {}]}"},
      {plural, "spec.rules[0].filters", "a filter is repeated", filter(modifier + ", " + modifier),
       filter(modifier)},
      {plural, "spec.rules[0].filters[0].requestMirror.backendRef", "a Service is named without a port",
       filter("{type: RequestMirror, requestMirror: {backendRef: {name: web}}}"),
       filter("{type: RequestMirror, requestMirror: {backendRef: {name: web, port: 80}}}")},
      {plural, "spec.rules[0].filters[0].requestMirror", "Only one of percent or fraction",
       filter("{type: RequestMirror, requestMirror: {backendRef: {name: w, port: 1}, percent: 5, fraction: "
              "{numerator: 1}}}"),
       filter("{type: RequestMirror, requestMirror: {backendRef: {name: w, port: 1}, percent: 5}}")},
      {plural, "spec.rules[0].filters[0].requestMirror.fraction", "numerator is above denominator",
       filter("{type: RequestMirror, requestMirror: {backendRef: {name: w, port: 1}, fraction: {numerator: "
              "101}}}"),
       filter("{type: RequestMirror, requestMirror: {backendRef: {name: w, port: 1}, fraction: {numerator: "
              "100}}}")},
      {plural, filter_field, "filter.requestHeaderModifier does not fit",
       filter("{type: RequestHeaderModifier}"), filter(modifier)},
      {plural, filter_field, "filter.responseHeaderModifier does not fit",
       filter("{type: ResponseHeaderModifier}"),
       filter("{type: ResponseHeaderModifier, responseHeaderModifier: {remove: [a]}}")},
      {plural, filter_field, "filter.requestMirror does not fit", filter("{type: RequestMirror}"),
       filter("{type: RequestMirror, requestMirror: {backendRef: {name: w, port: 1}}}")},
      {plural, filter_field, "filter.extensionRef does not fit", filter("{type: ExtensionRef}"),
       filter("{type: ExtensionRef, extensionRef: {group: a.b, kind: C, name: d}}")}};
  std::string many;
  for (int i = 0; i < 3; ++i) {
    many += "{matches: [";
    for (int n = 0; n < (i == 2 ? 1 : 64); ++n)
      many += std::string(n ? "," : "") + "{headers: [{name: a, value: b}]}";
    many += "]},";
  }
  rows.push_back({plural, "spec.rules", "the route has more matches", "{rules: [" + many + "]}",
                  "{rules: [" + many.substr(0, many.rfind("{matches")) + "]}"});
  return rows;
}

const std::vector<Row>& http_rows() {
  static const std::vector<Row> kRows = {
      {"httproutes", "spec.rules[0].filters[0]", "filter.requestRedirect does not fit",
       filter("{type: RequestRedirect}"),
       "{rules: [{filters: [{type: RequestRedirect, requestRedirect: {scheme: https}}]}]}"},
      {"httproutes", "spec.rules[0].filters[0]", "filter.urlRewrite does not fit",
       filter("{type: URLRewrite}"), filter("{type: URLRewrite, urlRewrite: {hostname: a.b}}")},
      {"httproutes", "spec.rules[0].filters[0]", "filter.cors does not fit", filter("{type: CORS}"),
       filter("{type: CORS, cors: {allowOrigins: ['https://a.b']}}")},
      {"httproutes", "spec.rules[0].filters", "requests are redirected and rewritten",
       filter("{type: RequestRedirect, requestRedirect: {scheme: https}}, {type: URLRewrite, urlRewrite: "
              "{hostname: a.b}}"),
       filter("{type: URLRewrite, urlRewrite: {hostname: a.b}}")},
      {"httproutes", "spec.rules[0]", "RequestRedirect answers requests",
       "{rules: [{filters: [{type: RequestRedirect, requestRedirect: {scheme: https}}], backendRefs: [{name: "
       "w, port: 1}]}]}",
       "{rules: [{filters: [{type: RequestRedirect, requestRedirect: {scheme: https}}]}]}"},
      {"httproutes", "spec.rules[0]", "requestRedirect replaces a prefix",
       "{rules: [{matches: [{path: {type: Exact, value: /a}}], filters: [{type: RequestRedirect, "
       "requestRedirect: {path: {type: "
       "ReplacePrefixMatch, replacePrefixMatch: /b}}}]}]}",
       "{rules: [{matches: [{path: {value: /a}}], filters: [{type: RequestRedirect, requestRedirect: {path: "
       "{type: "
       "ReplacePrefixMatch, replacePrefixMatch: /b}}}]}]}"},
      {"httproutes", "spec.rules[0]", "urlRewrite replaces a prefix",
       "{rules: [{matches: [{path: {value: /a}}, {path: {value: /b}}], filters: [{type: URLRewrite, "
       "urlRewrite: {path: {type: "
       "ReplacePrefixMatch, replacePrefixMatch: /b}}}]}]}",
       "{rules: [{filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, "
       "replacePrefixMatch: /b}}}]}]}"},
      {"httproutes", "spec.rules[0]", "a filter of a backendRef replaces",
       "{rules: [{matches: [{path: {type: Exact, value: /a}}], backendRefs: [{name: w, port: 1, filters: "
       "[{type: URLRewrite, "
       "urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /b}}}]}]}]}",
       "{rules: [{matches: [{path: {value: /a}}], backendRefs: [{name: w, port: 1, filters: [{type: "
       "URLRewrite, "
       "urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /b}}}]}]}]}"},
      {"httproutes", "spec.rules[0].filters[0].urlRewrite.path", "replaceFullPath does not fit",
       filter("{type: URLRewrite, urlRewrite: {path: {type: ReplaceFullPath}}}"),
       filter("{type: URLRewrite, urlRewrite: {path: {type: ReplaceFullPath, replaceFullPath: /a}}}")},
      {"httproutes", "spec.rules[0].filters[0].urlRewrite.path", "replacePrefixMatch does not fit",
       filter("{type: URLRewrite, urlRewrite: {path: {type: ReplaceFullPath, replaceFullPath: /a, "
              "replacePrefixMatch: /b}}}"),
       filter("{type: URLRewrite, urlRewrite: {path: {type: ReplaceFullPath, replaceFullPath: /a}}}")},
      {"httproutes", "spec.rules[0].filters[0].cors.allowOrigins", "allowOrigins names origins beside",
       filter("{type: CORS, cors: {allowOrigins: ['*', 'https://a.b']}}"),
       filter("{type: CORS, cors: {allowOrigins: ['*']}}")},
      {"httproutes", "spec.rules[0].timeouts", "timeouts.backendRequest is longer",
       "{rules: [{timeouts: {request: 1s, backendRequest: 2s}}]}",
       "{rules: [{timeouts: {request: 0s, backendRequest: 2s}}]}"},
      {"httproutes", "spec.rules[0].sessionPersistence", "a permanent cookie has no end",
       "{rules: [{sessionPersistence: {cookieConfig: {lifetimeType: Permanent}}}]}",
       "{rules: [{sessionPersistence: {cookieConfig: {lifetimeType: Permanent}, absoluteTimeout: 1h}}]}"},
      {"httproutes", "spec.rules[0].matches[0].path", "path.value has characters", path("/a b"),
       path("/a%20b;c=$&'()*")}};
  return kRows;
}

std::vector<Row> path_rows() {
  std::vector<Row> rows;
  for (const char* value :
       {"foo", "//a", "/a//b", "/a/./b", "/a/../b", "/a%2fb", "/a%2Fb", "/a/..", "/a/."}) {
    rows.push_back({"httproutes", "spec.rules[0].matches[0].path", "path.value is no plain", path(value),
                    path("/foo/bar")});
  }
  return rows;
}

std::vector<Row> policy_rows() {
  const auto targets = [](const std::string& first, const std::string& second) {
    const std::string service = "{group: '', kind: Service, name: w";
    return "{targetRefs: [" + service + first + "}, " + service + second + "}]}";
  };
  const auto names = [](const std::string& one) {
    return "{validation: {hostname: a.b, wellKnownCACertificates: System, subjectAltNames: [" + one + "]}}";
  };
  const auto kept = targets(", sectionName: a", ", sectionName: b");
  const std::string ref = "caCertificateRefs: [{group: '', kind: ConfigMap, name: ca}]";
  const char* const field = "spec.validation.subjectAltNames[0]";
  return {{"backendtlspolicies", "spec.targetRefs", "one target is named twice",
           targets("", ", sectionName: a"), kept},
          {"backendtlspolicies", "spec.targetRefs", "two targetRefs are the same",
           targets(", sectionName: a", ", sectionName: a"), kept},
          {"backendtlspolicies", "spec.validation", "none or both of caCertificateRefs",
           "{validation: {wellKnownCACertificates: System, " + ref + "}}",
           "{validation: {wellKnownCACertificates: null, " + ref + "}}"},
          {"backendtlspolicies", field, "hostname does not fit", names("{type: Hostname}"),
           names("{type: Hostname, hostname: '*.a.b'}")},
          {"backendtlspolicies", field, "uri does not fit",
           names("{type: Hostname, hostname: a.b, uri: 'spiffe://a/b'}"),
           names("{type: URI, uri: 'spiffe://a/b'}")}};
}

const std::vector<Row>& other_rows() {
  static const std::vector<Row> kRows = {
      {"grpcroutes", "spec.rules[0].matches[0].method", "matches no method",
       "{rules: [{matches: [{method: {}}]}]}", "{rules: [{matches: [{method: {method: Buy}}]}]}"},
      {"grpcroutes", "spec.rules[0].matches[0].method", "method.service is not",
       "{rules: [{matches: [{method: {service: shop.}}]}]}",
       "{rules: [{matches: [{method: {service: Shop.v1.Cart}}]}]}"},
      {"grpcroutes", "spec.rules[0].matches[0].method", "method.method is not",
       "{rules: [{matches: [{method: {method: 9Buy}}]}]}",
       "{rules: [{matches: [{method: {type: RegularExpression, method: '[A-Z].*'}}]}]}"},
      {"tlsroutes", "spec.hostnames", "a hostname is an IP address", "{hostnames: [1.2.3.4]}",
       "{hostnames: ['*.a.example', 1.2.3.example]}"},
      {"gateways", "spec.listeners", "a listener has tls that its protocol", tls("protocol: HTTP"),
       tls("protocol: HTTPS")},
      {"gateways", "spec.listeners", "a listener of HTTPS passes",
       "{listeners: [{name: a, port: 443, protocol: HTTPS, tls: {mode: Passthrough}}]}",
       "{listeners: [{name: a, port: 443, protocol: TLS, tls: {mode: Passthrough}}]}"},
      {"gateways", "spec.listeners", "a listener of TLS has no tls",
       "{listeners: [{name: a, port: 443, protocol: TLS}]}",
       "{listeners: [{name: a, port: 443, protocol: TLS, tls: {mode: Passthrough}}]}"},
      {"gateways", "spec.listeners", "a listener has a hostname",
       "{listeners: [{name: a, port: 53, protocol: UDP, hostname: a.b}]}",
       "{listeners: [{name: a, port: 53, protocol: UDP}]}"},
      {"gateways", "spec.listeners", "two listeners are alike",
       "{listeners: [{name: a, port: 80, protocol: HTTP, hostname: a.b}, {name: b, port: 80, protocol: HTTP, "
       "hostname: a.b}]}",
       "{listeners: [{name: a, port: 80, protocol: HTTP, hostname: a.b}, {name: b, port: 80, protocol: "
       "HTTP}]}"},
      {"gateways", "spec.listeners[0].tls", "tls.mode Terminate has no certificate",
       "{listeners: [{name: a, port: 443, protocol: HTTPS, tls: {}}]}",
       "{listeners: [{name: a, port: 443, protocol: HTTPS, tls: {options: {a.b/c: d}}}]}"},
      {"gateways", "spec.addresses", "an address is asked for twice",
       "{addresses: [{value: 1.2.3.4}, {value: 1.2.3.4}]}",
       "{addresses: [{value: 1.2.3.4}, {type: Hostname, value: 1.2.3.4}]}"},
      {"gateways", "spec.addresses[0]", "the address is no host name",
       "{addresses: [{type: Hostname, value: A_b}]}", "{addresses: [{type: Hostname, value: '*.a.b'}]}"}};
  return kRows;
}

std::vector<Row> all_rows() {
  std::vector<Row> rows;
  for (const auto& some : {rollout_rows(), step_rows(), metric_rows_everywhere(), route_rows("httproutes"),
                           route_rows("grpcroutes"), http_rows(), path_rows(), policy_rows(), other_rows()}) {
    rows.insert(rows.end(), some.begin(), some.end());
  }
  for (const char* plural : {"httproutes", "grpcroutes", "tlsroutes", "tcproutes", "udproutes"}) {
    for (const Row& row : reference_rows(plural)) rows.push_back(row);
  }
  return rows;
}

TEST(CrdRules, RefuseWhatBreaksThemAndLetPassWhatKeepsThem) {
  for (const Row& row : all_rows()) {
    SCOPED_TRACE(std::string(row.plural) + " " + row.broken);
    const std::string expected = std::string(row.field) + ": Invalid value: ";
    const std::string found = broken_by(row.plural, row.broken);
    EXPECT_TRUE(found.starts_with(expected)) << found;
    EXPECT_NE(found.find(std::string("\": ") + row.message), std::string::npos) << found;
    EXPECT_EQ(found.find('\n'), std::string::npos) << found;
    EXPECT_EQ(broken_by(row.plural, row.kept), "") << row.kept;
  }
}

TEST(CrdRules, ControllerNameOfAGatewayClassStays) {
  const Version& version = types().at("gatewayclasses").storage_version();
  const Json before = {{"spec", {{"controllerName", "a.b/c"}}}},
             now = {{"spec", {{"controllerName", "a.b/d"}}}};
  const auto errors = broken_rules(*version.rules, version.schema, now, &before);
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].field, "spec.controllerName");
  EXPECT_EQ(errors[0].message, "Invalid value: \"string\": Value is immutable");
  EXPECT_TRUE(broken_rules(*version.rules, version.schema, before, &before).empty());
}

void collect(const Rules& rules, std::set<std::string>& messages) {
  for (const Rule& rule : rules.own) messages.insert(rule.message);
  for (const auto& [key, inner] : rules.properties) collect(inner, messages);
  if (rules.items) collect(*rules.items, messages);
  if (rules.values) collect(*rules.values, messages);
}

TEST(CrdRules, HaveARowEach) {
  const auto rows = all_rows();
  std::size_t seen = 0;
  for (const auto& entry : types()) {
    const std::string& plural = entry.first;
    const ResourceType& type = entry.second;
    std::set<std::string> messages;
    if (const auto& rules = type.storage_version().rules) collect(*rules, messages);
    for (const std::string& message : messages) {
      ++seen;
      const bool found = std::any_of(rows.begin(), rows.end(), [&](const Row& row) {
        return row.plural == plural && message.starts_with(row.message);
      });
      EXPECT_TRUE(found || message == "Value is immutable") << plural << ": " << message;
    }
  }
  EXPECT_GT(seen, 90u);
}

}  // namespace
}  // namespace tidegate::apiserver::schema
