// SPDX-License-Identifier: Apache-2.0
// The parts of running a pod that touch no API: commands, addresses, status, probes' thresholds, logs, the
// demo workload's behaviour.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "local/container_command.h"
#include "local/demo_app.h"
#include "local/ip_pool.h"
#include "local/pod_logs.h"
#include "local/pod_status.h"
#include "local/prober.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temp_dir.h"

namespace tidegate::local {
namespace {

using namespace std::chrono_literals;

TEST(ExpandVariables, FollowsKubernetes) {
  const Environment env{{"A", "1"}, {"POD_IP", "127.78.0.1"}};
  const std::pair<const char*, const char*> cases[] = {{"$(POD_IP):8080", "127.78.0.1:8080"},
                                                       {"$(A)$(A)", "11"},
                                                       {"$(NONE)", "$(NONE)"},
                                                       {"$$(A)", "$(A)"},
                                                       {"$A $", "$A $"},
                                                       {"$(A", "$(A"},
                                                       {"", ""},
                                                       {"$$", "$"},
                                                       {"x$$y", "x$y"}};
  for (const auto& [text, expected] : cases) EXPECT_EQ(expand_variables(text, env), expected) << text;
}

api::Pod demo_pod() {
  return api::decode_pod(Json::parse(
      R"({"metadata": {"namespace": "shop", "name": "web-1", "uid": "u", "labels": {"app": "web"}}, "spec": {"containers": [
      {"name": "web", "image": "tidegate.dev/demo-app:v1", "args": ["--listen", "$(POD_IP):8080"],
       "env": [{"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}, {"name": "URL", "value": "http://$(POD_IP)/"},
               {"name": "APP", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}}]}]}})"));
}

TEST(ContainerEnvironment, ResolvesFieldsAndEarlierVariables) {
  const auto pod = demo_pod();
  const auto env = container_environment(pod, pod.containers[0], "127.78.0.9", "local", {{"PATH", "/bin"}});
  ASSERT_TRUE(env) << env.error().detail;
  EXPECT_EQ(*env,
            (Environment{
                {"PATH", "/bin"}, {"POD_IP", "127.78.0.9"}, {"URL", "http://127.78.0.9/"}, {"APP", "web"}}));
}

TEST(ContainerEnvironment, NamesAFieldThatItCannotResolve) {
  auto pod = demo_pod();
  pod.containers[0].env[0].field_path = "status.hostIPs";
  const auto env = container_environment(pod, pod.containers[0], "127.78.0.9", "local", {});
  ASSERT_FALSE(env);
  EXPECT_NE(env.error().detail.find("env POD_IP: fieldPath \"status.hostIPs\""), std::string::npos)
      << env.error().detail;
}

const CommandOptions kCommands{
    "/opt/tidegate",
    {{"registry.test:5000/echo", "/usr/bin/python3"}, {"registry.test:5000/gone", "/opt/gone"}},
    [](const std::string& path) { return path == "/usr/bin/python3"; },
    "/bin:/usr/bin"};

TEST(ContainerCommand, RunsTheDemoImageByThisProgram) {
  const auto command = container_command(demo_pod().containers[0], {{"POD_IP", "127.78.0.9"}}, kCommands);
  ASSERT_TRUE(command);
  EXPECT_EQ(*command, (std::vector<std::string>{"/opt/tidegate", "demo-app", "--listen", "127.78.0.9:8080"}));
}

TEST(ContainerCommand, RunsInstalledPrograms) {
  api::Container container;
  container.image = "python:3";
  container.command = {"python3", "-m"};
  container.args = {"http.server"};
  const auto command = container_command(container, {}, kCommands);
  ASSERT_TRUE(command);
  EXPECT_EQ(*command, (std::vector<std::string>{"/usr/bin/python3", "-m", "http.server"}));
}

TEST(ContainerCommand, RunsAGivenImageOfAnyTagByItsProgram) {
  api::Container container;
  container.args = {"-v"};
  for (const char* tag : {"", ":v1.5.1", "@sha256:00", ":v1@sha256:00"}) {
    container.image = std::string("registry.test:5000/echo") + tag;
    const auto command = container_command(container, {}, kCommands);
    ASSERT_TRUE(command) << container.image;
    EXPECT_EQ(*command, (std::vector<std::string>{"/usr/bin/python3", "-v"}));
  }
}

