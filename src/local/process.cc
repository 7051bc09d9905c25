// SPDX-License-Identifier: Apache-2.0
#include "local/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace tidegate::local {
namespace {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

struct Pipe {
  Fd read, write;
};

Error system_error(const std::string& what) {
  return Error{ErrorCode::kIo, what + ": " + std::strerror(errno)};
}

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return system_error("can't make a pipe");
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (auto& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

// Everything that the child needs after fork, where only async-signal-safe calls are allowed: this process
// has other threads.
struct ChildPlan {
  char* const* argv;
  char* const* envp;
  const char* folder;
  int output, failure, null;
  pid_t parent;
};

[[noreturn]] void run_child(const ChildPlan& plan) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != plan.parent) ::_exit(1);  // the parent died in between
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int number : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGCHLD}) ::signal(number, SIG_DFL);
  bool ready = ::dup2(plan.null, 0) == 0 && ::dup2(plan.output, 1) == 1 && ::dup2(plan.output, 2) == 2;
  ready = ready && ::dup3(plan.failure, 3, O_CLOEXEC) == 3;
  // The rest is closed by number: not every library opens with O_CLOEXEC.
  ready = ready && ::syscall(SYS_close_range, 4U, ~0U, 0U) == 0;
  ready = ready && ::chdir(plan.folder) == 0;
  if (ready) ::execve(plan.argv[0], plan.argv, plan.envp);
  const int error = errno;
  (void)!::write(3, &error, sizeof error);
  ::_exit(127);
}

// A descriptor that dup2 to 0..3 in the child can't overwrite before it is used.
Result<Fd> lift(const Fd& fd) {
  const int high = ::fcntl(fd.get(), F_DUPFD_CLOEXEC, 10);
  if (high < 0) return system_error("can't duplicate a descriptor");
  return Fd(high);
}

struct Started {
  pid_t pid;
  Fd output;
};

Result<Started> fork_and_exec(const Process::Options& options) {
  auto output = make_pipe();
  auto failure = make_pipe();
  if (!output || !failure) return output ? failure.error() : output.error();
  Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  auto output_end = lift(output->write);
  auto failure_end = lift(failure->write);
  if (!output_end || !failure_end) return output_end ? failure_end.error() : output_end.error();

  std::vector<std::string> command = options.command, environment;
  for (const auto& [name, value] : options.environment) environment.push_back(name + "=" + value);
  const auto argv = pointers(command), envp = pointers(environment);
  const ChildPlan plan{argv.data(),       envp.data(),        options.folder.c_str(),
                       output_end->get(), failure_end->get(), null.get(),
                       ::getpid()};
  const pid_t pid = ::fork();
  if (pid < 0) return system_error("can't start a process");
  if (pid == 0) run_child(plan);

  failure->write = Fd();
  *failure_end = Fd();
  int error = 0;
  ssize_t count;
  do {
    count = ::read(failure->read.get(), &error, sizeof error);  // ends at once: with exec, or with the child
  } while (count < 0 && errno == EINTR);
  if (count == sizeof error) {
    ::waitpid(pid, nullptr, 0);
    errno = error;
    return system_error("can't run " + options.command[0]);
  }
  return Started{pid, std::move(output->read)};
}

}  // namespace

struct Process::State : std::enable_shared_from_this<State> {
  State(asio::io_context& io, pid_t child, Callbacks calls)
      : pid(child), callbacks(std::move(calls)), pidfd(io), output(io) {}

  void read_on() {
    output.async_read_some(asio::buffer(buffer),
                           [self = shared_from_this()](const auto& error, std::size_t count) {
                             if (self->closed || error) return;
                             self->callbacks.output({self->buffer.data(), count});
                             if (!self->closed) self->read_on();
                           });
  }

  void wait_for_end() {
    pidfd.async_wait(asio::posix::stream_descriptor::wait_read,
                     [self = shared_from_this()](const auto& error) {
                       if (!self->closed && !error) self->finish();
                     });
  }

  void finish() {
    int status = 0;
    if (::waitpid(pid, &status, WNOHANG) != pid) return wait_for_end();
    reaped = true;
    ::kill(-pid, SIGKILL);  // what it left behind in its group
    drain_output();
    if (closed) return;
    closed = true;
    Exit exit;
    exit.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    exit.code = WIFSIGNALED(status) ? 128 + exit.signal : WEXITSTATUS(status);
    close_descriptors();
    callbacks.exited(exit);
  }

  void drain_output() {
    boost::system::error_code error;
    output.cancel(error);
    while (!closed) {
      const auto count = ::read(output.native_handle(), buffer.data(), buffer.size());
      if (count <= 0) return;
      callbacks.output({buffer.data(), static_cast<std::size_t>(count)});
    }
  }

  void close_descriptors() {
    boost::system::error_code error;
    pidfd.close(error);
    output.close(error);
  }

  pid_t pid;
  Callbacks callbacks;
  asio::posix::stream_descriptor pidfd, output;
  std::array<char, 16 * 1024> buffer;
  bool closed = false, reaped = false;
};

Result<std::unique_ptr<Process>> Process::start(asio::io_context& io, const Options& options,
                                                Callbacks callbacks) {
  auto started = fork_and_exec(options);
  if (!started) return started.error();
  const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, started->pid, 0U));
  if (pidfd < 0) {
    const auto error = system_error("can't watch a process");
    ::kill(started->pid, SIGKILL);
    ::waitpid(started->pid, nullptr, 0);
    return error;
  }
  auto state = std::make_shared<State>(io, started->pid, std::move(callbacks));
  state->pidfd.assign(pidfd);
  state->output.assign(started->output.release());
  state->output.non_blocking(true);
  state->read_on();
  state->wait_for_end();
  return std::unique_ptr<Process>(new Process(std::move(state)));
}

Process::~Process() {
  state_->closed = true;
  state_->close_descriptors();
  if (state_->reaped) return;
  ::kill(-state_->pid, SIGKILL);
  ::kill(state_->pid, SIGKILL);
  ::waitpid(state_->pid, nullptr, 0);  // SIGKILL is not put off: this returns at once
}

int Process::pid() const { return state_->pid; }

void Process::signal(int number) {
  if (state_->reaped) return;
  ::kill(-state_->pid, number);
}

}  // namespace tidegate::local
