// SPDX-License-Identifier: Apache-2.0
#include <openssl/ssl.h>

#include "base/text.h"
#include "net/digest.h"
#include "net/tls.h"
#include "net/tls_context.h"

namespace tidegate::net {
namespace {

using ByName = std::map<std::string, std::shared_ptr<TlsContext>, std::less<>>;

// Exact, else the longest wildcard, which never stands for nothing, else the one for any name.
ByName::iterator find(ByName& contexts, const std::string& name) {
  auto found = contexts.find(name);
  for (auto dot = name.find('.', 1); found == contexts.end() && dot != std::string::npos;
       dot = name.find('.', dot + 1)) {
    found = contexts.find("*" + name.substr(dot));
  }
  return found != contexts.end() ? found : contexts.find(std::string_view());
}

// RFC 6066 section 3: the one host name of the extension; empty where there is none, or none that can be
// read (OpenSSL says so by itself).
std::string name_in_hello(SSL* ssl) {
  const unsigned char* bytes = nullptr;
  std::size_t size = 0;
  constexpr std::size_t head = 5;  // length of the list, type of the name, its length
  if (::SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &bytes, &size) != 1 || size < head) return {};
  if (bytes[2] != TLSEXT_NAMETYPE_host_name || (bytes[3] << 8 | bytes[4]) != static_cast<int>(size - head))
    return {};
  return text::lower({reinterpret_cast<const char*>(bytes) + head, size - head});
}

// Of the name in the first ClientHello of a connection.
int place_of_name() {
  static const int index = ::SSL_get_ex_new_index(
      0, nullptr, nullptr, nullptr,
      [](void*, void* name, CRYPTO_EX_DATA*, int, long, void*) { delete static_cast<std::string*>(name); });
  return index;
}

// RFC 8446 section 4.1.2: a client that is asked to begin again says the same. OpenSSL would take another
// name, which neither the certificate nor what is asked of clients was chosen for.
bool same_name_again(SSL* ssl, const std::string& name) {
  if (const auto* before = static_cast<const std::string*>(::SSL_get_ex_data(ssl, place_of_name())))
    return *before == name;
  auto kept = std::make_unique<std::string>(name);
  return ::SSL_set_ex_data(ssl, place_of_name(), kept.get()) == 1 && kept.release() != nullptr;
}

void use(SSL* ssl, TlsContext& context) {
  ::SSL_set_SSL_CTX(ssl, context.native());
  // The call before leaves these as they are.
  ::SSL_set_verify(ssl, ::SSL_CTX_get_verify_mode(context.native()),
                   ::SSL_CTX_get_verify_callback(context.native()));
  ::SSL_set_max_cert_list(ssl, ::SSL_CTX_get_max_cert_list(context.native()));
}

// Before anything is resumed: OpenSSL asks for the name only after that.
int on_hello(SSL* ssl, int* alert, void* argument) {
  auto* context = static_cast<TlsContext*>(argument);
  const std::string name = name_in_hello(ssl);
  if (context->refuses()) {
    *alert = SSL_AD_INTERNAL_ERROR;
    return SSL_CLIENT_HELLO_ERROR;
  }
  if (!same_name_again(ssl, name)) {
    *alert = SSL_AD_ILLEGAL_PARAMETER;
    return SSL_CLIENT_HELLO_ERROR;
  }
  auto* const chosen = find_by_name(*context, name);
  if (chosen == nullptr) {
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return SSL_CLIENT_HELLO_ERROR;
  }
  if (chosen != context) use(ssl, *chosen);
  context = chosen;
  // RFC 6066 section 3: no session of another name is resumed.
  const std::string scope = sha256(context->scope() + '\0' + name);
  ::SSL_set_session_id_context(ssl, reinterpret_cast<const unsigned char*>(scope.data()),
                               static_cast<unsigned>(scope.size()));
  return SSL_CLIENT_HELLO_SUCCESS;
}

// The name goes into the session, which OpenSSL takes it from where it is resumed.
int acknowledge_name(SSL* ssl, int*, void*) {
  return ::SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

}  // namespace

TlsContext* find_by_name(TlsContext& context, const std::string& name) {
  auto& contexts = context.by_name();
  if (contexts.empty() || name.empty()) return &context;
  const auto found = find(contexts, name);
  if (found == contexts.end()) return nullptr;
  return found->second ? found->second.get() : &context;
}

void choose_by_hello(TlsContext& context) {
  ::SSL_CTX_set_client_hello_cb(context.native(), on_hello, &context);
  ::SSL_CTX_set_tlsext_servername_callback(context.native(), acknowledge_name);
}

Result<std::shared_ptr<TlsContext>> make_server_tls(const std::vector<NamedIdentity>& identities) {
  TIDEGATE_ASSERT(!identities.empty());
  std::shared_ptr<TlsContext> first;
  for (const NamedIdentity& named : identities) {
    ServerTlsOptions options;
    options.identity = named.identity;
    options.alpn = {"h2", "http/1.1"};
    options.client_ca_pem = named.client_ca_pem;
    options.take_any_certificate = named.clients_may_go_without;
    options.require_client_certificate = !named.client_ca_pem.empty() && !named.clients_may_go_without;
    auto made = make_server_tls(options);
    if (!made) return context("host name \"" + named.hostname + "\"", made.error());
    const bool is_first = first == nullptr;
    if (is_first) first = *made;
    first->by_name().emplace(text::lower(named.hostname), is_first ? nullptr : std::move(*made));
  }
  return first;
}

}  // namespace tidegate::net
