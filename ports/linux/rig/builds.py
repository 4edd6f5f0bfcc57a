# SPDX-License-Identifier: GPL-2.0-only
"""Builds kernels, each in a folder of its own in the cache, with ccache."""
import os
import re
import signal
import subprocess

from results import say, progress
from tree import CACHE, TOP, Failure

CONFIGS = os.path.join(TOP, "ports/linux/rig/configs")
LOGS = os.path.join(TOP, "build/check-linux")
CROSS = {"vivt": "arm-linux-gnueabi-", "smp": "arm-linux-gnueabihf-"}
JOBS = str(os.cpu_count() or 2)


def run_group(command, environment, log):
    """Runs a command, and returns its exit status.  If that is interrupted, all
    processes that it started end with it."""
    with open(log, "a", encoding="utf-8") as f:
        process = subprocess.Popen(command, env=environment, stdout=f,
                                   stderr=f, stdin=subprocess.DEVNULL,
                                   start_new_session=True)
        try:
            return process.wait()
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise


class Build:
    """One kernel, called MACHINE[-KIND]-SCHEME: smp-cost-pkmap, for instance.

    A plain kernel has no tests; a cost kernel has those that measure.  One of
    no kind, or nohm, has all tests, and the options that detect mistakes.
    """

    def __init__(self, tree, name):
        self.tree = tree
        self.name = name
        self.machine = name.split("-")[0]
        self.out = os.path.join(CACHE, "build", name)
        self.cross = CROSS[self.machine]
        self.good = False

    def fragments(self):
        parts = self.name.split("-")
        names = ["common", self.machine]
        tests = "cost" not in parts and "plain" not in parts
        if "plain" not in parts:
            names.append("debugfs")
        if tests:
            names.append("test")
            if self.machine == "smp":
                names.append("lockdep")
        if "nohm" in parts:
            names.append("nohm")
        names += {"pkmap": ["pkmap"], "forced": ["forced"]}.get(parts[-1], [])
        if parts[-1] == "pkmap" and tests:
            names.append("kunit")
        return names

    def wanted(self):
        """The settings of all fragments; a later one wins."""
        settings = {}
        for name in self.fragments():
            path = os.path.join(CONFIGS, name + ".config")
            with open(path, encoding="utf-8") as f:
                for line in f:
                    match = re.match(r"(CONFIG_\w+)=(\S+)|# (CONFIG_\w+) is",
                                     line)
                    if match:
                        settings[match[1] or match[3]] = match[2] or "n"
        return settings

    def make(self, *targets, env=()):
        environment = dict(os.environ, CCACHE_DIR=os.path.join(CACHE, "ccache"),
                           CCACHE_BASEDIR=CACHE, CCACHE_NOHASHDIR="1",
                           CCACHE_MAXSIZE="1G",
                           LC_ALL="C", **dict(env))
        log = os.path.join(LOGS, f"build-{self.name}.log")
        command = ["make", "-s", "-C", self.tree, "O=" + self.out, "ARCH=arm",
                   "CROSS_COMPILE=" + self.cross,
                   f"CC=ccache {self.cross}gcc", "-j" + JOBS,
                   "KBUILD_BUILD_TIMESTAMP=1970-01-01",
                   "KBUILD_BUILD_USER=pkmap", "KBUILD_BUILD_HOST=pkmap",
                   *targets]
        if run_group(command, environment, log):
            with open(log, encoding="utf-8", errors="replace") as f:
                lines = f.readlines()
            errors = [line for line in lines if "rror" in line][:20]
            raise Failure(f"{self.name} does not build; {log} says:\n" +
                          "".join(errors or lines[-20:]))

    def configure(self):
        """Makes .config, unless it was made from these settings before."""
        settings = self.wanted()
        text = "".join(f"{k}={v}\n" if v != "n" else f"# {k} is not set\n"
                       for k, v in settings.items())
        allconfig = os.path.join(self.out, "all.config")
        try:
            with open(allconfig, encoding="utf-8") as f:
                known = f.read() == text
        except OSError:
            known = False
        if known and os.path.exists(os.path.join(self.out, ".config")):
            self.make("olddefconfig")
        else:
            with open(allconfig + ".new", "w", encoding="utf-8") as f:
                f.write(text)
            self.make("allnoconfig",
                      env={"KCONFIG_ALLCONFIG": allconfig + ".new"}.items())
            os.rename(allconfig + ".new", allconfig)
        with open(os.path.join(self.out, ".config"), encoding="utf-8") as f:
            made = dict(re.findall(r"^(CONFIG_\w+)=(.*)$", f.read(), re.M))
        for name, value in settings.items():
            if made.get(name, "n") != value:
                raise Failure(f"{self.name}: {name} is "
                              f"{made.get(name, 'n')}, not {value}: has "
                              "something that it depends on changed?")

    def build(self):
        os.makedirs(self.out, exist_ok=True)
        progress(f"building {self.name}")
        self.configure()
        targets = ["zImage"]
        if self.machine == "vivt":
            targets.append("versatile-pb.dtb")
        self.make(*targets)
        self.good = True

    def path(self, name):
        return os.path.join(self.out, name)

    def symbols(self):
        """(address, name), sorted."""
        found = []
        with open(self.path("System.map"), encoding="utf-8") as f:
            for line in f:
                address, kind, name = line.split()
                if kind in "tTwW":
                    found.append((int(address, 16), name))
        return sorted(found)

    def text_bytes(self):
        """The size of vmlinux's .text: the code that stays after boot."""
        done = subprocess.run([self.cross + "size", "-A",
                               self.path("vmlinux")],
                              capture_output=True, text=True, check=True)
        return int(re.search(r"^\.text\s+(\d+)", done.stdout, re.M)[1])


def build_all(tree, names, results):
    """Builds kernels, and returns them by name."""
    builds = {}
    os.makedirs(LOGS, exist_ok=True)
    for name in names:
        build = Build(tree, name)
        log = os.path.join(LOGS, f"build-{name}.log")
        if os.path.exists(log):
            os.remove(log)
        try:
            build.build()
        except Failure as error:
            say(str(error))
        results.test(name, "build", build.good, "ok" if build.good else "no")
        builds[name] = build
    return builds
