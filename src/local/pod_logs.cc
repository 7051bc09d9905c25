// SPDX-License-Identifier: Apache-2.0
#include "local/pod_logs.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "base/text.h"

namespace tidegate::local {
namespace {

constexpr std::string_view kSuffix = ".log", kPreviousSuffix = ".previous";

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string_view without_time(std::string_view line) {
  const auto space = line.find(' ');
  return space == std::string_view::npos ? line : line.substr(space + 1);
}

bool since_matches(std::string_view line, const std::optional<TimePoint>& since) {
  if (!since) return true;
  const auto time = text::parse_time(line.substr(0, line.find(' ')));
  return time && *time >= *since;
}

// A reader: the backlog first, then what comes. Lives in its handle; the log file and posted calls refer to
// it weakly.
class Reading final : public apiserver::LogSource::Handle, public std::enable_shared_from_this<Reading> {
 public:
  Reading(apiserver::LogSource::Query query, std::function<bool(std::string_view)> write,
          std::function<void()> end)
      : query_(std::move(query)), write_(std::move(write)), end_(std::move(end)) {}

  void begin(const std::string& path, const std::shared_ptr<LogFile>& live) {
    const std::string backlog = select_log(read_file(path), query_);
    if (!backlog.empty() && !write_(backlog)) return let_go();
    if (!query_.follow || !live) return finish();
    LogFile::Follower follower;
    follower.line = [self = weak_from_this()](std::string_view line) {
      if (const auto reading = self.lock()) reading->pass(line);
    };
    follower.end = [self = weak_from_this()] {
      if (const auto reading = self.lock()) reading->finish();
    };
    following_ = live->follow(std::move(follower));
  }

 private:
  void pass(std::string_view line) {
    if (write_ && !write_(query_.timestamps ? line : without_time(line))) let_go();
  }

  void finish() {
    const auto end = std::exchange(end_, {});
    let_go();
    if (end) end();
  }

  // The callbacks hold the answer, which may hold our handle: none is kept longer than it is needed.
  void let_go() {
    following_.reset();
    write_ = {};
    end_ = {};
  }

  apiserver::LogSource::Query query_;
  std::function<bool(std::string_view)> write_;
  std::function<void()> end_;
  LogFile::Following following_;
};

struct ReadingHandle final : apiserver::LogSource::Handle {
  explicit ReadingHandle(std::shared_ptr<Reading> held) : reading(std::move(held)) {}
  std::shared_ptr<Reading> reading;
};

}  // namespace

std::string select_log(std::string_view file, const apiserver::LogSource::Query& query) {
  std::vector<std::string_view> lines;
  while (!file.empty()) {
    const auto end = std::min(file.find('\n'), file.size() - 1);
    const auto line = file.substr(0, end + 1);
    if (since_matches(line, query.since)) lines.push_back(line);
    file.remove_prefix(line.size());
  }
  if (query.tail_lines >= 0 && lines.size() > static_cast<std::size_t>(query.tail_lines)) {
    lines.erase(lines.begin(), lines.end() - query.tail_lines);
  }
  std::string out;
  for (const auto line : lines) out += query.timestamps ? line : without_time(line);
  if (query.limit_bytes >= 0 && out.size() > static_cast<std::size_t>(query.limit_bytes)) {
    out.resize(static_cast<std::size_t>(query.limit_bytes));
  }
  return out;
}

Result<std::shared_ptr<LogFile>> PodLogs::open(const std::string& ns, const std::string& pod,
                                               const std::string& container) {
  std::error_code error;
  std::filesystem::create_directories(folder(ns, pod), error);
  if (error) return Error{ErrorCode::kIo, "can't make " + folder(ns, pod) + ": " + error.message()};
  const std::string path = folder(ns, pod) + "/" + container;
  auto file = LogFile::create(path + std::string(kSuffix), path + std::string(kPreviousSuffix));
  if (file) open_[(*file)->path()] = *file;
  return file;
}

void PodLogs::remove(const std::string& ns, const std::string& pod) {
  std::erase_if(open_, [](const auto& entry) { return entry.second.expired(); });
  std::error_code error;  // what can't be removed now is written over by the next pod of that name
  std::filesystem::remove_all(folder(ns, pod), error);
}

Result<std::string> PodLogs::choose_container(const Query& query) const {
  // These become part of a path, and come from outside.
  for (const auto& name : {query.ns, query.pod}) {
    if (!text::is_dns_subdomain(name)) return Error{ErrorCode::kNotFound, "\"" + name + "\" is no name"};
  }
  if (!query.container.empty()) {
    if (!text::is_dns_label(query.container))
      return Error{ErrorCode::kNotFound, "\"" + query.container + "\" is no container's name"};
    return query.container;
  }
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder(query.ns, query.pod), error)) {
    if (entry.path().extension() == kSuffix) names.push_back(entry.path().stem());
  }
  std::sort(names.begin(), names.end());
  if (names.size() == 1) return names[0];
  if (names.empty())
    return Error{ErrorCode::kNotFound, "pod " + query.ns + "/" + query.pod + " has written no log yet"};
  return Error{ErrorCode::kInvalid, "a container name must be specified for pod " + query.pod +
                                        ", choose one of: [" + text::join(names, " ") + "]"};
}

Result<std::unique_ptr<apiserver::LogSource::Handle>> PodLogs::read(
    const Query& query, std::function<bool(std::string_view)> write, std::function<void()> end) {
  const auto container = choose_container(query);
  if (!container) return container.error();
  const std::string base = folder(query.ns, query.pod) + "/" + *container;
  const std::string path = base + std::string(query.previous ? kPreviousSuffix : kSuffix);
  if (!std::filesystem::exists(path)) {
    const std::string what = query.previous ? "no previous log of container " : "no log of container ";
    return Error{ErrorCode::kNotFound, what + *container + " in pod " + query.ns + "/" + query.pod};
  }
  std::shared_ptr<LogFile> live;
  if (const auto it = open_.find(path); it != open_.end()) live = it->second.lock();
  auto reading = std::make_shared<Reading>(query, std::move(write), std::move(end));
  // Not from within this call: the reader does not hold its handle yet.
  scheduler_.post([weak = std::weak_ptr(reading), path, live] {
    if (const auto held = weak.lock()) held->begin(path, live);
  });
  return std::unique_ptr<Handle>(std::make_unique<ReadingHandle>(std::move(reading)));
}

}  // namespace tidegate::local
