# The words of this project. `make` alone lists them.
#
# Variables that may be set: ASSAY_HOME (where runtimes are kept), SWIFT, ARGS (handed on where a
# word says so), SECONDS_PER_TARGET (fuzz), PREFIX (install), DESTDIR (install).

SHELL := /bin/bash
.DEFAULT_GOAL := help
SWIFT ?= swift
PREFIX ?= /usr/local
SECONDS_PER_TARGET ?= 60

# Formatted and linted: everything that is Swift and ours.
FORMATTED := Package.swift Sources Tests $(wildcard Examples Fuzz)

.PHONY: help
help: ## list these words
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: setup
setup: ## install Debian packages and inference runtimes, whatever is missing
	@scripts/setup

.PHONY: build
build: setup ## build the command (debug)
	$(SWIFT) build --product assay

.PHONY: release
release: setup ## build the command (optimized): .build/release/assay
	$(SWIFT) build -c release --product assay

.PHONY: runner
runner: ## build assay-runner, which measures on devices, for this machine and 64-bit Arm
	@scripts/runner

.PHONY: demo
demo: release ## the main job on the example: variants, proofs, measurements, table and report
	.build/release/assay try Examples/digits/model.h5 --preprocess scale=1/255 \
	  --representative Examples/digits/representative --labels Examples/digits/images/labels.csv \
	  --max-drop 1% -o assay-out $(ARGS)

.PHONY: test
test: setup ## build and run the tests
	scripts/runner --quiet
	$(SWIFT) build --build-tests
	$(SWIFT) run --package-path Examples/library library Examples/digits/model.h5
	SWIFT="$(SWIFT)" scripts/test $(ARGS)

.PHONY: check
check: setup ## lint, layers, and a build in which a warning is an error
	$(SWIFT) format lint --strict --parallel --recursive $(FORMATTED)
	scripts/check_layers.py
	$(SWIFT) build --build-tests

.PHONY: test-all
test-all: check test ## everything that needs no special hardware: also the release build's tests and a short fuzz
	$(SWIFT) build -c release --build-tests -Xswiftc -enable-testing
	ASSAY_CHAOS=1000 ASSAY_SLURM=1 ASSAY_DISCONNECTS=200 ASSAY_ARM64=1 ASSAY_ADBD_TEST=1 SWIFT="$(SWIFT)" scripts/test -c release -Xswiftc -enable-testing
	$(MAKE) fuzz SECONDS_PER_TARGET=20

.PHONY: bench
bench: release ## the measures, each as a ratio to its peer in the same run (ARGS: measures, --quick)
	scripts/bench $(ARGS)

.PHONY: fuzz
fuzz: setup ## fuzz every codec and importer (SECONDS_PER_TARGET, ARGS: targets)
	scripts/fuzz --seconds $(SECONDS_PER_TARGET) $(ARGS)

.PHONY: docs
docs: setup ## build the API documentation into .build/docs; a broken link is an error
	scripts/docs

.PHONY: bless
bless: setup ## rewrite the golden files from what the code says now; review the difference
	ASSAY_BLESS=1 $(SWIFT) test --disable-xctest $(ARGS)
	git --no-pager diff --stat

.PHONY: doctor
doctor: build ## what of the machine, its runtimes and libraries Assay can use
	.build/debug/assay doctor

.PHONY: install
install: release ## install below PREFIX (default /usr/local); DESTDIR is honoured
	scripts/install --prefix "$(PREFIX)" --destdir "$(DESTDIR)"

.PHONY: dist
dist: setup ## a relocatable tarball and a .deb in .build/dist
	scripts/dist

.PHONY: clean
clean: ## remove what was built (runtimes in ASSAY_HOME stay)
	$(SWIFT) package clean
	rm -rf .build/dist .build/docs assay-out
