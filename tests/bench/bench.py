#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""bench.py PKMAP WORKERS BINDIR LIBEXECDIR: "pkmap bench" does what its manual
says (TAP).  The last two are where it will be installed, below the prefix."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

PKMAP, WORKERS = map(os.path.abspath, sys.argv[1:3])
BINDIR, LIBEXECDIR = sys.argv[3:5]
SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                      "../../scripts/bench")
SECTIONS = ["pin", "threads", "mixed", "full", "interrupts", "reclaim",
            "policy", "traces", "map", "miss", "copy", "window",
            "instructions", "cpus", "pump"]
done = 0


def ok(good, name, detail=""):
    global done
    done += 1
    print(f"{'ok' if good else 'not ok'} {done} - {name}", flush=True)
    if not good and detail:
        print("# " + str(detail).replace("\n", "\n# "), flush=True)


def bench(*args, pkmap=PKMAP):
    return subprocess.run([pkmap, "bench", *args], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False)


def fails(name, run, *said):
    """The command fails; each line on standard error has one of these."""
    lines = run.stderr.splitlines()
    ok(run.returncode == 1 and len(lines) == len(said) and
       all(part in line for line, part in zip(lines, said)), name,
       f"{run.returncode} {run.stderr}")


def value(section, name):
    for item in section["items"]:
        if item["name"] == name:
            return item["value"]["median"]
    raise KeyError(name)


def copy_of_tool(to, bindir, workers):
    """The command and its workers in folders of their own."""
    os.makedirs(os.path.join(to, bindir), exist_ok=True)
    os.makedirs(os.path.join(to, workers))
    tool = os.path.join(to, bindir, "pkmap")
    shutil.copy(PKMAP, tool)
    for name in os.listdir(WORKERS):
        # That of Linux is measured by "make check-linux".
        if name.startswith("worker-") and not name.startswith("worker-linux") \
                and os.access(os.path.join(WORKERS, name), os.X_OK) \
                and os.path.isfile(os.path.join(WORKERS, name)):
            os.symlink(os.path.join(WORKERS, name),
                       os.path.join(to, workers, name))
    return tool


def make_program(path, text):
    """Replaces a program by a shell script."""
    if os.path.lexists(path):
        os.unlink(path)
    with open(path, "w", encoding="utf-8") as f:
        f.write("#!/bin/sh\n" + text + "\n")
    os.chmod(path, 0o755)


def check_command_line():
    run = bench("--list")
    ok([line.split()[0] for line in run.stdout.splitlines()] == SECTIONS,
       "--list", run.stdout)
    run = bench("nothing")
    ok(run.returncode == 2 and "no section 'nothing'" in run.stderr,
       "a section that is none", run.stderr)
    run = bench("--rounds", "0")
    ok(run.returncode == 2 and "--rounds" in run.stderr, "no rounds",
       run.stderr)
    fails("a directory that cannot be",
          bench("--out", "/proc/nothing", "pin"),
          "/proc/nothing: No such file")


def check_all(pkmap, scratch):
    trace = os.path.join(scratch, "few.pages")
    with open(trace, "w", encoding="ascii") as f:
        f.write("0\n1\n0\n2\n")
    out = os.path.join(scratch, "out")
    run = bench("--quick", "--rounds", "1", "--json", "--traces", scratch,
                "--out", out, *[s for s in SECTIONS if s != "instructions"],
                pkmap=pkmap)
    printed = json.loads(run.stdout)
    sections = {s["name"]: s for s in printed["sections"]}
    ok("share a core" in printed["machine"]["cores"] and
       printed["machine"]["cpu"], "the CPU and its cores", printed["machine"])
    failed = [(i["name"], i["failed"]) for s in sections.values()
              for i in s["items"] if "failed" in i]
    ok(run.returncode == bool(failed), "the exit status",
       run.stdout + run.stderr)
    # On a busy machine, several interrupts can become one.
    ok(all(why == "interrupts came too rarely" for _, why in failed) and
       not any("failed" in i for name, s in sections.items()
               for i in s["items"] if name != "interrupts"),
       "everything was measured", failed)
    ok(all(s["items"] for s in sections.values()), "no section is empty")
    with open(os.path.join(out, "bench.json"), encoding="utf-8") as f:
        ok(json.load(f)["sections"] == list(sections.values()),
           "bench.json has what was printed")
    with open(os.path.join(out, "bench.md"), encoding="utf-8") as f:
        text = f.read()
    ok(all(f"## {name}: " in text for name in sections), "bench.md", text)
    plots = {n for n in os.listdir(out) if n.endswith(".dat")}
    ok(plots == {"cpus-full.dat", "cpus-miss.dat", "cpus-mixed.dat",
                 "cpus-new.dat", "cpus-pin-miss.dat", "cpus-same.dat",
                 "cpus-zipf.dat", "latency.dat", "policy-uniform.dat",
                 "policy-zipf.dat",
                 "threads-different.dat", "threads-mixed.dat",
                 "threads-same.dat", "window-hit.dat", "window-miss.dat",
                 "window-pin.dat"} and
       all(os.path.getsize(os.path.join(out, n)) for n in plots),
       "the plots' data", plots)
    return sections


