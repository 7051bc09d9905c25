// SPDX-License-Identifier: Apache-2.0
// Keeps a loop's run() from returning while nothing is to do. Thread: any.
#pragma once

#include "net/asio.h"

namespace tidegate::proxy {

using WorkGuard = asio::executor_work_guard<asio::io_context::executor_type>;

}  // namespace tidegate::proxy
