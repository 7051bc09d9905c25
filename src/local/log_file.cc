// SPDX-License-Identifier: Apache-2.0
#include "local/log_file.h"

#include <cerrno>
#include <cstring>

#include "base/log.h"
#include "base/text.h"
#include "local/limits.h"

namespace tidegate::local {

Result<std::shared_ptr<LogFile>> LogFile::create(std::string path, std::string previous_path) {
  std::shared_ptr<LogFile> file(new LogFile(std::move(path), std::move(previous_path)));
  if (auto opened = file->open(); !opened) return opened.error();
  return file;
}

LogFile::~LogFile() { finish(TimePoint{}); }

Result<void> LogFile::open() {
  file_.reset();
  written_ = 0;
  std::rename(path_.c_str(), previous_path_.c_str());  // there may be none
  file_.reset(std::fopen(path_.c_str(), "we"));
  if (!file_) return Error{ErrorCode::kIo, "can't write " + path_ + ": " + std::strerror(errno)};
  return {};
}

void LogFile::append(std::string_view bytes, TimePoint now) {
  while (!bytes.empty()) {
    const auto end = bytes.find('\n');
    const auto piece = bytes.substr(0, std::min(end, kMaxLogLine - partial_.size()));
    partial_ += piece;
    bytes.remove_prefix(piece.size());
    const bool ended = bytes.starts_with('\n');
    if (ended) bytes.remove_prefix(1);
    if (ended || partial_.size() >= kMaxLogLine) {
      write_line(partial_, now);
      partial_.clear();
    }
  }
  if (file_) std::fflush(file_.get());
}

void LogFile::write_line(std::string_view text, TimePoint now) {
  if (written_ > kMaxLogFile) {
    if (auto opened = open(); !opened)
      log::warning("a container's log is lost", {{"error", opened.error().detail}});
  }
  const std::string line = text::format_micro_time(now) + " " + std::string(text) + "\n";
  written_ += line.size();
  if (file_) std::fwrite(line.data(), 1, line.size(), file_.get());
  for (auto it = followers_.begin(); it != followers_.end();) {
    const auto follower = it->lock();
    if (follower) follower->line(line);
    it = follower ? std::next(it) : followers_.erase(it);
  }
}

void LogFile::finish(TimePoint now) {
  if (!partial_.empty()) write_line(std::exchange(partial_, {}), now);
  file_.reset();
  for (const auto& weak : std::exchange(followers_, {})) {
    if (const auto follower = weak.lock()) follower->end();
  }
}

LogFile::Following LogFile::follow(Follower follower) {
  auto following = std::make_shared<Follower>(std::move(follower));
  followers_.push_back(following);
  return following;
}

}  // namespace tidegate::local
