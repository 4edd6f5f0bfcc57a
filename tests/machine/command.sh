#!/bin/sh
# SPDX-License-Identifier: MIT
# pkmap explore and pkmap replay: verdicts, schedules that show the same again,
# options, and every way to fail.  Reports in TAP.
# Usage: command.sh PKMAP

tool=$(realpath "$1")
top=$(mktemp -d) || exit 1
trap 'rm -rf "$top"' EXIT
trap 'exit 1' HUP INT TERM
cd "$top" || exit 1
tests=0
failures=0
n='[0-9]+'
cause='^ \*\*\*  .*the cause: '

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

# A command that must end like this, and say nothing on standard error.
ends() { # description, exit status, last line (regular expression), command
	what=$1 want=$2 last=$3
	shift 3
	"$tool" "$@" >"$top/out" 2>"$top/err"
	got=$?
	[ "$got" -eq "$want" ] && [ ! -s "$top/err" ] &&
		tail -n 1 "$top/out" | grep -Eqx "$last"
	result $? "$what"
}

says() { # description, regular expression that the last command printed
	grep -Eq "$2" "$top/out"
	result $? "$1"
}

fails() { # description, exit status, message, command
	what=$1 want=$2 message=$3
	shift 3
	"$tool" "$@" >"$top/out" 2>"$top/err"
	got=$?
	[ "$got" -eq "$want" ] && grep -Eq "^pkmap $1: $message" "$top/err"
	result $? "$what"
}

usage() { # message, command
	message=$1
	shift
	fails "wrong: $*" 2 "$message" "$@"
}

# An exploration that must break an invariant; what it wrote, replayed, must
# break the same.
found_again() { # verdict, scenario, scheme, options
	verdict=$1 scenario=$2 scheme=$3
	shift 3
	rm -f schedule
	ends "$scenario, $scheme $*: found" 1 \
		".* transitions $n verdict: $verdict after $n steps" \
		explore --scenario "$scenario" --scheme "$scheme" \
		--schedule schedule "$@"
	command=$(sed -n 's/^# pkmap //p' schedule)
	! grep -E '.{81}' "$top/out" >"$top/err"
	result $? "... in 80 columns"
	# shellcheck disable=SC2086 # these are words
	ends "... and shown again by its schedule" 1 \
		"verdict: $verdict(: .*)?" $command
	case $verdict in
	*"data loss"* | *"stale read"*) says "... with its cause" "$cause" ;;
	esac
}

# Replays.
ends "rfc, unpinned: loses data" 1 "verdict: data loss \(I1\)" \
	replay rfc --scheme unpinned
says "... and begins with what VIVT is" "^VIVT: the cache finds lines by"
says "... at the moment at which a line is invalidated" \
	"^ \*\*\*  +byte $n of page 2, .*, is lost"
[ "$(grep -Ec "$cause" "$top/out")" -eq 1 ] &&
	grep -A 2 "^  17 .* writes 32 to page 2, line 1" "$top/out" |
	grep -Eq "${cause}slot 0, line 1 is page 2's now, not page 0's\$"
result $? "... which had become another page's"
! tail -n 4 "$top/out" | grep -q "done"
result $? "... and nothing comes after it"
says "... and calls begin when their callers go on" \
	"^   3  other task  maps page 2:"
for scheme in locked claim-first pkmap; do
	ends "rfc, $scheme: the same schedule is clean" 0 "verdict: clean" \
		replay rfc --scheme "$scheme"
	! grep -q '\*\*\*' "$top/out"
	result $? "... and has nothing to mark"
done
ends "a scenario without a schedule" 0 "verdict: clean" \
	replay full-window --scheme pkmap
says "... says so" "there is no schedule"
ends "two schemes: the last one counts (clean)" 0 "verdict: clean" \
	replay rfc --scheme unpinned --beside pkmap
says "... and both are shown" "verdict: data loss"
ends "two schemes: the last one counts (broken)" 1 "verdict: data loss \(I1\)" \
	replay rfc --scheme pkmap --beside unpinned

printf 'task 1 steps 2\ntask 2 end\n' >spin
ends "a task that waits for a lock" 0 "verdict: clean" \
	replay full-window --scheme locked --cpus 2 --schedule spin
says "... is shown" "  spins on the lock"
says "... until it gets it" "    gets it"
says "the lines of a VIPT cache go by pages" "page 0, line 0: dirty,"
says "... and the beginning says so" "a line belongs to one page"
ends "a cache that aliases" 0 "verdict: clean" \
	replay rfc --scheme pkmap --cache aliasing
