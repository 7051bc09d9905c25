// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <sstream>

#include "base/clock.h"

namespace tidegate::test {
namespace {

std::string read_all(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

[[noreturn]] void become(const std::vector<std::string>& arguments, const std::string& out,
                         const std::string& err) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::dup2(::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDOUT_FILENO);
  ::dup2(::open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDERR_FILENO);
  std::vector<char*> argv;
  for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

}  // namespace

Program::Program(const std::string& dir, std::vector<std::string> arguments, const std::string& program)
    : out_path_(dir + "/stdout"), err_path_(dir + "/stderr") {
  arguments.insert(arguments.begin(), program);
  // Truncated here as well, so that an earlier program's words are never taken for this one's.
  std::ofstream(out_path_).close();
  std::ofstream(err_path_).close();
  pid_ = ::fork();
  if (pid_ == 0) become(arguments, out_path_, err_path_);
}

Program::~Program() {
  if (!running()) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, &status_, 0);
}

bool Program::running() {
  if (pid_ < 0) return false;
  if (::waitpid(pid_, &status_, WNOHANG) == 0) return true;
  pid_ = -1;
  return false;
}

bool Program::prints(const std::string& text) {
  const auto limit = system_clock().steady_now() + std::chrono::minutes(1);
  while (system_clock().steady_now() < limit) {
    if (out().find(text) != std::string::npos) return true;
    if (!running()) return out().find(text) != std::string::npos;
    ::poll(nullptr, 0, 20);
  }
  return false;
}

int Program::wait() {
  if (pid_ > 0) ::waitpid(pid_, &status_, 0);
  pid_ = -1;
  return WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
}

void Program::signal(int number) {
  if (running()) ::kill(pid_, number);
}

std::string Program::out() const { return read_all(out_path_); }
std::string Program::err() const { return read_all(err_path_); }

}  // namespace tidegate::test
