// SPDX-License-Identifier: Apache-2.0
// A small stand-in for libFuzzer's main, so that every build, plain or sanitized, exercises the fuzz targets:
// replays the stored corpus, then seeded mutations of it for at most two seconds. It has no notion of
// coverage; `make fuzz` does the searching. usage: TARGET NAME CORPUS_DIR. An input that crashes the target
// is left behind as NAME.crash.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr int kMutations = 5000;
constexpr auto kTime = std::chrono::seconds(2);
constexpr std::size_t kMaxInput = 8192;

std::string crash_file;     // read by the signal handler
std::string current_input;  // likewise

void keep_input(int signal) {
  const int file = ::open(crash_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (file >= 0 && ::write(file, current_input.data(), current_input.size()) >= 0) ::close(file);
  ::signal(signal, SIG_DFL);
  ::raise(signal);
}

void run(std::string input) {
  current_input = std::move(input);
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(current_input.data()), current_input.size());
}

std::vector<std::string> read_corpus(const std::string& folder) {
  std::vector<std::filesystem::path> paths;
  std::error_code absent;
  for (const auto& entry : std::filesystem::directory_iterator(folder, absent)) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());  // the same order everywhere
  std::vector<std::string> inputs{""};
  for (const auto& path : paths) {
    std::ifstream in(path, std::ios::binary);
    inputs.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  return inputs;
}

class Mutator {
 public:
  Mutator(const std::vector<std::string>& corpus, std::uint64_t seed) : corpus_(corpus), random_(seed) {}

  std::string next() {
    std::string input = pick(corpus_);
    for (auto steps = below(4) + 1; steps > 0; --steps) mutate(input);
    if (input.size() > kMaxInput) input.resize(kMaxInput);
    return input;
  }

 private:
  void mutate(std::string& input) {
    const auto at = below(input.size() + 1);
    const auto length = std::min(below(16) + 1, input.size() - at);
    switch (below(7)) {
      case 0:
        input.insert(at, 1, static_cast<char>(below(256)));
        break;
      case 1:
        input.erase(at, length);
        break;
      case 2:
        input.insert(at, input.substr(at, length));
        break;
      case 3:
        input.insert(at, pick(kTokens));
        break;
      case 4:
        splice(input, at);
        break;
      case 5:
        repeat(input, at);
        break;
      default:
        if (at < input.size()) input[at] = static_cast<char>(input[at] ^ (1 << below(8)));
    }
  }
  void splice(std::string& input, std::size_t at) {
    const auto& other = pick(corpus_);
    const auto from = below(other.size() + 1);
    input.replace(at, std::string::npos, other, from, std::string::npos);
  }
  void repeat(std::string& input, std::size_t at) {
    if (at == input.size()) return;
    input.insert(at, below(200), input[at]);
  }
  std::size_t below(std::size_t bound) { return random_() % bound; }
  const std::string& pick(const std::vector<std::string>& from) { return from[below(from.size())]; }

  // What the grammars of this tree turn on.
  inline static const std::vector<std::string> kTokens{"\r\n",
                                                       "\n",
                                                       "\n\n",
                                                       ": ",
                                                       "- ",
                                                       "{",
                                                       "}",
                                                       "[",
                                                       "]",
                                                       "\"",
                                                       "\\u0000",
                                                       "\\",
                                                       "%00",
                                                       "%2F",
                                                       "../",
                                                       "//",
                                                       "*",
                                                       "&a",
                                                       "?",
                                                       "#",
                                                       "null",
                                                       "-1",
                                                       "0",
                                                       "1e999",
                                                       "18446744073709551616",
                                                       "~",
                                                       "!!str ",
                                                       "\t",
                                                       "\xff",
                                                       "\xef\xbb\xbf",
                                                       "Transfer-Encoding: chunked\r\n",
                                                       "Content-Length: 5\r\n",
                                                       "0\r\n\r\n"};
  const std::vector<std::string>& corpus_;
  std::mt19937_64 random_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return std::fprintf(stderr, "usage: %s NAME CORPUS_DIR\n", argv[0]), 2;
  const std::string name = argv[1];
  crash_file = name + ".crash";
  for (const int signal : {SIGABRT, SIGSEGV, SIGFPE, SIGBUS}) ::signal(signal, keep_input);
  const auto corpus = read_corpus(argv[2]);
  for (const auto& input : corpus) run(input);
  const auto until = std::chrono::steady_clock::now() + kTime;
  std::seed_seq words(name.begin(), name.end());
  std::vector<std::uint32_t> seed(2);
  words.generate(seed.begin(), seed.end());
  Mutator mutator(corpus, (std::uint64_t{seed[0]} << 32) | seed[1]);
  int done = 0;
  for (; done < kMutations && std::chrono::steady_clock::now() < until; ++done) run(mutator.next());
  std::printf("%s: %zu stored inputs, %d mutations\n", name.c_str(), corpus.size() - 1, done);
  return 0;
}
