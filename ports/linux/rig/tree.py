# SPDX-License-Identifier: GPL-2.0-only
"""The kernel's source: unpacked into the cache, with pkmap applied to it."""
import os
import shutil
import subprocess

from results import say

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))
APPLY = os.path.join(TOP, "ports/linux/apply")
TAR = "/usr/src/linux-source-6.1.tar.xz"
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or
                     os.path.expanduser("~/.cache"), "pkmap/linux")
GIB = 1 << 30
# 3 were seen, 1.5 of them for the tree.
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
    """Unpacks the tree, unless this version is there; returns its path."""
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
        # Nothing in the cache is a vendor's: what is in the way is from another
        # version, or from a clone that is gone.
        shutil.rmtree(os.path.join(tree, "mm/pkmap"), ignore_errors=True)
        status, text = run_apply(tree)
    if status:
        raise Failure(text)
