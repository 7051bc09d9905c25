// SPDX-License-Identifier: Apache-2.0
#include "local/process.h"

#include <gtest/gtest.h>
#include <signal.h>

#include "net/event_loop.h"

namespace tidegate::local {
namespace {

// Runs `script` to its end, on a real loop.
struct Running {
  explicit Running(const std::string& script, std::map<std::string, std::string> environment = {}) {
    Process::Options options{{"/bin/sh", "-c", script}, std::move(environment)};
    Process::Callbacks calls;
    calls.output = [this](std::string_view bytes) {
      output += bytes;
      if (on_output) on_output();
    };
    calls.exited = [this](Process::Exit end) {
      exit = end;
      ended = true;
      process.reset();
      loop.stop();
    };
    auto started = Process::start(loop.io(), options, std::move(calls));
    EXPECT_TRUE(started);
    if (started) process = *std::move(started);
  }

  net::EventLoop loop;
  std::unique_ptr<Process> process;
  std::string output;
  std::function<void()> on_output;
  Process::Exit exit;
  bool ended = false;
};

TEST(Process, HandsOverItsOutputAndExitCode) {
  Running run("echo out; echo err >&2; echo $NAME; pwd; exit 3", {{"NAME", "value"}});
  run.loop.run();
  ASSERT_TRUE(run.ended);
  EXPECT_EQ(run.exit.code, 3);
  EXPECT_EQ(run.exit.signal, 0);
  EXPECT_EQ(run.output, "out\nerr\nvalue\n/\n");
}

TEST(Process, TellsTheSignalThatEndedIt) {
  Running run("echo ready; while :; do sleep 1; done");
  run.on_output = [&] { run.process->signal(SIGTERM); };
  run.loop.run();
  EXPECT_EQ(run.exit.signal, SIGTERM);
  EXPECT_EQ(run.exit.code, 128 + SIGTERM);
}

TEST(Process, DestructionReapsIt) {
  Running run("echo ready; sleep 1000");
  run.on_output = [&] { run.loop.stop(); };
  run.loop.run();
  const pid_t child = run.process->pid();
  run.process.reset();
  EXPECT_NE(::kill(child, 0), 0);
}

TEST(Process, LeaksNoDescriptors) {
  Running run("ls /proc/self/fd | wc -l");
  run.loop.run();
  // 0, 1, 2 and the one that ls opens.
  EXPECT_EQ(run.output, "4\n");
}

TEST(Process, SaysWhatCannotRun) {
  net::EventLoop loop;
  const Process::Options options{{"/no/such/program"}, {}};
  const auto started = Process::start(loop.io(), options, {[](std::string_view) {}, [](Process::Exit) {}});
  ASSERT_FALSE(started);
  EXPECT_NE(started.error().detail.find("can't run /no/such/program: No such file"), std::string::npos)
      << started.error().detail;
}

TEST(Process, SaysNothingAfterItsDestruction) {
  Running run("echo out; exit 0");
  run.process.reset();
  run.loop.run();
  EXPECT_FALSE(run.ended);
  EXPECT_EQ(run.output, "");
}

}  // namespace
}  // namespace tidegate::local
