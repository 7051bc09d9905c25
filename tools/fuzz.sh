#!/bin/bash
# Runs every libFuzzer target of the fuzz preset on its stored corpus, SECONDS seconds each, one a core. New finds stay in build/fuzz/corpus, what a
# target says in build/fuzz/NAME.log. A SEED other than 0 makes two runs of the same program take the same way.
set -euo pipefail
export seconds=${1:-60} seed=${2:-0}

fuzz() {
  local name=$1 stored=tests/fuzz/corpus/$1
  mkdir -p "build/fuzz/corpus/$name"
  [ -d "$stored" ] || stored=
  "build/fuzz/$name" -max_total_time="$seconds" -seed="$seed" -timeout=25 -rss_limit_mb=2048 -artifact_prefix="build/fuzz/$name-" \
    -print_final_stats=1 "build/fuzz/corpus/$name" $stored >"build/fuzz/$name.log" 2>&1 || { tail -n 40 "build/fuzz/$name.log"; echo "$name failed"; exit 1; }
  awk -v name="$name" '/number_of_executed_units/ { print name ": " $2 " inputs" }' "build/fuzz/$name.log"
}
export -f fuzz
find build/fuzz -maxdepth 1 -name '*_fuzz' -printf '%f\n' | sort | xargs -P "$(nproc)" -I{} bash -c 'fuzz {}'
