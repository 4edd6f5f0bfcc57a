# SPDX-License-Identifier: GPL-2.0-only
"""Tests of ports/linux/apply, on a tree with only the files that it looks at.

The tests of faults use a small repository.  They inject a fault before the
first step that changes a file, then before the second, and so on, until apply
ends before it comes to that step.
"""
import errno
import fcntl
import functools
import importlib.machinery
import importlib.util
import io
import os
import shutil
import signal
import stat
import subprocess
import sys
import tarfile
import tempfile
from typing import Callable, NamedTuple

from results import progress
from tree import APPLY, TAR, run_apply

WORK = ".pkmap-apply"
HIGHMEM = "mm/highmem.c"
EDITED = [HIGHMEM, "mm/Kconfig", "mm/Makefile",
          "arch/arm/include/asm/highmem.h"]
# The events by which Python tells audit hooks that it will change a file.
CHANGES = {"os.mkdir", "os.rename", "os.link", "os.remove", "os.rmdir",
           "os.chmod", "fsync"}


# Trees and repositories


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)


def read(path):
    with open(path, "rb") as f:
        return f.read()


def edit(tree, file, old, new):
    path = os.path.join(tree, file)
    text = read(path)
    assert old in text
    write(path, text.replace(old, new))


def copy_of(tree, to):
    shutil.copytree(tree, to, symlinks=True)
    return to


def read_all(tree):
    """The mode and the content of everything in a tree, by name."""
    found = {}
    for folder, names, files in os.walk(tree):
        for name in names + files:
            path = os.path.join(folder, name)
            mode = os.lstat(path).st_mode
            found[os.path.relpath(path, tree)] = (
                mode, read(path) if stat.S_ISREG(mode) else
                os.readlink(path) if stat.S_ISLNK(mode) else None)
    return found


def without_work(found):
    return {file: what for file, what in found.items()
            if file.split("/")[0] != WORK}


def small_tree(to):
    """Unpacks the files that apply looks at, from Debian's package."""
    with tarfile.open(TAR) as tar:
        wanted = set(EDITED + ["Makefile"])
        for member in tar:
            name = member.name.split("/", 1)[-1]
            if name in wanted:
                write(os.path.join(to, name), tar.extractfile(member).read())
                wanted.discard(name)
            if not wanted:
                break


class Repository:
    """A small pkmap repository without git: apply, and some files to copy."""

    def __init__(self, path, files):
        self.path = path
        for file, data in files.items():
            write(os.path.join(path, file), data)
        script = os.path.join(path, "ports/linux/apply")
        shutil.copy(APPLY, script)
        loader = importlib.machinery.SourceFileLoader("apply", script)
        spec = importlib.util.spec_from_loader("apply", loader)
        self.module = importlib.util.module_from_spec(spec)
        loader.exec_module(self.module)

    def git(self, *args):
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith("GIT_")}
        subprocess.run(["git", "-C", self.path, "-c", "user.name=a", "-c",
                        "user.email=a@b", "-c", "commit.gpgsign=false", *args],
                       env=environment, check=True, stdout=subprocess.DEVNULL)


FIRST = {"ports/linux/kernel/Kconfig": b"config PKMAP\n",
         "src/window.c": b"int window;\n",
         "src/gone.c": b"int gone;\n",
         "src/posix_file.c": b"int not_for_linux;\n"}
SECOND = {"ports/linux/kernel/Kconfig": b"config PKMAP\n",
          "src/window.c": b"int window = 2;\n",
          "tests/conformance/map.c": b"int map;\n"}


# Runs


class Outcome(NamedTuple):
    status: int  # negative: the signal that it died of
    text: str
    reached: bool  # whether it came to the step with the fault