TEST(ContainerCommand, SaysWhatIsPossible) {
  api::Container container;
  for (const auto& [image, program] :
       std::vector<std::pair<std::string, std::string>>{{"nginx:1", ""},
                                                        {"nginx:1", "nginx"},
                                                        {"tidegate.dev/demo-apple", ""},
                                                        {"registry.test:5000/echoes:1", ""},
                                                        {"registry.test:5000/gone:1", ""},
                                                        {"tidegate.dev/demo-app", "/none"}}) {
    container.image = image;
    container.command = program.empty() ? std::vector<std::string>{} : std::vector<std::string>{program};
    const auto command = container_command(container, {}, kCommands);
    ASSERT_FALSE(command) << image;
    EXPECT_EQ(command.error().code, ErrorCode::kNotFound);
    EXPECT_NE(command.error().detail.find("\"" + image + "\""), std::string::npos);
    EXPECT_NE(command.error().detail.find("command[0]"), std::string::npos);
  }
}

TEST(IpPools, HandOutEachAddressOnce) {
  auto pool = IpPool::parse("127.78.0.0/30");
  ASSERT_TRUE(pool);
  EXPECT_EQ(pool->take(), "127.78.0.1");
  EXPECT_EQ(pool->take(), "127.78.0.2");
  EXPECT_EQ(pool->take(), std::nullopt);
  pool->give_back("127.78.0.1");
  EXPECT_EQ(pool->take(), "127.78.0.1");
}

TEST(IpPools, ReuseAsLateAsPossible) {
  auto pool = IpPool::parse("127.78.3.7/16");
  pool->give_back(*pool->take());
  EXPECT_EQ(pool->take(), "127.78.0.2");
}

TEST(IpPools, RefuseWhatIsNoRange) {
  for (const char* text : {"", "127.78.0.0", "127.78.0.0/31", "127.78.0.0/7", "127.78.0/16",
                           "127.78.0.256/16", "::1/64", "127.78.0.0/x"}) {
    EXPECT_FALSE(IpPool::parse(text)) << text;
  }
}

PodState one_container(ContainerState::Phase phase) {
  PodState pod;
  pod.ip = "127.78.0.1";
  ContainerState container;
  container.name = "web";
  container.phase = phase;
  pod.containers = {container};
  return pod;
}

TEST(PodStatus, PhaseFollowsTheContainers) {
  using Phase = ContainerState::Phase;
  EXPECT_EQ(pod_phase(one_container(Phase::kWaiting)), "Pending");
  EXPECT_EQ(pod_phase(one_container(Phase::kRunning)), "Running");
  auto crashed = one_container(Phase::kWaiting);
  crashed.containers[0].ended = Termination{1, 0, "Error", {}, {}};
  EXPECT_EQ(pod_phase(crashed), "Running") << "it waits for its restart";
  crashed.containers[0].phase = Phase::kTerminated;
  EXPECT_EQ(pod_phase(crashed), "Failed");
  crashed.containers[0].ended->exit_code = 0;
  EXPECT_EQ(pod_phase(crashed), "Succeeded");
}

TEST(PodStatus, ReadyNeedsEveryContainer) {
  auto pod = one_container(ContainerState::Phase::kRunning);
  const auto before = pod_conditions(pod);
  EXPECT_EQ(api::find_condition(before, "Ready")->status, "False");
  EXPECT_EQ(api::find_condition(before, "Ready")->message, "containers with unready status: [web]");
  pod.containers[0].ready = true;
  const auto after = pod_conditions(pod);
  EXPECT_EQ(api::find_condition(after, "Ready")->status, "True");
  EXPECT_EQ(api::find_condition(after, "PodScheduled")->status, "True");
}

TEST(PodStatus, ReadsBackAsAPod) {
  auto state = one_container(ContainerState::Phase::kRunning);
  state.containers[0].ready = true;
  state.containers[0].restarts = 2;
  state.containers[0].ended = Termination{137, 9, "Error", {}, {}};
  const Json status = pod_status(state, pod_conditions(state));
  const auto pod = api::decode_pod({{"status", status}});
  EXPECT_TRUE(pod.ready);
  EXPECT_EQ(pod.ip, "127.78.0.1");
  EXPECT_EQ(pod.phase, "Running");
  EXPECT_EQ(json::int_at(status, "/containerStatuses/0/restartCount"), 2);
  EXPECT_EQ(json::int_at(status, "/containerStatuses/0/lastState/terminated/exitCode"), 137);
  EXPECT_TRUE(json::find(status, "/containerStatuses/0/state/running"));
}

