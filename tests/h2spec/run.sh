#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# h2spec, strict cases included, against the gateway of the program $1; output goes to folder $2. Fails on any case that
# exceptions.txt does not name. Exit code 77: there is no Go to build it with, or no way to its modules.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
binary=$(realpath "$1")
mkdir -p "$2"
out=$(realpath "$2")

command -v go >/dev/null || { echo "h2spec: skipped, needs go 1.26 on PATH"; exit 77; }
go -C "$here" build -o "$out/h2spec" github.com/summerwind/h2spec/cmd/h2spec >"$out/build.log" 2>&1 ||
  { echo "h2spec: skipped, could not be built"; cat "$out/build.log"; exit 77; }

rm -rf "$out/data"
"$binary" up --data-dir "$out/data" --api 127.0.0.1:0 --metrics 127.0.0.1:0 --gateway-pool 127.97.0.0/16 --pod-pool 127.98.0.0/16 \
  -f "$here/../../examples/01-first-canary" -f "$here/route.yaml" >"$out/tidegate.log" 2>&1 &
gateway=$!
trap 'kill $gateway 2>/dev/null; wait $gateway 2>/dev/null || true' EXIT
answers() { curl --silent --fail --http2-prior-knowledge --output /dev/null http://127.97.0.1:8080/; }
for _ in $(seq 600); do
  answers && break
  kill -0 $gateway 2>/dev/null || break
  read -rt 0.1 <> <(:) || true
done
answers || { echo "h2spec: the gateway does not serve"; tail -20 "$out/tidegate.log"; exit 1; }

"$out/h2spec" --strict --host 127.97.0.1 --port 8080 --timeout 3 >"$out/report.txt" 2>&1 || true
grep -E '^[0-9]+ tests, ' "$out/report.txt" || { echo "h2spec: did not end"; tail -20 "$out/report.txt"; exit 1; }
grep -oP '× \K.*' "$out/report.txt" | sort -u >"$out/failed.txt" || true
if unexpected=$(grep -vxFf "$here/exceptions.txt" "$out/failed.txt"); then
  echo "h2spec: not among the exceptions of tests/h2spec/exceptions.txt:"
  echo "$unexpected"
  exit 1
fi
