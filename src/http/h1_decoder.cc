// SPDX-License-Identifier: Apache-2.0
#include "http/h1_decoder.h"

#include <algorithm>

#include "http/chars.h"
#include "http/h1_head.h"
#include "http/scan.h"

namespace tidegate::http {
namespace {

constexpr std::size_t kFieldOverhead = 32;  // as HPACK counts (limits.h)
constexpr int kMaxChunkSizeDigits = 16;

bool is_blank(char c) { return c == ' ' || c == '\t'; }

}  // namespace

// The automaton works on whole lines: only a line that the input cuts is kept (in `held`), so that input by
// the byte costs no more than a copy, and both ways of cutting give the same events.
struct H1Decoder::State {
  enum class Phase : std::uint8_t {
    kStart,
    kFields,
    kBodyStart,  // kHead was given; what follows depends on the framing
    kFixed,
    kUntilClose,
    kChunkSize,
    kChunkExtension,
    kChunkSizeLf,
    kChunkData,
    kChunkDataCr,
    kChunkDataLf,
    kTrailers,
    kFailed,
  };

  State(Role role, Limits limits) : role(role), limits(limits) {}

  Event next(std::string_view& input);
  Event start_line(std::string_view line);
  Refusal take_usual_fields(std::string_view& input);
  Event field_line(std::string_view line);
  Refusal take_field(Field field, std::string_view line);
  Headers& fields() { return role == Role::kRequests ? request.headers : response.headers; }
  Event trailer_line(std::string_view line);
  Event head_complete();
  Event begin_body(std::string_view& input);
  Event counted_data(std::string_view& input, Phase after);
  Event chunk_framing(std::string_view& input);
  Refusal chunk_byte(char c);
  Event fail(Refusal refusal);
  void begin_message();
  Event end_message();
  bool take_line(std::string_view& input, std::size_t limit, std::string_view& line);

