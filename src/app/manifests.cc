// SPDX-License-Identifier: Apache-2.0
#include "app/manifests.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "base/text.h"
#include "base/yaml.h"

namespace tidegate::app {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFileBytes = 16 * 1024 * 1024;
constexpr std::string_view kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";

Result<std::string> read_file(const fs::path& path) {
  std::error_code error;
  if (fs::is_regular_file(path, error) && fs::file_size(path, error) > kMaxFileBytes) {
    return Error{ErrorCode::kLimit, path.string() + ": larger than 16 MiB"};
  }
  std::ifstream in(path, std::ios::binary);
  if (!in) return Error{ErrorCode::kNotFound, path.string() + ": cannot be read"};
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

Result<std::vector<fs::path>> manifest_files(const std::string& path) {
  std::error_code error;
  if (!fs::exists(path, error)) return Error{ErrorCode::kNotFound, path + ": no such file or folder"};
  if (!fs::is_directory(path, error)) return std::vector<fs::path>{path};
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(path, error)) {
    const auto extension = entry.path().extension();
    if (extension == ".yaml" || extension == ".yml" || extension == ".json") files.push_back(entry.path());
  }
  if (files.empty())
    return Error{ErrorCode::kNotFound, path + ": no *.yaml, *.yml or *.json file in this folder"};
  std::sort(files.begin(), files.end());
  return files;
}

// What is wrong with a document as a Kubernetes object, or nothing.
std::string shape_problem(const Json& object) {
  if (!object.is_object()) return "expected a Kubernetes object, got " + std::string(object.type_name());
  for (const char* field : {"apiVersion", "kind", "metadata.name"}) {
    if (json::string_at(object, field).empty())
      return std::string(field) + ": missing or empty, expected a string";
  }
  return {};
}

// A kind's place in the API, by "apiVersion/kind".
struct Served {
  std::string group, version, plural, kind;
  bool namespaced = true;
};

class Applier {
 public:
  Applier(kube::Client& client, ApplyOptions options) : client_(client), options_(std::move(options)) {}

  Task<Result<void>> apply(Manifest manifest, bool dry_run);

 private:
  Task<Result<Served>> served(std::string api_version, std::string kind);
  std::string body(const Manifest& manifest, const std::string& ns) const;

