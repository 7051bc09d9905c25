// SPDX-License-Identifier: Apache-2.0
// A real Prometheus as a child process, which scrapes one target each second. Thread: any.
#pragma once

#include <string>

#include "tests/integration/program.h"

namespace tidegate::test {

class Prometheus {
 public:
  static bool installed();  // when this was configured

  // Its files go to `dir`. `target` is host:port.
  Prometheus(const std::string& dir, const std::string& target);

  std::string url() const;  // empty until it is ready
  std::string log() const { return program_.err(); }

 private:
  Program program_;
};

}  // namespace tidegate::test
