// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/prometheus.h"

#include <unistd.h>

#include <fstream>

namespace tidegate::test {
namespace {

std::string write_config(const std::string& dir, const std::string& target) {
  std::string path = dir + "/prometheus.yml";
  std::ofstream(path) << "global: {scrape_interval: 1s}\n"
                         "scrape_configs: [{job_name: tidegate, static_configs: [{targets: ['"
                      << target << "']}]}]\n";
  return path;
}

}  // namespace

bool Prometheus::installed() { return ::access(PROMETHEUS_BINARY, X_OK) == 0; }

Prometheus::Prometheus(const std::string& dir, const std::string& target)
    : program_(dir,
               {"--config.file=" + write_config(dir, target), "--storage.tsdb.path=" + dir + "/prometheus",
                "--web.listen-address=127.0.0.1:0"},
               PROMETHEUS_BINARY) {}

// From the log's line: msg="Listening on" address=127.0.0.1:41234
std::string Prometheus::url() const {
  constexpr std::string_view kBefore = "msg=\"Listening on\" address=";
  const std::string text = log();
  const auto at = text.find(kBefore);
  if (at == std::string::npos || text.find("Server is ready") == std::string::npos) return {};
  const auto from = at + kBefore.size();
  return "http://" + text.substr(from, text.find_first_of(" \n", from) - from);
}

}  // namespace tidegate::test
