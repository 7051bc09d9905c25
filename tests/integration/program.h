// SPDX-License-Identifier: Apache-2.0
// A program as its user starts it, the tidegate binary above all: a child process whose output is kept, and
// that can't outlive the test.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace tidegate::test {

class Program {
 public:
  // Output goes to files in `dir`.
  Program(const std::string& dir, std::vector<std::string> arguments,
          const std::string& program = TIDEGATE_BINARY);
  ~Program();  // SIGKILL, if it still runs
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // True once standard output holds the text; false where the program ends before, or a minute passes.
  bool prints(const std::string& text);
  bool running();
  int wait();               // its exit code; 128 + n where signal n ended it
  void signal(int number);  // without waiting
  std::string out() const;
  std::string err() const;

 private:
  std::string out_path_, err_path_;
  pid_t pid_ = -1;
  int status_ = 0;
};

}  // namespace tidegate::test
