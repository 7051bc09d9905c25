// SPDX-License-Identifier: Apache-2.0
#include "apiserver/pki.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/json.h"
#include "base/text.h"
#include "base/yaml.h"

namespace tidegate::apiserver {
namespace {

constexpr int kDays = 365;
constexpr auto kRenewBefore = std::chrono::hours(24 * 30);

Result<void> write_file(const std::string& path, const std::string& text, mode_t mode) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  const bool ok = file >= 0 && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const int error = errno;
  if (file >= 0) ::close(file);
  if (!ok) return Error{ErrorCode::kIo, path + ": cannot be written: " + std::strerror(error)};
  return {};
}

std::string read_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// A pair's age is that of its file: it is written when it is made.
bool fresh(const std::string& path, TimePoint now) {
  std::error_code error;
  const auto written = std::filesystem::last_write_time(path, error);
  if (error) return false;
  const auto made = std::chrono::time_point_cast<Duration>(std::chrono::file_clock::to_sys(written));
  return now - made < std::chrono::hours(24 * kDays) - kRenewBefore;
}

using Make = std::function<Result<net::KeyPair>()>;

Result<net::KeyPair> read_or_make(const std::string& dir, const std::string& name, bool keep,
                                  const Make& make) {
  const std::string certificate = dir + "/" + name + ".crt", key = dir + "/" + name + ".key";
  net::KeyPair pair{read_file(certificate), read_file(key)};
  if (keep && !pair.certificate_pem.empty() && !pair.private_key_pem.empty()) return pair;
  auto made = make();
  if (!made) return made.error();
  if (auto written = write_file(key, made->private_key_pem, 0600); !written) return written.error();
  if (auto written = write_file(certificate, made->certificate_pem, 0644); !written) return written.error();
  return made;
}

}  // namespace

Result<Pki> open_pki(const std::string& dir, TimePoint now) {
  std::error_code error;
  std::filesystem::create_directories(dir, error);
  if (error) return Error{ErrorCode::kIo, dir + ": cannot be made: " + error.message()};
  const bool had_ca = std::filesystem::exists(dir + "/ca.key");
  auto ca = read_or_make(dir, "ca", true, [&] { return net::make_certificate_authority("tidegate", now); });
  if (!ca) return ca.error();
  net::CertificateRequest server;
  server.common_name = "tidegate-apiserver";
  server.dns_names = {"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"};
  server.ip_addresses = {"127.0.0.1", "::1"};
  net::CertificateRequest admin;
  admin.common_name = "tidegate-admin";
  admin.organization = "system:masters";
  admin.client = true;
  server.days = admin.days = kDays;
  const auto pair = [&](const std::string& name, const net::CertificateRequest& request) {
    const bool keep = had_ca && fresh(dir + "/" + name + ".crt", now);
    return read_or_make(dir, name, keep, [&] { return net::make_certificate(*ca, request, now); });
  };
  auto server_pair = pair("server", server);
  if (!server_pair) return server_pair.error();
  auto admin_pair = pair("admin", admin);
  if (!admin_pair) return admin_pair.error();
  return Pki{ca->certificate_pem, *server_pair, *admin_pair};
}

std::string make_kubeconfig(const Pki& pki, const std::string& server_url) {
  const Json config = {
      {"apiVersion", "v1"},
      {"kind", "Config"},
      {"current-context", "tidegate"},
      {"clusters",
       {{{"name", "tidegate"},
         {"cluster",
          {{"server", server_url}, {"certificate-authority-data", text::base64_encode(pki.ca_pem)}}}}}},
      {"users",
       {{{"name", "tidegate-admin"},
         {"user",
          {{"client-certificate-data", text::base64_encode(pki.admin.certificate_pem)},
           {"client-key-data", text::base64_encode(pki.admin.private_key_pem)}}}}}},
      {"contexts",
       {{{"name", "tidegate"},
         {"context", {{"cluster", "tidegate"}, {"user", "tidegate-admin"}, {"namespace", "default"}}}}}}};
  return yaml::dump(config);
}

}  // namespace tidegate::apiserver
