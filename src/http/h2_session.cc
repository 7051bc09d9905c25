// SPDX-License-Identifier: Apache-2.0
#include "http/h2_session.h"

#include <nghttp2/nghttp2.h>

#include <unordered_map>

#include "base/assert.h"
#include "http/h2_fields.h"
#include "http/h2_guard.h"
#include "http/h2_head.h"
#include "http/h2_stream_ids.h"

namespace tidegate::http {
namespace {

constexpr std::size_t kCompactAt = 32 * 1024;  // sent bytes at the front of a body before the rest moves up

constexpr std::uint64_t kNoLimit = 1 << 30;
constexpr std::size_t kHeaderParts =
    9;  // nghttp2 counts a CONTINUATION once for each piece its header comes in

struct Stream {
  // Out. The peer's window decides how fast `body` empties.
  std::string body;
  std::size_t body_sent = 0;  // of `body`
  std::uint64_t sent = 0;     // of the whole message
  bool body_ended = false;
  bool end_sent = false;
  bool waits_for_body = false;  // nghttp2 was told to ask no more until resumed
  Headers trailers;
  // In.
  bool announced = false;  // it was an event, so its end is one
  bool head_done = false;  // a final one: what follows are trailers
  bool end_received = false;
  bool ignored = false;
  bool held = false;
  bool websocket = false;  // was asked for
  std::size_t uncredited = 0;
  int interims = 0;

  std::size_t unsent() const { return body.size() - body_sent; }
};

std::uint32_t wire(H2Code code) { return static_cast<std::uint32_t>(code); }

// Resets that answer a peer's mistake: what costs it a frame costs us a request.
bool provoked(std::uint32_t code) {
  return code == wire(H2Code::kProtocol) || code == wire(H2Code::kFlowControl) ||
         code == wire(H2Code::kStreamClosed) || code == wire(H2Code::kRefused);
}

std::string_view view(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace

struct H2Session::State {
  State(Role role, const Limits& limits, const H2Limits& h2_limits, Events& events);
  ~State() { nghttp2_session_del(session); }
  State(const State&) = delete;

  static State& of(void* user) { return *static_cast<State*>(user); }
  Stream* find(H2StreamId id) {
    const auto found = streams.find(id);
    return found == streams.end() ? nullptr : &found->second;
  }
  void calm(H2Nuisance what) {
    if (!guard.take(what, now)) flooded(what);
  }
  void flooded(H2Nuisance what) {
    if (!failed) events.on_flood(what);
    fail(H2Code::kCalm);
  }
  void fail(H2Code code) {
    if (!std::exchange(failed, true)) nghttp2_session_terminate_session(session, wire(code));
  }
  void reset(H2StreamId id, H2Code code) {
    nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, wire(code));
  }

  void open();
  void begin_block(H2StreamId id, const nghttp2_headers& headers);
  void end_block(H2StreamId id, bool end);
  void refuse(H2StreamId id, DecodeError error, bool end);
  static void grant_websocket(ResponseHead& head);
  bool interim(Stream& stream, H2StreamId id);
  void end_input(H2StreamId id, Stream& stream, const Headers& trailers);
  void count_frame(const nghttp2_frame_hd& header);
  void check_stream(const nghttp2_frame_hd& header);
  void frame_received(const nghttp2_frame& frame);
  void frame_sent(const nghttp2_frame& frame);
  void data_received(H2StreamId id, std::string_view data);
  void closed(H2StreamId id, std::uint32_t code);
  ssize_t next_part(H2StreamId id, std::size_t length, std::uint32_t* flags);
  int send_part(const nghttp2_frame& frame, const std::uint8_t* header, std::size_t length);
  const std::vector<nghttp2_nv>& to_wire(const std::vector<Field>& list);
  nghttp2_data_provider provider();

  const Role role;
  Events& events;
  H2Guard guard;
  H2StreamIds ids;  // of clients
  H2HeadReader reader;
  H2Fields fields;
  std::vector<nghttp2_nv> wire_fields;
  const int max_interims;
  const std::size_t max_continuations;
  std::size_t continuations = 0;  // of the header block that comes in
  SteadyTime now{};
  bool failed = false;
  bool announced = false;  // the end, and the last stream not yet
  nghttp2_session* session = nullptr;
  std::unordered_map<H2StreamId, Stream> streams;
  std::size_t unsent = 0;
  std::string* out = nullptr;  // during produce()
  std::size_t until = 0;
};

// ---- set-up ----

H2Session::State::State(Role role, const Limits& limits, const H2Limits& h2_limits, Events& events)
    : role(role),
      events(events),
      guard(h2_limits),
      reader(limits, h2_limits.flood_factor),
      max_interims(h2_limits.interims),
      max_continuations(h2_limits.continuations) {
  open();
  std::vector<nghttp2_settings_entry> settings = {
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, h2_limits.stream_window},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, static_cast<std::uint32_t>(limits.header_bytes)}};
  if (role == Role::kServer) {
    settings.push_back({NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, h2_limits.concurrent_streams});
    settings.push_back({NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1});
    settings.push_back({NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1});
  } else {
    settings.push_back({NGHTTP2_SETTINGS_ENABLE_PUSH, 0});
  }
  nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0,
                                        static_cast<std::int32_t>(h2_limits.connection_window));
}