  kube::Client& client_;
  ApplyOptions options_;
  std::map<std::string, Served> served_;
};

Task<Result<Served>> Applier::served(std::string api_version, std::string kind) {
  const std::string id = api_version + "/" + kind;
  if (auto known = served_.find(id); known != served_.end()) co_return known->second;
  const auto slash = api_version.find('/');
  const std::string root = slash == std::string::npos ? "/api/" : "/apis/";
  auto answer = co_await client_.raw("GET", root + api_version, "", "");
  if (!answer && answer.error().code != ErrorCode::kNotFound) co_return answer.error();
  const auto document = answer ? json::parse(*answer) : Result<Json>(Json::object());
  if (!document) co_return document.error();
  for (const Json& resource : json::array_at(*document, "resources")) {
    const std::string plural = json::string_at(resource, "name");
    if (json::string_at(resource, "kind") != kind || plural.find('/') != std::string::npos) continue;
    Served served{slash == std::string::npos ? "" : api_version.substr(0, slash),
                  slash == std::string::npos ? api_version : api_version.substr(slash + 1), plural, kind,
                  json::bool_at(resource, "namespaced")};
    co_return served_[id] = served;
  }
  co_return Error{ErrorCode::kNotFound, "no kind " + kind + " in " + api_version + " is served here"};
}

std::string Applier::body(const Manifest& manifest, const std::string& ns) const {
  Json object = *manifest.object;
  if (!ns.empty()) object["metadata"]["namespace"] = ns;
  if (options_.for_kubectl) {
    const std::string applied = json::dump(object) + "\n";
    object["metadata"]["annotations"][std::string(kLastApplied)] = applied;
  }
  return json::dump(object);
}

Task<Result<void>> Applier::apply(Manifest manifest, bool dry_run) {
  auto served = co_await this->served(json::string_at(*manifest.object, "apiVersion"),
                                      json::string_at(*manifest.object, "kind"));
  if (!served) co_return context(manifest.source, served.error());
  const std::string ns =
      served->namespaced ? json::string_at(*manifest.object, "metadata.namespace", "default") : "";
  const api::Resource resource{served->group, served->version, served->plural, served->kind,
                               served->namespaced};
  std::string target = resource.path(ns, json::string_at(*manifest.object, "metadata.name"));
  target += "?force=true&fieldValidation=Strict&fieldManager=" + options_.field_manager;
  if (dry_run) target += "&dryRun=All";
  const std::string text = body(manifest, ns);
  auto answer = co_await client_.raw("PATCH", target, "application/apply-patch+yaml", text);
  if (!answer) co_return context(manifest.source, answer.error());
  co_return Result<void>();
}

int rank(const Manifest& manifest) {
  const auto kind = json::string_at(*manifest.object, "kind");
  return kind == "CustomResourceDefinition" ? 0 : kind == "Namespace" ? 1 : 2;
}

// What exists only once other manifests of the same set are applied can't be tried before.
bool can_try_first(const Manifest& manifest, const std::vector<Manifest>& all) {
  const auto api_version = json::string_at(*manifest.object, "apiVersion");
  const auto ns = json::string_at(*manifest.object, "metadata.namespace");
  return std::none_of(all.begin(), all.end(), [&](const Manifest& other) {
    const auto kind = json::string_at(*other.object, "kind");
    if (kind == "Namespace") return json::string_at(*other.object, "metadata.name") == ns;
    if (kind != "CustomResourceDefinition") return false;
    return api_version.starts_with(json::string_at(*other.object, "spec.group") + "/");
  });
}

}  // namespace

Result<std::vector<Manifest>> parse_manifests(const std::string& source, std::string_view text) {
  auto documents = yaml::parse_all(text);
  if (!documents) return context(source, documents.error());
  std::vector<Manifest> manifests;
  for (auto& document : *documents) {
    const std::string where = source + ":" + std::to_string(document.line);
    if (auto problem = shape_problem(document.value); !problem.empty()) {
      return Error{ErrorCode::kInvalid, where + ": " + problem};
    }
    manifests.push_back({where, std::make_shared<const Json>(std::move(document.value))});
  }
  return manifests;
}

Result<std::vector<Manifest>> load_manifests(const std::string& path) {
  auto files = manifest_files(path);
  if (!files) return files.error();
  std::vector<Manifest> all;
  for (const auto& file : *files) {
    auto text = read_file(file);
    if (!text) return text.error();
    auto manifests = parse_manifests(file.string(), *text);
    if (!manifests) return manifests.error();
    std::move(manifests->begin(), manifests->end(), std::back_inserter(all));
  }
  return all;
}

Result<std::vector<Manifest>> parse_embedded(std::span<const base::EmbeddedFile> files) {
  std::vector<Manifest> all;
  for (const auto& file : files) {
    auto manifests = parse_manifests(std::string(file.name), file.text);
    if (!manifests) return manifests.error();
    std::move(manifests->begin(), manifests->end(), std::back_inserter(all));
  }
  return all;
}

Task<Result<void>> apply_manifests(kube::Client& client, std::vector<Manifest> manifests,
                                   ApplyOptions options) {
  std::stable_sort(manifests.begin(), manifests.end(),
                   [](const auto& a, const auto& b) { return rank(a) < rank(b); });
  Applier applier(client, options);
  for (const bool dry_run : {true, false}) {
    if (dry_run && !options.dry_run_first) continue;
    for (const auto& manifest : manifests) {
      if (dry_run && !can_try_first(manifest, manifests)) continue;
      auto applied = co_await applier.apply(manifest, dry_run);
      if (!applied) co_return applied.error();
    }
  }
  co_return Result<void>();
}

}  // namespace tidegate::app
