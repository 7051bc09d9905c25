// SPDX-License-Identifier: Apache-2.0
// The CustomResourceDefinitions of crds/, compiled in, so that `tidegate up` needs no files beside it.
#pragma once

#include <span>

#include "base/embedded.h"

namespace tidegate::app {

std::span<const base::EmbeddedFile> embedded_crds();

}  // namespace tidegate::app
