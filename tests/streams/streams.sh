#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs every command with its standard streams closed, in all combinations, and
# with a full disk as standard output.  A command that cannot print says so,
# once.  No file that it opens gets the number of a standard stream, where it
# would be written to.  Reports in TAP.
# Usage: streams.sh PKMAP

tool=$(realpath "$1")
top=$(mktemp -d) || exit 1
trap 'rm -rf "$top"' EXIT
trap 'exit 1' HUP INT TERM
mkdir "$top/work"
cd "$top/work" || exit 1
tests=0
failures=0

result() { # status, description
	tests=$((tests + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tests - $2"
	else
		echo "not ok $tests - $2"
		tail -n 5 "$top/out" "$top/err" | sed 's/^/# /'
		failures=$((failures + 1))
	fi
}

run() { # redirections, command
	redirections=$1
	shift
	rm -f out schedule bench/*
	: >"$top/out"
	: >"$top/err"
	eval "\"\$tool\" \"\$@\" </dev/null >\"\$top/out\" 2>\"\$top/err\"" \
		"$redirections"
}

said_once() {
	[ "$(wc -l <"$top/err")" -eq 1 ] &&
		grep -q '^pkmap.*: cannot print.*: [A-Z]' "$top/err"
}

# With these streams closed a command ends as it does with all of them, unless
# it must print, and writes the same files.
without() { # numbers of streams, description, exit status, command
	closed=$1 what=$2 want=$3
	shift 3
	redirections=
	for fd in $closed; do
		redirections="$redirections $fd<&-"
	done
	run "$redirections" "$@"
	got=$?
	case $closed in
	*1*2) [ "$got" -eq 1 ] ;;
	*1*) [ "$got" -eq 1 ] && said_once ;;
	*) [ "$got" -eq "$want" ] && [ ! -s "$top/err" ] ;;
	esac && files_are_whole
	result $? "$what, without $closed"
}

# OUT is a copy of IN, and the schedule is the same as with all streams.
files_are_whole() {
	{ [ ! -e out ] || cmp in out; } &&
		{ [ ! -e schedule ] || cmp ../schedule schedule; }
} >>"$top/err" 2>&1

full_disk() { # command
	run '>/dev/full' "$@"
	[ $? -eq 1 ] && said_once
	result $? "$*, onto a full disk"
}

every_way() { # exit status, command
	want=$1
	shift
	for closed in 0 1 2 '0 1' '0 2' '1 2' '0 1 2'; do
		without "$closed" "$*" "$want" "$@"
	done
	full_disk "$@"
}

head -c 100000 "$tool" >in
run '' explore --scenario rfc --scheme unpinned --schedule schedule
mv schedule ..
result $? "a schedule to compare with"

every_way 0 --version
every_way 0 bench --out bench traces # prints, but measures nothing
every_way 0 pump in out
every_way 1 replay rfc --scheme unpinned
every_way 1 explore --scenario rfc --scheme unpinned --schedule schedule
for command in '' bench explore pump replay; do
	# shellcheck disable=SC2086 # a word, or none
	full_disk $command --help
	full_disk $command --usage
done
full_disk bench --list
full_disk bench --json traces
full_disk explore --list
full_disk explore --deep --states 1 --json
full_disk explore --scenario rfc --scheme pkmap --random 5
full_disk pump --json in out
full_disk replay rfc --scheme pkmap --beside unpinned

# A command that does not print needs no standard output.
run '<&- >&- 2>&-' pump --quiet in out && files_are_whole
result $? "pump --quiet, without any"
run '>/dev/full' pump --quiet in out && files_are_whole
result $? "pump --quiet, onto a full disk"

echo "1..$tests"
[ "$failures" -eq 0 ]
