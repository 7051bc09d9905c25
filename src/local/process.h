// SPDX-License-Identifier: Apache-2.0
// One child process in a process group of its own: it can't outlive this program (PR_SET_PDEATHSIG), its
// standard output and error arrive here line by line or not at all, its end is waited for on the event loop
// (pidfd). Thread: the one that runs the loop, which must be the one that started it and must last as long.
// Owns: the process group.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/asio.h"

namespace tidegate::local {

class Process {
 public:
  struct Options {
    std::vector<std::string> command;                // an absolute path and its arguments
    std::map<std::string, std::string> environment;  // all of it
    std::string folder = "/";
  };
  struct Exit {
    int code = 0;  // 128 + signal where a signal ended it
    int signal = 0;
  };
  struct Callbacks {
    std::function<void(std::string_view bytes)> output;  // both streams, as written
    std::function<void(Exit)> exited;                    // last; all output has come before it
  };
  // Callbacks are never called from within this call. Errors (kIo) say what the system refused.
  static Result<std::unique_ptr<Process>> start(asio::io_context& io, const Options& options,
                                                Callbacks callbacks);

  ~Process();  // SIGKILL to the group; no callback comes after that
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  int pid() const;
  void signal(int number);  // to the whole group

 private:
  struct State;
  explicit Process(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

}  // namespace tidegate::local
