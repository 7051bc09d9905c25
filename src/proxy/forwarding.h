// SPDX-License-Identifier: Apache-2.0
// What a proxy owes to heads that it forwards (RFC 9110 section 7.6): hop-by-hop fields out, true forwarding
// fields in. Clients are not trusted: their X-Forwarded-* and Forwarded are overwritten. Host stays;
// x-request-id stays where it is sane, else one is made; traceparent passes. Thread: any; pure but for the
// random numbers handed in.
#pragma once

#include <string>
#include <string_view>

#include "http/message.h"
#include "proxy/random.h"

namespace tidegate::proxy {

// Makes target's path the normal form that is matched and forwarded. False: there is none; answer 400.
bool normalize_target(http::RequestHead& head);

// Of a head as the client sent it (RFC 6455 section 4.1, RFC 8441). Over HTTP/1.1 that takes the field
// Connection and a key to answer; without them Upgrade means nothing.
bool wants_websocket(const http::RequestHead& head);
// HTTP/1.1 proves with a key and its digest that both ends mean it (RFC 6455 section 1.3). A client over
// HTTP/2 sends none, so the proxy makes one; a backend over HTTP/2 answers none, so the proxy does.
void complete_handshake(http::RequestHead& asked, Random& random);
bool complete_handshake(const http::RequestHead& asked,
                        http::ResponseHead& answer);  // false: not an answer to it

// `client`: address and port of the connection's other end. Before the rule's filters, whose changes stand.
void prepare_request(http::RequestHead& head, std::string_view client, Random& random);
void prepare_response(http::ResponseHead& head);

}  // namespace tidegate::proxy
