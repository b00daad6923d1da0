# make demo    the main job on a real project, with a real engine and a real registry
# make demo-regen   a comment becomes a commit; six attacks on that, refused
# make demo-gate    a tested image admitted, six tampered ones refused, and a rebuild on a second engine
# make demo-release    a release of fourteen images killed half-way and finished, and one that is undone
# make tamper  every tampering that the gate is tried with, its verdict and its reasons
# make test    the whole suite
#
# Both install what is missing on a Debian machine (as root, or through sudo) and say what.
.DEFAULT_GOAL := help
.PHONY: help build dev demo demo-gate demo-regen demo-release release-scene test unit lint sanitize fuzz bench bench-artifact bench-action bench-registry bench-release bench-gate bench-ci-image sweep-registry sweep sweep-rebuild check-history tamper image e2e-runner interop coverage clean engine-down

JOBS ?= $(shell nproc)
ROUNDS ?= 20
REPO ?= .

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile
	@echo "make build   the binary: build/release/crategate"
	@echo "make unit    unit, golden, wire and stage tests only (no engine)"
	@echo "make lint    layers, formatting, clang-tidy, shellcheck, workflows"
	@echo "make image   the action's image, crategate/crategate:dev, and its size by layer"
	@echo "make bench-registry   the registry commands beside crane, skopeo and regctl"
	@echo "make bench-release   a release beside crane, skopeo and curl"
	@echo "make bench-gate      fingerprints beside docker inspect and openssl; verify of fourteen cells"
	@echo "make sweep-registry   the conformance suite over every registry, and the fault sweep whole"
	@echo "make sweep            releases killed, disturbed and raced: all cells; an hour"
	@echo "make sweep-rebuild    tested once, rebuilt twenty times (ROUNDS=20), each time with a change as well"
	@echo "make check-history    what changed in 200 pull requests of a real history (REPO=…), beside plain git"
	@echo "make sanitize, make fuzz, make bench, make bench-artifact, make bench-action, make e2e-runner,"
	@echo "make interop, make coverage, make clean"

build:
	@tools/install build
	@cmake --preset release --log-level=WARNING
	@cmake --build --preset release -j $(JOBS)

dev:
	@tools/install build
	@cmake --preset dev --log-level=WARNING
	@cmake --build --preset dev -j $(JOBS)

demo: build
	@tools/install engine demo
	@tools/demo

demo-gate: build
	@tools/install engine demo
	@tools/demo-gate

demo-regen: build
	@tools/install engine demo
	@tools/demo-regen

demo-release: build release-scene
	@tools/install engine demo
	@tools/demo-release

# The test program that leaves images as if they had been built and tested.
release-scene:
	@tools/install build
	@cmake --preset dev --log-level=WARNING
	@cmake --build --preset dev -j $(JOBS) --target release-scene

test: dev
	@tools/install lint engine fuzz interop
	@ctest --test-dir build/dev --output-on-failure -j $(JOBS)

unit: dev
	@ctest --test-dir build/dev --output-on-failure -j $(JOBS) -L '^(unit|golden|wire|stages)$$'

lint: dev
	@tools/install lint
	@ctest --test-dir build/dev --output-on-failure -j $(JOBS) -L '^lint$$'

sanitize:
	@tools/install build
	@cmake --preset asan-ubsan --log-level=WARNING
	@cmake --build --preset asan-ubsan -j $(JOBS)
	@ctest --preset asan-ubsan -L '^(unit|golden|wire|stages)$$'

fuzz:
	@tools/install build fuzz
	@tools/fuzz 60

bench: build
	@tools/install engine
	@tools/engine up
	@eval "$$(tools/engine env)" && tests/bench/commands.py --engine
	@tests/bench/zip.py

bench-artifact: build dev
	@tools/install interop
	@tests/bench/artifacts.py

# Compiles in the container, as a release does.
image:
	@tools/install engine
	@tools/engine images
	@eval "$$(tools/engine env)" && tools/image crategate/crategate:dev && tests/bench/action.py crategate/crategate:dev --size

bench-action: image
	@eval "$$(tools/engine env)" && tests/bench/action.py crategate/crategate:dev

bench-registry: build
	@tools/install engine
	@tests/bench/registry.py

bench-release: build release-scene
	@tools/install engine
	@tests/bench/release.py

bench-ci-image: build
	@tools/install engine
	@tests/bench/ci_image.py

bench-gate: build release-scene
	@tools/install engine
	@tools/engine up
	@eval "$$(tools/engine env)" && tests/bench/gate.py
	@tests/bench/verify.py

sweep-registry: dev
	@tools/install engine
	@tools/sweep-registry build/dev

sweep: dev
	@tools/install engine
	@tools/sweep-release build/dev

# Packages come from a Debian mirror and from a package index, as this machine's environment says.
sweep-rebuild: build
	@tools/install engine
	@tools/engine up --store containerd --images
	@tools/engine up --store classic
	@tests/gate/converge.py build/release/crategate --rounds $(ROUNDS)

check-history: build
	@tests/history/check_history.py build/release/crategate "$(REPO)"

tamper: dev
	@tools/install engine
	@tools/engine up --store containerd
	@tools/engine up --store classic
	@tests/gate/tamper.py build/dev/crategate --whole

e2e-runner: dev
	@tools/install engine interop
	@ctest --test-dir build/dev --output-on-failure -R '^e2e_(runner|action)$$'

interop: dev
	@tools/install interop
	@tests/interop/artifact/cases.py build/dev --all

coverage:
	@tools/install build
	@cmake --preset coverage --log-level=WARNING
	@cmake --build --preset coverage -j $(JOBS)
	@ctest --preset coverage -L '^(unit|golden|wire|stages)$$'

engine-down:
	@tools/registries down
	@tools/engine down

clean:
	@tools/engine down --purge
	rm -rf build .crategate
