#!/bin/bash
# Builds and runs the micro-benchmarks of every layer that has some.
set -euo pipefail
cd "$(dirname "$0")/.."
targets=$(ninja -C build/release -t targets all | grep -oE '^tidegate_[a-z]+_bench' | sort -u)
for target in $targets; do
  cmake --build --preset release --target "$target"
  find build/release -maxdepth 2 -name "$target" -type f -executable -exec {} \;
done
