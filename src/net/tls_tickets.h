// SPDX-License-Identifier: Apache-2.0
// Sessions that clients resume (RFC 5077, RFC 8446 section 4.6.1): tickets alone, sealed with keys of this
// process, so that whichever worker a client comes to next can open them, also once its certificate has
// changed. Nothing is kept for a client. Private to net/.
#pragma once

#include <array>
#include <mutex>
#include <optional>

#include "base/clock.h"
#include "net/tls_context.h"

namespace tidegate::net {

// Random ones, each for new tickets during kTlsSessionLifetime, and to open them for as long again; then
// nobody can, who may have recorded what the session protects. Thread: any.
class TicketKeys {
 public:
  struct Key {
    std::array<unsigned char, 16> name;
    std::array<unsigned char, 32> cipher, mac;
  };
  Key newest(SteadyTime now);
  // Null: none of ours, or too old.
  std::optional<Key> find(const unsigned char* name, SteadyTime now);

 private:
  void turn(SteadyTime now);

  std::mutex mutex_;
  Key newest_{}, previous_{};
  std::optional<SteadyTime> made_;  // the newest; absent: there is none yet
};

// Lets clients resume what they have begun with a server of the same `scope`, under the same name. One whose
// certificate has run out meanwhile begins anew.
void allow_resumption(TlsContext& context, std::string scope);

// Whether the session's peer had a certificate that may not be used any more.
bool has_expired(const SSL_SESSION* session);

}  // namespace tidegate::net
