#!/bin/bash
# The main job on one machine, with real traffic: a good version is promoted, a bad one is rolled back. Exits 0 only if both came out so, and
# leaves nothing running. Everything below is what a person would type; see examples/01-first-canary/README.md.
set -euo pipefail
cd "$(dirname "$0")/.."

tidegate=${TIDEGATE:-build/release/tidegate}
example=examples/01-first-canary
rate=${RATE:-200}
world=$(mktemp -d "${TMPDIR:-/tmp}/tidegate-quickstart-XXXXXX")
export HOME=$world KUBECONFIG=$world/data/kubeconfig
started=$(date +%s%N)
pids=()

say() { printf '[%5.1fs] %s\n' "$(seconds_since "$started")" "$*"; }
seconds_since() { awk -v a="$1" -v b="$(date +%s%N)" 'BEGIN { printf "%.1f", (b - a) / 1e9 }'; }
fail() {
  printf '\nquickstart: %s\n' "$*" >&2
  [ ! -s "$world/up.log" ] || { echo "the last lines of tidegate up:" >&2; tail -n 15 "$world/up.log" >&2; }
  exit 1
}
clean_up() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$world"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# wait_for SECONDS WHAT COMMAND...: until the command succeeds.
wait_for() {
  local limit=$(( $(date +%s) + $1 )) what=$2
  shift 2
  until "$@"; do
    kill -0 "${pids[0]}" 2>/dev/null || fail "tidegate up has ended"
    [ "$(date +%s)" -lt "$limit" ] || fail "timed out waiting for $what"
    sleep 0.1
  done
}
field() { kubectl get rollout shop -o "jsonpath=$1" 2>/dev/null || true; }
ready() { grep -q '^ready' "$world/up.out"; }
serves() { curl -sf -o /dev/null --max-time 2 -H 'Host: shop.example.com' "http://$gateway/"; }
# The load's own counts: total FIELD, version NAME COLUMN (1 requests, 2 failed).
total() { awk -v key="$1" '$1 == key { print $2 }' "$world/load" 2>/dev/null || echo 0; }
version() { awk -v name="$1" -v column="$2" '$1 == "version" && $2 == name { n = $(2 + column) } END { print n + 0 }' "$world/load"; }

# watch_rollout VERSION GENERATION: a line whenever the Rollout's status changes, until it is Healthy or Degraded on that generation.
watch_rollout() {
  local name=$1 generation=$2 last="" status line phase step weight observed message seen
  local limit=$(( $(date +%s) + 120 ))
  while :; do
    status=$(field "{.status.phase}|{.status.step}|{.status.weight}|{.status.observed}|{.status.observedGeneration}|{.status.message}")
    IFS='|' read -r phase step weight observed seen message <<<"$status"
    line=$(printf '%-11s step %s  weight %-3s observed %-4s %s' "$phase" "$step" "$weight%" "${observed:--}" "$message")
    if [ -n "$phase" ] && [ "$line" != "$last" ]; then
      say "  $line ($name answered $(version "$name" 1), failed $(version "$name" 2))"
      last=$line
    fi
    if [ "${seen:-0}" -ge "$generation" ]; then
      case "$phase" in Healthy | Degraded) outcome=$phase; return ;; esac
    fi
    kill -0 "${pids[0]}" 2>/dev/null || fail "tidegate up has ended"
    [ "$(date +%s)" -lt "$limit" ] || fail "the rollout of $name did not end within 2 minutes"
    sleep 0.2
  done
}

# ship NAME FILE: applies a version and watches its rollout; leaves outcome, took, served and failed.
ship() {
  local name=$1 file=$2 from
  from=$(date +%s%N)
  kubectl apply -f "$file" >/dev/null
  watch_rollout "$name" "$(field "{.metadata.generation}")"
  took=$(seconds_since "$from")
  sleep 0.5  # requests under way and the load's report
  served=$(version "$name" 1) failed=$(version "$name" 2)
}

say "starting tidegate up (everything in one process; its state in a folder of its own)"
"$tidegate" up --data-dir "$world/data" --api 127.0.0.1:0 --metrics 127.0.0.1:0 >"$world/up.out" 2>"$world/up.log" &
pids+=($!)
wait_for 30 "tidegate up to be ready" ready
say "ready; applying $example: a Gateway, an HTTPRoute, two Services, a Rollout"
kubectl apply -f "$example" >/dev/null
kubectl wait gateway/demo --for=condition=Programmed --timeout=30s >/dev/null
gateway=$(kubectl get gateway demo -o 'jsonpath={.status.addresses[0].value}'):8080
wait_for 30 "version 1 to serve" serves
say "version 1 serves at http://$gateway; sending $rate requests a second"
"$tidegate" demo-load --target "$gateway" --host shop.example.com --rate "$rate" --report "$world/load" >/dev/null 2>"$world/load.log" &
pids+=($!)
sleep 1

say "shipping version 2, a good one"
ship v2 $example/versions/v2.yaml
good_outcome=$outcome good_took=$took good_served=$served good_failed=$failed
[ "$good_outcome" = Healthy ] || fail "version 2 should have been promoted, but is $good_outcome: $(field "{.status.message}")"
say "version 2 is promoted: all traffic goes to it"

say "shipping version 3, which fails a fifth of its requests"
ship v3 $example/versions/v3-bad.yaml
bad_outcome=$outcome bad_took=$took bad_served=$served bad_failed=$failed
[ "$bad_outcome" = Degraded ] || fail "version 3 should have been rolled back, but is $bad_outcome: $(field "{.status.message}")"
say "version 3 is shut out: $(field "{.status.message}")"
sleep 1
[ "$(version v3 1)" = "$bad_served" ] || fail "version 3 still got requests after the rollback"

kill -TERM "${pids[1]}" && wait "${pids[1]}" || true
other=$(( $(total failed) - good_failed - bad_failed ))
printf '\n%-22s %-12s %8s %18s %18s\n' "" outcome took "canary served" "users saw fail"
printf '%-22s %-12s %7ss %18s %18s\n' "version 2 (good)" promoted "$good_took" "$good_served" "$good_failed"
printf '%-22s %-12s %7ss %18s %18s\n' "version 3 (20 % fail)" "rolled back" "$bad_took" "$bad_served" "$bad_failed"
printf '\n%s requests in all; failed for any other reason: %s\n' "$(total requests)" "$other"
if [ "$other" -ne 0 ] || [ "$good_failed" -ne 0 ]; then
  grep '^failure' "$world/load" >&2 || true
  fail "requests failed that the bad version did not fail itself"
fi
