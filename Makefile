# SPDX-License-Identifier: MIT
# The commands of the README.  Meson does the building.

PREFIX = /usr/local
# The file that `make run` copies; by default the C compiler itself.  The name
# is passed in the environment, so that it may contain any character.
export FILE

.PHONY: all run check check-spin check-tool check-mutants coverage check-deep \
	check-linux check-linux-quick bench install clean format FORCE

all: build/pkmap

build/build.ninja:
	@scripts/setup run
	@meson setup build -Dtool=enabled

build/pkmap: build/build.ninja FORCE
	@scripts/setup run
	@ninja -C build pkmap bench-workers

# An earlier scheme loses data, and the last line of its replay must say so.
run: build/pkmap
	@build/pkmap replay rfc --scheme unpinned >build/rfc || true
	@cat build/rfc
	@tail -n 1 build/rfc | grep -q 'data loss'
	build/pkmap replay rfc --scheme pkmap
	@set -x; build/pkmap pump --slots 64 \
		"$${FILE:-$$($(CC) -print-prog-name=cc1)}" build/pumped

check:
	@scripts/check

check-spin:
	@scripts/check spin

check-tool:
	@scripts/check tool

check-mutants:
	@scripts/setup check
	@scripts/check-mutants

coverage:
	@scripts/setup coverage
	@scripts/coverage

check-linux: build/pkmap
	@scripts/setup linux
	@scripts/check-linux

check-linux-quick: build/pkmap
	@scripts/setup linux
	@scripts/check-linux --quick

check-deep: build/pkmap
	build/pkmap explore --deep --json >build/deep.json
	@scripts/figures --deep build/deep.json
	@scripts/check spin

bench: build/pkmap
	@scripts/setup bench
	@scripts/bench

install: export PREFIX := $(PREFIX)
install: build/build.ninja
	@scripts/setup install
	@scripts/install

clean:
	rm -rf build

format:
	@git ls-files -co --exclude-standard '*.[ch]' | xargs clang-format -i
