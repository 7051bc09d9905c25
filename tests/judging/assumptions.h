// SPDX-License-Identifier: Apache-2.0
// What becomes of the rate of false alarms where requests are not what the judge assumes. Thread: one.
#pragma once

namespace tidegate::judging {

void print_assumptions();  // to standard output, as Markdown

}  // namespace tidegate::judging
