#!/bin/bash
# Runs every libFuzzer target of the fuzz preset on its stored corpus, SECONDS seconds each. New finds stay in build/fuzz/corpus.
set -euo pipefail
seconds=${1:-60}
for target in build/fuzz/*_fuzz; do
  name=$(basename "$target")
  corpus=build/fuzz/corpus/$name
  mkdir -p "$corpus"
  echo "fuzzing $name for ${seconds}s"
  stored=tests/fuzz/corpus/$name
  [ -d "$stored" ] || stored=
  "$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=0 -verbosity=0 "$corpus" $stored
done
