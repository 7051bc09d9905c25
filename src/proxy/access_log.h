// SPDX-License-Identifier: Apache-2.0
// One line a request, as text or JSON, off by default. Workers collect records and hand over batches; one
// writer thread formats and writes them, so that a slow disk costs lines (counted), never requests. Thread:
// write() any; the rest control. Owns: the file and its thread.
#pragma once

#include <atomic>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "proxy/runtime.h"

namespace tidegate::net {
class EventLoop;
}

namespace tidegate::proxy {

struct AccessRecord {
  TimePoint time;  // of the request head
  std::string client, method, host, target;
  int status = 0;
  std::uint64_t request_bytes = 0, response_bytes = 0;  // of the bodies
  Duration duration{0};
  std::string gateway, listener, route, rule, backend, endpoint;
  std::string error;  // token of ProxyError; empty: the backend's own answer
  std::string request_id;
  int attempts = 0;
};

std::string format_text(const AccessRecord& record);
std::string format_json(const AccessRecord& record);

class AccessLog {
 public:
  // Errors: kIo with the path.
  static Result<std::shared_ptr<AccessLog>> open(const AccessLogOptions& options);
  ~AccessLog();  // writes what it has

  // False: too much waits already; the batch is dropped.
  bool write(std::vector<AccessRecord> batch);

 private:
  AccessLog(const AccessLogOptions& options, std::FILE* file);
  void print(const std::vector<AccessRecord>& batch);

  const AccessLogOptions options_;
  std::FILE* file_;
  std::atomic<std::size_t> waiting_{0};
  std::unique_ptr<net::EventLoop> loop_;
  std::thread thread_;
};

}  // namespace tidegate::proxy
