// SPDX-License-Identifier: Apache-2.0
#include "local/container_command.h"

#include <optional>

#include "base/text.h"

namespace tidegate::local {
namespace {

constexpr std::string_view kDemoImage = "tidegate.dev/demo-app";

// Without tag and digest; a colon before the last slash is a registry's port.
std::string image_name(std::string_view image) {
  image = image.substr(0, image.find('@'));
  const auto colon = image.rfind(':');
  const auto slash = image.rfind('/');
  const bool tagged = colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash);
  return std::string(tagged ? image.substr(0, colon) : image);
}

// metadata.labels['app'] with `prefix` "metadata.labels": app.
std::optional<std::string> subscript(std::string_view path, std::string_view prefix) {
  if (!path.starts_with(prefix)) return std::nullopt;
  path.remove_prefix(prefix.size());
  if (path.size() < 4 || !path.starts_with("['") || !path.ends_with("']")) return std::nullopt;
  return std::string(path.substr(2, path.size() - 4));
}

std::string value_or_empty(const api::Labels& labels, const std::string& key) {
  const auto it = labels.find(key);
  return it == labels.end() ? std::string() : it->second;
}

std::optional<std::string> find_program(const std::string& name, const CommandOptions& options) {
  if (name.find('/') != std::string::npos) {
    return options.is_executable(name) ? std::optional(name) : std::nullopt;
  }
  for (const auto folder : text::split(options.search_path, ':')) {
    if (folder.empty()) continue;
    std::string path = std::string(folder) + "/" + name;
    if (options.is_executable(path)) return path;
  }
  return std::nullopt;
}

Error no_image(const api::Container& container, const std::string& why) {
  return Error{
      ErrorCode::kNotFound,
      "image \"" + container.image + "\" can't run here: " + why +
          "; pods are processes of this machine, so either the image is tidegate.dev/demo-app or one of "
          "--image, or command[0] names a program that is installed"};
}

}  // namespace

std::string expand_variables(std::string_view text, const Environment& variables) {
  std::string out;
  while (!text.empty()) {
    const auto dollar = text.find('$');
    out += text.substr(0, dollar);
    if (dollar == std::string_view::npos) break;
    text.remove_prefix(dollar);
    if (text.starts_with("$$")) {
      out += '$';
      text.remove_prefix(2);
      continue;
    }
    const auto close = text.starts_with("$(") ? text.find(')') : std::string_view::npos;
    if (close == std::string_view::npos) {
      out += '$';
      text.remove_prefix(1);
      continue;
    }
    const auto it = variables.find(std::string(text.substr(2, close - 2)));
    out += it == variables.end() ? text.substr(0, close + 1) : std::string_view(it->second);
    text.remove_prefix(close + 1);
  }
  return out;
}

Result<std::string> resolve_field(const api::Pod& pod, const std::string& ip, const std::string& node,
                                  std::string_view path) {
  if (path == "metadata.name") return pod.meta.name;
  if (path == "metadata.namespace") return pod.meta.ns;
  if (path == "metadata.uid") return pod.meta.uid;
  if (path == "status.podIP" || path == "status.hostIP") return ip;
  if (path == "spec.nodeName") return node;
  if (const auto key = subscript(path, "metadata.labels")) return value_or_empty(pod.meta.labels, *key);
  if (const auto key = subscript(path, "metadata.annotations"))
    return value_or_empty(pod.meta.annotations, *key);
  return Error{ErrorCode::kInvalid, "fieldPath \"" + std::string(path) +
                                        "\" is not supported here; metadata.name, metadata.namespace, "
                                        "metadata.uid, metadata.labels['KEY'], "
                                        "metadata.annotations['KEY'], spec.nodeName and status.podIP are"};
}

Result<Environment> container_environment(const api::Pod& pod, const api::Container& container,
                                          const std::string& ip, const std::string& node, Environment base) {
  Environment out = std::move(base);
  for (const auto& variable : container.env) {
    if (variable.field_path.empty()) {
      out[variable.name] = expand_variables(variable.value, out);
      continue;
    }
    auto value = resolve_field(pod, ip, node, variable.field_path);
    if (!value) return context("env " + variable.name, value.error());
    out[variable.name] = *std::move(value);
  }
  return out;
}

Result<std::vector<std::string>> container_command(const api::Container& container,
                                                   const Environment& environment,
                                                   const CommandOptions& options) {
  std::vector<std::string> out;
  if (!container.command.empty()) {
    for (const auto& part : container.command) out.push_back(expand_variables(part, environment));
    const auto program = find_program(out[0], options);
    if (!program) return no_image(container, "there is no program \"" + out[0] + "\"");
    out[0] = *program;
  } else if (const auto image = options.images.find(image_name(container.image));
             image != options.images.end()) {
    if (!options.is_executable(image->second))
      return no_image(container, "there is no program \"" + image->second + "\"");
    out = {image->second};
  } else if (image_name(container.image) == kDemoImage) {
    out = {options.self_program, "demo-app"};
  } else {
    return no_image(container, "the container names no command");
  }
  for (const auto& part : container.args) out.push_back(expand_variables(part, environment));
  return out;
}

}  // namespace tidegate::local