says "... is another at the beginning" "may be cached twice"

# Lines of 80 columns: the longest that there are.
: >wide
for scenario in $("$tool" explore --list | sed -n 's/^  \([^ ]*\)  .*/\1/p'); do
	for schemes in "unpinned --beside locked" "claim-first --beside pkmap"
	do
		# shellcheck disable=SC2086 # these are words
		"$tool" replay "$scenario" --scheme $schemes --cpus 2 \
			--own-caches --line-bytes 4 >>wide 2>&1
	done
done
scenarios=$("$tool" explore --list | grep -c '^  .*  ')
[ "$(grep -c ^verdict: wide)" -eq $((4 * scenarios)) ] &&
	! grep -E '.{81}' wide >"$top/out"
result $? "no timeline is wider than 80 columns"

# As no session has the terminal, none takes along what was not read yet.
narrow='
import fcntl, os, pty, struct, subprocess, sys, termios
ours, terminal = pty.openpty()
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
run = subprocess.Popen(sys.argv[1:], stdout=terminal)
os.close(terminal)
shown = b""
try:
    while data := os.read(ours, 4096):
        shown += data
except OSError:
    run.wait()
sys.stdout.buffer.write(shown.replace(b"\r", b""))
'
python3 -c "$narrow" "$tool" replay rfc --scheme unpinned |
	sed '1,/^step/d' >"$top/out"
grep -q "^verdict: data loss" "$top/out" && ! grep -E '.{61}' "$top/out"
result $? "nor wider than a terminal that is narrow"

# Pictures.
ends "pictures and a trace" 1 "verdict: data loss \(I1\)" \
	replay rfc --scheme unpinned --svg a.svg --png a.png --trace a.json
head -c 200 a.svg | grep -q "<svg" && head -c 4 a.png | grep -q "PNG" &&
	grep -q traceEvents a.json
result $? "... are there"
ends "a picture of two" 0 "verdict: clean" \
	replay rfc --scheme unpinned --beside pkmap --svg b.svg --png b.png
[ -s b.png ] && ! cmp -s a.svg b.svg
result $? "... is another"
ends "a picture of what is found" 1 ".* verdict: data loss .*" \
	explore --scenario rfc --scheme unpinned --png c.png
head -c 4 c.png | grep -q PNG
result $? "... is there"

# Files, whichever option names them.
mkdir dir
mkfifo fifo
ln -s /dev/full full
cannot_write() { # file, what is wrong, command
	file=$1 wrong=$2
	shift 2
	fails "$option: $file, $wrong" 1 "cannot write $file: $wrong" \
		"$@" "--$option" "$file"
}
for option in schedule svg png trace; do
	set -- explore --scenario rfc --scheme unpinned
	cannot_write none/file "No such file or directory" "$@"
	cannot_write dir "Is a directory" "$@"
	cannot_write full "No space left on device" "$@"
	[ -L full ] && [ -c full ]
	result $? "... is still there"
	echo old >dir/file
	chmod 604 dir/file
	ln -s dir/file link
	# In a subshell, so that the limit ends with it.
	(
		ulimit -f 0
		"$tool" "$@" "--$option" link
	) 2>&1 >/dev/null | cat >"$top/err"
	grep -q "cannot write link: File too large" "$top/err" &&
		[ "$(ls -A dir)" = file ] && [ "$(cat dir/file)" = old ]
	result $? "--$option: a file is not replaced by a part"
	"$tool" "$@" "--$option" link >"$top/out" 2>"$top/err"
	[ -L link ] && [ "$(ls -A dir)" = file ] &&
		[ "$(stat -c %a dir/file)" = 604 ] &&
		[ "$(wc -c <dir/file)" -gt 100 ]
	result $? "--$option: a link's target is replaced, and keeps its mode"
	(
		umask 027
		"$tool" "$@" "--$option" dir/new
	) >"$top/out" 2>"$top/err"
	[ "$(stat -c %a dir/new)" = 640 ]
	result $? "--$option: a new file has the umask's mode"
	cat fifo >got &
	"$tool" "$@" "--$option" fifo >"$top/out" 2>"$top/err"
	wait $!
	[ -p fifo ] && [ "$(wc -c <got)" -gt 100 ]
	result $? "--$option: a FIFO is written to, and stays"
	"$tool" "$@" "--$option" /dev/stdout >both 2>"$top/err"
	grep -aq "^To replay it" both &&
		grep -Eaq "states $n transitions" both &&
		[ "$(wc -c <both)" -gt "$(wc -c <got)" ]
	result $? "--$option: standard output gets both"
	rm link dir/file dir/new