  const Role role;
  const Limits limits;
  Phase phase = Phase::kStart;
  bool idle = true;           // no byte of this message has come
  bool skipped_line = false;  // the one empty line that may stand before a request (RFC 9112 section 2.2)
  bool body_in_chunks = false;
  bool until_close = false;
  int chunk_digits = 0;
  std::uint64_t remaining = 0;  // of the fixed body or of the chunk
  std::size_t fields_bytes = 0;
  std::size_t trailer_bytes = 0;
  std::size_t extension_bytes = 0;
  std::string held;
  std::string line_storage;
  std::string request_method = "GET";  // that a response answers
  RequestHead request;
  ResponseHead response;
  Headers trailers;
  FramingFields seen;
  std::string_view body;
  Refusal refusal;
};

using Event = H1Decoder::Event;

void H1Decoder::StateDeleter::operator()(State* state) const { delete state; }

const char* to_string(DecodeError error) {
  switch (error) {
    case DecodeError::kNone:
      return "none";
    case DecodeError::kBadStartLine:
      return "bad start line";
    case DecodeError::kBadVersion:
      return "bad version";
    case DecodeError::kStartLineTooLong:
      return "start line too long";
    case DecodeError::kBadHeader:
      return "bad header";
    case DecodeError::kHeadersTooLarge:
      return "headers too large";
    case DecodeError::kBadHost:
      return "bad host";
    case DecodeError::kBadFraming:
      return "bad framing";
    case DecodeError::kUnsupportedCoding:
      return "unsupported coding";
    case DecodeError::kUnsupportedMethod:
      return "unsupported method";
    case DecodeError::kBadChunk:
      return "bad chunk";
    case DecodeError::kBadTrailer:
      return "bad trailer";
    case DecodeError::kUnexpectedEnd:
      return "unexpected end";
  }
  return "unknown";
}

int status_for(DecodeError error) {
  switch (error) {
    case DecodeError::kNone:
      return 200;
    case DecodeError::kBadVersion:
      return 505;
    case DecodeError::kStartLineTooLong:
      return 414;
    case DecodeError::kHeadersTooLarge:
      return 431;
    case DecodeError::kUnsupportedCoding:
    case DecodeError::kUnsupportedMethod:
      return 501;
    case DecodeError::kBadStartLine:
    case DecodeError::kBadHeader:
    case DecodeError::kBadHost:
    case DecodeError::kBadFraming:
    case DecodeError::kBadChunk:
    case DecodeError::kBadTrailer:
    case DecodeError::kUnexpectedEnd:
      return 400;
  }
  return 400;
}

Event H1Decoder::State::fail(Refusal why) {
  refusal = why;
  phase = Phase::kFailed;
  return Event::kError;
}

// One line without its CRLF, or false where the input ends within it (or it breaks a rule: then `refusal` is
// set).
bool H1Decoder::State::take_line(std::string_view& input, std::size_t limit, std::string_view& line) {
  const std::size_t lf = input.find('\n');
  const bool complete = lf != std::string_view::npos;
  // By far the most.
  if (complete && held.empty() && lf > 0 && lf < limit + 2 && input[lf - 1] == '\r') {
    line = input.substr(0, lf - 1);
    input.remove_prefix(lf + 1);
    return true;
  }
  const std::string_view part = input.substr(0, complete ? lf + 1 : input.size());
  const std::size_t length = held.size() + part.size();
  if (length > limit + 2) {
    refusal.error = phase == Phase::kStart    ? DecodeError::kStartLineTooLong
                    : phase == Phase::kFields ? DecodeError::kHeadersTooLarge
                                              : DecodeError::kBadTrailer;
    refusal.detail = "line over the limit";
    return false;
  }
  input.remove_prefix(part.size());
  if (!complete || !held.empty()) held.append(part);
  if (!complete) return false;
  if (held.empty()) {
    line = part;
  } else {
    line_storage.swap(held);
    held.clear();
    line = line_storage;
  }
  line.remove_suffix(1);
  if (line.empty() || line.back() != '\r') {
    refusal = {phase == Phase::kStart    ? DecodeError::kBadStartLine
               : phase == Phase::kFields ? DecodeError::kBadHeader
                                         : DecodeError::kBadTrailer,
               "line ends in a bare LF"};
    return false;
  }
  line.remove_suffix(1);
  return true;
}

// At a message's first byte, not at the end of the one before: head and trailers are valid till here.
void H1Decoder::State::begin_message() {
  idle = false;
  fields_bytes = trailer_bytes = extension_bytes = 0;
  seen = {};
  request.headers.clear();
  response.headers.clear();
  response.content_length.reset();
  trailers.clear();
}

Event H1Decoder::State::start_line(std::string_view line) {
  if (role == Role::kRequests && line.empty() && !skipped_line) {
    skipped_line = true;
    idle = true;
    return Event::kNeedMore;
  }
  const Refusal why =
      role == Role::kRequests ? parse_request_line(line, request) : parse_status_line(line, response);
  if (why) return fail(why);
  phase = Phase::kFields;
  return Event::kNeedMore;
}

// Lines "name: value" without a fault, as nearly all are, at once: without a look for their ends, and stored
// as they stand. Stops before any other line, and before one that passes a limit.
Refusal H1Decoder::State::take_usual_fields(std::string_view& input) {
  Headers& headers = fields();
  while (headers.size() < limits.header_count) {
    const std::size_t name_size = run_size<UsualNameByte>(input);
    const std::size_t start = name_size + 2;
    if (name_size == 0 || input.size() < start || input[name_size] != ':' || input[start - 1] != ' ') break;
    const std::string_view value = input.substr(start, run_size<ValueByte>(input.substr(start)));
    const std::size_t size = start + value.size();
    if (value.empty() || is_blank(value.front()) || is_blank(value.back())) break;
    if (input.size() < size + 2 || input[size] != '\r' || input[size + 1] != '\n') break;
    if (size + kFieldOverhead > limits.header_bytes - fields_bytes) break;
    fields_bytes += size + kFieldOverhead;
    const std::string_view line = input.substr(0, size + 2);
    const std::string_view name = line.substr(0, name_size);
    input.remove_prefix(line.size());
    if (const Refusal why = take_field({name, value, known_field(name)}, line)) return why;
  }
  return {};
}

Event H1Decoder::State::field_line(std::string_view line) {
  if (line.empty()) return head_complete();
  fields_bytes += line.size() + kFieldOverhead;
  if (fields_bytes > limits.header_bytes)
    return fail({DecodeError::kHeadersTooLarge, "header bytes over the limit"});
  if (fields().size() >= limits.header_count)
    return fail({DecodeError::kHeadersTooLarge, "header count over the limit"});
  Field field;
  if (const Refusal why = parse_field_line(line, field)) return fail(why);
  if (const Refusal why = take_field(field, {})) return fail(why);
  return Event::kNeedMore;
}

// Copied: the input is gone by the end of the head. `line` is empty where it is of an unusual kind.
Refusal H1Decoder::State::take_field(Field field, std::string_view line) {
  if (role == Role::kRequests && field.known == KnownField::kHost) {
    field.value = request.headers.store(field.value);  // in `seen` alone
  } else if (line.empty()) {
    fields().add(field.name, field.value);
  } else {
    fields().add_line(line, field.name.size(), field.known);
  }
  return field.known == KnownField::kNone ? Refusal{} : note_field(field, seen);
}

Event H1Decoder::State::head_complete() {
  until_close = false;
  if (role == Role::kRequests) {
    if (const Refusal why = check_request(seen, request)) return fail(why);
    remaining = seen.length;
  } else {
    if (const Refusal why = check_response(seen, response)) return fail(why);
    if (seen.lengths > 0) response.content_length = seen.length;
    const bool tunnel = request_method == "CONNECT" && response.status / 100 == 2;
    const bool no_body = !tunnel && response_has_no_body(request_method, response.status);
    until_close = tunnel || (!no_body && !seen.chunked && seen.lengths == 0);
    remaining = no_body || tunnel ? 0 : seen.length;
    seen.chunked = seen.chunked && !no_body && !tunnel;
  }
  body_in_chunks = seen.chunked;
  phase = Phase::kBodyStart;
  return Event::kHead;
}

Event H1Decoder::State::begin_body(std::string_view& input) {
  if (until_close) {
    phase = Phase::kUntilClose;
  } else if (body_in_chunks) {
    phase = Phase::kChunkSize;
    chunk_digits = 0;
    remaining = 0;
  } else if (remaining > 0) {
    phase = Phase::kFixed;
  } else {
    return end_message();
  }
  return next(input);
}

Event H1Decoder::State::end_message() {
  phase = Phase::kStart;
  idle = true;
  skipped_line = false;
  return Event::kEnd;
}

Event H1Decoder::State::counted_data(std::string_view& input, Phase after) {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(remaining, input.size()));
  if (size == 0) return Event::kNeedMore;
  body = input.substr(0, size);
  input.remove_prefix(size);
  remaining -= size;
  if (remaining == 0) phase = after;
  return Event::kData;
}

