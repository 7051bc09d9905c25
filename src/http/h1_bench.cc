// SPDX-License-Identifier: Apache-2.0
// What the codec costs a request of usual size: 10 fields, about 560 bytes.
#include <benchmark/benchmark.h>

#include "http/h1_decoder.h"
#include "http/h1_encoder.h"

namespace tidegate::http {
namespace {

const std::string kRequest =
    "GET /api/v1/shop/items?page=3&sort=price HTTP/1.1\r\n"
    "Host: shop.example.com\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n"
    "Accept-Language: en-US,en;q=0.5\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n"
    "Referer: https://shop.example.com/api/v1/shop\r\n"
    "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark; consent=yes\r\n"
    "X-Request-Id: 6f1c1b7e-2c8c-4b43-9c5e-1f0f2f3d4c5b\r\n"
    "Cache-Control: no-cache\r\n"
    "Pragma: no-cache\r\n\r\n";

void decode_in_place(benchmark::State& state) {
  H1Decoder decoder(H1Decoder::Role::kRequests, {});
  for (auto _ : state) {
    std::string_view input = kRequest;
    benchmark::DoNotOptimize(decoder.next(input));
    benchmark::DoNotOptimize(decoder.next(input));
  }
}
BENCHMARK(decode_in_place);

void decode_and_hand_over(benchmark::State& state) {
  H1Decoder decoder(H1Decoder::Role::kRequests, {});
  for (auto _ : state) {
    std::string_view input = kRequest;
    benchmark::DoNotOptimize(decoder.next(input));
    RequestHead head = std::move(decoder.request());
    benchmark::DoNotOptimize(head);
    benchmark::DoNotOptimize(decoder.next(input));
  }
}
BENCHMARK(decode_and_hand_over);

void encode(benchmark::State& state) {
  H1Decoder decoder(H1Decoder::Role::kRequests, {});
  std::string_view input = kRequest;
  decoder.next(input);
  std::string out;
  for (auto _ : state) {
    out.clear();
    encode_head(decoder.request(), {}, out);
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(encode);

}  // namespace
}  // namespace tidegate::http