done

# It waits for a reader once all is printed.
env --default-signal=INT "$tool" explore --scenario rfc --scheme unpinned \
	--schedule fifo >out 2>"$top/err" &
until grep -q "To replay it" out; do
	kill -0 $! || break
done 2>/dev/null
kill -INT $!
wait $!
[ $? -eq 130 ]
result $? "Ctrl-C while a FIFO has no reader"
for command in "replay rfc --scheme pkmap" "explore --list"; do
	# shellcheck disable=SC2086 # these are words
	"$tool" $command >/dev/full 2>"$top/err"
	[ $? -eq 1 ] &&
		grep -q "cannot print: No space left on device" "$top/err"
	result $? "standard output that is full: $command"
done

# Explorations.
ends "rfc, pkmap: every interleaving is clean" 0 \
	"states $n transitions $n verdict: clean complete" \
	explore --scenario rfc --scheme pkmap
found_again "data loss \(I1\)" rfc unpinned
says "... which is that the line is another page's" \
	"${cause}slot 0, line 0 is page 2's now, not page 0's$"
found_again "data loss \(I1\)" rfc unpinned --cache pipt
says "... which is that the address leads to another page's" \
	"${cause}page 2, line 0 is dirty now, and slot 0 leads to it$"
found_again "data loss \(I1\)" rfc unpinned --cache vivt-page
found_again "data loss \(I1\)" rfc unpinned --cache vivt-steps
found_again "data loss \(I1\)" rfc claim-first
says "... which is what is in the way of what a device wrote" \
	"${cause}slot 0, line 0 will now overwrite page 0$"
found_again "data loss \(I1\)" edges claim-first
for cache in vivt vivt-page vivt-steps; do
	ends "a run of slots, $cache: clean" 0 ".* verdict: clean complete" \
		explore --scenario flush-run --scheme pkmap --cache $cache
done
found_again "livelock \(I6\)" dma-irq claim-first --cache vipt
found_again "deadlock \(I7\)" ipi locked --cpus 2
says "... of who it is" \
	"^ \*\*\*  mapper .* mapper can never go on: nothing can happen"
found_again "deadlock \(I9\)" two-pages locked --slots 2 --pages 4
found_again "broken \(I[0-9]+\)" local-alias locked --rounds 2
found_again "broken \(I4\)" rfc unpinned --cpus 2 --own-caches --broadcast
found_again "(stale read|data loss) \(I[12]\)" reclaim-pin claim-first \
	--lines 4 --line-bytes 4
found_again "data loss \(I1\)" rfc unpinned --random 1000
found_again "stale read \(I2\)" to-device unpinned --cache pipt --random 1000
ends "a bound of states" 0 ".* verdict: clean bounded \(by 100 states\)" \
	explore --scenario rfc --scheme pkmap --states 100
ends "a bound of switches" 0 ".* verdict: clean bounded \(by 1 switches\)" \
	explore --scenario rfc --scheme pkmap --switches 1
ends "a bound of memory" 0 \
	".* verdict: clean bounded \(by 16 MiB of memory\)" \
	explore --scenario dma-irq --scheme pkmap --cpus 2 --max-memory 16
ends "a bound of time" 0 ".* verdict: clean bounded \(by 1 seconds\)" \
	explore --scenario rfc --scheme pkmap --random 4000000000 --seconds 1
ends "weak memory" 0 ".* verdict: clean complete" \
	explore --scenario rfc --scheme pkmap --memory ra

# At random.
ends "a spin that others end is no livelock" 0 ".* verdict: clean bounded .*" \
	explore --scenario rfc --scheme claim-first --cpus 2 --random 2000
ends "random runs that are clean" 0 \
	"runs 20 transitions $n verdict: clean bounded \(by 20 random runs\)" \
	explore --scenario rfc --scheme pkmap --random 20
says "... name their seed" "^The first run's seed: 1$"
"$tool" explore --scenario rfc --scheme unpinned --random 1000 >random
seed=$(sed -n "s/^The run's seed: //p" random)
# shellcheck disable=SC2086 # these are words
ends "a run's seed" 1 "runs 1 .* verdict: data loss .*" \
	explore --scenario rfc --scheme unpinned $seed