// RFC 9112 section 7.1 by the byte: these lines are short, and what may stand in them is little.
Refusal H1Decoder::State::chunk_byte(char c) {
  switch (phase) {
    case Phase::kChunkSize: {
      const int digit = hex_value(c);
      if (digit >= 0) {
        if (++chunk_digits > kMaxChunkSizeDigits || remaining >> 59 != 0)
          return {DecodeError::kBadChunk, "chunk size too large"};
        remaining = remaining * 16 + static_cast<std::uint64_t>(digit);
        return {};
      }
      if (chunk_digits == 0) return {DecodeError::kBadChunk, "chunk size is no hex number"};
      if (c != '\r' && c != ';') return {DecodeError::kBadChunk, "character after the chunk size"};
      phase = c == ';' ? Phase::kChunkExtension : Phase::kChunkSizeLf;
      if (c == ';') ++extension_bytes;
      break;
    }
    case Phase::kChunkExtension:
      if (c == '\r') {
        phase = Phase::kChunkSizeLf;
      } else if (find_bad_value_byte({&c, 1}) == 0) {
        return {DecodeError::kBadChunk, "control character in a chunk extension"};
      } else {
        ++extension_bytes;
      }
      break;
    case Phase::kChunkSizeLf:
      if (c != '\n') return {DecodeError::kBadChunk, "bare CR after the chunk size"};
      phase = remaining == 0 ? Phase::kTrailers : Phase::kChunkData;
      break;
    case Phase::kChunkDataCr:
      if (c != '\r') return {DecodeError::kBadChunk, "chunk is longer than its size"};
      phase = Phase::kChunkDataLf;
      break;
    case Phase::kChunkDataLf:
      if (c != '\n') return {DecodeError::kBadChunk, "bare CR after a chunk"};
      phase = Phase::kChunkSize;
      chunk_digits = 0;
      break;
    case Phase::kStart:
    case Phase::kFields:
    case Phase::kBodyStart:
    case Phase::kFixed:
    case Phase::kUntilClose:
    case Phase::kChunkData:
    case Phase::kTrailers:
    case Phase::kFailed:
      break;
  }
  if (extension_bytes > limits.chunk_extension_bytes)
    return {DecodeError::kBadChunk, "chunk extensions over the limit"};
  return {};
}