TEST(BackOff, DoublesToAMinute) {
  EXPECT_EQ(restart_back_off(1), 1s);
  EXPECT_EQ(restart_back_off(2), 2s);
  EXPECT_EQ(restart_back_off(6), 32s);
  EXPECT_EQ(restart_back_off(7), 60s);
  EXPECT_EQ(restart_back_off(1'000'000), 60s);
}

TEST(RestartPolicies, Decide) {
  EXPECT_TRUE(restarts(parse_restart_policy(""), true));
  EXPECT_FALSE(restarts(parse_restart_policy("OnFailure"), true));
  EXPECT_TRUE(restarts(parse_restart_policy("OnFailure"), false));
  EXPECT_FALSE(restarts(parse_restart_policy("Never"), false));
}

TEST(ProbeCounters, TurnAtTheirThresholds) {
  api::Probe probe;
  probe.success_threshold = 2;
  probe.failure_threshold = 3;
  ProbeCounter counter(probe, false);
  EXPECT_EQ(counter.observe(true), std::nullopt);
  EXPECT_EQ(counter.observe(false), std::nullopt);
  EXPECT_EQ(counter.observe(true), std::nullopt);
  EXPECT_EQ(counter.observe(true), true);
  EXPECT_EQ(counter.observe(false), std::nullopt);
  EXPECT_EQ(counter.observe(false), std::nullopt);
  EXPECT_EQ(counter.observe(false), false);
  EXPECT_EQ(counter.observe(false), std::nullopt) << "said once";
}

TEST(ProbePorts, AreResolvedByNumberOrName) {
  api::Container container;
  container.ports = {{"http", 8080}};
  EXPECT_EQ(resolve_probe_port(container, "http"), 8080);
  EXPECT_EQ(resolve_probe_port(container, "81"), 81);
  EXPECT_EQ(resolve_probe_port(container, "none"), std::nullopt);
  EXPECT_EQ(resolve_probe_port(container, "70000"), std::nullopt);
}

constexpr std::string_view kLog =
    "2027-01-15T08:00:00.000000Z one\n2027-01-15T08:00:01.000000Z two words\n2027-01-15T08:00:02.000000Z "
    "three\n";