[ -n "$seed" ] && sed -i '/^runs/d' random "$top/out" &&
	cmp -s random "$top/out"
result $? "... makes the very same run"

# Schedules.
wrong_schedule() { # text, message
	printf '# first\n%s\n' "$1" >wrong
	fails "a schedule: $1" 1 "wrong:2: $2" \
		replay rfc --scheme pkmap --schedule wrong
}
wrong_schedule "nobody steps 3" "there is no 'nobody' in this scenario"
wrong_schedule "driver steps x" "'x' is not a number"
wrong_schedule "driver hops 3" "'hops' is not steps, lines, way or end"
wrong_schedule "driver" "this is no segment: 'driver'"
wrong_schedule "flush 1" "CPUs are numbered 0 to 0"
wrong_schedule "evict 0 1000" "caches are numbered 0 to 0, entries"
wrong_schedule "driver way 256" "there is no way 256"
fails "a schedule that is not there" 1 "cannot read none: No such file" \
	replay rfc --scheme pkmap --schedule none
fails "a schedule that is a directory" 1 "cannot read \.: Is a directory" \
	replay rfc --scheme pkmap --schedule .
: >empty
ends "a schedule that is empty" 0 "verdict: clean" \
	replay rfc --scheme unpinned --schedule empty
cat >odd <<'EOF'
interrupt interrupt
device end # later

	driver  lines 1
  other task end
EOF
ends "blanks, comments, and who cannot go on" 1 "verdict: data loss \(I1\)" \
	replay rfc --scheme unpinned --schedule odd

# Wrong command lines.
usage "no scenario given" replay --scheme pkmap
usage "no --scenario given" explore --scheme pkmap
usage "no --scheme given" explore --scenario rfc
usage "there is no scenario 'x'" replay x --scheme pkmap
usage "there is no scheme 'x'" replay rfc --scheme x
usage "there is no scheme 'x'" replay rfc --scheme pkmap --beside x
usage "more than one scenario" replay rfc rfc --scheme pkmap
usage "--trace shows one run" \
	replay rfc --scheme pkmap --beside locked --trace t
usage "--cache: 'x' is not" replay rfc --scheme pkmap --cache x
usage "--memory: 'x' is not" replay rfc --scheme pkmap --memory x
usage "--cpus: 5 is not between 1 and 4" replay rfc --scheme pkmap --cpus 5
usage "--cpus: 'x' is not a number" replay rfc --scheme pkmap --cpus x
usage "--lines: 3 is not a power of two" replay rfc --scheme pkmap --lines 3
usage "a VIVT cache is for 1 CPU" \
	replay rfc --scheme pkmap --cache vivt --cpus 2
usage "on an aliasing cache, half" \
	replay rfc --scheme pkmap --cache aliasing --slots 3
usage "with those for local maps, these are too many slots" \
	replay rfc --scheme pkmap --cache aliasing --cpus 4
usage "ipi makes no sense on VIPT, 1 CPU; try --cache vipt --cpus 2" \
	explore --scenario ipi --scheme pkmap --cache vipt --cpus 1
usage "ipi makes no sense on VIPT, 2 CPUs, TLBs flushed by broadcast; try" \
	explore --scenario ipi --scheme pkmap --broadcast --cpus 2
usage "there are at most 64 bytes of memory" \
	explore --scenario carried --scheme pkmap --lines 4 --line-bytes 4
usage "prefetch makes no sense on VIVT, 1 CPU; try --cache vipt$" \
	replay prefetch --scheme pkmap --cache vivt
usage "carried makes no sense on aliasing VIPT, 1 CPU; try --cache vivt$" \
	replay carried --scheme pkmap --cache aliasing
usage "--seed is for --random" explore --scenario rfc --scheme pkmap --seed 1
usage "--switches and --states are not for --random" \
	explore --scenario rfc --scheme pkmap --random 1 --states 1
usage "--json is for --all and --deep" \
	explore --scenario rfc --scheme pkmap --json
usage "--list, --all and --deep exclude each other" explore --all --deep
usage "--list, --all and --deep choose" explore --all --cpus 2
usage "--list, --all and --deep choose" explore --list --scenario rfc

