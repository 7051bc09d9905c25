// SPDX-License-Identifier: Apache-2.0
// Tables of what the judge can see with how much traffic. Thread: one.
#pragma once

namespace tidegate::judging {

void print_sensitivity();  // to standard output, as Markdown

}  // namespace tidegate::judging
