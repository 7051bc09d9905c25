// SPDX-License-Identifier: Apache-2.0
#include "net/errors.h"

#include "net/asio.h"

namespace tidegate::net {
namespace {

ErrorCode code_of(const boost::system::error_code& error) {
  if (error.category() != boost::system::system_category())
    return ErrorCode::kUnavailable;  // TLS, end of file
  switch (error.value()) {
    case EACCES:
    case EPERM:
      return ErrorCode::kForbidden;
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
      return ErrorCode::kInvalid;
    case ECANCELED:
      return ErrorCode::kCancelled;
    case ENOBUFS:
      return ErrorCode::kLimit;
    case ETIMEDOUT:
      return ErrorCode::kTimeout;
    default:
      return ErrorCode::kUnavailable;
  }
}

}  // namespace

Error to_error(const std::string& doing, const boost::system::error_code& error) {
  std::string message = error.message();
  if (!message.empty() && message[0] >= 'A' && message[0] <= 'Z' &&
      error.category() == boost::system::system_category()) {
    message[0] = static_cast<char>(message[0] - 'A' + 'a');
  }
  return {code_of(error), doing + ": " + message};
}

Error bind_error(const std::string& address, const boost::system::error_code& error) {
  const std::string name = "address " + address;
  if (error == asio::error::address_in_use) return {ErrorCode::kUnavailable, name + " is in use"};
  if (error == asio::error::access_denied) {
    return {ErrorCode::kForbidden, name + " can't be bound: ports below 1024 need privileges"};
  }
  if (error.value() == EADDRNOTAVAIL)
    return {ErrorCode::kInvalid, name + " is none of this host's addresses"};
  return to_error(name, error);
}

}  // namespace tidegate::net