# Without options a scenario runs where it makes sense.
"$tool" explore --list >"$top/list"
sed -n '/^scenarios:/,/^schemes:/s/^  \([^ ]*\) .*/\1/p' "$top/list" |
	while read -r scenario; do
		"$tool" replay "$scenario" --scheme pkmap || echo "$scenario" >&2
	done >"$top/out" 2>"$top/err"
[ "$(grep -c '^verdict: clean$' "$top/out")" -gt 20 ] && [ ! -s "$top/err" ]
result $? "each scenario's own machine"

# Many at once.
ends "--list" 0 "  pkmap" explore --list
says "... names the scenarios" "^  rfc  +a page's lines are invalidated"
"$tool" explore --all --states 500 --json >"$top/out" 2>"$top/err" &&
	python3 - "$top/out" <<'EOF'
import json, sys
cells = json.load(open(sys.argv[1]))
pkmap = [c for c in cells if c["scheme"] == "pkmap"]
lost = [c for c in cells if c["scheme"] == "unpinned" and
        c["scenario"] == "rfc" and c["machine"] == \
            "VIVT cleaned by the page, 1 CPU"]
sys.exit(not (len(pkmap) > 50 and
              all(c["verdict"] == "clean" and c["states"] for c in pkmap) and
              [c["invariant"] for c in lost] == [1]))
EOF
result $? "--all --json, with a bound of states"

# Ctrl-C, once its progress on a terminal shows that it is at work.
interrupt='
import os, pty, re, signal, subprocess, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
ours, terminal = pty.openpty()
run = subprocess.Popen(sys.argv[2:], stderr=terminal)
os.close(terminal)
shown = b""
try:
    while not re.search(sys.argv[1].encode(), shown):
        shown += os.read(ours, 4096)
    run.send_signal(signal.SIGINT)
    sys.exit(run.wait() != -signal.SIGINT)
finally:
    run.kill()
'
interrupted() { # description, progress, what is covered, command
	what=$1 shows=$2 covered=$3
	shift 3
	# The shell's background jobs ignore SIGINT.
	python3 -c "$interrupt" "$shows" "$tool" "$@" \
		>"$top/out" 2>"$top/err" &&
		tail -n 1 "$top/out" | grep -Eqx "$covered"
	result $? "$what"
}
interrupted "Ctrl-C" " states, " \
	"states $n transitions $n verdict: clean bounded \(interrupted\)" \
	explore --scenario dma-irq --scheme pkmap --cpus 2 --lines 4 --memory ra
interrupted "Ctrl-C at random" " runs, " \
	"runs $n .* clean bounded \(interrupted\)" \
	explore --scenario rfc --scheme pkmap --random 4000000000
interrupted "Ctrl-C in --all" "[1-9][0-9]* of" \
	"pkmap clean in ($n) of \1 cells \($n complete\); $n were not run" \
	explore --all
says "... says what was not run" "^forget .* not run$"
interrupted "Ctrl-C in --deep" "[1-9][0-9] of" \
	"pkmap clean in ($n) of \1 cells \($n complete\); $n were not run" \
	explore --deep
says "... says what was run" "^rfc +$n +$n +clean complete"

# A cell's process is killed: those of small cells may end before.
python3 - "$tool" explore --all >"$top/out" 2>"$top/err" <<'EOF'
import contextlib, os, select, signal, subprocess, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
run = subprocess.Popen(sys.argv[1:], stderr=subprocess.PIPE, text=True)
while not select.select([run.stderr], [], [], 0)[0]:
    with open(f"/proc/{run.pid}/task/{run.pid}/children") as f:
        children = f.read().split()
    with contextlib.suppress(IndexError, ProcessLookupError):
        os.kill(int(children[0]), signal.SIGKILL)
said = run.stderr.readline()
run.send_signal(signal.SIGINT)
run.communicate()
sys.stderr.write(said)
EOF
grep -Eqx "pkmap explore: [a-z-]+, [a-z-]+, .* CPUs?: Killed" "$top/err" &&
	grep -q " crashed" "$top/out"
result $? "a cell's process that is killed"

# A terminal.
python3 - "$tool" explore --scenario rfc --scheme pkmap --random 4000000000 \
	--seconds 1 >"$top/out" 2>"$top/err" <<'EOF'
import os, pty, sys
shown = b""
def read(fd):
    global shown
    data = os.read(fd, 4096)
    shown += data
    return data
pty.spawn(sys.argv[1:], read)
sys.exit(b" runs, " not in shown)
EOF
result $? "progress on a terminal"

echo "1..$tests"
[ "$failures" -eq 0 ]
