# SPDX-License-Identifier: GPL-2.0-only
"""Boots a kernel in QEMU and reads its console."""
import os
import queue
import re
import socket
import subprocess
import threading
import time

from builds import LOGS
from results import progress
from tree import CACHE, TOP, Failure

SCRATCH = os.path.join(CACHE, "boot")
AFFECTED = "midr=0x412fc0f1"  # a Cortex-A15 r2p1: erratum 798181
running = set()


def compile_init(builds):
    """Makes the initramfs of each machine, uncompressed."""
    os.makedirs(SCRATCH, exist_ok=True)
    for build in builds:
        folder = os.path.join(SCRATCH, "initramfs-" + build.machine)
        os.makedirs(folder, exist_ok=True)
        done = subprocess.run([build.cross + "gcc", "-static", "-O2", "-Wall",
                               "-Wextra", "-Werror", "-o", folder + "/init",
                               os.path.join(TOP, "ports/linux/rig/init.c")],
                              capture_output=True, text=True, check=False)
        if done.returncode:
            raise Failure(done.stderr)
        with open(folder + ".cpio", "wb") as f:
            subprocess.run(["cpio", "--quiet", "-o", "-H", "newc"],
                           input=b"init\n", cwd=folder, stdout=f, check=True)


def make_dtb(dtb, cpu, ncpus):
    """Makes virt's device tree without dma-coherent: DMA maintains caches."""
    subprocess.run(["qemu-system-arm", "-machine", "virt,dumpdtb=" + dtb,
                    "-cpu", cpu, "-smp", str(ncpus), "-m", "3G", "-nic",
                    "none", "-display", "none"], check=True,
                   capture_output=True)
    text = subprocess.run(["dtc", "-q", "-I", "dtb", "-O", "dts", dtb],
                          check=True, capture_output=True, text=True).stdout
    if "dma-coherent" not in text:
        raise Failure("QEMU's device tree has no dma-coherent to take out")
    text = re.sub(r"^\s*dma-coherent;\n", "", text, flags=re.M)
    subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", dtb],
                   input=text, check=True, text=True)


class Machine:
    """A boot of a kernel, from start to end."""

    def __init__(self, row, build, steps, cpu=None, ncpus=2, disk=0,
                 icount=False, scsi=False):
        self.row = row
        self.build = build
        self.lines = []
        self.lock = threading.Lock()
        self.console = queue.Queue()
        self.name = re.sub(r"\W+", "-", row).strip("-")
        self.monitor = os.path.join(SCRATCH, self.name + ".monitor")
        self.disk = disk and self.make_disk(disk)
        self.command = self.qemu(steps, cpu, ncpus, icount)
        if self.disk:
            self.command += ["-drive", f"file={self.disk},if=none,id=d,"
                             "format=raw,cache=unsafe"]
            self.command += (["-device", "lsi53c895a", "-device",
                              "scsi-hd,drive=d"] if scsi else
                             ["-device", "nvme,drive=d,serial=x"])

    def make_disk(self, mib):
        disk = os.path.join(SCRATCH, self.name + ".disk")
        if os.path.exists(disk):
            os.remove(disk)
        with open(disk, "wb") as f:
            f.truncate(mib << 20)
        subprocess.run(["mke2fs", "-q", "-F", "-t", "ext2", disk], check=True)
        return disk

    def qemu(self, steps, cpu, ncpus, icount):
        boot = self.build.path("arch/arm/boot/")
        command = ["qemu-system-arm", "-kernel", boot + "zImage", "-initrd",
                   os.path.join(SCRATCH,
                                f"initramfs-{self.build.machine}.cpio"),
                   "-nographic", "-nic", "none", "-no-reboot", "-serial",
                   "stdio", "-monitor",
                   f"unix:{self.monitor},server=on,wait=off"]
        if icount:
            command += ["-icount", "shift=0"]
        # The guest's clock runs on while the host does something else.
        line = "panic=-1 watchdog_thresh=60 " \
               f"rcupdate.rcu_cpu_stall_timeout=120 pkmap.run={steps}"
        if self.build.machine == "vivt":
            return command + ["-M", "versatilepb", "-cpu", "arm926", "-m",
                              "256", "-dtb", boot + "dts/versatile-pb.dtb",
                              "-append", "console=ttyAMA0 vmalloc=848M " +
                              line]
        cpu = "cortex-a15" + ("," + cpu if cpu else "")
        dtb = os.path.join(SCRATCH, self.name + ".dtb")
        make_dtb(dtb, cpu, ncpus)
        # Under PROVE_RAW_LOCK_NESTING a message from a hard interrupt may not
        # take a console's lock.  Only the early console takes none.
        return command + ["-M", "virt", "-cpu", cpu, "-smp", str(ncpus), "-m",
                          "3G", "-dtb", dtb, "-append",
                          "earlycon=pl011,0x9000000 keep_bootcon console=ttyS9"
                          " printk.devkmsg=on vmalloc=768M " + line]

    def __enter__(self):
        self.log = open(os.path.join(LOGS, self.name + ".log"), "w",
                        encoding="utf-8")
        if os.path.exists(self.monitor):
            os.remove(self.monitor)
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace",
            env=dict(os.environ, QEMU_AUDIO_DRV="none"))
        running.add(self.process)
        threading.Thread(target=self._read, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        running.discard(self.process)
        self.log.close()
        for path in (self.monitor, self.disk):
            if path and os.path.exists(path):
                os.remove(path)

    def _read(self):
        for line in self.process.stdout:
            self.console.put(line.rstrip())
        self.console.put(None)

    def next_line(self, seconds):
        """The next line of the console; None at its end; "" if none comes."""
        try:
            line = self.console.get(timeout=seconds)
        except queue.Empty:
            return ""
        if line is None:
            return None
        self.lines.append(line)
        self.log.write(line + "\n")
        self.log.flush()
        if line.startswith(("init: ", "kmap_test: ")):
            progress(f"{self.row}: {line}")
        return line or " "

    def run(self, seconds):
        """Reads to the end; returns whether init came to its end in time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            line = self.next_line(1)
            if line is None:
                return any("init: done" in line for line in self.lines)
        return False

    def find(self, pattern):
        """The matches of a pattern in the console's lines."""
        return [match for match in (re.search(pattern, line)
                                    for line in self.lines) if match]

    def registers(self):
        """For each CPU its PC and whether it has interrupts masked."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(5)
            s.connect(self.monitor)
            s.sendall(b"info registers -a\n")
            text = ""
            try:
                while text.count("(qemu)") < 2:
                    text += s.recv(65536).decode(errors="replace")
            except TimeoutError:
                pass
        return [(int(pc, 16), bool(int(psr, 16) & 0x80)) for pc, psr in
                re.findall(r"R15=([0-9a-f]{8}).*?PSR=([0-9a-f]{8})", text,
                           re.S)]


def kill_all():
    for process in list(running):
        process.kill()
