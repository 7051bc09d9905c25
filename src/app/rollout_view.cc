// SPDX-License-Identifier: Apache-2.0
#include "app/rollout_view.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "api/rollout.h"
#include "base/text.h"

namespace tidegate::app {
namespace {

constexpr std::size_t kEventsShown = 15;
constexpr std::size_t kIndent = 2;

using Cells = std::vector<std::string>;

// Columns as wide as their widest cell, two blanks between them, none at the end of a line.
std::string table(const std::vector<Cells>& rows, std::size_t indent = kIndent) {
  std::vector<std::size_t> widths;
  for (const Cells& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out;
  for (const Cells& row : rows) {
    std::string line(indent, ' ');
    for (std::size_t i = 0; i < row.size(); ++i)
      line += row[i] + std::string(widths[i] - row[i].size() + 2, ' ');
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

std::string dash(const std::string& text) { return text.empty() ? "-" : text; }

std::string percent(const std::string& text) { return text.empty() ? "-" : text + " %"; }

class Writer {
 public:
  explicit Writer(const RolloutView& view) : view_(view), rollout_(api::decode_rollout(view.rollout)) {}

  std::string take() { return std::move(out_); }

  void head() {
    const auto& status = rollout_.status;
    std::vector<Cells> rows = {{"Name:", rollout_.meta.ns.empty() ? "default" : rollout_.meta.ns}};
    rows[0][1] += "/" + rollout_.meta.name;
    rows.push_back({"Phase:", dash(status.phase) +
                                  (stale() ? " (an older generation: the controller has yet to look)" : "")});
    if (!status.message.empty()) rows.push_back({"Message:", status.message});
    rows.push_back(
        {"Strategy:", rollout_.spec.canary.promotion == api::Promotion::kSelector ? "blueGreen" : "canary"});
    if (status.started_at && !status.canary_revision.empty())
      rows.push_back({"Running:", age(*status.started_at)});
    rows.push_back({"Weight:", percent(status.weight) + " asked, " + percent(status.observed) + " observed" +
                                   verified()});
    if (!status.routes.empty()) rows.push_back({"Routes:", status.routes});
    for (const auto& pause : status.pause_conditions)
      rows.push_back({"Paused:", pause.reason + " since " + age(pause.since) +
                                     (pause.message.empty() ? "" : ": " + pause.message)});
    if (status.abort)
      rows.push_back({"Aborted:", age(status.abort->at) + " ago" +
                                      (status.abort->by.empty() ? "" : " by " + status.abort->by) +
                                      (status.abort->reason.empty() ? "" : ": " + status.abort->reason)});
    out_ += table(rows, 0);
  }

  void revisions() {
    const auto& status = rollout_.status;
    std::vector<Cells> rows = {{"REVISION", "ROLE", "READY", "WANTED", "AGE"}};
    std::vector<std::pair<std::string, Cells>> sets;
    for (const Json& set : view_.replica_sets) {
      if (!owned(set)) continue;
      const std::string revision = json::string_at(json::object_at(set, "metadata.labels"),
                                                   std::string("/") + escaped(api::kRevisionLabel));
      const bool stable = revision == status.stable_revision, canary = revision == status.canary_revision;
      const auto wanted = json::int_at(set, "spec.replicas"),
                 ready = json::int_at(set, "status.readyReplicas");
      if (!stable && !canary && wanted == 0 && ready == 0) continue;
      const auto created = text::parse_time(json::string_at(set, "metadata.creationTimestamp"));
      sets.push_back({std::string(stable   ? "0"
                                  : canary ? "1"
                                           : "2") +
                          revision,
                      {dash(revision),
                       stable   ? "stable"
                       : canary ? "canary"
                                : "old",
                       std::to_string(ready), std::to_string(wanted), created ? age(*created) : "-"}});
    }
    std::sort(sets.begin(), sets.end());
    for (auto& [key, cells] : sets) rows.push_back(std::move(cells));
    if (sets.empty()) {  // two Services without pods of ours
      if (!status.stable_revision.empty()) rows.push_back({status.stable_revision, "stable", "-", "-", "-"});
      if (!status.canary_revision.empty()) rows.push_back({status.canary_revision, "canary", "-", "-", "-"});
    }
    if (rows.size() > 1) section("Revisions", table(rows));
  }

  void steps() {
    const auto& status = rollout_.status;
    const auto& steps = rollout_.spec.canary.steps;
    if (steps.empty()) return;
    const bool running = !status.canary_revision.empty() && status.stage == api::Stage::kSteps;
    const auto current = static_cast<std::size_t>(std::max<std::int64_t>(0, status.current_step_index));
    std::vector<Cells> rows;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const bool now = running && i == current;
      const api::StepRecord* record = finished(static_cast<std::int64_t>(i));
      std::string note = record ? record->outcome + " " + age(record->finished_at) + " ago" : "";
      if (record && !record->figures.empty()) note += ": " + record->figures;
      if (now)
        note = status.step_started_at ? "for " + age(*status.step_started_at)
                                      : "waits until its weight is served";
      const bool failed = record && record->outcome == "Aborted";
      rows.push_back({now      ? "->"
                      : failed ? "x"
                      : record ? "ok"
                               : "",
                      std::to_string(i + 1), describe(steps[i]), note});
    }
    section("Steps (" + dash(status.step) + ")", table(rows));
  }

  void metrics() {
    std::vector<Cells> rows;
    for (const auto& run : rollout_.status.analysis_runs) {
      for (const auto& metric : run.metrics) {
        rows.push_back({of_step(run.step), metric.name + (metric.dry_run ? " (dry run)" : ""),
                        dash(metric.phase), dash(metric.value),
                        std::to_string(metric.successful) + "/" + std::to_string(metric.failed) + "/" +
                            std::to_string(metric.inconclusive) + "/" + std::to_string(metric.error),
                        dash(metric.evidence)});
      }
    }
    if (rows.empty()) return;
    rows.insert(rows.begin(), {"ANALYSIS", "METRIC", "VERDICT", "LAST", "OK/FAIL/UNSURE/ERR", "EVIDENCE"});
    section("Analysis", table(rows));
  }

  void conditions() {
    std::vector<Cells> rows = {{"TYPE", "STATUS", "REASON", "MESSAGE"}};
    for (const auto& condition : json::array_at(view_.rollout, "status.conditions")) {
      rows.push_back({json::string_at(condition, "type"), json::string_at(condition, "status"),
                      json::string_at(condition, "reason"), json::string_at(condition, "message")});
    }
    if (rows.size() > 1) section("Conditions", table(rows));
  }

  void history() {
    std::vector<Cells> rows = {{"REVISION", "OUTCOME", "ENDED", "TOOK", "REQUESTS", "REASON"}};
    for (const auto& entry : rollout_.status.history) {
      rows.push_back({entry.revision, entry.outcome, age(entry.finished_at) + " ago",
                      text::format_age(entry.finished_at - entry.started_at),
                      std::to_string(entry.canary_requests), entry.reason});
    }
    if (rows.size() > 1) section("History", table(rows));
  }

  void events() {
    std::vector<std::pair<TimePoint, Cells>> found;
    for (const Json& event : view_.events) {
      std::string last = json::string_at(event, "lastTimestamp");
      if (last.empty()) last = json::string_at(event, "eventTime");
      if (last.empty()) last = json::string_at(event, "metadata.creationTimestamp");
      const TimePoint at = text::parse_time(last).value_or(TimePoint{});
      const auto count = json::int_at(event, "count", 1);
      found.push_back(
          {at,
           {age(at), json::string_at(event, "type"), json::string_at(event, "reason"),
            json::string_at(event, "message") + (count > 1 ? " (x" + std::to_string(count) + ")" : "")}});
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    if (found.size() > kEventsShown) found.erase(found.begin(), found.end() - kEventsShown);
    std::vector<Cells> rows = {{"AGE", "TYPE", "REASON", "MESSAGE"}};
    for (auto& [at, cells] : found) rows.push_back(std::move(cells));
    if (rows.size() > 1) section("Events", table(rows));
  }

 private:
  std::string age(TimePoint since) const {
    return text::format_age(std::max(view_.now - since, Duration(0)));
  }
  bool stale() const { return rollout_.status.observed_generation < rollout_.meta.generation; }
  std::string verified() const {
    const auto& weights = rollout_.status.weights;
    if (weights.verified_at) return ", served for " + age(*weights.verified_at);
    return weights.written ? ", not served yet" : "";
  }
  static std::string escaped(std::string_view key) {  // for a JSON pointer
    std::string out;
    for (const char c : key) out += c == '/' ? "~1" : std::string(1, c);
    return out;
  }
  bool owned(const Json& set) const {
    const Json& owners = json::array_at(set, "metadata.ownerReferences");
    return std::any_of(owners.begin(), owners.end(),
                       [&](const Json& owner) { return json::string_at(owner, "uid") == rollout_.meta.uid; });
  }
  const api::StepRecord* finished(std::int64_t index) const {
    const auto& steps = rollout_.status.finished_steps;
    const auto found =
        std::find_if(steps.rbegin(), steps.rend(), [&](const auto& one) { return one.index == index; });
    return found == steps.rend() ? nullptr : &*found;
  }
  static std::string of_step(std::int64_t step) {
    switch (step) {
      case api::kBackgroundRun:
        return "background";
      case api::kPrePromotionRun:
        return "pre-promotion";
      case api::kPostPromotionRun:
        return "post-promotion";
      default:  // a step's own
        return "step " + std::to_string(step + 1);
    }
  }
  void section(const std::string& title, const std::string& body) { out_ += "\n" + title + ":\n" + body; }

  const RolloutView& view_;
  const api::Rollout rollout_;
  std::string out_;
};

}  // namespace

std::string summary(const RolloutView& view) {
  Writer writer(view);
  writer.head();
  writer.revisions();
  writer.steps();
  writer.metrics();
  return writer.take();
}

std::string description(const RolloutView& view) {
  Writer writer(view);
  writer.head();
  writer.revisions();
  writer.steps();
  writer.metrics();
  writer.conditions();
  writer.history();
  writer.events();
  return writer.take();
}

}  // namespace tidegate::app
