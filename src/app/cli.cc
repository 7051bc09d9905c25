// SPDX-License-Identifier: Apache-2.0
#include "app/cli.h"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>

#include "app/lint.h"
#include "app/rollout_commands.h"
#include "app/simulate.h"
#include "app/up.h"
#include "app/version.h"
#include "base/log.h"
#include "base/text.h"
#include "local/demo_app.h"
#include "local/demo_load.h"
#include "proxy/settings.h"

namespace tidegate::app {
namespace {

constexpr int kUsage = 2;

using Command = std::function<int()>;

struct LogOptions {
  int verbosity = 0;
  std::string format = "text";
};

// For CLI11: a value that is not an ADDR:PORT is refused with the reason.
std::string check_address(const std::string& text) {
  auto address = net::parse_address(text);
  return address ? "" : address.error().detail;
}

std::string check_duration(const std::string& text) {
  auto duration = text::parse_duration(text);
  return duration ? "" : duration.error().detail;
}

std::string check_image(const std::string& text) {
  const auto equals = text.find('=');
  const bool complete = equals != std::string::npos && equals > 0 && text.substr(equals + 1).starts_with('/');
  return complete ? "" : "\"" + text + "\" is not NAME=PROGRAM with the program's absolute path";
}

net::Address address_of(const std::string& text) { return net::parse_address(text).value_or({}); }

std::string home_dir() {
  const char* home = std::getenv("HOME");
  return home && *home ? home : "/tmp";
}

std::string self_program() {
  std::error_code error;
  auto path = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? "tidegate" : path.string();
}

void add_up(CLI::App& app, Command& command) {
  struct Flags {
    WorldOptions world;
    std::vector<std::string> files, images;
    std::string api = "127.0.0.1:6443", metrics = "127.0.0.1:9464";
    bool no_runtime = false;
  };
  auto flags = std::make_shared<Flags>();
  flags->world.data_dir = home_dir() + "/.tidegate";
  auto* up = app.add_subcommand(
      "up", "Run everything on one machine, with an embedded Kubernetes-compatible API server");
  up->add_option("-f,--file", flags->files, "Manifests to apply at the start: a file, or a folder of them")
      ->type_name("FILE|DIR");
  up->option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  up->add_option("--data-dir", flags->world.data_dir, "Where all state is kept")->capture_default_str();
  up->add_option("--api", flags->api, "Where the API server listens; port 0: any")
      ->check(check_address)
      ->capture_default_str();
  up->add_option("--kubeconfig", flags->world.kubeconfig,
                 "Where to write the kubeconfig (default: DATA_DIR/kubeconfig)");
  up->add_option("--metrics", flags->metrics, "Where /metrics is served; port 0: any")
      ->check(check_address)
      ->capture_default_str();
  up->add_option("--gateway-pool", flags->world.gateway_pool, "Addresses of Gateways")->capture_default_str();
  up->add_option("--pod-pool", flags->world.pod_pool, "Addresses of pods")->capture_default_str();
  up->add_option("--workers", flags->world.workers, "Proxy threads")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  up->add_option("--limits", flags->world.limits,
                 "Bounds of the gateway that differ from what `tidegate limits` prints")
      ->type_name("FILE");
  up->add_option("--image", flags->images,
                 "Run pods of an image (its name without tag) by a program of this machine; may be repeated")
      ->type_name("NAME=PROGRAM")
      ->check(check_image)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  up->add_flag("--no-runtime", flags->no_runtime, "Run no pods: their endpoints are somebody else's");
  up->callback([flags, &command] {
    command = [flags] {
      flags->world.api = address_of(flags->api);
      flags->world.metrics = address_of(flags->metrics);
      flags->world.runtime = !flags->no_runtime;
      flags->world.self_program = self_program();
      for (const auto& image : flags->images) {
        const auto equals = image.find('=');
        flags->world.images[image.substr(0, equals)] = image.substr(equals + 1);
      }
      return run_up(flags->world, flags->files);
    };
  });
}

void add_demo_app(CLI::App& app, Command& command) {
  struct Flags {
    local::DemoAppOptions options;
    std::string listen = "127.0.0.1:8080", error_rate = "0";
    int latency_ms = 0, jitter_ms = 0;
  };
  auto flags = std::make_shared<Flags>();
  auto* demo = app.add_subcommand(
      "demo-app", "The example workload: answers JSON with its version, fails and delays as told");
  demo->add_option("--listen", flags->listen, "Where to listen")->check(check_address)->capture_default_str();
  demo->add_option("--version", flags->options.version, "The version to answer with")->required();
  demo->add_option("--error-rate", flags->error_rate, "Share of requests to fail: 0.2 or 20%")
      ->capture_default_str();
  demo->add_option("--latency-ms", flags->latency_ms, "Delay of each answer")->check(CLI::Range(0, 600'000));
  demo->add_option("--jitter-ms", flags->jitter_ms, "Up to this much more")->check(CLI::Range(0, 600'000));
  demo->callback([flags, &command] {
    command = [flags] {
      auto rate = local::parse_error_rate(flags->error_rate);
      if (!rate) {
        std::cerr << "tidegate demo-app: --error-rate: " << rate.error().detail << "\n";
        return kUsage;
      }
      flags->options.listen = address_of(flags->listen);
      flags->options.behaviour = {*rate, Duration(flags->latency_ms), Duration(flags->jitter_ms)};
      return local::run_demo_app(flags->options);
    };
  });
}

void add_demo_load(CLI::App& app, Command& command) {
  struct Flags {
    local::DemoLoadOptions options;
    std::string target, duration = "0s";
  };
  auto flags = std::make_shared<Flags>();
  auto* load =
      app.add_subcommand("demo-load", "A steady load for the examples, counted by the version that answered");
  load->add_option("--target", flags->target, "Where to send requests")->check(check_address)->required();
  load->add_option("--host", flags->options.host, "Host header");
  load->add_option("--path", flags->options.path, "Path")->capture_default_str();
  load->add_option("--rate", flags->options.rate, "Requests a second")
      ->check(CLI::Range(0.1, 100'000.0))
      ->capture_default_str();
  load->add_option("--duration", flags->duration, "How long; 0s: until SIGTERM")
      ->check(check_duration)
      ->capture_default_str();
  load->add_option("--report", flags->options.report, "A file that always holds the counts so far, as text");
  load->callback([flags, &command] {
    command = [flags] {
      flags->options.target = address_of(flags->target);
      flags->options.duration = text::parse_duration(flags->duration).value_or(Duration(0));
      return local::run_demo_load(flags->options);
    };
  });
}

// A verb that works on one Rollout: `tidegate VERB rollout NAME`, or without the word `rollout`.
CLI::App* add_rollout_verb(CLI::App& app, const std::string& verb, const std::string& help,
                           std::shared_ptr<RolloutTarget> target) {
  auto* command = app.add_subcommand(verb, help);
  auto words = std::make_shared<std::vector<std::string>>();
  command->add_option("rollout", *words, "NAME, or: rollout NAME")
      ->required()
      ->expected(1, 2)
      ->type_name("NAME");
  command->add_option("-n,--namespace", target->ns, "Namespace")->capture_default_str();
  command->add_option("--kubeconfig", target->kubeconfig,
                      "Kubeconfig (default: $KUBECONFIG, in-cluster, ~/.kube/config)");
  command->final_callback([words, target] {
    if (words->size() == 2 && words->front() != "rollout" && words->front() != "rollouts") {
      throw CLI::ValidationError("rollout", "expected NAME, or: rollout NAME; got " + words->front());
    }
    target->name = words->back();
  });
  return command;
}

void add_annotating_verb(CLI::App& app, Command& command, const std::string& verb, const std::string& help,
                         const std::string& key, std::optional<std::string> value, const std::string& done) {
  auto target = std::make_shared<RolloutTarget>();
  auto given = std::make_shared<std::optional<std::string>>(std::move(value));
  auto* sub = add_rollout_verb(app, verb, help, target);
  if (verb == "abort" || verb == "pause")
    sub->add_option("--reason", *given, "Why; it shows in status and Events");
  if (verb == "promote") {
    sub->add_flag_callback(
        "--full", [given] { *given = "full"; }, "Skip all that is left: steps, pauses and analyses");
  }
  sub->parse_complete_callback(
      [=, &command] { command = [=] { return annotate_rollout(*target, key, *given, done); }; });
}

void add_following_verbs(CLI::App& app, Command& command) {
  auto target = std::make_shared<RolloutTarget>();
  auto timeout = std::make_shared<std::string>("0s");
  auto* status = add_rollout_verb(
      app, "status", "Wait for the end: exits 0 on Healthy, 1 on Degraded, 2 on time-out", target);
  status->add_option("--timeout", *timeout, "How long to wait; 0s: for ever")
      ->check(check_duration)
      ->capture_default_str();
  status->parse_complete_callback([=, &command] {
    command = [=] {
      return follow_rollout(*target, text::parse_duration(*timeout).value_or(Duration(0)), false);
    };
  });
  auto watched = std::make_shared<RolloutTarget>();
  auto* watch = add_rollout_verb(app, "watch", "A line for each change, until interrupted", watched);
  watch->parse_complete_callback(
      [=, &command] { command = [=] { return follow_rollout(*watched, Duration(0), true); }; });
}

void add_showing_verbs(CLI::App& app, Command& command) {
  auto target = std::make_shared<RolloutTarget>();
  auto output = std::make_shared<std::string>("text");
  auto* get = add_rollout_verb(
      app, "get", "A screen of what a rollout is doing: weights, revisions, steps, metrics", target);
  get->add_option("-o,--output", *output, "text, json or yaml")
      ->check(CLI::IsMember({"text", "json", "yaml"}))
      ->capture_default_str();
  get->parse_complete_callback([=, &command] {
    command = [=] {
      return show_rollout(*target, *output == "json"   ? Show::kJson
                                   : *output == "yaml" ? Show::kYaml
                                                       : Show::kSummary);
    };
  });
  auto described = std::make_shared<RolloutTarget>();
  auto* describe = add_rollout_verb(
      app, "describe", "All that is known of a rollout: with conditions, history and Events", described);
  describe->parse_complete_callback(
      [=, &command] { command = [=] { return show_rollout(*described, Show::kDescription); }; });
}

void add_lint(CLI::App& app, Command& command) {
  auto paths = std::make_shared<std::vector<std::string>>();
  auto output = std::make_shared<std::string>("text");
  auto* lint = app.add_subcommand(
      "lint", "What is wrong with Rollouts, analyses and routes, without a cluster: exits 1 on findings");
  lint->add_option("-f,--file", *paths, "Manifests: a file, or a folder of them")
      ->required()
      ->type_name("FILE|DIR");
  lint->add_option("-o,--output", *output, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  lint->callback([=, &command] { command = [=] { return run_lint(*paths, *output); }; });
}

void add_simulate(CLI::App& app, Command& command) {
  struct Flags {
    std::vector<std::string> paths;
    std::string error_rate = "0";
    int latency_ms = 20;
    double rps = 100;
  };
  auto flags = std::make_shared<Flags>();
  auto* sub = app.add_subcommand(
      "simulate", "Play a Rollout's steps on a clock of their own, and count what users would see fail");
  sub->add_option("-f,--file", flags->paths, "The Rollout, and the AnalysisTemplates that it names")
      ->required()
      ->type_name("FILE|DIR");
  sub->add_option("--error-rate", flags->error_rate,
                  "Share of requests that the new version fails: 0.2 or 20%")
      ->capture_default_str();
  sub->add_option("--latency-ms", flags->latency_ms, "How long the new version takes to answer")
      ->check(CLI::Range(0, 600'000))
      ->capture_default_str();
  sub->add_option("--rps", flags->rps, "Requests a second")
      ->check(CLI::Range(0.0, 1'000'000.0))
      ->capture_default_str();
  sub->callback([flags, &command] {
    command = [flags] {
      auto rate = local::parse_error_rate(flags->error_rate);
      if (!rate) {
        std::cerr << "tidegate simulate: --error-rate: " << rate.error().detail << "\n";
        return kUsage;
      }
      return run_simulate(flags->paths, flags->rps, {*rate, Duration(flags->latency_ms)});
    };
  });
}

void add_rollout_verbs(CLI::App& app, Command& command) {
  add_annotating_verb(app, command, "promote", "Go on to the next step, past a pause", "tidegate.dev/promote",
                      "step", "is promoted");
  add_annotating_verb(app, command, "abort", "Return all traffic to stable", "tidegate.dev/abort", "by hand",
                      "is aborted");
  add_annotating_verb(app, command, "retry", "Start an aborted rollout again", "tidegate.dev/retry", "true",
                      "is retried");
  add_annotating_verb(app, command, "restart", "Make all pods anew, one after another",
                      "tidegate.dev/restart", "true", "is restarted");
  add_annotating_verb(app, command, "pause", "Hold the rollout where it is", "tidegate.dev/pause", "by hand",
                      "is paused");
  add_annotating_verb(app, command, "resume", "Let a held rollout go on", "tidegate.dev/pause", std::nullopt,
                      "goes on");
  add_showing_verbs(app, command);
  add_following_verbs(app, command);
}

void add_limits(CLI::App& app, Command& command) {
  app.add_subcommand("limits", "The gateway's bounds and their defaults, as a file for up --limits")
      ->callback([&command] {
        command = [] {
          std::cout << proxy::to_yaml({});
          return 0;
        };
      });
}

std::string version_line() {
  return "tidegate " + std::string(version()) + " (commit " +
         std::string(commit().empty() ? "unknown" : commit()) + ", " + std::string(build_type()) + " build)";
}

void add_version(CLI::App& app, Command& command) {
  app.set_version_flag("--version", version_line);
  app.add_subcommand("version", "Version, commit and build type")->callback([&command] {
    command = [] {
      std::cout << version_line() << '\n';
      return 0;
    };
  });
}

void configure_log(const LogOptions& options) {
  log::configure(options.verbosity > 0 ? log::Level::kDebug : log::Level::kInfo,
                 options.format == "json" ? log::Format::kJson : log::Format::kText);
}

}  // namespace

int run(int argc, char** argv) {
  CLI::App app{"Progressive delivery with its own Gateway API gateway", "tidegate"};
  app.require_subcommand(1);
  app.fallthrough();
  LogOptions log_options;
  app.add_flag("-v", log_options.verbosity, "Log more");
  app.add_option("--log-format", log_options.format, "text or json")->check(CLI::IsMember({"text", "json"}));

  Command command;
  add_up(app, command);
  add_demo_app(app, command);
  add_demo_load(app, command);
  add_rollout_verbs(app, command);
  add_lint(app, command);
  add_simulate(app, command);
  add_limits(app, command);
  add_version(app, command);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsage;
  }
  configure_log(log_options);
  return command();
}

}  // namespace tidegate::app
