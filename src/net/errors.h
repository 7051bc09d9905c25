// SPDX-License-Identifier: Apache-2.0
// Asio's error codes as Errors: converted at the first line of every completion, so that nothing above net/
// sees one.
#pragma once

#include <boost/system/error_code.hpp>
#include <string>

#include "base/result.h"

namespace tidegate::net {

Error to_error(const std::string& doing, const boost::system::error_code& error);
// Of a socket that is to listen on `address`.
Error bind_error(const std::string& address, const boost::system::error_code& error);

}  // namespace tidegate::net
