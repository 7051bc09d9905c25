// SPDX-License-Identifier: Apache-2.0
// Whether a text looks like PEM: as much as can be told without a TLS library. Thread: none; pure.
#pragma once

#include <string_view>

namespace tidegate::gateway {

// It has a block whose label ends with this ("PRIVATE KEY" for EC keys too), of base64 and not empty. Whether
// that is a certificate or a key is found when it is used.
bool has_pem_block(std::string_view pem, std::string_view label_end);

}  // namespace tidegate::gateway
