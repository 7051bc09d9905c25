// SPDX-License-Identifier: Apache-2.0
#include "local/runtime.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "base/assert.h"
#include "base/log.h"
#include "local/cluster.h"
#include "local/deployment_controller.h"
#include "local/endpoint_slice_controller.h"
#include "local/garbage_collector.h"
#include "local/job_controller.h"
#include "local/limits.h"
#include "local/namespace_controller.h"
#include "local/pod_runner.h"
#include "local/replica_set_controller.h"

namespace tidegate::local {
namespace {

constexpr std::string_view kFallbackPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

bool is_executable(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && ::access(path.c_str(), X_OK) == 0;
}

// A container gets none of our environment but these: no secret of ours leaks into it, and pods run alike
// wherever we were started.
Environment base_environment() {
  Environment out{{"PATH", std::string(kFallbackPath)}};
  for (const char* name : {"PATH", "HOME", "LANG", "TZ"}) {
    if (const char* value = std::getenv(name)) out[name] = value;
  }
  return out;
}

IpPool make_pool(const std::string& cidr) {
  auto pool = IpPool::parse(cidr);
  TIDEGATE_ASSERT(pool.has_value());  // the command line has checked it
  return *std::move(pool);
}

}  // namespace

struct Runtime::State {
  State(asio::io_context& io, Scheduler& scheduler, kube::Client& client, const Options& options)
      : cluster(io, scheduler, client),
        logs(options.log_dir, scheduler),
        ips(make_pool(options.pod_cidr)),
        host{io,
             scheduler,
             client,
             cluster.events,
             logs,
             ips,
             options.node_name,
             {options.self_program, options.images, is_executable, ""},
             base_environment()},
        pods(host, cluster.pods),
        catalog(std::make_shared<ResourceCatalog>()),
        replica_sets(ReplicaSetController::make(cluster)),
        deployments(DeploymentController::make(cluster)),
        jobs(JobController::make(cluster)),
        slices(EndpointSliceController::make(cluster)),
        namespaces(NamespaceController::make(cluster, catalog)),
        garbage(GarbageCollector::make(io, scheduler, client, catalog)) {
    host.command.search_path = host.base_environment.at("PATH");
  }

  // Decisions on half-filled stores would make pods that exist already: everything waits for the first lists.
  void start_controllers() {
    if (stopping) return;
    log::info("local runtime started");
    replica_sets->start();
    deployments->start();
    jobs->start();
    slices->start();
    namespaces->start();
    garbage->start();
  }

  void stop_controllers() {
    stopping = true;
    replica_sets->stop();
    deployments->stop();
    jobs->stop();
    slices->stop();
    namespaces->stop();
    garbage->stop();
  }

  Cluster cluster;
  PodLogs logs;
  IpPool ips;
  PodHost host;
  PodRunner pods;
  std::shared_ptr<ResourceCatalog> catalog;
  std::shared_ptr<ReplicaSetController> replica_sets;
  std::shared_ptr<DeploymentController> deployments;
  std::shared_ptr<JobController> jobs;
  std::shared_ptr<EndpointSliceController> slices;
  std::shared_ptr<NamespaceController> namespaces;
  std::shared_ptr<GarbageCollector> garbage;
  bool stopping = false;
};

Runtime::Runtime(asio::io_context& io, Scheduler& scheduler, kube::Client& client, Options options)
    : state_(std::make_shared<State>(io, scheduler, client, options)) {}

Runtime::~Runtime() { state_->stop_controllers(); }

void Runtime::start() {
  state_->cluster.start([weak = std::weak_ptr(state_)] {
    if (const auto state = weak.lock()) state->start_controllers();
  });
}

Task<void> Runtime::stop() {
  const auto state = state_;
  state->stop_controllers();
  co_await state->pods.stop(kStopGrace);
}

apiserver::LogSource& Runtime::logs() { return state_->logs; }

}  // namespace tidegate::local
