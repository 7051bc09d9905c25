// SPDX-License-Identifier: Apache-2.0
// Tables follow each other and differ in little. Sharing what is equal lets everybody who makes something of
// a table (compile.h, counters, workers) see what stayed by comparing pointers, and make only the rest anew.
// Thread: none; pure.
#pragma once

#include "routing/table.h"

namespace tidegate::routing {

// Each rule and backend of `table` that equals one of `before` becomes that very object.
void share(Table& table, const Table& before);

// Whether both listeners are the same place in the same Gateway: what stands on them may differ.
bool same_place(const Listener& a, const Listener& b);

}  // namespace tidegate::routing
