// SPDX-License-Identifier: Apache-2.0
// Probes by real connects to a real server, on a real loop: the time-outs are test limits, not expectations.
#include "local/prober.h"

#include <gtest/gtest.h>

#include <vector>

#include "local/demo_app.h"
#include "net/event_loop.h"

namespace tidegate::local {
namespace {

class ProberTest : public testing::Test {
 protected:
  void serve() {
    DemoAppOptions options;
    options.listen = {"127.0.0.1", 0};
    options.behaviour.error_rate = 1;  // of all but /healthz
    auto opened = DemoApp::open(loop, std::move(options));
    ASSERT_TRUE(opened) << opened.error().detail;
    app = *std::move(opened);
  }

  // Runs until the verdict turns or `attempts` have failed.
  void probe(Prober::Kind kind, std::string path, std::uint16_t port, std::size_t attempts = 2) {
    failures.clear();
    Prober::Options options;
    options.kind = kind;
    options.probe.http_path = std::move(path);
    options.probe.period_seconds = 0;  // at once again
    options.probe.failure_threshold = 2;
    options.ip = "127.0.0.1";
    options.port = port;
    Prober::Callbacks calls;
    calls.turned = [this](bool ok) {
      verdicts.push_back(ok);
      loop.stop();
    };
    calls.unhealthy = [this, attempts](const std::string& why) {
      failures.push_back(why);
      if (failures.size() > attempts) loop.stop();
    };
    prober = std::make_unique<Prober>(loop.io(), loop.scheduler(), options, std::move(calls));
    loop.run();
    loop.io().restart();
    prober.reset();
  }

  net::EventLoop loop;
  std::unique_ptr<DemoApp> app;
  std::unique_ptr<Prober> prober;
  std::vector<bool> verdicts;
  std::vector<std::string> failures;
};

TEST_F(ProberTest, TurnsReadyByHttp) {
  serve();
  probe(Prober::Kind::kReadiness, "/healthz", app->address().port);
  EXPECT_EQ(verdicts, std::vector<bool>{true});
  EXPECT_TRUE(failures.empty());
}

TEST_F(ProberTest, TurnsReadyByTcp) {
  serve();
  probe(Prober::Kind::kReadiness, "", app->address().port);
  EXPECT_EQ(verdicts, std::vector<bool>{true});
}

TEST_F(ProberTest, TurnsUnhealthyByStatus) {
  serve();
  probe(Prober::Kind::kLiveness, "/", app->address().port);
  EXPECT_EQ(verdicts, std::vector<bool>{false});
  ASSERT_FALSE(failures.empty());
  EXPECT_EQ(failures[0], "HTTP probe failed with statuscode: 500");
}

TEST_F(ProberTest, TurnsUnhealthyWhereNobodyListens) {
  serve();
  const auto port = app->address().port;
  app.reset();
  probe(Prober::Kind::kLiveness, "/healthz", port);
  probe(Prober::Kind::kLiveness, "", port);
  EXPECT_EQ(verdicts, (std::vector<bool>{false, false}));
}

}  // namespace
}  // namespace tidegate::local