TEST(SelectLog, AnswersEachQuery) {
  apiserver::LogSource::Query query;
  EXPECT_EQ(select_log(kLog, query), "one\ntwo words\nthree\n");
  query.tail_lines = 2;
  EXPECT_EQ(select_log(kLog, query), "two words\nthree\n");
  query.limit_bytes = 5;
  EXPECT_EQ(select_log(kLog, query), "two w");
  query = {};
  query.since = TimePoint(std::chrono::seconds(1'800'000'002));
  EXPECT_EQ(select_log(kLog, query), "three\n");
  query.timestamps = true;
  EXPECT_EQ(select_log(kLog, query), "2027-01-15T08:00:02.000000Z three\n");
  query = {};
  query.tail_lines = 0;
  EXPECT_EQ(select_log(kLog, query), "");
  EXPECT_EQ(select_log("", {}), "");
}

class PodLogsTest : public testing::Test {
 protected:
  // Reads and collects what comes until the handle goes.
  struct Reader {
    std::string text;
    bool ended = false;
    std::unique_ptr<apiserver::LogSource::Handle> handle;
  };
  std::unique_ptr<Reader> read(apiserver::LogSource::Query query) {
    auto reader = std::make_unique<Reader>();
    auto handle = logs.read(
        query, [raw = reader.get()](std::string_view data) { return raw->text += data, true; },
        [raw = reader.get()] { raw->ended = true; });
    if (!handle) {
      reader->text = handle.error().detail;
      return reader;
    }
    reader->handle = *std::move(handle);
    scheduler.run_posted();
    return reader;
  }
  apiserver::LogSource::Query query(bool follow = false) {
    apiserver::LogSource::Query out;
    out.ns = "shop";
    out.pod = "web";
    out.follow = follow;
    return out;
  }
  void append(const std::shared_ptr<LogFile>& file, std::string_view bytes) {
    file->append(bytes, scheduler.clock().now());
  }

  test::TempDir dir;
  test::FakeScheduler scheduler;
  PodLogs logs{dir.path(), scheduler};
};

TEST_F(PodLogsTest, ReadsWhatWasWritten) {
  const auto file = *logs.open("shop", "web", "c");
  append(file, "one\ntw");
  append(file, "o\nunfinished");
  const auto reader = read(query());
  EXPECT_EQ(reader->text, "one\ntwo\n");
  EXPECT_TRUE(reader->ended);
}

TEST_F(PodLogsTest, FollowsUntilTheContainerEnds) {
  const auto file = *logs.open("shop", "web", "c");
  append(file, "one\n");
  const auto reader = read(query(true));
  append(file, "two\nthr");
  EXPECT_EQ(reader->text, "one\ntwo\n");
  EXPECT_FALSE(reader->ended);
  file->finish(scheduler.clock().now());
  EXPECT_EQ(reader->text, "one\ntwo\nthr\n");
  EXPECT_TRUE(reader->ended);
}

TEST_F(PodLogsTest, StopsWithItsHandle) {
  const auto file = *logs.open("shop", "web", "c");
  const auto reader = read(query(true));
  reader->handle.reset();
  append(file, "one\n");
  EXPECT_EQ(reader->text, "");
}

TEST_F(PodLogsTest, KeepsThePreviousRun) {
  append(*logs.open("shop", "web", "c"), "first\n");
  append(*logs.open("shop", "web", "c"), "second\n");
  auto previous = query();
  previous.previous = true;
  EXPECT_EQ(read(query())->text, "second\n");
  EXPECT_EQ(read(previous)->text, "first\n");
}

TEST_F(PodLogsTest, AsksForAContainerWhereThereAreSeveral) {
  const auto a = *logs.open("shop", "web", "a"), b = *logs.open("shop", "web", "b");
  EXPECT_NE(read(query())->text.find("choose one of: [a b]"), std::string::npos);
  logs.remove("shop", "web");
  EXPECT_NE(read(query())->text.find("no log yet"), std::string::npos);
}

TEST_F(PodLogsTest, StaysInItsFolder) {
  auto outside = query();
  outside.pod = "..";
  EXPECT_NE(read(outside)->text.find("is no name"), std::string::npos);
  outside = query();
  outside.container = "../../x";
  EXPECT_NE(read(outside)->text.find("is no container"), std::string::npos);
}

TEST_F(PodLogsTest, SplitsEndlessLines) {
  const auto file = *logs.open("shop", "web", "c");
  append(file, std::string(100'000, 'x'));
  file->finish(scheduler.clock().now());
  const std::string text = read(query())->text;
  EXPECT_EQ(std::count(text.begin(), text.end(), 'x'), 100'000);
  EXPECT_GT(std::count(text.begin(), text.end(), '\n'), 5);
}

TEST(ErrorRates, AreFractionsOrPercentages) {
  EXPECT_EQ(parse_error_rate("0.2").value_or(-1), 0.2);
  EXPECT_EQ(parse_error_rate("20%").value_or(-1), 0.2);
  EXPECT_EQ(parse_error_rate("1").value_or(-1), 1);
  for (const char* text : {"", "%", "-1", "1.5", "120%", "nan", "x"})
    EXPECT_FALSE(parse_error_rate(text)) << text;
}

TEST(ErrorAccumulators, FailExactlyTheirShare) {
  for (const double rate : {0.0, 0.01, 0.2, 1.0 / 3, 0.5, 0.999, 1.0}) {
    ErrorAccumulator errors;
    int failed = 0;
    for (int i = 1; i <= 1000; ++i) {
      failed += errors.fails(rate);
      EXPECT_LE(std::abs(failed - i * rate), 1.001) << rate << " after " << i;
    }
  }
}

TEST(DemoBehaviours, ChangeFieldByField) {
  const DemoBehaviour before{0.5, 10ms, 5ms};
  const auto after = change_behaviour(before, Json::parse(R"({"error_rate": "20%", "latency_ms": 0})"));
  ASSERT_TRUE(after);
  EXPECT_EQ(json::dump(to_json(*after)), R"({"error_rate":0.2,"jitter_ms":5,"latency_ms":0})");
  for (const char* text :
       {R"({"error_rate": 2})", R"({"latency_ms": -1})", R"({"jitter_ms": "x"})", R"({"other": 1})", "[]"}) {
    EXPECT_FALSE(change_behaviour(before, Json::parse(text))) << text;
  }
}

}  // namespace
}  // namespace tidegate::local
