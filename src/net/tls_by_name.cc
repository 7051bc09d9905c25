// SPDX-License-Identifier: Apache-2.0
#include <openssl/ssl.h>

#include "base/text.h"
#include "net/tls.h"
#include "net/tls_context.h"

namespace tidegate::net {
namespace {

using ByName = std::map<std::string, std::shared_ptr<TlsContext>, std::less<>>;

// Exact, else the longest wildcard, else the one for any name.
ByName::iterator find(ByName& contexts, const std::string& name) {
  auto found = contexts.find(name);
  for (auto dot = name.find('.'); found == contexts.end() && dot != std::string::npos;
       dot = name.find('.', dot + 1)) {
    found = contexts.find("*" + name.substr(dot));
  }
  return found != contexts.end() ? found : contexts.find(std::string_view());
}

int select_by_name(SSL* ssl, int* alert, void* argument) {
  const char* name = ::SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
  auto& contexts = static_cast<TlsContext*>(argument)->by_name();
  const auto found = find(contexts, text::lower(name));
  if (found == contexts.end()) {
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  if (found->second) ::SSL_set_SSL_CTX(ssl, found->second->native());
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

Result<std::shared_ptr<TlsContext>> make_server_tls(const std::vector<NamedIdentity>& identities) {
  TIDEGATE_ASSERT(!identities.empty());
  std::shared_ptr<TlsContext> first;
  for (const NamedIdentity& named : identities) {
    ServerTlsOptions options;
    options.identity = named.identity;
    options.alpn = {"h2", "http/1.1"};
    auto made = make_server_tls(options);
    if (!made) return context("host name \"" + named.hostname + "\"", made.error());
    const bool is_first = first == nullptr;
    if (is_first) first = *made;
    first->by_name().emplace(text::lower(named.hostname), is_first ? nullptr : std::move(*made));
  }
  ::SSL_CTX_set_tlsext_servername_callback(first->native(), select_by_name);
  ::SSL_CTX_set_tlsext_servername_arg(first->native(), first.get());
  return first;
}

}  // namespace tidegate::net
