# The front door. `make help` lists what there is.
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

JOBS ?= $(shell nproc)
PACKAGES := g++ cmake ninja-build ccache mold pkg-config ca-certificates curl \
  libboost-dev nlohmann-json3-dev libyaml-cpp-dev prometheus-cpp-dev libssl-dev libspdlog-dev libfmt-dev \
  libsqlite3-dev libcli11-dev libre2-dev libnghttp2-dev libgtest-dev libbenchmark-dev
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
RELEASE := build/release/tidegate
# Says only what did not pass, and the sum.
TESTS = ctest --parallel $(JOBS) --output-on-failure --no-tests=error 2>&1 | \
  grep -vE '^ +Start +[0-9]+: |^ *[0-9]+/[0-9]+ Test +\#[0-9]+: .* Passed +[0-9.]+ sec$$'

.PHONY: help
help: ## This list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sort | sed -E 's/:[^#]*## /\t/' | expand -t 18

.PHONY: quickstart
quickstart: build ## One machine, real traffic: a good version is promoted, a bad one is rolled back
	@tools/quickstart.sh

.PHONY: up
up: build ## The world of quickstart, left running, with the kubectl line to look around
	@$(RELEASE) up -f examples/01-first-canary

.PHONY: build
build: deps ## A release build without tests: build/release/tidegate
	@cmake --preset release >build/configure.log || { cat build/configure.log; exit 1; }
	@cmake --build --preset release --parallel $(JOBS) --target tidegate

.PHONY: test
test: deps ## Install, build and run all tests
	@command -v prometheus >/dev/null || tools/unpack_package.sh prometheus build/prometheus
	@cmake --preset release >build/configure.log || { cat build/configure.log; exit 1; }
	@cmake --build --preset release --parallel $(JOBS)
	@cd build/release && $(TESTS)

.PHONY: asan tsan
asan: PRESET := asan-ubsan
tsan: PRESET := tsan
asan: sanitized ## All tests under AddressSanitizer and UndefinedBehaviorSanitizer
tsan: sanitized ## All tests under ThreadSanitizer
.PHONY: sanitized
sanitized: deps
	@cmake --preset $(PRESET) >build/configure.log || { cat build/configure.log; exit 1; }
	@cmake --build --preset $(PRESET) --parallel $(JOBS)
	@cd build/$(PRESET) && $(TESTS)

.PHONY: conformance
conformance: build ## The conformance suite of Gateway API, all features claimed (needs Go 1.26 and root, for ports below 1024)
	@tools/conformance.sh $(RELEASE)

.PHONY: bench
bench: deps ## Micro-benchmarks, how fast bad canaries are found (docs/judging.md), 500 Rollouts at once, the proxy beside its peers
	@cmake --preset release >build/configure.log
	@tools/bench.sh
	@$(MAKE) --no-print-directory bench-proxy

.PHONY: bench-proxy
bench-proxy: build ## Of that the proxy beside HAProxy and nginx (docs/performance.md; needs two quiet cores)
	@tools/packages.sh haproxy nginx wrk nghttp2-client openssl procps
	@tools/bench_proxy.sh

SECONDS_EACH ?= 60
SEED ?= 0
.PHONY: fuzz
fuzz: deps ## libFuzzer on every parser of outside bytes, SECONDS_EACH seconds each (60), by SEED (0: another each time)
	@tools/packages.sh clang
	@cmake --preset fuzz >build/configure.log || { cat build/configure.log; exit 1; }
	@cmake --build --preset fuzz --parallel $(JOBS) --target fuzzers
	@tools/fuzz.sh $(SECONDS_EACH) $(SEED)

.PHONY: golden-update
golden-update: ## Rewrite golden files and scenarios; read the diff before you commit it
	@cmake --preset dev >/dev/null && cmake --build --preset dev --parallel $(JOBS)
	UPDATE_GOLDEN=1 ctest --test-dir build/dev --output-on-failure -R 'golden|scenario|Golden|Scenario'

.PHONY: format
format: ## clang-format on all sources
	@tools/packages.sh clang-format
	@git ls-files '*.cc' '*.h' | xargs clang-format -i

.PHONY: tidy
tidy: deps ## clang-tidy on all sources
	@tools/packages.sh clang-tidy
	@cmake --preset dev >/dev/null && cmake --build --preset dev --parallel $(JOBS) >/dev/null
	@git ls-files 'src/*.cc' | xargs -P $(JOBS) -n 4 clang-tidy -p build/dev --quiet

.PHONY: deps
deps: ## Install the Debian packages that the build needs (apt, as root or through sudo)
	@mkdir -p build
	@tools/packages.sh $(PACKAGES)
	@command -v kubectl >/dev/null || tools/packages.sh kubernetes-client

.PHONY: clean
clean: ## Remove all build output
	rm -rf build
