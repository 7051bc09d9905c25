// SPDX-License-Identifier: Apache-2.0
// The command line: which command, with which options. Exit codes: 0 done, 1 the answer is no, 2 wrong usage
// or time-out.
#pragma once

namespace tidegate::app {

int run(int argc, char** argv);

}  // namespace tidegate::app
