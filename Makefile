# SPDX-License-Identifier: MIT
# A front for the CMake presets and the scripts in tools/. `make help` lists what it can do.

PORT    ?= 4000
LISTEN  ?= 127.0.0.1:$(PORT)
PREFIX  ?= /usr/local
DESTDIR ?=
PRESET  ?= release
# OFF builds without WebAssembly, and needs no cargo.
export RUSM_WASM ?= ON

DASHBOARD := bench/dashboard
# CMake asks for it too; here it is seen to be at work.
wasmtime = @[ $(RUSM_WASM) = OFF ] || deps/build >/dev/null

.DEFAULT_GOAL := help
.PHONY: run build dashboard deps peers test format lint install clean help

run: ## build what is needed and run the node with its page; PORT=4000 or LISTEN=address:port
	@tools/bootstrap run
	@$(MAKE) --no-print-directory dashboard
	$(wasmtime)
	@cmake --preset release -DRUSM_WASM=$(RUSM_WASM)
	@cmake --build --preset release --target rusm-bench
	@exec build/release/bin/rusm-bench start --listen $(LISTEN) --dashboard $(DASHBOARD)/dist

build: ## build everything into build/release/bin (PRESET=release)
	@tools/bootstrap run
	$(wasmtime)
	@cmake --preset $(PRESET) -DRUSM_WASM=$(RUSM_WASM)
	@cmake --build --preset $(PRESET)

dashboard: $(DASHBOARD)/dist/index.html ## build the page into bench/dashboard/dist

# The page is built again when one of its files has changed.
$(DASHBOARD)/dist/index.html: $(shell find $(DASHBOARD)/src $(DASHBOARD)/dev -type f 2>/dev/null) \
		$(DASHBOARD)/package.json $(DASHBOARD)/node_modules/.package-lock.json
	@npm --prefix $(DASHBOARD) run --silent build

$(DASHBOARD)/node_modules/.package-lock.json: $(DASHBOARD)/package-lock.json
	@npm --prefix $(DASHBOARD) ci --no-audit --no-fund --loglevel=error
	@touch $@

deps: ## install what building and testing takes
	@tools/bootstrap test

peers: ## install the systems to compare with, and measure them
	@bench/peers/install
	@bench/peers/run

test: ## everything that continuous integration runs
	@tools/bootstrap test
	@tools/ci all

lint: ## style, layers and static analysis
	@tools/bootstrap test
	@tools/ci lint

format: ## lay out C and TypeScript sources
	@git ls-files -z --cached --others --exclude-standard -- '*.c' '*.h' | \
		xargs -0 ls -d 2>/dev/null | xargs clang-format -i
	@if [ -f $(DASHBOARD)/package.json ]; then npm --prefix $(DASHBOARD) run --silent format; fi

install: ## install the library and programs under PREFIX=/usr/local
	@tools/bootstrap run
	$(wasmtime)
	@cmake --preset release -DRUSM_WASM=$(RUSM_WASM)
	@cmake --build --preset release
	@DESTDIR=$(DESTDIR) cmake --install build/release --prefix $(PREFIX)

clean: ## remove all build output
	@rm -rf build $(DASHBOARD)/dist

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 12
