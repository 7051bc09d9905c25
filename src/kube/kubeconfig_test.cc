// SPDX-License-Identifier: Apache-2.0
#include "kube/kubeconfig.h"

#include <gtest/gtest.h>

#include <fstream>

#include "kube/client.h"
#include "tests/support/temp_dir.h"

namespace tidegate::kube {
namespace {

constexpr std::string_view kWhole = R"(apiVersion: v1
kind: Config
current-context: home
contexts:
- name: other
  context: {cluster: nowhere, user: nobody}
- name: home
  context: {cluster: local, user: admin}
clusters:
- name: local
  cluster:
    server: https://127.0.0.1:6443
    certificate-authority-data: Q0E=
users:
- name: admin
  user:
    client-certificate: pki/admin.crt
    client-key-data: S0VZ
    token: secret
    tokenFile: /tokens/now
)";

Result<std::string> echo(const std::string& path) { return "content of " + path; }

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  text.replace(text.find(what), what.size(), with);
  return text;
}

TEST(Kubeconfig, ReadsTheCurrentContext) {
  const auto config = parse_kubeconfig(kWhole, "/etc/gate/config", echo);
  ASSERT_TRUE(config) << config.error().detail;
  EXPECT_EQ(config->server, (ServerUrl{true, "127.0.0.1:6443", "127.0.0.1", 6443, ""}));
  EXPECT_EQ(config->ca_pem, "CA");
  EXPECT_EQ(config->identity.certificate_pem, "content of /etc/gate/pki/admin.crt");
  EXPECT_EQ(config->identity.private_key_pem, "KEY");
  EXPECT_EQ(config->token, "secret");
  EXPECT_EQ(config->token_file, "/tokens/now");
  EXPECT_FALSE(config->insecure_skip_tls_verify);
}

TEST(Kubeconfig, ErrorsNameFileFieldAndExpectation) {
  struct Case {
    std::string_view what, with;
    std::string expected;
  };
  const Case cases[] = {
      {"current-context: home", "current-context: away",
       "kubeconfig f: current-context is \"away\", but contexts has no entry of that name"},
      {"current-context: home", "x: y",
       "kubeconfig f: current-context is missing or empty, expected the name of one of contexts"},
      {"cluster: local, user", "cluster: remote, user",
       "kubeconfig f: contexts[home].context.cluster is \"remote\", but clusters has no entry of that name"},
      {"cluster: local, user", "user", "kubeconfig f: contexts[home].context.cluster is missing or empty"},
      {"https://127", "ftp://127",
       "kubeconfig f: clusters[local].cluster.server: \"ftp://127.0.0.1:6443\" is not a server URL, expected "
       "https://host:port"},
      {"Q0E=", "no*no", "kubeconfig f: clusters[local].cluster.certificate-authority-data is not base64"},
      {"token: secret", "exec: {command: login}",
       "kubeconfig f: users[admin].user.exec is not supported, expected a client certificate, token or "
       "tokenFile"},
      {"client-certificate: pki/admin.crt", "x: y",
       "kubeconfig f: users[admin].user has only one of client-certificate and client-key, expected both or "
       "none"},
  };
  for (const auto& c : cases) {
    const auto config = parse_kubeconfig(replaced(std::string(kWhole), c.what, c.with), "f", echo);
    ASSERT_FALSE(config) << c.expected;
    EXPECT_EQ(config.error().detail, c.expected);
  }
}

TEST(Kubeconfig, AFileThatCannotBeReadIsNamedWithItsField) {
  const auto read = [](const std::string& path) {
    return Result<std::string>(Error{ErrorCode::kNotFound, path + ": gone"});
  };
  const auto config = parse_kubeconfig(kWhole, "d/f", read);
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().detail,
            "kubeconfig d/f: users[admin].user.client-certificate: d/pki/admin.crt: gone");
  EXPECT_EQ(config.error().code, ErrorCode::kNotFound);
}

TEST(ServerUrl, KnowsSchemesPortsAndPaths) {
  struct Case {
    std::string_view url;
    ServerUrl expected;
  };
  const Case cases[] = {
      {"https://api.example", {true, "api.example", "api.example", 443, ""}},
      {"http://api.example/", {false, "api.example", "api.example", 80, ""}},
      {"https://[::1]:6443", {true, "[::1]:6443", "::1", 6443, ""}},
      {"https://rancher:8443/k8s/c-1/", {true, "rancher:8443", "rancher", 8443, "/k8s/c-1"}},
  };
  for (const auto& c : cases) {
    const auto url = parse_server_url(c.url);
    ASSERT_TRUE(url) << c.url;
    EXPECT_EQ(*url, c.expected) << c.url;
  }
  for (const auto* bad : {"", "127.0.0.1:6443", "https://", "https://:6443", "https://h:99999",
                          "https://h/../x", "https://h?x"}) {
    EXPECT_FALSE(parse_server_url(bad)) << bad;
  }
}

TEST(LoadKubeconfig, GivesAddressAndCredentials) {
  const test::TempDir dir;
  const auto path = dir.path() + "/config";
  std::ofstream(path) << "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
                         "clusters: [{name: k, cluster: {server: 'http://127.0.0.1:8080/base'}}]\n"
                         "users: [{name: u, user: {token: t}}]\n";
  const auto config = load_kubeconfig(path);
  ASSERT_TRUE(config) << config.error().detail;
  EXPECT_EQ(config->address, (net::Address{"127.0.0.1", 8080}));
  EXPECT_EQ(config->path_prefix, "/base");
  EXPECT_EQ(config->bearer_token, "t");
  EXPECT_EQ(config->tls, nullptr);
}

TEST(LoadKubeconfig, AMissingFileIsNamed) {
  const test::TempDir dir;
  const auto config = load_kubeconfig(dir.path() + "/none");
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().code, ErrorCode::kNotFound);
  EXPECT_NE(config.error().detail.find(dir.path() + "/none: No such file"), std::string::npos)
      << config.error().detail;
}

}  // namespace
}  // namespace tidegate::kube
