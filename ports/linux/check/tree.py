# SPDX-License-Identifier: GPL-2.0-only
"""The kernel's source: unpacked into the cache, with pkmap applied to it."""
import os
import shutil
import subprocess
import tarfile
import tempfile

from results import say, progress

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))
APPLY = os.path.join(TOP, "ports/linux/apply")
TAR = "/usr/src/linux-source-6.1.tar.xz"
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or
                     os.path.expanduser("~/.cache"), "pkmap/linux")
# What apply changes, and what it looks at besides.
EDITED = ["mm/highmem.c", "mm/Kconfig", "mm/Makefile",
          "arch/arm/include/asm/highmem.h"]
GIB = 1 << 30
# Seen: 3, of which the tree has 1.5.
NEEDED_GIB = 4


class Failure(Exception):
    """What is wrong, for the user."""


def version():
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}",
                           "linux-source-6.1"],
                          capture_output=True, text=True, check=False)
    if done.returncode or not os.path.exists(TAR):
        raise Failure("Debian's package linux-source-6.1 is not installed")
    return done.stdout


def check_space(tree):
    os.makedirs(CACHE, exist_ok=True)
    needed = 1 if os.path.exists(tree) else NEEDED_GIB
    free = shutil.disk_usage(CACHE).free / GIB
    if free < needed:
        raise Failure(f"{CACHE} needs {needed} GiB; {free:.1f} GiB are free")


def unpack():
    """The tree, unpacked unless it is there, and of this version."""
    tree = os.path.join(CACHE, "linux-" + version())
    check_space(tree)
    if os.path.exists(tree):
        return tree
    for name in os.listdir(CACHE):
        if name.startswith(("linux-", "unpacking")):
            shutil.rmtree(os.path.join(CACHE, name))
    say(f"unpacking {TAR} into {CACHE}")
    temporary = os.path.join(CACHE, "unpacking")
    os.makedirs(temporary)
    done = subprocess.run(["tar", "-xJf", TAR, "-C", temporary,
                           "--strip-components=1"], check=False)
    if done.returncode:
        raise Failure(f"{TAR}: cannot be unpacked into {CACHE}")
    os.rename(temporary, tree)
    return tree


def run_apply(*args):
    done = subprocess.run([APPLY, *args], capture_output=True, text=True,
                          check=False)
    return done.returncode, done.stdout + done.stderr


def apply(tree):
    status, text = run_apply(tree)
    if status:
        raise Failure(text)


def read_all(tree):
    texts = {}
    for folder, _, names in os.walk(tree):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as f:
                texts[os.path.relpath(path, tree)] = f.read()
    return texts


def small_tree(to, damage=None):
    """The files that apply looks at, as the package has them."""
    with tarfile.open(TAR) as tar:
        wanted = set(EDITED + ["Makefile"])
        for member in tar:
            name = member.name.split("/", 1)[-1]
            if name in wanted:
                path = os.path.join(to, name)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "wb") as f:
                    f.write(tar.extractfile(member).read())
                wanted.discard(name)
            if not wanted:
                break
    if damage:
        damage(to)


def edit(tree, file, old, new):
    path = os.path.join(tree, file)
    with open(path, encoding="utf-8") as f:
        text = f.read()
    assert old in text
    with open(path, "w", encoding="utf-8") as f:
        f.write(text.replace(old, new))


def on_small_disk(tree, results):
    """A disk that is full in the middle of it."""
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


def test_apply(results):
    """On a small tree: only the files that apply looks at."""
    def good(name, condition, text):
        results.test("apply", name, condition, text)

    with tempfile.TemporaryDirectory(prefix="pkmap-apply-") as scratch:
        progress("apply")
        tree = os.path.join(scratch, "tree")
        small_tree(tree)
        before = read_all(tree)
        good("--check before", run_apply("--check", tree)[0] == 1, "not there")
        good("apply", run_apply(tree)[0] == 0 and read_all(tree) != before,
             "done")
        after = read_all(tree)
        times = {f: os.stat(os.path.join(tree, f)).st_mtime_ns for f in after}
        good("again", run_apply(tree)[0] == 0 and read_all(tree) == after and
             all(os.stat(os.path.join(tree, f)).st_mtime_ns == times[f]
                 for f in after), "writes nothing")
        good("--check after", run_apply("--check", tree)[0] == 0, "there")
        edit(tree, "mm/pkmap/Kconfig", "config PKMAP", "config OTHER")
        good("--check changed", run_apply("--check", tree)[0] == 1, "seen")
        good("brought up to date", run_apply(tree)[0] == 0 and
             read_all(tree) == after, "done")
        good("--revert", run_apply("--revert", tree)[0] == 0 and
             read_all(tree) == before, "the same bytes as before")

        on_small_disk(tree, results)
        edit(tree, "mm/highmem.c", "pkmap_count[nr]", "pkmap_count[nr + 0]")
        changed = read_all(tree)
        good("changed text", run_apply(tree)[0] == 2 and
             read_all(tree) == changed, "refused, left as it was")
        edit(tree, "Makefile", "PATCHLEVEL = 1", "PATCHLEVEL = 6")
        status, text = run_apply(tree)
        good("Linux 6.6", status == 2 and "6.6" in text, "refused")
        good("no tree", run_apply(scratch)[0] == 2, "refused")