void H2Session::State::open() {
  nghttp2_session_callbacks* calls = nullptr;
  nghttp2_option* options = nullptr;
  const int made = nghttp2_session_callbacks_new(&calls) | nghttp2_option_new(&options);
  TIDEGATE_ASSERT(made == 0);
  nghttp2_session_callbacks_set_on_begin_frame_callback(
      calls, [](nghttp2_session*, const nghttp2_frame_hd* header, void* user) {
        of(user).count_frame(*header);
        of(user).check_stream(*header);
        return 0;
      });
  nghttp2_session_callbacks_set_on_begin_headers_callback(
      calls, [](nghttp2_session*, const nghttp2_frame* frame, void* user) {
        if (frame->hd.type == NGHTTP2_HEADERS)
          of(user).begin_block(frame->hd.stream_id, frame->headers);
        else
          of(user).fail(H2Code::kProtocol);  // a push, which we forbade
        return 0;
      });
  nghttp2_session_callbacks_set_on_header_callback(
      calls, [](nghttp2_session*, const nghttp2_frame*, const std::uint8_t* name, std::size_t name_size,
                const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* user) {
        State& state = of(user);
        if (!state.failed && !state.reader.add(view(name, name_size), view(value, value_size)))
          state.flooded(H2Nuisance::kHeader);
        return 0;
      });
  nghttp2_session_callbacks_set_on_invalid_header_callback(
      calls, [](nghttp2_session*, const nghttp2_frame*, const std::uint8_t*, std::size_t, const std::uint8_t*,
                std::size_t, std::uint8_t, void* user) {
        of(user).reader.refuse(DecodeError::kBadHeader);
        return 0;
      });
  nghttp2_session_callbacks_set_on_frame_recv_callback(
      calls, [](nghttp2_session*, const nghttp2_frame* frame, void* user) {
        if (!of(user).failed) of(user).frame_received(*frame);
        return 0;
      });
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
      calls, [](nghttp2_session*, std::uint8_t, H2StreamId id, const std::uint8_t* data, std::size_t size,
                void* user) {
        if (!of(user).failed) of(user).data_received(id, view(data, size));
        return 0;
      });
  nghttp2_session_callbacks_set_on_frame_send_callback(
      calls, [](nghttp2_session*, const nghttp2_frame* frame, void* user) {
        of(user).frame_sent(*frame);
        return 0;
      });
  nghttp2_session_callbacks_set_on_stream_close_callback(
      calls, [](nghttp2_session*, H2StreamId id, std::uint32_t code, void* user) {
        of(user).closed(id, code);
        return 0;
      });
  nghttp2_session_callbacks_set_send_data_callback(
      calls, [](nghttp2_session*, nghttp2_frame* frame, const std::uint8_t* header, std::size_t length,
                nghttp2_data_source*, void* user) { return of(user).send_part(*frame, header, length); });
  nghttp2_option_set_no_auto_window_update(options, 1);
  nghttp2_option_set_no_closed_streams(options, 1);
  nghttp2_option_set_max_continuations(options, max_continuations * kHeaderParts);
  nghttp2_option_set_stream_reset_rate_limit(options, kNoLimit,
                                             kNoLimit);  // ours counts by the time we are given
  const int opened = role == Role::kServer ? nghttp2_session_server_new2(&session, calls, this, options)
                                           : nghttp2_session_client_new2(&session, calls, this, options);
  TIDEGATE_ASSERT(opened == 0);
  nghttp2_option_del(options);
  nghttp2_session_callbacks_del(calls);
}

