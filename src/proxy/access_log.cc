// SPDX-License-Identifier: Apache-2.0
#include "proxy/access_log.h"

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "net/event_loop.h"
#include "proxy/limits.h"
#include "proxy/work_guard.h"

namespace tidegate::proxy {
namespace {

std::string_view or_dash(std::string_view text) { return text.empty() ? "-" : text; }

std::string quoted(const std::string& text) {
  return json::dump(Json(text));
}  // escapes what would break the line

}  // namespace

std::string format_text(const AccessRecord& r) {
  std::string line = text::format_micro_time(r.time);
  for (const std::string_view part : {std::string_view(r.client), std::string_view(r.method)})
    line.append(" ").append(or_dash(part));
  line += " " + quoted(r.host + r.target) + " " + std::to_string(r.status) + " " +
          std::to_string(r.request_bytes) + " " + std::to_string(r.response_bytes) + " " +
          std::to_string(r.duration.count()) + "ms";
  for (const std::string* part :
       {&r.gateway, &r.listener, &r.route, &r.rule, &r.backend, &r.endpoint, &r.error, &r.request_id}) {
    line.append(" ").append(or_dash(*part));
  }
  return line + "\n";
}

std::string format_json(const AccessRecord& r) {
  Json line{{"time", text::format_micro_time(r.time)},
            {"client", r.client},
            {"method", r.method},
            {"host", r.host},
            {"target", r.target},
            {"status", r.status},
            {"request_bytes", r.request_bytes},
            {"response_bytes", r.response_bytes},
            {"duration_ms", r.duration.count()},
            {"gateway", r.gateway},
            {"listener", r.listener},
            {"route", r.route},
            {"rule", r.rule},
            {"backend", r.backend},
            {"endpoint", r.endpoint},
            {"error", r.error},
            {"request_id", r.request_id},
            {"attempts", r.attempts}};
  return json::dump(line) + "\n";
}

Result<std::shared_ptr<AccessLog>> AccessLog::open(const AccessLogOptions& options) {
  std::FILE* file = options.path == "-" ? stdout : std::fopen(options.path.c_str(), "ae");
  if (file == nullptr)
    return Error{ErrorCode::kIo, "access log " + options.path + ": " + std::strerror(errno)};
  return std::shared_ptr<AccessLog>(new AccessLog(options, file));
}

AccessLog::AccessLog(const AccessLogOptions& options, std::FILE* file)
    : options_(options), file_(file), loop_(std::make_unique<net::EventLoop>()) {
  thread_ = std::thread([this] {
    const WorkGuard guard(loop_->io().get_executor());
    loop_->run();
  });
}

AccessLog::~AccessLog() {
  loop_->post([this] { loop_->stop(); });  // behind the batches that wait
  thread_.join();
  if (file_ == stdout) {
    std::fflush(file_);
  } else {
    std::fclose(file_);
  }
}

bool AccessLog::write(std::vector<AccessRecord> batch) {
  if (waiting_.load(std::memory_order_relaxed) > kAccessLogBacklog) return false;
  waiting_.fetch_add(batch.size(), std::memory_order_relaxed);
  loop_->post([this, batch = std::make_shared<const std::vector<AccessRecord>>(std::move(batch))] {
    print(*batch);
    waiting_.fetch_sub(batch->size(), std::memory_order_relaxed);
  });
  return true;
}

void AccessLog::print(const std::vector<AccessRecord>& batch) {
  std::string lines;
  for (const AccessRecord& record : batch) lines += options_.json ? format_json(record) : format_text(record);
  std::fwrite(lines.data(), 1, lines.size(), file_);
  std::fflush(file_);
}

}  // namespace tidegate::proxy
