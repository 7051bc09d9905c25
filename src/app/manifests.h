// SPDX-License-Identifier: Apache-2.0
// Manifests from files and folders, and their way into an API server: server-side apply, in an order that
// works (namespaces and CRDs first), after a dry run of all, so that one broken manifest applies nothing.
// Thread: control.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/embedded.h"
#include "base/json.h"
#include "kube/client.h"
#include "net/task.h"

namespace tidegate::app {

struct Manifest {
  std::string source;  // "examples/01-first-canary/route.yaml:3", for messages
  std::shared_ptr<const Json> object;
};

// A file, or every *.yaml, *.yml and *.json of a folder (not of its sub-folders), in order of name. Errors
// name file, line and what was expected; each document must have apiVersion, kind and metadata.name.
Result<std::vector<Manifest>> load_manifests(const std::string& path);
Result<std::vector<Manifest>> parse_manifests(const std::string& source, std::string_view text);
Result<std::vector<Manifest>> parse_embedded(std::span<const base::EmbeddedFile> files);

struct ApplyOptions {
  std::string field_manager = "tidegate-up";
  bool dry_run_first = true;
  // Write kubectl's last-applied-configuration annotation too, so that a later `kubectl apply` of the same
  // files merges without a warning.
  bool for_kubectl = true;
};
Task<Result<void>> apply_manifests(kube::Client& client, std::vector<Manifest> manifests,
                                   ApplyOptions options);

}  // namespace tidegate::app
