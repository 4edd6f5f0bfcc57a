# SPDX-License-Identifier: GPL-2.0-only
"""Tests of ports/linux/apply, on a tree of only the files that it looks at."""
import os
import shutil
import subprocess
import tarfile
import tempfile

from results import progress
from tree import TAR, run_apply

EDITED = ["mm/highmem.c", "mm/Kconfig", "mm/Makefile",
          "arch/arm/include/asm/highmem.h"]


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
