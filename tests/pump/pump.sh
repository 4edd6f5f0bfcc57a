#!/bin/sh
# SPDX-License-Identifier: MIT
# pkmap pump: sizes, options, and every way to fail.  Reports in TAP.
# Usage: pump.sh PKMAP FAULTS BUGS: the command, faults.c's module, and the
# command with driver_bugs.c.  DMA_TRACKER=false: the library has no tracker.

tool=$(realpath "$1")
bugs=$(realpath "$3")
left="frames still held by devices"
top=$(mktemp -d) || exit 1
trap 'rm -rf "$top"' EXIT
trap 'exit 1' HUP INT TERM
mkdir "$top/work"
# LD_PRELOAD cannot express a blank.
ln -s "$(realpath "$2")" "$top/faults.so"
faults=../faults.so
cd "$top/work" || exit 1
# shellcheck disable=SC3045 # not in POSIX, but in dash
ulimit -c 0
tests=0
failures=0
no_sendfile="FAULT_copy_file_range=18 FAULT_sendfile=22"

result() { # status, description
	tests=$((tests + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tests - $2"
	else
		echo "not ok $tests - $2"
		sed 's/^/# /' "$top/err"
		failures=$((failures + 1))
	fi
}

skip() { # description, reason
	tests=$((tests + 1))
	echo "ok $tests - $1 # SKIP $2"
}

# The names, sizes, modes and times of all files in the working directory.
snapshot() {
	find . ! -type d -printf '%p %l %s %m %T@\n' | sort
}

# Checks a copy that must succeed and leave nothing but OUT.
copies() { # description, pump's arguments before IN and OUT
	what=$1
	shift
	rm -f out
	"$tool" pump "$@" in out >"$top/out" 2>"$top/err" &&
		cmp in out >>"$top/err" 2>&1 && [ ! -s "$top/err" ] &&
		[ "$(ls -A)" = "$(printf 'in\nout')" ]
	result $? "$what"
}

# Checks a command that must fail with just this message, change nothing, and
# leave no frame with a device.
fails() { # description, exit status, message, command
	what=$1 want=$2 message=$3
	shift 3
	before=$(snapshot)
	"$@" >"$top/out" 2>"$top/err"
	got=$?
	[ "$got" -eq "$want" ] && [ "$(snapshot)" = "$before" ] &&
		grep -q "^pkmap pump: $message" "$top/err" &&
		! grep -q "$left" "$top/err"
	result $? "$what"
}

with_faults() { # FAULT_call=..., command
	env LD_PRELOAD="$faults" "$@"
}

# Root can read everything, unless it drops that capability.
as_mortal() {
	if [ "$(id -u)" -eq 0 ]; then
		setpriv --bounding-set=-dac_override,-dac_read_search "$@"
	else
		"$@"
	fi
}

# Starts a pump in the background, and waits until it has stopped in the middle.
# Without --default-signal it would ignore SIGQUIT, as set by the shell.
stopped_pump() { # pump's arguments
	# shellcheck disable=SC2086 # settings
	env --default-signal LD_PRELOAD="$faults" $no_sendfile \
		FAULT_pread=stop@50 "$tool" pump "$@" >"$top/out" 2>"$top/err" &
	pid=$!
	until grep -q '^State:.T' "/proc/$pid/status"; do
		kill -0 "$pid" || return
	done 2>/dev/null
}

# Copies until it fails: there may be copies without an interrupt.
until_it_fails() {
	while "$@" || { status=$?; false; }; do
		rm out2
	done
	return "$status"
}

### Sizes and options

for size in 0 1 4095 4096 4097 65536 1048579; do
	head -c $size /dev/urandom >in
	copies "$size bytes"
	copies "$size bytes, 2 slots, 4 threads" --slots 2 --threads 4
done
copies "2 frames" --frames 2 --threads 4
copies "2 slots, 2 frames, 16 threads, 20 kHz" \
	--slots 2 --frames 2 --threads 16 --irq-rate 20000
copies "more slots than frames" --slots 512 --frames 7
copies "pages of 64 KiB" --page-size 65536 --slots 3 --frames 9
copies "strict" --strict --slots 8
copies "no interrupts" --irq-rate 0
grep -q '^interrupts  0:' "$top/out"
result $? "no interrupts means none"

"$tool" pump in out >"$top/out" 2>"$top/err"
grep -q "^SHA-256     $(sha256sum in | cut -d ' ' -f 1)$" "$top/out" &&
	tail -n 1 "$top/out" | grep -q '^equal '
result $? "the summary's SHA-256 is right"
! grep '.\{81\}' "$top/out" >>"$top/err"
result $? "the summary fits 80 columns"
head -c 8193 in >short
"$tool" pump --frames 2 --irq-rate 0 short out >"$top/out" 2>"$top/err"
# The first frame is filled before a CPU maps it; no slot is reclaimed.
grep -q '^DMA         6 frames' "$top/out" &&
	grep -q ' 0 in use, 5 idle, 1 not mapped$' "$top/out" &&
	grep -q '^cache       129 lines to clean, 192 to invalidate, 0 to' \
		"$top/out"
result $? "the summary says what the devices were given"
rm short
"$tool" pump --quiet in out >"$top/out" 2>"$top/err"
[ $? -eq 0 ] && [ ! -s "$top/out" ] && [ ! -s "$top/err" ]
result $? "quiet is quiet"

if script -qec true /dev/null >/dev/null 2>&1 </dev/null; then
	TOOL=$tool script -qec '"$TOOL" pump in out' /dev/null \
		>"$top/err" 2>&1 </dev/null
	grep -q "of 1.0 MiB.*hits.*pins" "$top/err"
	result $? "progress on a terminal"
	TOOL=$tool script -qec '"$TOOL" pump --quiet in out' /dev/null \
		>"$top/err" 2>&1 </dev/null
	[ ! -s "$top/err" ]
	result $? "no progress if quiet"
else
	skip "progress on a terminal" "no script(1)"
fi

### Holes

# Data at the begin, in the middle, not where a page begins, and at the end.
make_sparse() {
	rm -f in
	truncate -s 16M in
	for at in 0 5000 9999999 16777215; do
		printf x | dd of=in bs=1 seek=$at conv=notrunc 2>/dev/null
	done
}

blocks() {
	du "$1" | cut -f 1
}

make_sparse
if [ "$(blocks in)" -lt 1024 ]; then
	for option in --page-size=4096 --page-size=65536; do
		copies "holes, $option" $option
		[ "$(blocks out)" -eq "$(blocks in)" ] &&
			grep -q "^copied .*; 1[56].* MiB of holes are kept" \
				"$top/out" &&
			grep -q "^SHA-256     $(sha256sum in | cut -c 1-64)" \
				"$top/out"
		result $? "... are holes again, and the summary says so"
	done
	truncate -s 12M in
	copies "a hole at the end"
	truncate -s 0 in
	truncate -s 1000001 in
	copies "nothing but a hole"
	grep -q "^DMA         0 frames" "$top/out"
	result $? "... takes no frame"
else
	skip "holes" "the file system has none"
fi
make_sparse
rm -f out
with_faults FAULT_lseek=22 "$tool" pump --page-size 65536 in out \
	>"$top/out" 2>"$top/err" && cmp in out &&
	grep -q "^copied      16.0 MiB .*; 0 bytes of holes" "$top/out"
result $? "holes that the file system does not tell"
with_faults $no_sendfile FAULT_lseek=5@2 "$tool" pump --page-size 65536 in out \
	>"$top/out" 2>"$top/err" && cmp in out
result $? "holes that it tells no more"
head -c 1048579 /dev/urandom >in

### What becomes of OUT

# Once more as on a file system without O_TMPFILE.
for fault in none=0 tmpfile=95; do
	for modes in "644 640" "755 750" "600 600" "444 440"; do
		chmod "${modes% *}" in
		rm -f out
		(
			umask 027
			with_faults FAULT_$fault "$tool" pump in out
		) >"$top/out" 2>"$top/err"
		[ "$(stat -c %a out)" = "${modes#* }" ]
		result $? "OUT gets IN's mode less the umask: $modes, $fault"
	done
	chmod 644 in
	for mode in 604 660; do
		rm -f out
		echo old >out
		chmod $mode out
		with_faults FAULT_$fault "$tool" pump in out \
			>"$top/out" 2>"$top/err"
		cmp in out >>"$top/err" 2>&1 &&
			[ "$(stat -c %a out)" = $mode ] &&
			[ "$(ls -A)" = "$(printf 'in\nout')" ]
		result $? "OUT keeps its mode: $mode, $fault"
	done
	rm out
	mkdir dir
	echo old >dir/out
	ln -s dir/out link
	ln -s "$PWD/link" link2
	with_faults FAULT_$fault "$tool" pump in link2 \
		>"$top/out" 2>"$top/err"
	cmp in dir/out >>"$top/err" 2>&1 && [ -L link ] && [ -L link2 ] &&
		[ "$(ls -A dir)" = out ]
	result $? "a link's target is replaced, not the link: $fault"
	rm -r link link2 dir
done

### Files that cannot be copied

echo old >out
mkdir dir
fails "IN is missing" 1 "cannot read none: No such file" \
	"$tool" pump none out
fails "IN's path is too long, even for a message" 1 \
	"cannot read 0*\.\.\.: File name too long$" \
	"$tool" pump "$(printf %0100000d 0)" out
fails "IN is a directory" 1 "cannot read dir: Is a directory" \
	"$tool" pump dir out
for file in /proc/version /sys/devices/system/cpu/online; do
	if [ -r $file ]; then
		fails "IN is $file" 1 \
			"$file does not have as many bytes as its size says" \
			"$tool" pump $file out
	else
		skip "IN is $file" "there is none"
	fi
done
mkfifo fifo
fails "IN is a FIFO" 1 "fifo is neither a file nor a block device" \
	"$tool" pump fifo out
rm fifo
if as_mortal true 2>/dev/null; then
	cp in secret
	chmod 0 secret
	fails "IN is unreadable" 1 "cannot read secret: Permission denied" \
		as_mortal "$tool" pump secret out
	rm -f secret
	chmod 444 out
	fails "OUT is read-only" 1 "cannot write out: Permission denied" \
		as_mortal "$tool" pump in out
	chmod 644 out
	chmod 555 dir
	fails "OUT's directory is read-only" 1 \
		"cannot create a file next to dir/out: Permission denied" \
		as_mortal "$tool" pump in dir/out
	chmod 755 dir
else
	skip "missing permissions" "root cannot give up its own"
fi
fails "OUT is IN" 1 "in and ./in are the same file" "$tool" pump in ./in
ln in hard
fails "OUT is a hard link to IN" 1 "in and hard are the same file" \
	"$tool" pump in hard
rm hard
ln -s in soft
fails "OUT is a symbolic link to IN" 1 "in and soft are the same file" \
	"$tool" pump in soft
fails "IN is a symbolic link to OUT" 1 "soft and in are the same file" \
	"$tool" pump soft in
rm soft
ln -s none soft
fails "OUT is a dangling link" 1 "soft is a dangling symbolic link" \
	"$tool" pump in soft
rm soft
ln -s soft soft
fails "OUT is a link to itself" 1 "cannot write soft: Too many levels" \
	"$tool" pump in soft
rm soft
fails "OUT is a directory" 1 "cannot write dir: Is a directory" \
	"$tool" pump in dir
fails "OUT is a device" 1 "/dev/full exists and is not a regular file" \
	"$tool" pump in /dev/full
mkfifo fifo
fails "OUT is a FIFO" 1 "fifo exists and is not a regular file" \
	"$tool" pump in fifo
rm fifo
fails "OUT is an open file" 1 "/dev/fd/3 exists and is not a regular file" \
	sh -c '"$1" pump in /dev/fd/3 3>>out' sh "$tool"
fails "OUT has no name" 1 "'' does not name a file" "$tool" pump in ''
fails "OUT's directory is missing" 1 \
	"cannot write none/out: No such file or directory" \
	"$tool" pump in none/out
fails "OUT's directory is a file" 1 \
	"cannot write in/out: Not a directory" \
	"$tool" pump in in/out

### Full disks

# In a subshell, so that the limit ends with it.
limited() (
	ulimit -f 128
	"$@"
)
fails "a file size limit" 1 "cannot write out: File too large" \
	limited "$tool" pump --frames 4 in out
echo small >small
fails "a file size limit below the frames" 1 \
	"cannot create a window .*: File too large" \
	limited "$tool" pump --frames 1024 small out
rm small
if unshare -rm mount -t tmpfs -o size=64k tmpfs dir 2>/dev/null; then
	# The file system goes away with the shell, which must check it.
	cat >"$top/full" <<-'END'
		mount -t tmpfs -o size=64k tmpfs dir
		echo old >dir/out
		"$1" pump in dir/out
		status=$?
		[ "$(ls -A dir)" = out ] && [ "$(cat dir/out)" = old ] ||
			status=99
		exit $status
	END
	fails "a full disk" 1 "cannot write dir/out: No space left on device" \
		unshare -rm sh "$top/full" "$tool"
else
	skip "a full disk" "no user namespaces"
fi
for call in fchmod fsync linkat renameat; do
	fails "no space at $call" 1 "cannot write out: No space left" \
		with_faults FAULT_$call=28 "$tool" pump in out
done
fails "no space at linkat for a new file" 1 "cannot write new: No space left" \
	with_faults FAULT_linkat=28 "$tool" pump in new
for call in fchmod fsync renameat; do
	fails "no space at $call, with a temporary name" 1 \
		"cannot write out: No space left" \
		with_faults FAULT_tmpfile=95 FAULT_$call=28 "$tool" pump in out
done
fails "over quota at fsync" 1 "cannot write out: Disk quota exceeded" \
	with_faults FAULT_fsync=122 "$tool" pump in out
for option in --threads=2 --json; do
	fails "a summary that cannot be printed, $option" 1 \
		"cannot print the summary: No space" \
		sh -c '"$1" pump "$2" in out >/dev/full' sh "$tool" $option
done
before=$(snapshot)
mkfifo "$top/pipe"
(
	exec 3<>"$top/pipe" 4>"$top/pipe" 3<&-
	exec env --default-signal=PIPE "$tool" pump in out >&4
) 2>"$top/err"
[ $? -gt 128 ] && [ "$(snapshot)" = "$before" ]
result $? "a summary that nobody reads"

# Allocations fail after the first n, for growing n until none fails.  Each
# failure is reported, and leaves nothing.
no_memory() {
	n=0
	until with_faults FAULT_malloc=12@$n "$tool" pump --irq-rate 0 in out
	do
		[ $? -eq 1 ] && [ "$(cat out)" = old ] &&
			[ "$(ls -A)" = "$before" ] &&
			grep -q "^pkmap pump: cannot " "$top/err" || return
		: >"$top/err"
		n=$((n + 1 + n / 2))
	done 2>"$top/err" >"$top/out"
	[ $n -gt 50 ] && [ ! -s "$top/err" ] && cmp in out
}
echo old >out
before=$(ls -A)
no_memory
result $? "no memory"

### The device's ways to copy

for fault in FAULT_copy_file_range=18 "$no_sendfile"; do
	with_faults $fault "$tool" pump in out >"$top/out" 2>"$top/err" &&
		cmp in out >>"$top/err" 2>&1
	result $? "a copy in spite of $fault"
done
grep -q "^device      read by pread and pwrite, wrote by pread and pwrite" \
	"$top/out"
result $? "the summary says how"
echo old >out
fails "IN cannot be read" 1 "cannot read in: Input/output error" \
	with_faults $no_sendfile FAULT_pread=5 "$tool" pump in out
fails "a device cannot read, in the middle" 1 \
	"cannot read \(in\|the frames\): Input/output error" \
	with_faults $no_sendfile FAULT_pread=5@50 \
	"$tool" pump --irq-rate 0 in out
fails "a device cannot write, in the middle" 1 \
	"cannot write \(out\|the frames\): Input/output error" \
	with_faults $no_sendfile FAULT_pwrite=5@50 "$tool" pump in out

### What drivers may not do, and DMA calls that fail

# Checks that the bug is found, with just this message, and OUT is unchanged.
driver_bug() { # BUG, message
	env BUG="$1" "$bugs" pump --frames 2048 in out \
		>"$top/out" 2>"$top/err"
	[ $? -eq 1 ] && [ "$(cat out)" = old ] &&
		grep -q "^pkmap pump: $2$" "$top/err"
	result $? "driver bug: $1"
}

unmap="pkmap_dma_unmap() of frame [0-9]*"
driver_bug map-fails \
	"cannot give frame [0-9]* to a device: out of memory or mappings"
if [ "$DMA_TRACKER" = false ]; then
	skip "driver bugs" "the tracker is not built"
else
	driver_bug unmap-fails \
		"cannot take .* back from a device: input/output error; $left: 1"
	driver_bug forgotten "$left: 1"
	driver_bug twice "$unmap: no device has it"
	driver_bug shorter \
		"$unmap: the device was given another length; $left: 1"
fi
env BUG= "$bugs" pump in out2 >"$top/out" 2>"$top/err" && cmp in out2
result $? "without a bug it works"
rm -f out2

### Threads and timers

fails "no thread at all" 1 "cannot start a thread: Resource temporarily" \
	with_faults FAULT_pthread_create=11 "$tool" pump in out
fails "no third thread" 1 "cannot start a thread: Resource temporarily" \
	with_faults FAULT_pthread_create=11@2 "$tool" pump in out
fails "no timer" 1 "cannot start the interrupt timer: Resource temporarily" \
	with_faults FAULT_timer_create=11 "$tool" pump in out

### Wrong bytes are noticed

fails "a copy that differs" 1 "the copy differs from in" \
	with_faults $no_sendfile FAULT_pwrite=wrong "$tool" pump in out
yes | head -c 8M >big
fails "an interrupt that sees something else" 1 \
	"interrupt check of frame .*: the contents are not the frame's" \
	until_it_fails with_faults FAULT_pread=wrong "$tool" pump big out2

### What happens meanwhile

stopped_pump big out
truncate -s 1000 big
kill -CONT $pid
wait $pid
[ $? -eq 1 ] && grep -q "big became shorter while it was read$" "$top/err" &&
	[ "$(cat out)" = old ] && ! ls .pkmap-* 2>/dev/null
result $? "IN becomes shorter"

yes | head -c 2M >big
truncate -s 8M big
stopped_pump big out
truncate -s 4M big
kill -CONT $pid
wait $pid
[ $? -eq 1 ] && grep -q "big became shorter while it was read$" "$top/err" &&
	[ "$(cat out)" = old ]
result $? "IN becomes shorter, in a hole"

yes | head -c 2M >big
stopped_pump big out
echo more >>big
kill -CONT $pid
wait $pid
[ $? -eq 1 ] && [ "$(cat out)" = old ] &&
	grep -q "the copy differs from big: the file was changed" "$top/err"
result $? "IN becomes longer"

yes | head -c 8M >big
stopped_pump big out
kill -TERM $pid
kill -CONT $pid
wait $pid
[ $? -eq 143 ] && grep -q "interrupted$" "$top/err" &&
	[ "$(cat out)" = old ] && ! ls .pkmap-* 2>/dev/null
result $? "terminated in the middle of a file"

for signal in QUIT XCPU PIPE USR1 SEGV KILL; do
	echo old >out
	stopped_pump big out
	kill -$signal $pid
	kill -CONT $pid
	wait $pid
	[ $? -gt 128 ] && [ "$(cat out)" = old ] &&
		[ "$(ls -A)" = "$(printf 'big\ndir\nin\nout')" ]
	result $? "ended by SIG$signal in the middle of a file"
done
# Interrupts are SIGALRM; one that no timer sent is ignored.
stopped_pump big out
kill -ALRM $pid
kill -CONT $pid
wait $pid && cmp big out >"$top/err" 2>&1
result $? "SIGALRM from outside"
echo old >out

mkdir new
stopped_pump big dir/out
mv dir elsewhere
mv new dir
kill -CONT $pid
wait $pid && cmp big elsewhere/out >"$top/err" 2>&1 &&
	[ "$(ls -A elsewhere)" = out ] && [ -z "$(ls -A dir)" ]
result $? "OUT's directory is renamed"
rm -r elsewhere

stopped_pump big dir/out
echo appeared >dir/out
kill -CONT $pid
wait $pid && cmp big dir/out >"$top/err" 2>&1 && [ "$(ls -A dir)" = out ]
result $? "OUT appears, a file"
rm dir/out
stopped_pump big dir/out
mkfifo dir/out
kill -CONT $pid
wait $pid
[ $? -eq 1 ] && grep -q "dir/out exists and is not a regular file$" "$top/err" &&
	[ -p dir/out ] && [ "$(ls -A dir)" = out ]
result $? "OUT appears, and is not a file"
rm dir/out
stopped_pump big dir/out
rmdir dir
kill -CONT $pid
wait $pid
[ $? -eq 1 ] &&
	grep -q "cannot write dir/out: No such file or directory$" "$top/err"
result $? "OUT's directory is removed"
mkdir dir
rm big

### Wrong command lines

for args in "--slots 1" "--slots 1048577" "--slots -1" "--slots 0x40" \
	"--slots 99999999999999999999" "--frames 1" "--frames x" \
	"--threads 0" "--threads 1025" "--threads -4" "--irq-rate 20001" \
	"--irq-rate 1e3" "--page-size 4095" "--page-size 12288" \
	"--page-size 0" "--page-size 8192k"; do
	option=${args%% *}
	fails "$args" 2 "$option: " "$tool" pump "$option" "${args#* }" in out
done
fails "no number" 2 "--slots: '' is not a number" "$tool" pump --slots= in out
fails "no files" 2 "IN and OUT must be given" "$tool" pump
fails "one file" 2 "IN and OUT must be given" "$tool" pump in
fails "three files" 2 "too many files" "$tool" pump in out out2
"$tool" pump --wrong in out >"$top/out" 2>"$top/err"
[ $? -eq 2 ]
result $? "an unknown option"
"$tool" plump in out >"$top/out" 2>"$top/err"
[ $? -eq 2 ] && grep -q "there is no command 'plump'" "$top/err"
result $? "an unknown command"

echo "1..$tests"
[ $failures -eq 0 ]
