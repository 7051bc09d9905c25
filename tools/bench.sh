#!/bin/bash
# Builds and runs every benchmark: micro-benchmarks of the layers that have some, the judging tables (docs/judging.md), and a whole world
# under 500 Rollouts.
# With arguments: only those whose target's name contains one of them, such as `tools/bench.sh judging`.
set -euo pipefail
cd "$(dirname "$0")/.."
targets=$(ninja -C build/release -t targets all | grep -oE '^tidegate_[a-z]+_bench' | sort -u)
for target in $targets; do
  [[ $# -eq 0 || "$target" =~ $(IFS='|'; echo "$*") ]] || continue
  cmake --build --preset release --target "$target"
  find build/release -name "$target" -type f -executable -exec {} \;
done
