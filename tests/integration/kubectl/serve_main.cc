// SPDX-License-Identifier: Apache-2.0
// The API server alone, for trying clients by hand: tidegate_api_server DATA_DIR [PORT]. Writes
// DATA_DIR/kubeconfig; SIGTERM or SIGINT ends it. It runs no pods and collects no garbage. Thread: main.
#include <sys/stat.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>

#include "apiserver/server.h"
#include "net/event_loop.h"

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::cerr << "usage: tidegate_api_server DATA_DIR [PORT]\n";
    return 2;
  }
  const std::string dir = argv[1];
  tidegate::net::EventLoop loop;
  tidegate::apiserver::Server::Options options;
  options.address = {"127.0.0.1", static_cast<std::uint16_t>(argc == 3 ? std::atoi(argv[2]) : 0)};
  options.data_dir = dir;
  auto server = tidegate::apiserver::Server::open(loop, options);
  if (!server) {
    std::cerr << server.error().detail << "\n";
    return 2;
  }
  ::umask(0077);
  std::ofstream(dir + "/kubeconfig") << (*server)->kubeconfig();
  std::cout << "kubectl --kubeconfig " << dir << "/kubeconfig" << std::endl;
  tidegate::asio::signal_set signals(loop.io(), SIGINT, SIGTERM);
  signals.async_wait([&](auto, int) {
    (*server)->drain();
    loop.stop();
  });
  loop.run();
  return 0;
}
