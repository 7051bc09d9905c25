// SPDX-License-Identifier: Apache-2.0
// Files that hold credentials. Thread: any; reads block for as long as a small local file takes.
#pragma once

#include <string>

#include "base/result.h"

namespace tidegate::kube {

// kNotFound, kForbidden, kIo; kLimit past kMaxCredentialBytes. The error names the path.
Result<std::string> read_credential(const std::string& path);

}  // namespace tidegate::kube
