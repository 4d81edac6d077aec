# The daily commands. CI calls these and nothing else, so that nobody has to debug it elsewhere. `make help` lists them.
SHELL := /bin/bash
PYTHON := /usr/bin/python3
RUNTIME ?= $(CURDIR)/build/release/capsule
T ?=
FUZZ_SECONDS ?= 10
MODE ?= minimal
RUNTIMES ?= capsule
TESTS ?= integration
CPUS ?= 1
VM_CHECK ?=

.DEFAULT_GOAL := dev
.PHONY: help dev test quick asan fuzz-smoke tidy fmt fmt-check layers coverage coverage-check defences golden release integration integration-rootless integration-peers vm-test vm-engines vm-killed vm-kubernetes vm-image vm-check perf start-order check demo clean

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

dev: ## build with warnings as errors, run all unit tests
	cmake --workflow --preset dev

test: ## the unit tests again; T='[cgroups]' selects by Catch2 tag
	cmake --preset dev >/dev/null && cmake --build --preset dev
	@if [ -n "$(T)" ]; then for t in build/dev/tests/*/*_test; do $$t "$(T)" || [ $$? = 2 ] || exit 1; done; \
	 else ctest --preset dev; fi

quick: layers fmt-check coverage-check dev integration-dev ## layers, format, build, unit, golden, native integration: before every commit

.PHONY: integration-dev
integration-dev:
	$(MAKE) integration RUNTIME=$(CURDIR)/build/dev/capsule

asan: ## everything again with clang under address and undefined-behaviour sanitizers
	cmake --workflow --preset asan

fuzz-smoke: ## each fuzz target for FUZZ_SECONDS with libFuzzer (clang), as many side by side as there are processors
	cmake --preset asan >/dev/null && cmake --build --preset asan
	@find build/asan/tests/fuzz -maxdepth 1 -name 'fuzz_*' -type f -executable -printf '%f\n' | sort | xargs -P "$$(nproc)" -I NAME sh -c \
	  'name=NAME; echo "fuzz $${name#fuzz_}"; dir=$$(mktemp -d); build/asan/tests/fuzz/NAME -max_total_time=$(FUZZ_SECONDS) -print_final_stats=0 -verbosity=0 \
	   "$$dir" "tests/fuzz/corpus/$${name#fuzz_}"; status=$$?; rm -rf "$$dir"; exit $$status'

tidy: ## clang-tidy on every file (slow)
	cmake --preset tidy && cmake --build --preset tidy

sources = git ls-files -co --exclude-standard '*.cc' '*.h'
fmt: ## format every source file
	$(sources) | xargs clang-format -i

fmt-check: ## fail if a file is not formatted
	$(sources) | xargs clang-format --dry-run --Werror

layers: ## who may include whom, and that tables are read-only
	$(PYTHON) tests/support/layers.py

coverage: ## rewrite docs/spec-coverage.md: which test proves which field
	$(PYTHON) tests/coverage/coverage.py

coverage-check: ## fail if a field, a demand or a rule has no test, or the page is not up to date
	$(PYTHON) tests/coverage/coverage.py --self-test
	$(PYTHON) tests/coverage/coverage.py --check

defences: ## take security defences away, one at a time: the tests named after their rules must fail (root, slow)
	$(PYTHON) tests/coverage/defences.py

golden: ## rewrite the approved plans; read the diff before you commit
	cmake --preset dev >/dev/null && cmake --build --preset dev --target golden_test
	APPROVE=1 build/dev/tests/golden/golden_test

release: ## one static binary: build/release/capsule
	cmake --preset release >/dev/null && cmake --build --preset release

integration: ## the built binary on real bundles (root); RUNTIME=/usr/bin/crun tests another one; T=expression selects
	RUNTIME=$(RUNTIME) $(PYTHON) -m pytest -q -c integration/pytest.ini integration $(if $(T),-k "$(T)")

integration-rootless: ## the same tests with the binary executed as an ordinary user
	ROOTLESS=1 $(MAKE) integration

integration-peers: ## the same tests against Debian's crun and runc: tests that only we pass are wrong, or an extension
	$(PYTHON) integration/run_peers.py $(if $(T),-k "$(T)")

vm-test: ## the suite in a virtual machine with all controllers; T=, MODE=minimal|systemd, RUNTIMES=capsule,crun,runc, TESTS=, CPUS=
	$(PYTHON) integration/vm/run.py --mode $(MODE) --runtimes $(RUNTIMES) --cpus $(CPUS) $(if $(T),-k "$(T)") $(TESTS)

vm-engines: ## real engines in the test machine with capsule, crun and runc, and docs/engines/table.md from it; ENGINES=, T=
	$(PYTHON) integration/engines_real/run.py $(if $(ENGINES),--engines $(ENGINES)) $(if $(T),-k "$(T)")

vm-killed: ## 200 starts under Podman and containerd with somebody killed at a random moment; STARTS=, RUNTIMES=one
	$(PYTHON) integration/vm/run.py --image engines --mode systemd --megabytes 4096 --deadline 7200 --output build/vm-killed \
	  --command "/usr/bin/python3 /capsule/checkout/integration/engines_real/killed.py --runtime $(RUNTIMES) $(if $(STARTS),--starts $(STARTS))"

vm-kubernetes: ## pods of a real kubelet, with capsule, crun and runc, in a machine of its own (Kubernetes is built once); T=
	$(PYTHON) integration/engines_real/run.py --kubernetes $(if $(T),-k "$(T)")

vm-image: ## fetch and make the test machine's image (once, 3 minutes), so that vm-check finds it
	$(PYTHON) integration/vm/check.py --image-only

vm-check: ## the tests that need the test machine, in both modes side by side; the output is printed whole at the end
	$(PYTHON) integration/vm/check.py $(VM_CHECK)

perf: release ## side by side with crun, runc and the bare kernel; ROUNDS=, OPS=, RUNTIMES=
	$(MAKE) -C integration/perf run

start-order: ## write runtime/cli/start_order.ld anew: what a start executes lies side by side in the binary (root)
	cmake --preset release -B build/order -DCAPSULE_LINK_MAP=ON >/dev/null && cmake --build build/order --target capsule
	$(MAKE) -C integration/perf start-order PROGRAM=$(CURDIR)/build/order/capsule

check: layers fmt-check coverage-check ## everything CI does, in its order
	$(MAKE) -j2 check-builds vm-image
	$(MAKE) -j2 check-tests vm-check VM_CHECK=--in-turn

# In the foreground of what the test machine does beside them: one after the other, each on a line of its own for that.
.PHONY: check-builds check-tests
check-builds:
	$(MAKE) dev
	$(MAKE) release

check-tests:
	$(MAKE) integration
	$(MAKE) integration-rootless
	$(MAKE) integration-peers
	$(MAKE) asan
	$(MAKE) fuzz-smoke

demo: ## build, make a bundle, run it
	./demo.sh

clean:
	rm -rf build demo