Event H1Decoder::State::chunk_framing(std::string_view& input) {
  while (!input.empty() && phase != Phase::kChunkData && phase != Phase::kTrailers) {
    const char c = input.front();
    input.remove_prefix(1);
    if (const Refusal why = chunk_byte(c)) return fail(why);
  }
  return input.empty() ? Event::kNeedMore : next(input);
}

Event H1Decoder::State::trailer_line(std::string_view line) {
  if (line.empty()) return end_message();
  trailer_bytes += line.size() + kFieldOverhead;
  if (trailer_bytes > limits.trailer_bytes)
    return fail({DecodeError::kBadTrailer, "trailers over the limit"});
  Field field;
  if (parse_field_line(line, field)) return fail({DecodeError::kBadTrailer, "trailer is no field"});
  if (!allowed_in_trailers(field.name))
    return fail({DecodeError::kBadTrailer, "field not allowed in trailers"});
  trailers.add(field.name, field.value);
  return Event::kNeedMore;
}

Event H1Decoder::State::next(std::string_view& input) {
  switch (phase) {
    case Phase::kBodyStart:
      return begin_body(input);
    case Phase::kFixed:
      if (remaining == 0) return end_message();
      return counted_data(input, Phase::kFixed);
    case Phase::kUntilClose:
      body = input;
      input = {};
      return body.empty() ? Event::kNeedMore : Event::kData;
    case Phase::kChunkData:
      return counted_data(input, Phase::kChunkDataCr);
    case Phase::kChunkSize:
    case Phase::kChunkExtension:
    case Phase::kChunkSizeLf:
    case Phase::kChunkDataCr:
    case Phase::kChunkDataLf:
      return chunk_framing(input);
    case Phase::kFailed:
      return Event::kError;
    case Phase::kStart:
    case Phase::kFields:
    case Phase::kTrailers:
      break;
  }
  while (!input.empty()) {
    if (phase == Phase::kFields && held.empty()) {
      if (const Refusal why = take_usual_fields(input)) return fail(why);
    }
    if (idle) begin_message();
    const std::size_t limit = phase == Phase::kStart    ? limits.start_line_bytes
                              : phase == Phase::kFields ? limits.header_bytes - fields_bytes
                                                        : limits.trailer_bytes - trailer_bytes;
    std::string_view line;
    if (!take_line(input, limit, line)) return refusal ? fail(refusal) : Event::kNeedMore;
    const Event event = phase == Phase::kStart    ? start_line(line)
                        : phase == Phase::kFields ? field_line(line)
                                                  : trailer_line(line);
    if (event != Event::kNeedMore) return event;
  }
  return Event::kNeedMore;
}

H1Decoder::H1Decoder(Role role, Limits limits) : state_(new State(role, limits)) {}

H1Decoder::Event H1Decoder::next(std::string_view& input) { return state_->next(input); }

void H1Decoder::expect_response_to(std::string_view method) { state_->request_method.assign(method); }

H1Decoder::Event H1Decoder::finish() {
  State& state = *state_;
  if (state.phase == State::Phase::kFailed) return Event::kError;
  if (state.phase == State::Phase::kStart && state.idle) return Event::kNeedMore;
  if (state.phase == State::Phase::kUntilClose ||
      (state.phase == State::Phase::kBodyStart && state.until_close)) {
    return state.end_message();
  }
  return state.fail({DecodeError::kUnexpectedEnd, "connection ended within a message"});
}

RequestHead& H1Decoder::request() { return state_->request; }
ResponseHead& H1Decoder::response() { return state_->response; }
std::string_view H1Decoder::body() const { return state_->body; }
Headers& H1Decoder::trailers() { return state_->trailers; }
DecodeError H1Decoder::error() const { return state_->refusal.error; }
std::string_view H1Decoder::error_detail() const { return state_->refusal.detail; }

bool H1Decoder::keep_alive() const {
  const Version version =
      state_->role == Role::kRequests ? state_->request.version : state_->response.version;
  if (state_->until_close || state_->seen.close) return false;
  return version != Version::kHttp10 || state_->seen.keep_alive;
}

bool H1Decoder::expects_continue() const {
  const FramingFields& seen = state_->seen;
  return seen.expects_continue && (seen.chunked || seen.length > 0) &&
         state_->request.version != Version::kHttp10;
}

bool H1Decoder::at_message_start() const { return state_->phase == State::Phase::kStart && state_->idle; }

}  // namespace tidegate::http
