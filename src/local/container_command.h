// SPDX-License-Identifier: Apache-2.0
// What a container runs, computed from its Pod: environment, $(VAR) expansion, program and arguments. Thread:
// none; pure but for the look at which programs exist, which is an argument.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "api/core.h"
#include "base/result.h"

namespace tidegate::local {

using Environment = std::map<std::string, std::string>;

// $(NAME) becomes the variable's value; an unknown name stays as it is written; $$ is a dollar sign
// (Kubernetes' expansion rules).
std::string expand_variables(std::string_view text, const Environment& variables);

// A downward API field: metadata.name, .namespace, .uid, .labels['x'], .annotations['x'], status.podIP,
// spec.nodeName. Others are errors.
Result<std::string> resolve_field(const api::Pod& pod, const std::string& ip, const std::string& node,
                                  std::string_view path);

// The container's variables over `base` (PATH and the like). Later ones may refer to earlier ones.
Result<Environment> container_environment(const api::Pod& pod, const api::Container& container,
                                          const std::string& ip, const std::string& node, Environment base);

struct CommandOptions {
  std::string self_program;                                    // runs the image tidegate.dev/demo-app
  std::map<std::string, std::string> images;                   // name without tag: the program that runs it
  std::function<bool(const std::string& path)> is_executable;  // of an absolute path
  std::string search_path;                                     // PATH, for names without a slash
};
// Program and arguments. The error (kNotFound) says what this machine can run.
Result<std::vector<std::string>> container_command(const api::Container& container,
                                                   const Environment& environment,
                                                   const CommandOptions& options);

}  // namespace tidegate::local
