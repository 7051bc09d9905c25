// SPDX-License-Identifier: Apache-2.0
#include "kube/credentials.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "kube/limits.h"

namespace tidegate::kube {

namespace {

ErrorCode code_of(int error) {
  if (error == ENOENT || error == ENOTDIR) return ErrorCode::kNotFound;
  if (error == EACCES || error == EPERM) return ErrorCode::kForbidden;
  return ErrorCode::kIo;
}

Error failed(const std::string& path) { return {code_of(errno), path + ": " + std::strerror(errno)}; }

}  // namespace

Result<std::string> read_credential(const std::string& path) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"), std::fclose);
  if (!file) return failed(path);
  std::string text(kMaxCredentialBytes + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get())) return failed(path);
  if (text.size() <= kMaxCredentialBytes) return text;
  return Error{ErrorCode::kLimit, path + ": larger than " + std::to_string(kMaxCredentialBytes) + " bytes"};
}

}  // namespace tidegate::kube