def step_of(event, args):
    return event in CHANGES or (event == "open" and args[2] &
                              (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


def kill():
    os.kill(os.getpid(), signal.SIGKILL)


def stop():
    os.kill(os.getpid(), signal.SIGTERM)


def wait():
    os.kill(os.getpid(), signal.SIGSTOP)


def fail():
    raise OSError(errno.EIO, "injected")


class Fault(NamedTuple):
    """What happens at a step, or from then on."""
    action: Callable
    step: int
    lasting: bool = False


class Steps:
    """Counts the steps of a run, and injects the fault."""

    def __init__(self):
        self.begin(None)
        sys.addaudithook(self.before)

    def begin(self, fault):
        self.fault = fault
        self.seen = 0

    def before(self, event, args):
        if self.fault and step_of(event, args):
            self.seen += 1
            if self.seen == self.fault.step or (
                    self.fault.lasting and self.seen > self.fault.step):
                self.fault.action()


STEPS = Steps()


def run(repository, *args, fault=None):
    """Runs apply in this process, as if it had a process of its own."""
    module = repository.module
    module.STOPPED.clear()
    handlers = {n: signal.getsignal(n) for n in
                (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    saved = sys.argv, sys.stdout, sys.stderr, os.fsync
    sys.argv = ["apply", *args]
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8",
                              write_through=True)
    sys.stdout = sys.stderr = stream
    # A process that is killed loses nothing that it wrote, and this is faster.
    os.fsync = lambda fd: sys.audit("fsync", fd)
    STEPS.begin(fault)
    try:
        status = module.main()
    except SystemExit as error:
        status = error.code
    finally:
        STEPS.fault = None
        sys.argv, sys.stdout, sys.stderr, os.fsync = saved
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return Outcome(status, stream.buffer.getvalue().decode(),
                   bool(fault) and STEPS.seen >= fault.step)


def start(repository, *args, fault=None):
    """Runs apply in a child; returns the child's process ID."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    status = 99
    try:
        outcome = run(repository, *args, fault=fault)
        status = outcome.status
    finally:
        os._exit(status)


def ended(child):
    """The child's exit status; if a signal killed it, -signal."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


class Wrong(Exception):
    """What a run should not have done."""


def expect(condition, what, outcome):
    if not condition:
        raise Wrong(f"{what}; {outcome.status}: {outcome.text.strip()}")


class Case:
    """A run from one state of a tree to another, repeated with faults."""

    def __init__(self, scratch, name, repository, command, start):
        self.name = name
        self.repository = repository
        self.command = command
        self.start = start
        self.old = read_all(start)
        self.last = 0  # the last step at which there is a journal
        self.tree = os.path.join(scratch, name)
        self.reset()
        run(repository, "--revert", self.tree)
        self.stock = read_all(self.tree)
        self.reset()
        outcome = self.run()
        self.new = read_all(self.tree)
        expect(not outcome.status and self.new != self.old, name, outcome)

    def reset(self):
        shutil.rmtree(self.tree, ignore_errors=True)
        copy_of(self.start, self.tree)

    def run(self):
        return run(self.repository, *self.command, self.tree)

    def at(self, fault):
        """Runs it with a fault: in a child, if that is to kill it."""
        self.reset()
        args = (self.repository, *self.command, self.tree)
        if fault.action != kill:
            return run(*args, fault=fault)
        status = ended(start(*args, fault=fault))
        return Outcome(status, "", status < 0)

    def repair(self):
        """Checks that the next run puts everything right, and says so."""
        left = read_all(self.tree)
        next_one = run(self.repository, "--check", self.tree)
        now = read_all(self.tree)
        expect(next_one.status in (0, 1) and now in (self.old, self.new),
               "is in neither state", next_one)
        if WORK in left:
            expect("an earlier run was killed" in next_one.text, "is silent",
                   next_one)
        if without_work(left) != now:
            expect("put back" in next_one.text, "is silent", next_one)
        return now

    def after_kill(self, step, outcome):
        """Checks that a run of any kind puts everything right."""
        expect(outcome.status == -signal.SIGKILL, "was not killed", outcome)
        if os.path.exists(os.path.join(self.tree, WORK, "journal")):
            self.last = step
        if step % 3 == 0:
            self.repair()
            return
        command, state = ((self.command, self.new) if step % 3 == 1 else
                          (["--revert"], self.stock))
        next_one = run(self.repository, *command, self.tree)
        expect(not next_one.status and read_all(self.tree) == state,
               "leaves something for the next run", next_one)

    def after_fault(self, _, outcome):
        """Checks that the run itself says in which state it left the tree."""
        now = read_all(self.tree)
        if WORK in now:
            expect(WORK in outcome.text, "leaves files without a word", outcome)
        if outcome.status == 0:
            expect(without_work(now) == self.new and "pkmap is" in outcome.text,
                   "is not done", outcome)
        elif "nothing has changed" in outcome.text:
            expect(outcome.status == 2 and without_work(now) == self.old,
                   "has changed something", outcome)
        else:
            expect(outcome.status == 2 and "still to be put back" in
                   outcome.text, "does not say what became of it", outcome)
        expect(self.repair() == (self.old if outcome.status else self.new),
               "ends otherwise", outcome)

    def after_stop(self, step, outcome):
        expect("stopped by SIGTERM" in outcome.text if outcome.status else
               step > 1, "is not stopped, or does not say so", outcome)
        expect(WORK not in read_all(self.tree), "leaves files", outcome)
        self.after_fault(step, outcome)

    def at_every_step(self, fault, check, lasting=False):
        """Returns how many steps there are; raises Wrong if it has to."""
        step = 0
        while True:
            step += 1
            progress(f"apply: {self.name}, {fault.__name__}, step {step}")
            outcome = self.at(Fault(fault, step, lasting))
            if not outcome.reached:
                expect(not outcome.status and read_all(self.tree) == self.new,
                       "is not done", outcome)
                return step - 1
            try:
                check(step, outcome)
            except Wrong as wrong:
                raise Wrong(f"at step {step} it {wrong}") from wrong

    def break_repair(self):
        """Has the repair killed or fail as well, at each of its steps, when
        there is most to put back."""
        step = 0
        while True:
            step += 1
            command = (self.repository, "--check", self.tree)
            self.at(Fault(kill, self.last))
            status = ended(start(*command, fault=Fault(kill, step)))
            self.repair()
            if status >= 0:
                return step - 1
            self.at(Fault(fail, self.last, lasting=True))
            outcome = run(*command, fault=Fault(fail, step))
            expect(outcome.status != 2 or "cannot be put right" in
                   outcome.text, "does not say that it failed", outcome)
            self.repair()


# An update is tested with all of them, because it adds, replaces and removes
# files; the others with the first two.
FAULTS = [("killed", kill, Case.after_kill, False),
          ("an error", fail, Case.after_fault, False),
          ("errors from then on", fail, Case.after_fault, True),
          ("SIGTERM", stop, Case.after_stop, False)]


def count_steps(results, name, least, work):
    """One test: the work takes at least so many steps, and nothing is Wrong."""
    try:
        steps = work()
        results.test("apply", name, steps >= least, f"{steps} steps, in the "
                     "old or the new state after each")
    except Wrong as wrong:
        results.test("apply", name, False, str(wrong))


def test_faults(scratch, stock, first, second, results):
    applied = copy_of(stock, os.path.join(scratch, "applied"))
    run(first, applied)
    write(os.path.join(applied, "mm/pkmap/vendor.c"), b"int vendor;\n")
    os.symlink("vendor.c", os.path.join(applied, "mm/pkmap/src/link.c"))
    for name, *how in (("apply", first, [], stock),
                       ("update", second, [], applied),
                       ("revert", first, ["--revert"], applied)):
        case = Case(scratch, name, *how)
        for what, fault, check, lasting in (
                FAULTS if name == "update" else FAULTS[:2]):
            count_steps(results, f"{name}, {what}", 20, functools.partial(
                case.at_every_step, fault, functools.partial(check, case),
                lasting))
        count_steps(results, f"{name}, repair", 5, case.break_repair)


# Tests with one kind of tree each


def test_links(scratch, stock, first, good):
    """A link could lead out of the tree, so apply does not follow it."""
    for name in ("mm", "mm/pkmap", "mm/pkmap/src", HIGHMEM, "mm/Kconfig",
                 "mm/pkmap/Kconfig"):
        around = tempfile.mkdtemp(dir=scratch)
        tree = copy_of(stock, os.path.join(around, "tree"))
        if name.startswith("mm/pkmap/"):
            run(first, tree)
        path = os.path.join(tree, name)
        behind = os.path.join(around, "behind")
        if os.path.exists(path):
            os.rename(path, behind)
        else:
            os.mkdir(behind)
        os.symlink(behind, path)
        before = read_all(around)
        outcomes = [run(first, *mode, tree) for mode in
                    ([], ["--check"], ["--revert"])]
        good(f"{name} is a link", read_all(around) == before and
             all(o.status == 2 and "is a symbolic link" in o.text
                 for o in outcomes), "refused, not followed")


def test_foreign(scratch, stock, first, second, good):
    """Files in mm/pkmap that somebody else put there, or changed."""
    tree = copy_of(stock, os.path.join(scratch, "foreign"))
    write(os.path.join(tree, "mm/pkmap/Kconfig"), b"config VENDOR\n")
    write(os.path.join(tree, "mm/pkmap/src/vendor.c"), b"int vendor;\n")
    before = read_all(tree)
    outcome = run(first, "--revert", tree)
    good("--revert, never there", not outcome.status and
         "and 1 more" in outcome.text and read_all(tree) == before,
         "a foreign mm/pkmap is kept")
    outcome = run(first, tree)
    good("in the way", outcome.status == 2 and "mm/pkmap/Kconfig" in
         outcome.text and read_all(tree) == before, "refused")
    os.unlink(os.path.join(tree, "mm/pkmap/Kconfig"))
    before = read_all(tree)
    notes = os.path.join(tree, WORK, "notes")
    write(notes, b"a vendor's\n")
    good("a foreign " + WORK, run(first, tree).status == 2 and
         read(notes) == b"a vendor's\n", "refused")
    shutil.rmtree(os.path.join(tree, WORK))
    outcome = run(first, tree)
    good("others' files, apply", not outcome.status and
         "left alone: mm/pkmap/src/vendor.c" in outcome.text, "said")
    outcome = run(second, tree)
    vendor = os.path.join(tree, "mm/pkmap/src/vendor.c")
    good("others' files, update", not outcome.status and
         read(vendor) == b"int vendor;\n" and not os.path.exists(
             os.path.join(tree, "mm/pkmap/src/gone.c")),
         "kept, only what apply put there goes")
    edit(tree, "mm/pkmap/src/window.c", b"window", b"my_window")
    changed = read_all(tree)
    good("changed since", run(first, tree).status == 2 and
         run(first, "--check", tree).status == 1 and
         read_all(tree) == changed, "refused")
    outcome = run(first, "--revert", tree)
    good("others' files, --revert", not outcome.status and
         "and 1 more" in outcome.text and
         read_all(tree) == {**before, "mm/pkmap/src/window.c":
                            changed["mm/pkmap/src/window.c"]},
         "all else is as before")


def test_line_ends(scratch, stock, first, good):
    tree = copy_of(stock, os.path.join(scratch, "crlf"))
    for file in EDITED + ["Makefile"]:
        edit(tree, file, b"\n", b"\r\n")
    before = read_all(tree)
    status = run(first, tree).status
    good("CRLF, apply", not status and
         not run(first, "--check", tree).status and
         all(line.endswith(b"\r\n") for file in EDITED for line in
             read(os.path.join(tree, file)).splitlines(True)),
         "lines that end as the others do")
    good("CRLF, --revert", not run(first, "--revert", tree).status and
         read_all(tree) == before, "the same bytes as before")


def test_inserted(scratch, stock, first, good):
    """Somebody has changed a line that apply inserted."""
    tree = copy_of(stock, os.path.join(scratch, "inserted"))
    run(first, tree)
    edit(tree, "mm/Makefile", b"+= pkmap/", b"+= pkmap/ vendor.o")
    before = read_all(tree)
    outcomes = [run(first, *mode, tree) for mode in
                ([], ["--check"], ["--revert"])]
    good("inserted line changed", read_all(tree) == before and
         all(o.status == 2 and "vendor.o" in o.text for o in outcomes),
         "refused")


def test_kept(scratch, stock, first, good):
    """Modes, and other names of an edited file."""
    tree = copy_of(stock, os.path.join(scratch, "kept"))
    path = os.path.join(tree, HIGHMEM)
    other = os.path.join(scratch, "highmem.c")
    os.chmod(path, 0o640)
    os.link(path, other)
    run(first, tree)
    good("mode", stat.S_IMODE(os.stat(path).st_mode) == 0o640, "kept")
    good("a second name", read(other) == read(os.path.join(stock, HIGHMEM)),
         "not written through")


def test_junk(scratch, stock, good):
    """Files in a clone that are not the project's."""
    path = os.path.join(scratch, "clone")
    clone = Repository(path, FIRST)
    for name in ("src/window.c.orig", "src/.window.c.swp", "src/window.o"):
        write(os.path.join(path, name), b"junk\n")
    tree = copy_of(stock, os.path.join(scratch, "junk"))
    run(clone, tree)
    good("junk, release", sorted(
        file for file, (_, text) in read_all(
            os.path.join(tree, "mm/pkmap")).items() if text is not None) ==
        ["Kconfig", "pkmap.sha256", "src/gone.c", "src/window.c"], "not copied")
    run(clone, "--revert", tree)

    clone.git("init", "-q")
    clone.git("add", "*.c", "*/Kconfig")
    write(os.path.join(path, "src/junk.c"), b"junk\n")
    status = run(clone, tree).status
    good("junk, clone", not status and
         not os.path.exists(os.path.join(tree, "mm/pkmap/src/junk.c")),
         "not copied")
    clone.git("add", "src/junk.c")
    outcome = run(clone, "--check", tree)
    good("--check, one file more", outcome.status == 1, "seen")


def test_without_list(scratch, stock, good):
    """A tree as the first versions of apply left it: git knows which files were
    pkmap's."""
    path = os.path.join(scratch, "history")
    clone = Repository(path, FIRST)
    clone.git("init", "-q")
    clone.git("add", ".")
    clone.git("commit", "-qm", "first")
    tree = copy_of(stock, os.path.join(scratch, "without-list"))
    run(clone, tree)
    os.unlink(os.path.join(tree, "mm/pkmap/pkmap.sha256"))
    for file in FIRST:
        os.unlink(os.path.join(path, file))
    for file, data in SECOND.items():
        write(os.path.join(path, file), data)
    clone.git("add", "-A")
    clean = copy_of(stock, os.path.join(scratch, "clean"))
    run(clone, clean)
    edit(tree, "mm/pkmap/src/window.c", b"int", b"long")
    before = read_all(tree)
    outcome = run(clone, tree)
    good("without list, changed", outcome.status == 2 and
         read_all(tree) == before, "refused")
    edit(tree, "mm/pkmap/src/window.c", b"long", b"int")
    outcome = run(clone, tree)
    good("without list", not outcome.status and
         read_all(tree) == read_all(clean), "brought up to date")


def test_edited_after_kill(scratch, stock, first, good):
    """A file that was changed since the kill is not put back."""
    case = Case(scratch, "edited", first, [], stock)
    makefile = os.path.join(case.tree, "mm/Makefile")
    case.reset()
    step = 0
    while read(makefile) == read(os.path.join(stock, "mm/Makefile")):
        step += 1
        case.at(Fault(fail, step, lasting=True))
    edit(case.tree, "mm/Makefile", b"obj-y", b"vendor-y")
    mine = read(makefile)
    outcome = run(first, "--check", case.tree)
    good("edited after a kill", "mm/Makefile was changed since" in outcome.text
         and read(makefile) == mine and WORK not in read_all(case.tree),
         "kept, and said")


def test_lock(scratch, stock, first, good):
    """While one run is at work, no other is."""
    tree = copy_of(stock, os.path.join(scratch, "lock"))
    child = start(first, tree, fault=Fault(wait, 10))
    os.waitpid(child, os.WUNTRACED)
    folder = os.open(tree, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        locked = False
    except BlockingIOError:
        locked = True
    os.close(folder)
    os.kill(child, signal.SIGCONT)
    good("two at once", ended(child) == 0 and locked, "one after the other")


def on_small_disk(tree, results):
    """A disk that becomes full in the middle of a run."""
    disk = tree + "-disk"
    os.makedirs(disk)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs",
                       disk], capture_output=True, check=False).returncode:
        results.skip("apply", "no space", "cannot mount a tmpfs here")
        return
    try:
        shutil.copytree(tree, disk, dirs_exist_ok=True)
        before = read_all(disk)
        status, _ = run_apply(disk)
        results.test("apply", "no space", status == 2 and
                     read_all(disk) == before, "refused, nothing half done")
    finally:
        subprocess.run(["umount", disk], check=False)


def test_command(scratch, stock, results, good):
    """The command itself, with all the files that it copies."""
    tree = copy_of(stock, os.path.join(scratch, "tree"))
    before = read_all(tree)
    good("--check before", run_apply("--check", tree)[0] == 1, "not there")
    good("apply", run_apply(tree)[0] == 0 and read_all(tree) != before, "done")
    after = read_all(tree)
    times = {f: os.stat(os.path.join(tree, f)).st_mtime_ns for f in after}
    good("again", run_apply(tree)[0] == 0 and read_all(tree) == after and
         all(os.stat(os.path.join(tree, f)).st_mtime_ns == times[f]
             for f in after), "writes nothing")
    good("--check after", run_apply("--check", tree)[0] == 0, "there")
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([APPLY, tree], stdout=full, check=False,
                              stderr=subprocess.PIPE, text=True)
    good("standard output full", done.returncode == 2 and
         f"pkmap is in {tree}" in done.stderr, "said on standard error")
    edit(tree, "mm/pkmap/Kconfig", b"config PKMAP", b"config OTHER")
    good("--check changed", run_apply("--check", tree)[0] == 1, "seen")
    os.unlink(os.path.join(tree, "mm/pkmap/Kconfig"))
    good("brought up to date", run_apply(tree)[0] == 0 and
         read_all(tree) == after, "done")
    good("--revert", run_apply("--revert", tree)[0] == 0 and
         read_all(tree) == before, "the same bytes as before")

    on_small_disk(tree, results)
    edit(tree, HIGHMEM, b"pkmap_count[nr]", b"pkmap_count[nr + 0]")
    changed = read_all(tree)
    good("changed text", run_apply(tree)[0] == 2 and
         read_all(tree) == changed, "refused, left as it was")
    edit(tree, "Makefile", b"PATCHLEVEL = 1", b"PATCHLEVEL = 6")
    status, text = run_apply(tree)
    good("Linux 6.6", status == 2 and "6.6" in text, "refused")
    good("no tree", run_apply(scratch)[0] == 2, "refused")


def test_small(scratch, stock, results, good):
    """The tests for which a small repository is enough."""
    first = Repository(os.path.join(scratch, "first"), FIRST)
    second = Repository(os.path.join(scratch, "second"), SECOND)
    test_faults(scratch, stock, first, second, results)
    test_foreign(scratch, stock, first, second, good)
    for test in (test_edited_after_kill, test_lock, test_links, test_line_ends,
                 test_inserted, test_kept):
        test(scratch, stock, first, good)
    test_junk(scratch, stock, good)
    test_without_list(scratch, stock, good)


def test_apply(results):
    def good(name, condition, text):
        results.test("apply", name, condition, text)

    # In memory if possible: this makes and removes thousands of files.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="pkmap-apply-",
                                     dir=memory) as scratch:
        progress("apply")
        stock = os.path.join(scratch, "stock")
        small_tree(stock)
        test_command(scratch, stock, results, good)
        try:
            test_small(scratch, stock, results, good)
        except Wrong as wrong:
            good("without a fault", False, str(wrong))