def check_policy(policy, traces):
    """These are counts, which are the same on every machine."""
    what = "Zipf 0.99 over 10 windows"
    fields = [i for i in policy["items"] if i["name"] == f"pkmap: {what}"]
    theirs = [i for i in policy["items"] if i["name"] == f"locked: {what}"]
    ratios = [a["value"]["median"] / b["value"]["median"]
              for a, b in zip(fields, theirs)]
    ok(len(ratios) == 2 and 0.7 < ratios[0] <= 0.82 and 1 < ratios[1] <= 1.7,
       "misses and flushes of CLOCK beside those of the locked scheme", ratios)
    misses = [i["value"]["median"] for i in traces["items"]
              if i["unit"].startswith("misses")]
    ok(misses and all(m == 750 for m in misses),
       "a trace of 3 pages in 4 accesses misses 3 times", misses)


def check_cpus(pkmap, cpus):
    """Counts of simulated caches: the same on every machine and in each run."""
    def pins(peer, pages, ncpus):
        return value(cpus, f"{peer}: Pin and unmap of {pages}, {ncpus} CPUs")

    seen = [pins("pkmap", "different pages, new window", n)
            for n in (1, 2, 16)]
    ok(seen == [0, 0, 0],
       "CPUs that pin different pages in a new window exchange no line", seen)
    # One word, which each call changes; two calls an operation.
    seen = [pins(peer, "one page", n) for peer in ("pkmap", "floor")
            for n in (1, 2, 16)]
    ok(seen == [0, 2, 2, 0, 2, 2], "those of one page exchange its word", seen)
    seen = pins("pkmap", "different pages, mixed slots", 16)
    ok(seen == 0, "slots that reclaim has mixed share no line", seen)
    again = bench("--quick", "--json", "cpus", pkmap=pkmap)
    ok(json.loads(again.stdout)["sections"] == [cpus],
       "a second run counts the same", again.stdout)


def check_quantiles(reclaim):
    """Only the order is checked: times depend on the machine and its load."""
    for peer in ("pkmap", "floor"):
        parts = [value(reclaim, f"{peer}: {part}") for part in
                 ("median", "p99", "p99.9", "p99.99")]
        ok(parts == sorted(parts) and 0 < parts[0] and
           value(reclaim, f"{peer}: slowest") >= parts[0],
           f"{peer}'s quantiles are in order", parts)


def check_whose_workers(scratch):
    """A command uses the workers of its own build or installation only."""
    def works(tool):
        run = bench("--quick", "pin", pkmap=tool)
        return run.returncode == 0 and "missing" not in run.stdout

    installed = copy_of_tool(os.path.join(scratch, "prefix"), BINDIR,
                             os.path.join(LIBEXECDIR, "pkmap"))
    built = copy_of_tool(os.path.join(scratch, "prefix"), "", "bench")
    ok(works(installed), "an installed command has installed workers")
    ok(works(built), "one in a build tree has those that were built")
    os.rename(os.path.dirname(built) + "/bench", scratch + "/bench-away")
    ok(not works(built), "... and never those that are installed")
    os.rename(scratch + "/bench-away", os.path.dirname(installed) + "/bench")
    shutil.rmtree(os.path.join(scratch, "prefix", LIBEXECDIR))
    ok(not works(installed), "an installed one never those that were built")


def check_broken(pkmap, scratch):
    with open(os.path.join(scratch, "few.pages"), "a", encoding="ascii") as f:
        f.write("what?\n")
    fails("a trace that is none", bench("--quick", "--traces", scratch,
                                        "traces", pkmap=pkmap),
          f"{scratch}/few.pages: Invalid argument")
    worker = os.path.join(os.path.dirname(pkmap), "bench", "worker-pkmap")
    os.unlink(worker)
    run = bench("--quick", "pin", pkmap=pkmap)
    fails("a worker that is missing", run,
          f"pin: a worker is missing: {worker}: No such file or directory")
    ok("a worker is missing" in run.stdout, "... is missing in the report",
       run.stdout)
    make_program(worker, "exit 7")
    run = bench("--quick", "pin", pkmap=pkmap)
    fails("a worker that ends", run, "failed: pkmap: worker-pkmap ended: "
          "exit status 7")
    ok("FAILED: pkmap: worker-pkmap ended" in run.stdout,
       "... failed in the report", run.stdout)
    make_program(worker, "kill -9 $$")
    fails("a worker that is killed", bench("--quick", "pin", pkmap=pkmap),
          "worker-pkmap ended: Killed")
    fails("a directory without traces",
          bench("--traces", scratch + "/bench", "traces", pkmap=pkmap),
          f"traces: there are no traces in {scratch}/bench")
    fails("a directory that is none",
          bench("--traces", scratch + "/nothing", "traces", pkmap=pkmap),
          f"traces: {scratch}/nothing: No such file or directory")
    fails("no valgrind", subprocess.run(
        [PKMAP, "bench", "--quick", "instructions"], env={"PATH": scratch},
        capture_output=True, text=True, check=False),
          "valgrind: No such file or directory")


