// SPDX-License-Identifier: Apache-2.0
// All containers' logs, DIR/NAMESPACE/POD/CONTAINER.log, written by the pod runner and read through the API
// server. Thread: control. Owns: the open files.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "apiserver/server.h"
#include "base/clock.h"
#include "local/log_file.h"

namespace tidegate::local {

class PodLogs final : public apiserver::LogSource {
 public:
  PodLogs(std::string dir, Scheduler& scheduler) : dir_(std::move(dir)), scheduler_(scheduler) {}

  // A container starts: its log begins anew, the one before becomes the previous one.
  Result<std::shared_ptr<LogFile>> open(const std::string& ns, const std::string& pod,
                                        const std::string& container);
  void remove(const std::string& ns, const std::string& pod);  // the pod is gone

  Result<std::unique_ptr<Handle>> read(const Query& query, std::function<bool(std::string_view)> write,
                                       std::function<void()> end) override;

 private:
  std::string folder(const std::string& ns, const std::string& pod) const {
    return dir_ + "/" + ns + "/" + pod;
  }
  Result<std::string> choose_container(const Query& query) const;

  std::string dir_;
  Scheduler& scheduler_;
  std::map<std::string, std::weak_ptr<LogFile>> open_;  // by path
};

// The part of a log file that a query asks for, without the times unless asked. Pure.
std::string select_log(std::string_view file, const apiserver::LogSource::Query& query);

}  // namespace tidegate::local
