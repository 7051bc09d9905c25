// SPDX-License-Identifier: Apache-2.0
// The log of one container: lines with their times in a file, and those who follow it. Bounded: past
// kMaxLogFile it goes to PREVIOUS and begins anew. Thread: control. Owns: the file.
#pragma once

#include <cstdio>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace tidegate::local {

class LogFile {
 public:
  // Begins a new file; what stands at `path` goes to `previous_path`.
  static Result<std::shared_ptr<LogFile>> create(std::string path, std::string previous_path);
  ~LogFile();  // as finish()

  void append(std::string_view bytes, TimePoint now);
  void finish(TimePoint now);  // an unfinished line is written; followers end

  // `line`: as it stands in the file, "TIME text\n". Destroying the handle ends it; `end` is called once at
  // finish().
  struct Follower {
    std::function<void(std::string_view line)> line;
    std::function<void()> end;
  };
  using Following = std::shared_ptr<Follower>;
  Following follow(Follower follower);

  const std::string& path() const { return path_; }

 private:
  struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  LogFile(std::string path, std::string previous_path)
      : path_(std::move(path)), previous_path_(std::move(previous_path)) {}
  Result<void> open();
  void write_line(std::string_view text, TimePoint now);

  std::string path_, previous_path_, partial_;
  std::unique_ptr<std::FILE, CloseFile> file_;
  std::size_t written_ = 0;
  std::list<std::weak_ptr<Follower>> followers_;
};

}  // namespace tidegate::local