// ---- in ----

void H2Session::State::count_frame(const nghttp2_frame_hd& header) {
  const bool ack = (header.flags & NGHTTP2_FLAG_ACK) != 0;
  const bool end = (header.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  switch (header.type) {
    case NGHTTP2_DATA:
      if (header.length == 0 && !end) calm(H2Nuisance::kEmptyFrame);
      break;
    case NGHTTP2_PRIORITY:
      calm(H2Nuisance::kPriority);
      break;
    case NGHTTP2_RST_STREAM:
      calm(H2Nuisance::kReset);
      break;
    case NGHTTP2_SETTINGS:
      if (!ack) calm(H2Nuisance::kSettings);
      break;
    case NGHTTP2_PING:
      if (!ack) calm(H2Nuisance::kPing);
      break;
    case NGHTTP2_WINDOW_UPDATE:
      calm(H2Nuisance::kWindowUpdate);
      break;
    case NGHTTP2_CONTINUATION:
      if (++continuations > max_continuations) flooded(H2Nuisance::kContinuation);
      break;
    default:
      break;
  }
}

void H2Session::State::check_stream(const nghttp2_frame_hd& header) {
  using Verdict = H2StreamIds::Verdict;
  const H2StreamId id = header.stream_id;
  if (header.type == NGHTTP2_PRIORITY && id == 0) return fail(H2Code::kProtocol);
  if (role == Role::kClient || failed) return;
  auto verdict = Verdict::kFine;
  if (header.type == NGHTTP2_RST_STREAM && find(id) != nullptr) {
    ids.ended_by_client(id);
  } else if (header.type == NGHTTP2_HEADERS && find(id) == nullptr) {
    verdict = ids.on_headers(id);
  }
  if (verdict != Verdict::kFine)
    fail(verdict == Verdict::kClosed ? H2Code::kStreamClosed : H2Code::kProtocol);
}

void H2Session::State::begin_block(H2StreamId id, const nghttp2_headers& headers) {
  using Kind = H2HeadReader::Kind;
  if (headers.cat == NGHTTP2_HCAT_REQUEST) streams.try_emplace(id);
  continuations = 0;
  const Stream* stream = find(id);
  const bool trailers = stream != nullptr && stream->head_done;
  reader.begin(trailers ? Kind::kTrailers : role == Role::kServer ? Kind::kRequest : Kind::kResponse);
}

void H2Session::State::frame_received(const nghttp2_frame& frame) {
  const H2StreamId id = frame.hd.stream_id;
  switch (frame.hd.type) {
    case NGHTTP2_HEADERS:
      return end_block(id, (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0);
    case NGHTTP2_DATA:
      if ((frame.hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return;
      if (Stream* stream = find(id)) end_input(id, *stream, {});
      return;
    case NGHTTP2_GOAWAY:
      return events.on_goaway();
    case NGHTTP2_PING:
      if ((frame.hd.flags & NGHTTP2_FLAG_ACK) != 0) events.on_ping_ack();
      return;
    default:
      return;
  }
}

void H2Session::State::end_block(H2StreamId id, bool end) {
  Stream* stream = find(id);
  if (stream == nullptr) return;
  if (const DecodeError error = reader.finish(end); error != DecodeError::kNone)
    return refuse(id, error, end);
  if (reader.kind() == H2HeadReader::Kind::kTrailers) return end_input(id, *stream, reader.trailers());
  if (reader.kind() == H2HeadReader::Kind::kRequest) {
    stream->head_done = stream->announced = true;
    events.on_request(id, std::move(reader.request()), reader.expects_continue());
  } else {
    if (reader.response().status < 200) return void(interim(*stream, id));
    stream->head_done = true;
    if (stream->websocket) grant_websocket(reader.response());
    if (!stream->ignored) events.on_response(id, std::move(reader.response()));
  }
  stream = find(id);
  if (end && stream != nullptr) end_input(id, *stream, {});
}

// RFC 8441 section 4: any 2xx opens the tunnel.
void H2Session::State::grant_websocket(ResponseHead& head) {
  if (head.status / 100 != 2) return;
  head.status = 101;
  head.content_length.reset();
}

bool H2Session::State::interim(Stream& stream, H2StreamId id) {
  if (++stream.interims <= max_interims) return true;
  reset(id, H2Code::kCalm);
  return false;
}

void H2Session::State::refuse(H2StreamId id, DecodeError error, bool end) {
  Stream& stream = streams.at(id);
  if (role == Role::kClient || stream.announced) return reset(id, H2Code::kProtocol);
  const int status = status_for(error);
  if (status == 400) {
    reset(id, H2Code::kProtocol);  // RFC 9113 section 8.1.1
  } else {
    stream.ignored = true;
    stream.end_received = end;
    nghttp2_submit_response(session, id, to_wire(fields.of(ResponseHead{.status = status}, true)).data(), 1,
                            nullptr);
  }
  events.on_refused(id, status);
}

void H2Session::State::end_input(H2StreamId id, Stream& stream, const Headers& trailers) {
  stream.end_received = true;
  if (!stream.ignored) events.on_end(id, trailers);
}

void H2Session::State::data_received(H2StreamId id, std::string_view data) {
  nghttp2_session_consume_connection(session, data.size());
  Stream* stream = find(id);
  if (stream != nullptr && !stream->ignored) events.on_data(id, data);
  stream = find(id);
  if (stream == nullptr) return;
  if (stream->held) {
    stream->uncredited += data.size();
  } else {
    nghttp2_session_consume_stream(session, id, data.size());
  }
}

void H2Session::State::closed(H2StreamId id, std::uint32_t code) {
  const auto node = streams.extract(id);
  if (node.empty()) return;
  unsent -= node.mapped().unsent();
  if (node.mapped().end_received) ids.ended_by_client(id);
  if (node.mapped().announced) events.on_closed(id, static_cast<H2Code>(code));
}

// ---- out ----

const std::vector<nghttp2_nv>& H2Session::State::to_wire(const std::vector<Field>& list) {
  const auto bytes = [](std::string_view text) {
    return const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(text.data()));
  };
  wire_fields.clear();
  for (const Field& field : list) {
    wire_fields.push_back(
        {bytes(field.name), bytes(field.value), field.name.size(), field.value.size(), NGHTTP2_NV_FLAG_NONE});
  }
  return wire_fields;
}

nghttp2_data_provider H2Session::State::provider() {
  nghttp2_data_provider out{};
  out.read_callback = [](nghttp2_session*, H2StreamId id, std::uint8_t*, std::size_t length,
                         std::uint32_t* flags, nghttp2_data_source*,
                         void* user) { return of(user).next_part(id, length, flags); };
  return out;
}

ssize_t H2Session::State::next_part(H2StreamId id, std::size_t length, std::uint32_t* flags) {
  Stream* stream = find(id);
  if (stream == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  const std::size_t size = std::min(length, stream->unsent());
  if (size == 0 && !stream->body_ended) {
    stream->waits_for_body = true;
    return NGHTTP2_ERR_DEFERRED;
  }
  *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  if (!stream->body_ended || size < stream->unsent()) return static_cast<ssize_t>(size);
  *flags |= NGHTTP2_DATA_FLAG_EOF;
  if (!stream->trailers.empty()) {
    const auto& list = to_wire(fields.of(stream->trailers));
    if (!list.empty()) {
      *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      nghttp2_submit_trailer(session, id, list.data(), list.size());
    }
  }
  return static_cast<ssize_t>(size);
}

int H2Session::State::send_part(const nghttp2_frame& frame, const std::uint8_t* header, std::size_t length) {
  if (out->size() >= until) return NGHTTP2_ERR_WOULDBLOCK;
  Stream* stream = find(frame.hd.stream_id);
  if (stream == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  out->append(view(header, 9));
  out->append(stream->body, stream->body_sent, length);
  stream->body_sent += length;
  stream->sent += length;
  unsent -= length;
  if (stream->unsent() == 0) {
    stream->body.clear();
    stream->body_sent = 0;
  } else if (stream->body_sent >= kCompactAt) {
    stream->body.erase(0, std::exchange(stream->body_sent, 0));
  }
  return 0;
}

void H2Session::State::frame_sent(const nghttp2_frame& frame) {
  const bool end = (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  switch (frame.hd.type) {
    case NGHTTP2_RST_STREAM:
      if (provoked(frame.rst_stream.error_code)) calm(H2Nuisance::kOwnReset);
      return;
    case NGHTTP2_DATA:
      guard.earn(H2Nuisance::kWindowUpdate, 2);
      guard.earn(H2Nuisance::kPing, 1);  // gRPC's libraries send one behind each, to measure the bandwidth
      break;
    case NGHTTP2_HEADERS:
      break;
    default:
      return;
  }
  Stream* stream = find(frame.hd.stream_id);
  if (stream == nullptr || !end) return;
  stream->end_sent = true;
  // RFC 9113 section 8.1: the answer is whole, and the rest of the request need not be sent.
  if (stream->ignored && !stream->end_received) reset(frame.hd.stream_id, H2Code::kNoError);
}

// ---- the session ----

H2Session::H2Session(Role role, const Limits& limits, const H2Limits& h2_limits, Events& events)
    : state_(std::make_unique<State>(role, limits, h2_limits, events)) {}
H2Session::~H2Session() = default;

bool H2Session::receive(std::string_view bytes, SteadyTime now) {
  state_->now = now;
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  const ssize_t taken = nghttp2_session_mem_recv(state_->session, data, bytes.size());
  // Below 0 are a preface of something else, and what nghttp2 itself takes for a flood.
  if (taken == NGHTTP2_ERR_BAD_CLIENT_MAGIC) {
    fail(H2Code::kProtocol);
  } else if (taken < 0) {
    state_->flooded(H2Nuisance::kQueue);
  }
  return !state_->failed && !finished();
}

void H2Session::produce(std::string& out, std::size_t until) {
  state_->out = &out;
  state_->until = until;
  while (out.size() < until) {
    const std::uint8_t* bytes = nullptr;
    const ssize_t size = nghttp2_session_mem_send(state_->session, &bytes);
    if (size < 0) state_->failed = true;
    if (size <= 0) return;
    out.append(view(bytes, static_cast<std::size_t>(size)));
  }
}

bool H2Session::finished() const {
  // nghttp2 would call a session over that has announced its end and happens to have no stream.
  if (state_->announced && !state_->failed) return false;
  return nghttp2_session_want_read(state_->session) == 0 && nghttp2_session_want_write(state_->session) == 0;
}

H2StreamId H2Session::request(const RequestHead& head, std::string_view scheme, bool end) {
  if (nghttp2_session_check_request_allowed(state_->session) == 0) return 0;
  const auto& list = state_->to_wire(state_->fields.of(head, scheme, end));
  auto body = state_->provider();
  const H2StreamId id = nghttp2_submit_request(state_->session, nullptr, list.data(), list.size(),
                                               end ? nullptr : &body, nullptr);
  if (id < 0) return 0;
  Stream& stream = state_->streams[id];
  stream.announced = true;
  stream.body_ended = end;
  stream.websocket = opens_websocket(head);
  return id;
}

void H2Session::respond(H2StreamId id, const ResponseHead& head, bool end) {
  Stream* stream = state_->find(id);
  if (stream == nullptr) return;
  const auto& list = state_->to_wire(state_->fields.of(head, end));
  auto body = state_->provider();
  stream->body_ended = end;
  nghttp2_submit_response(state_->session, id, list.data(), list.size(), end ? nullptr : &body);
}

void H2Session::send_continue(H2StreamId id) {
  if (state_->find(id) == nullptr) return;
  const auto& list = state_->to_wire(state_->fields.of(ResponseHead{.status = 100}, false));
  nghttp2_submit_headers(state_->session, NGHTTP2_FLAG_NONE, id, nullptr, list.data(), list.size(), nullptr);
}

void H2Session::send_data(H2StreamId id, std::string_view data) {
  Stream* stream = state_->find(id);
  if (stream == nullptr || stream->body_ended || data.empty()) return;
  stream->body.append(data);
  state_->unsent += data.size();
  if (std::exchange(stream->waits_for_body, false)) nghttp2_session_resume_data(state_->session, id);
}

void H2Session::send_end(H2StreamId id, const Headers& trailers) {
  Stream* stream = state_->find(id);
  if (stream == nullptr || stream->body_ended) return;
  stream->body_ended = true;
  stream->trailers = trailers;
  if (std::exchange(stream->waits_for_body, false)) nghttp2_session_resume_data(state_->session, id);
}

void H2Session::reset(H2StreamId id, H2Code code) {
  if (state_->find(id) != nullptr) state_->reset(id, code);
}

void H2Session::ignore_rest(H2StreamId id) {
  Stream* stream = state_->find(id);
  if (stream == nullptr) return;
  stream->ignored = true;
  hold(id, false);
  if (stream->end_sent && !stream->end_received) state_->reset(id, H2Code::kNoError);
}

void H2Session::hold(H2StreamId id, bool held) {
  Stream* stream = state_->find(id);
  if (stream == nullptr) return;
  stream->held = held;
  if (!held && stream->uncredited > 0)
    nghttp2_session_consume_stream(state_->session, id, std::exchange(stream->uncredited, 0));
}

std::size_t H2Session::unsent(H2StreamId id) const {
  const Stream* stream = state_->find(id);
  return stream == nullptr ? 0 : stream->unsent();
}

std::size_t H2Session::unsent() const { return state_->unsent; }

std::uint64_t H2Session::sent(H2StreamId id) const {
  const Stream* stream = state_->find(id);
  return stream == nullptr ? 0 : stream->sent;
}

std::uint32_t H2Session::peer_max_streams() const {
  return nghttp2_session_get_remote_settings(state_->session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

bool H2Session::peer_takes_websockets() const {
  return nghttp2_session_get_remote_settings(state_->session, NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) == 1;
}

void H2Session::announce_shutdown() {
  state_->announced = true;
  nghttp2_submit_shutdown_notice(state_->session);
}

void H2Session::ping() { nghttp2_submit_ping(state_->session, NGHTTP2_FLAG_NONE, nullptr); }
void H2Session::shut_down() {
  state_->announced = false;
  nghttp2_submit_goaway(state_->session, NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(state_->session), NGHTTP2_NO_ERROR, nullptr,
                        0);
}
void H2Session::fail(H2Code code) { state_->fail(code); }

}  // namespace tidegate::http
