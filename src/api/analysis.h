// SPDX-License-Identifier: Apache-2.0
// What a Rollout asks of its metrics, as written by people: metrics in place, or templates of them, and args
// that are filled in. How they come together: analysis/resolve.h. Thread: none; plain values.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/field_reader.h"
#include "api/metric.h"
#include "api/object.h"

namespace tidegate::api {

inline constexpr Resource kAnalysisTemplates{"tidegate.dev", "v1alpha1", "analysistemplates",
                                             "AnalysisTemplate"};
inline constexpr Resource kClusterAnalysisTemplates{"tidegate.dev", "v1alpha1", "clusteranalysistemplates",
                                                    "ClusterAnalysisTemplate", false};

struct TemplateReference {
  std::string name;
  bool cluster_scope = false;
};

// At most one of the sources; none: its value has to come from where the template is used.
struct Arg {
  std::string name;
  std::optional<std::string> value;
  std::string pod_template_hash;  // Stable or Latest
  std::string field_path;         // of the Rollout: metadata.labels['region'] or spec.replicas
  std::optional<SecretKey> secret;
};

struct Analysis {
  // Where `templated`, they are made from the document, which stands at `path`: analysis/resolve.h.
  std::vector<Metric> metrics;
  bool templated = false;
  std::shared_ptr<const Json> json;
  std::string path;
  std::vector<TemplateReference> templates;
  std::vector<Arg> args;
  std::int64_t starting_step = 0;
};

Analysis decode_analysis(const FieldReader& reader);

std::vector<TemplateReference> decode_template_references(const FieldReader& reader);
std::vector<Arg> decode_args(const FieldReader& reader);
// dryRun and measurementRetention of `reader`, applied to the metrics. `strict`: a name that none has is a
// problem.
void apply_options(const FieldReader& reader, bool strict, std::vector<Metric>& metrics);

}  // namespace tidegate::api
