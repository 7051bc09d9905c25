// SPDX-License-Identifier: Apache-2.0
#include "kube/kubeconfig.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "base/yaml.h"
#include "http/uri.h"
#include "http/url.h"

namespace tidegate::kube {

namespace {

Error invalid(std::string detail) { return {ErrorCode::kInvalid, std::move(detail)}; }

std::string in_quotes(std::string_view value) { return "\"" + std::string(value.substr(0, 128)) + "\""; }

// One entry of a kubeconfig's named lists, and where it stands, for errors: clusters[kind].cluster.
struct Entry {
  Json fields = Json::object();
  std::string place;
};

class Reader {
 public:
  Reader(const Json& root, const std::string& path, const ReadFile& read)
      : root_(root), path_(path), read_(read) {}

  Result<Kubeconfig> run() {
    auto context = current_context();
    if (!context) return context.error();
    auto cluster = referred(*context, "cluster");
    if (!cluster) return cluster.error();
    if (auto ok = read_cluster(*cluster); !ok) return ok.error();
    if (json::string_at(context->fields, "user").empty())
      return config_;  // a server that asks for no credentials
    auto user = referred(*context, "user");
    if (!user) return user.error();
    if (auto ok = read_user(*user); !ok) return ok.error();
    return config_;
  }

 private:
  Result<Entry> current_context() const {
    const auto name = json::string_at(root_, "current-context");
    if (name.empty())
      return invalid("current-context is missing or empty, expected the name of one of contexts");
    return find("context", name, "current-context");
  }

  Result<Entry> referred(const Entry& context, const std::string& kind) const {
    const auto name = json::string_at(context.fields, kind);
    if (name.empty()) return invalid(context.place + "." + kind + " is missing or empty");
    return find(kind, name, context.place + "." + kind);
  }

  Result<Entry> find(const std::string& kind, const std::string& name, const std::string& asked_by) const {
    for (const auto& item : json::array_at(root_, kind + "s")) {
      if (json::string_at(item, "name") != name) continue;
      Entry entry{json::object_at(item, kind), kind + "s[" + name + "]." + kind};
      if (entry.fields.empty()) return invalid(entry.place + " is missing or empty, expected an object");
      return entry;
    }
    return invalid(asked_by + " is " + in_quotes(name) + ", but " + kind + "s has no entry of that name");
  }

  Result<void> read_cluster(const Entry& cluster) {
    if (cluster.fields.contains("proxy-url"))
      return invalid(cluster.place + ".proxy-url: proxies are not supported");
    const auto url = json::string_at(cluster.fields, "server");
    auto server = parse_server_url(url);
    if (!server) return context(cluster.place + ".server", std::move(server).error());
    config_.server = std::move(*server);
    config_.tls_server_name = json::string_at(cluster.fields, "tls-server-name");
    config_.insecure_skip_tls_verify = json::bool_at(cluster.fields, "insecure-skip-tls-verify");
    return data_or_file(cluster, "certificate-authority", config_.ca_pem);
  }

  Result<void> read_user(const Entry& user) {
    for (const auto* field : {"exec", "auth-provider", "username"}) {
      if (!user.fields.contains(field)) continue;
      return invalid(user.place + "." + field +
                     " is not supported, expected a client certificate, token or tokenFile");
    }
    config_.token = json::string_at(user.fields, "token");
    config_.token_file = absolute(json::string_at(user.fields, "tokenFile"));
    auto& identity = config_.identity;
    if (auto ok = data_or_file(user, "client-certificate", identity.certificate_pem); !ok) return ok;
    if (auto ok = data_or_file(user, "client-key", identity.private_key_pem); !ok) return ok;
    if (identity.certificate_pem.empty() == identity.private_key_pem.empty()) return {};
    return invalid(user.place + " has only one of client-certificate and client-key, expected both or none");
  }

  // FIELD-data holds base64, FIELD a path; the first wins, as in kubectl.
  Result<void> data_or_file(const Entry& entry, const std::string& field, std::string& into) const {
    if (const auto data = json::string_at(entry.fields, field + "-data"); !data.empty()) {
      auto bytes = text::base64_decode(data);
      if (!bytes) return invalid(entry.place + "." + field + "-data is not base64");
      into = std::move(*bytes);
      return {};
    }
    const auto file = json::string_at(entry.fields, field);
    if (file.empty()) return {};
    auto bytes = read_(absolute(file));
    if (!bytes) return context(entry.place + "." + field, std::move(bytes).error());
    into = std::move(*bytes);
    return {};
  }

  std::string absolute(const std::string& file) const {
    if (file.empty() || file.front() == '/') return file;
    const auto slash = path_.rfind('/');
    return slash == std::string::npos ? file : path_.substr(0, slash + 1) + file;
  }

  const Json& root_;
  const std::string& path_;
  const ReadFile& read_;
  Kubeconfig config_;
};

}  // namespace

Result<ServerUrl> parse_server_url(std::string_view url) {
  const auto expected = [&] {
    return invalid(in_quotes(url) + " is not a server URL, expected https://host:port");
  };
  const auto parsed = http::parse_url(url);
  if (!parsed) return expected();
  ServerUrl server;
  server.tls = parsed->tls;
  server.authority = parsed->authority;
  server.host = parsed->host;
  server.port = parsed->port;
  server.path = parsed->target;
  while (server.path.ends_with('/')) server.path.pop_back();
  if (!server.path.empty() && http::normalize_path(server.path) != server.path) return expected();
  return server;
}

Result<Kubeconfig> parse_kubeconfig(std::string_view text, const std::string& path, const ReadFile& read) {
  const auto where = "kubeconfig " + path;
  auto documents = yaml::parse_all(text);
  if (!documents) return context(where, std::move(documents).error());
  if (documents->size() != 1) {
    return context(where,
                   invalid("holds " + std::to_string(documents->size()) + " YAML documents, expected one"));
  }
  auto config = Reader(documents->front().value, path, read).run();
  if (config) return config;
  return context(where, std::move(config).error());
}

}  // namespace tidegate::kube
