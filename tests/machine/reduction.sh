#!/bin/sh
# SPDX-License-Identifier: MIT
# What the checker leaves out because it commutes loses nothing: with
# --unreduced the verdicts are the same, and the states are more.  In TAP.
# Usage: reduction.sh PKMAP

tool=$1
tests=0
failures=0

# The last line: "states N transitions N verdict: ...".
explore()
{
	"$tool" explore "$@" | tail -n 1
}

# Without the length of the schedule: others may be as short.
verdict()
{
	echo "$1" | sed 's/.*verdict: //; s/ after .*//'
}

states()
{
	echo "$1" | sed 's/states \([0-9]*\) .*/\1/'
}

compare()
{
	reduced=$(explore "$@")
	all=$(explore "$@" --unreduced)
	tests=$((tests + 1))
	if [ "$(verdict "$reduced")" ] &&
	   [ "$(verdict "$reduced")" = "$(verdict "$all")" ] &&
	   [ "$(states "$reduced")" -le "$(states "$all")" ]; then
		echo "ok $tests - $*: $(verdict "$all")"
	else
		echo "not ok $tests - $*"
		printf '# reduced: %s\n# all: %s\n' "$reduced" "$all"
		failures=$((failures + 1))
	fi
}

for scheme in unpinned locked claim-first pkmap; do
	for scenario in rfc reclaim-pin two-pages recycle deadline; do
		for cache in vivt pipt; do
			compare --scenario $scenario --scheme $scheme \
				--cache $cache
		done
	done
	compare --scenario ipi --scheme $scheme --cpus 2
	compare --scenario rfc --scheme $scheme --cpus 2 --memory ra
done
compare --scenario edges --scheme pkmap
# Unreduced, pkmap has 20 times as many states here as locked.
for scheme in unpinned locked claim-first; do
	compare --scenario prefetch --scheme $scheme --cache pipt
done
compare --scenario remap --scheme pkmap

echo "1..$tests"
[ "$failures" -eq 0 ]