def check_worker_streams():
    """A worker alone: it reports what it cannot read or write."""
    worker = [os.path.join(WORKERS, "worker-floor"), *"64 99 12 -1 0".split()]
    for what, redirection in (("input", "<&-"), ("output", ">/dev/full"),
                              ("output", ">&-")):
        fails(f"a worker, {redirection}",
              subprocess.run(["sh", "-c", '"$0" "$@" ' + redirection, *worker],
                             input="\0" * 4096, text=True, check=False,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE),
              f"worker: standard {what}: ")


def check_streams(pkmap, scratch):
    """No file of its own has the number of a closed stream: what is printed
    would be written to the file.  A worker looks up what has those numbers."""
    seen = os.path.join(scratch, "seen")
    make_program(os.path.join(os.path.dirname(pkmap), "bench", "worker-pkmap"),
                 f"readlink /proc/$PPID/fd/0 /proc/$PPID/fd/1 "
                 f"/proc/$PPID/fd/2 >'{seen}'")
    # With --json it prints last, so that the worker runs before that fails.
    subprocess.run(["sh", "-c", '"$0" bench --quick --json pin <&- >&- 2>&-',
                    pkmap], check=False)
    with open(seen, encoding="utf-8") as f:
        text = f.read()
    ok(text == "/\n" * 3, "what stands for closed streams", text)


def check_files(scratch):
    """A file that cannot be written is named, and no old file is lost."""
    out = os.path.join(scratch, "files")

    def bench_to(out):
        return bench("--out", out, "traces")

    def leaves(names):
        ok(sorted(os.listdir(out)) == names, "... and nothing else is there",
           os.listdir(out))

    os.mkdir(out)
    json_file = os.path.join(out, "bench.json")
    text_file = os.path.join(out, "bench.md")
    os.symlink("/dev/full", text_file)
    fails("a bench.md that cannot be written", bench_to(out),
          f"{text_file}: No space left on device")
    os.unlink(text_file)
    for target, why in (("/dev/full", "No space left on device"),
                        ("nothing", "dangling symbolic link")):
        os.symlink(target, json_file)
        fails(f"a bench.json that is a link to {target}", bench_to(out), why)
        ok(os.path.islink(json_file), "... and stays one")
        leaves(["bench.json", "bench.md"])
        os.unlink(json_file)
    with open(json_file, "w", encoding="ascii") as f:
        f.write("what was there")
    os.chmod(json_file, 0o640)
    run = bench_to(out)
    with open(json_file, encoding="utf-8") as f:
        ok(run.returncode == 0 and "sections" in json.load(f) and
           os.stat(json_file).st_mode & 0o777 == 0o640,
           "one that is replaced", run.stderr)
    leaves(["bench.json", "bench.md"])
    # A truncated name would be that of another file.
    deep = out + "/." * ((4090 - len(out)) // 2)
    fails("a path that is too long", bench_to(deep), "File name too long")
    leaves(["bench.json", "bench.md"])


def check_script(scratch):
    """scripts/bench removes no folder that it did not create."""
    run = subprocess.run([SCRIPT], env={**os.environ, "REPORT": scratch},
                         capture_output=True, text=True, check=False)
    ok(run.returncode == 1 and os.listdir(scratch) and
       f"bench: REPORT={scratch} is not an empty directory" in run.stderr,
       "scripts/bench, for a folder that has something in it", run.stderr)


def check_interrupted():
    # It may be ignored: a shell's "&" does that.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen([PKMAP, "bench", "--rounds", "3"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True) as run:
        # Waits until one section is done, and most are still to come.
        while not run.stdout.readline().startswith("## "):
            if run.poll() is not None:
                break
        run.send_signal(signal.SIGINT)
        _, text = run.communicate()
    ok(run.returncode == -signal.SIGINT and "stopped in section" in text,
       "Ctrl-C", f"{run.returncode} {text}")


with tempfile.TemporaryDirectory() as scratch:
    check_command_line()
    tool = copy_of_tool(scratch, "", "bench")
    all_sections = check_all(tool, scratch)
    check_policy(all_sections["policy"], all_sections["traces"])
    check_cpus(tool, all_sections["cpus"])
    check_quantiles(all_sections["reclaim"])
    check_whose_workers(scratch)
    check_broken(tool, scratch)
    check_worker_streams()
    check_streams(tool, scratch)
    check_files(scratch)
    check_script(scratch)
    check_interrupted()
print(f"1..{done}")
