// SPDX-License-Identifier: Apache-2.0
// One Pod of this machine from its first sight to its end: runs its containers, writes its status, and
// removes the object once it is deleted and nothing of it runs. Thread: control. Owns: the containers, the
// pod's address.
#pragma once

#include <memory>
#include <vector>

#include "api/condition.h"
#include "local/container_runner.h"

namespace tidegate::local {

// A Pod as the store keeps it.
struct PodObject {
  api::Meta meta;
  api::Pod pod;
  std::shared_ptr<const Json> json;
};
PodObject decode_pod_object(const Json& json);

class PodWorker : public std::enable_shared_from_this<PodWorker> {
 public:
  PodWorker(PodHost& host, const PodObject& object);
  ~PodWorker();

  void start();
  void observe(const PodObject& object);  // as the API server has it now
  void shut_down(Duration grace);  // the runtime ends: processes stop, the object stays as it is, to be
                                   // started again next time
  void abandon();  // the object is gone, or the runtime ends: SIGKILL, nothing is written any more, the
                   // address is free
  bool stopped() const;
  const std::string& uid() const { return object_.meta.uid; }

 private:
  void stop(Duration grace);
  void make_containers();
  void changed();
  void finish_if_stopped();
  Json status();
  static Task<void> write_status(std::shared_ptr<PodWorker> self);
  static Task<void> remove_object(std::shared_ptr<PodWorker> self);
  static Task<void> bind_to_node(std::shared_ptr<PodWorker> self);

  PodHost& host_;
  PodObject object_;
  PodState state_;
  std::vector<api::Condition> conditions_;
  std::vector<std::unique_ptr<ContainerRunner>> containers_;
  Json written_;  // the last status that we know to stand
  bool writing_ = false, dirty_ = false, stopping_ = false, removing_ = false, abandoned_ = false,
       silent_ = false;
};

}  // namespace tidegate::local
