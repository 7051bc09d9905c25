#!/bin/bash
# Tidegate's proxy beside HAProxy and nginx, in the same run: one core for the proxy, the other for the load (wrk, h2load) and the origin
# (nginx). The figure is requests per second of the proxy's own CPU time, the median of interleaved rounds; everything of Tidegate is on
# (metrics, limits, timeouts, its control plane in the same process), the peers' logs are off. Backends are spoken to in HTTP/1.1, and learn
# the same of the client from each proxy: X-Forwarded-For, -Proto, -Host and X-Request-Id. Case plain-100-bare leaves the peers X-Forwarded-For alone.
#   ROUNDS=5 SECONDS_EACH=3 tools/bench_proxy.sh [CASE...]
#   CASE: plain-100 plain-100-bare plain-16k plain-1m tls-100 tls-16k tls-1m h2c-100 h2c-16k h2c-1m h2-100 h2-16k h2-1m handshakes routes-5000 idle
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${ROUNDS:-5} seconds=${SECONDS_EACH:-3}
all_cases=(plain-100 plain-100-bare plain-16k plain-1m tls-100 tls-16k tls-1m h2c-100 h2c-16k h2c-1m h2-100 h2-16k h2-1m handshakes routes-5000 idle)
cases=("$@")
[ ${#cases[@]} -gt 0 ] || cases=("${all_cases[@]}")
tidegate=$PWD/${TIDEGATE:-build/release/tidegate}
dir=$(mktemp -d "${TMPDIR:-/tmp}/tidegate-bench-XXXXXX")
declare -A pid port tls_port h2c_port
pids=()

clean_up() {
  for id in "${pids[@]}"; do kill "$id" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$dir"
}
trap clean_up EXIT
trap 'exit 130' INT TERM
fail() { echo "bench_proxy: $*" >&2; exit 1; }
for tool in haproxy nginx wrk h2load openssl; do command -v "$tool" >/dev/null || PATH=$PATH:/usr/sbin command -v "$tool" >/dev/null || fail "$tool is not installed; make bench installs it"; done
PATH=$PATH:/usr/sbin
proxy_core=0 load_core=1
[ "$(nproc)" -ge 2 ] || fail "needs two cores"

# run NAME CORE COMMAND...: in the background, its process id in pid[NAME].
run() {
  local name=$1 core=$2
  shift 2
  taskset -c "$core" "$@" >"$dir/$name.log" 2>&1 &
  pid[$name]=$!
  pids+=($!)
}
answers() { curl -sfk -o /dev/null --max-time 1 -H 'Host: bench.example.com' "$1"; }
until_answers() {
  for _ in $(seq 1200); do answers "$2" && return; kill -0 "${pid[$1]}" 2>/dev/null || break; sleep 0.1; done
  tail -n 5 "$dir/$1.log" >&2
  fail "$1 does not answer at $2"
}

certificate() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=bench.example.com \
    -addext subjectAltName=DNS:bench.example.com -keyout "$dir/key.pem" -out "$dir/cert.pem" 2>/dev/null
  cat "$dir/cert.pem" "$dir/key.pem" >"$dir/both.pem"
}

start_origin() {
  mkdir -p "$dir/www"
  head -c 100 /dev/zero | tr '\0' x >"$dir/www/100"
  head -c 16384 /dev/zero | tr '\0' x >"$dir/www/16k"
  head -c 1048576 /dev/zero | tr '\0' x >"$dir/www/1m"
  cat >"$dir/origin.conf" <<CONF
worker_processes 1; daemon off; pid $dir/origin.pid; error_log $dir/origin.error; master_process off;
events { worker_connections 4096; }
http {
  access_log off; keepalive_requests 100000000; open_file_cache max=10; sendfile on; tcp_nopush on;
  client_body_temp_path $dir; proxy_temp_path $dir; fastcgi_temp_path $dir; uwsgi_temp_path $dir; scgi_temp_path $dir;
  server { listen 127.0.0.1:9100 reuseport backlog=4096; root $dir/www; }
}
CONF
  run origin $load_core nginx -c "$dir/origin.conf"
  until_answers origin http://127.0.0.1:9100/100
}

start_nginx() {  # $1: further server blocks
  local tell='proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host $host; proxy_set_header X-Request-Id $request_id;'
  [ -z "${bare:-}" ] || tell=
  cat >"$dir/nginx.conf" <<CONF
worker_processes 1; daemon off; pid $dir/nginx.pid; error_log $dir/nginx.error; master_process off;
events { worker_connections 8192; }
http {
  access_log off; keepalive_requests 100000000; server_names_hash_max_size 65536; server_names_hash_bucket_size 128;
  client_body_temp_path $dir; proxy_temp_path $dir; fastcgi_temp_path $dir; uwsgi_temp_path $dir; scgi_temp_path $dir;
  upstream origin { server 127.0.0.1:9100; keepalive 256; keepalive_requests 100000000; }
  proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host \$host;
  proxy_set_header X-Forwarded-For \$proxy_add_x_forwarded_for; $tell
  server {
    listen 127.0.0.1:9301 reuseport backlog=4096; listen 127.0.0.1:9302 ssl http2 reuseport backlog=4096;
    listen 127.0.0.1:9303 http2 reuseport backlog=4096; http2_max_concurrent_streams 128; keepalive_timeout 75s; server_name bench.example.com;
    ssl_protocols TLSv1.2 TLSv1.3; ssl_certificate $dir/cert.pem; ssl_certificate_key $dir/key.pem;
    location / { proxy_pass http://origin; }
  }
  $1
}
CONF
  run nginx $proxy_core nginx -c "$dir/nginx.conf"
  port[nginx]=127.0.0.1:9301 tls_port[nginx]=127.0.0.1:9302 h2c_port[nginx]=127.0.0.1:9303
  until_answers nginx http://127.0.0.1:9301/100
}

start_haproxy() {  # $1: a file of further hosts
  local tell='
  http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header X-Request-Id %[uuid()]'
  [ -z "${bare:-}" ] || tell=
  cat >"$dir/haproxy.cfg" <<CONF
global
  nbthread 1
  maxconn 8192
defaults
  mode http
  option forwardfor
  http-reuse always
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend plain
  bind 127.0.0.1:9201
  bind 127.0.0.1:9202 ssl crt $dir/both.pem alpn h2,http/1.1
  bind 127.0.0.1:9203 proto h2$tell
  use_backend origin if { hdr(host),map($1) -m found }
backend origin
  server origin 127.0.0.1:9100 pool-max-conn 256
CONF
  run haproxy $proxy_core haproxy -q -db -f "$dir/haproxy.cfg"
  port[haproxy]=127.0.0.1:9201 tls_port[haproxy]=127.0.0.1:9202 h2c_port[haproxy]=127.0.0.1:9203
  until_answers haproxy http://127.0.0.1:9201/100
}

tidegate_manifests() {
  cat <<YAML
apiVersion: v1
kind: Secret
metadata: {name: bench}
type: kubernetes.io/tls
data: {tls.crt: $(base64 -w0 "$dir/cert.pem"), tls.key: $(base64 -w0 "$dir/key.pem")}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: bench}
spec:
  gatewayClassName: tidegate
  listeners:
    - {name: http, protocol: HTTP, port: 8080}
    - {name: https, protocol: HTTPS, port: 8443, tls: {certificateRefs: [{name: bench}]}}
---
apiVersion: v1
kind: Service
metadata: {name: origin}
spec: {ports: [{name: http, port: 80, targetPort: 9100}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: origin, labels: {kubernetes.io/service-name: origin}}
addressType: IPv4
ports: [{name: http, port: 9100}]
endpoints: [{addresses: [127.0.0.1]}]
YAML
  route bench bench.example.com
}
route() {
  cat <<YAML
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: $1}
spec:
  parentRefs: [{name: bench}]
  hostnames: [$2]
  rules: [{backendRefs: [{name: origin, port: 80}]}]
YAML
}

start_tidegate() {  # $1: a file of manifests
  HOME=$dir run tidegate $proxy_core "$tidegate" up --workers 1 --no-runtime --data-dir "$dir/data" --api 127.0.0.1:0 --metrics 127.0.0.1:0 \
    --gateway-pool 127.99.0.0/16 -f "$1"
  port[tidegate]=127.99.0.1:8080 tls_port[tidegate]=127.99.0.1:8443 h2c_port[tidegate]=127.99.0.1:8080
  until_answers tidegate "http://${port[tidegate]}/100"
  sleep 2  # statuses are written
}

cpu_ticks() { awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$1/stat"; }
rss_kib() { awk '/^VmRSS/ { print $2 }' "/proc/$1/status"; }
ticks=$(getconf CLK_TCK)

# What wrk says of a round: requests, errors, and latencies in microseconds.
cat >"$dir/round.lua" <<'LUA'
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format("round %d %d %d %d %d\n", summary.requests, e.connect + e.read + e.write + e.status + e.timeout,
                         latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))
end
LUA
load_h1() {  # URL WRK_ARGUMENTS...
  local url=$1
  shift
  taskset -c $load_core wrk -t1 -d"${seconds}s" -s "$dir/round.lua" -H 'Host: bench.example.com' "$@" "$url" | sed -n 's/^round //p'
}
load_h2() {  # URL H2LOAD_ARGUMENTS...
  local url=$1
  shift
  rm -f "$dir/h2.log"
  taskset -c $load_core h2load -t1 -D"$seconds" --log-file="$dir/h2.log" -H ':authority: bench.example.com' "$@" "$url" >/dev/null
  sort -n -k3,3 "$dir/h2.log" | awk '{ v[NR] = $3 } $2 != 200 { bad++ }
    END { printf "%d %d %d %d %d\n", NR, bad, v[int(NR * 0.5) + 1], v[int(NR * 0.99) + 1], v[int(NR * 0.999) + 1] }'
}

# measure PROXY LOAD URL ARGUMENTS...: "requests/CPU-s p50 p99 p99.9" of one round, failing on any error.
measure() {
  local name=$1 load=$2 before after out
  shift 2
  before=$(cpu_ticks "${pid[$name]}")
  out=$($load "$@")
  after=$(cpu_ticks "${pid[$name]}")
  awk -v cpu=$(( after - before )) -v hz="$ticks" '$1 == 0 || $2 > 0 { exit 1 } { printf "%.0f %d %d %d\n", $1 / (cpu / hz), $3, $4, $5 }' <<<"$out" ||
    fail "$name: $out (requests, errors, latencies)"
}

median() { sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
latencies() {  # CASE COLUMN: in milliseconds
  for p in tidegate haproxy nginx; do cut -d' ' -f"$2" "$dir/$1.$p" | median | awk '{ printf "%.2f ", $1 / 1000 }'; done | sed 's/ $//; s, ,/,g'
}

# To the peer that is better: the median of the rounds' ratios, as a machine may be faster in one round than in the next.
ratio() {  # CASE
  for p in haproxy nginx; do paste -d' ' "$dir/$1.tidegate" "$dir/$1.$p" | awk '{ print $1 / $5 }' | median; done |
    sort -g | awk 'NR == 1 { printf "%.2f", $1 }'
}

# compare CASE PATH LOAD PORTS ARGUMENTS...: interleaved rounds, one line for the table. PORTS: port, tls_port or h2c_port.
compare() {
  local name=$1 path=$2 load=$3 p scheme=http
  local -n ports=$4
  [ "$4" != tls_port ] || scheme=https
  shift 4
  for p in tidegate haproxy nginx; do : >"$dir/$name.$p"; done
  for _ in $(seq "$rounds"); do
    for p in tidegate haproxy nginx; do measure "$p" "$load" "$scheme://${ports[$p]}$path" "$@" >>"$dir/$name.$p"; done
  done
  local -A rate
  for p in tidegate haproxy nginx; do rate[$p]=$(cut -d' ' -f1 "$dir/$name.$p" | median); done
  printf '%-14s %9s %9s %9s %6s   %-17s %-17s %s\n' "$name" "${rate[tidegate]}" "${rate[haproxy]}" "${rate[nginx]}" \
    "$(ratio "$name")" "$(latencies "$name" 2)" "$(latencies "$name" 3)" "$(latencies "$name" 4)"
}

# Memory of 1,000 idle keep-alive connections that have had one answer each.
idle() {
  local p before after fds=() fd host path=/100
  printf '%-14s' "idle, KiB/1000"
  for p in tidegate haproxy nginx; do
    before=$(rss_kib "${pid[$p]}")
    host=${port[$p]}
    fds=()
    for _ in $(seq 1000); do
      exec {fd}<>"/dev/tcp/${host%:*}/${host#*:}"
      printf 'GET %s HTTP/1.1\r\nHost: bench.example.com\r\n\r\n' $path >&"$fd"
      fds+=("$fd")
    done
    sleep 1
    after=$(rss_kib "${pid[$p]}")
    for fd in "${fds[@]}"; do exec {fd}>&-; done
    printf ' %9s' $(( after - before ))
  done
  echo
}

stop_proxies() {
  for p in tidegate haproxy nginx; do kill "${pid[$p]}" 2>/dev/null || true; wait "${pid[$p]}" 2>/dev/null || true; done
}
start_proxies() {  # $1: how many further hosts with a route each
  tidegate_manifests >"$dir/manifests.yaml"
  echo "bench.example.com origin" >"$dir/hosts"
  local more="" i
  for i in $(seq "$1"); do
    route "r$i" "h$i.example.com" >>"$dir/manifests.yaml"
    echo "h$i.example.com origin" >>"$dir/hosts"
    more+="server { listen 127.0.0.1:9301; server_name h$i.example.com; location / { proxy_pass http://origin; } }"$'\n'
  done
  start_nginx "$more"
  start_haproxy "$dir/hosts"
  start_tidegate "$dir/manifests.yaml"
}

certificate
start_origin
printf '%s, %s, %s\n' "$("$tidegate" version | head -n 1)" "$(haproxy -v | head -n 1 | cut -d' ' -f1-3)" "$(nginx -v 2>&1 | cut -d/ -f2)"
printf '%s rounds of %s s; requests per CPU-second of the proxy; ratio to the better peer; latencies in ms\n' "$rounds" "$seconds"
printf '%-14s %9s %9s %9s %6s   %-17s %-17s %s\n' case tidegate haproxy nginx ratio 'p50 t/h/n' 'p99 t/h/n' 'p99.9 t/h/n'
start_proxies 0
for name in "${cases[@]}"; do
  path=/${name##*-}
  case $name in
    plain-100-bare)
      stop_proxies
      bare=1 start_proxies 0
      compare $name /100 load_h1 port -c64
      stop_proxies
      start_proxies 0
      ;;
    plain-1m) compare $name $path load_h1 port -c16 ;;
    plain-*) compare $name $path load_h1 port -c64 ;;
    tls-1m) compare $name $path load_h1 tls_port -c16 ;;
    tls-*) compare $name $path load_h1 tls_port -c64 ;;
    h2c-1m) compare $name $path load_h2 h2c_port -c4 -m4 ;;
    h2c-*) compare $name $path load_h2 h2c_port -c16 -m8 ;;
    h2-1m) compare $name $path load_h2 tls_port -c4 -m4 ;;
    h2-*) compare $name $path load_h2 tls_port -c16 -m8 ;;
    handshakes) compare $name /100 load_h1 tls_port -c16 -H 'Connection: close' ;;
    idle)
      stop_proxies
      start_proxies 0  # what earlier load has left behind would hide it
      idle
      ;;
    routes-5000)
      stop_proxies
      start_proxies 5000
      compare $name /100 load_h1 port -c64
      stop_proxies
      start_proxies 0
      ;;
    *) fail "no case $name" ;;
  esac
done
