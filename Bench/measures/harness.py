"""What our own measuring loop costs."""

import json
import os
import pty
import random
import statistics
import subprocess
import sys
import threading

from support import ROOT, Failed, Settings, files, networks, peer, reference, report, run, seconds


def bench_median(model, runtime):
    """The p50 of `assay bench`, in nanoseconds. Exit code 1 says that it does not trust its figure, as
    on a machine that is busy with something else; the peer of the same moment suffers alike."""
    command = [Settings.assay, "bench", model, "--runtime", runtime, "--threads", "1",
               "--no-starts", "--no-profile", "--json", "-"]
    record = json.loads(run(command, accept=(0, 1)).output)
    if record["verdict"] != "VALID":
        print(f"    {record['verdict']}: {'; '.join(r['summary'] for r in record['reasons'])}", file=sys.stderr)
    return record["latencyNs"]["p50"]


def shown_median(model, has_terminal):
    """The p50 of a benchmark whose progress is shown on a terminal, or goes nowhere; and whether any was shown."""
    command = [str(Settings.assay), "bench", str(model), "--runtime", "null", "--no-starts", "--json", "-"]
    leader, follower = pty.openpty()
    shown = bytearray()

    def read():
        while True:
            try:
                piece = os.read(leader, 4096)
            except OSError:
                return
            if not piece:
                return
            shown.extend(piece)

    reader = threading.Thread(target=read)
    reader.start()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=follower if has_terminal else subprocess.DEVNULL)
    os.close(follower)
    reader.join(5)
    os.close(leader)
    if done.returncode not in (0, 1):
        raise Failed(f"assay bench ended with {done.returncode}")
    return json.loads(done.stdout)["latencyNs"]["p50"], len(shown)


def progress_display():
    """A/A: the same null session with a progress display on a terminal and without, in random order."""
    model = ROOT / "Examples" / "digits" / "model.h5"
    pairs = []
    for _ in range(4 if Settings.quick else 12):
        sides = {side: shown_median(model, side) for side in random.sample([True, False], 2)}
        if not sides[True][1] or sides[False][1]:
            raise Failed("the progress display was not where it should be")
        pairs.append((sides[True][0], sides[False][0]))
    differences = [a - b for a, b in pairs]
    middle = statistics.median(differences)
    report("progress display, per inference (peer: without)", f"{statistics.median(a for a, _ in pairs):.0f} ns",
           f"{statistics.median(b for _, b in pairs):.0f} ns", f"{middle:+.1f} ns", "+-5 ns", abs(middle) <= 5)


def harness():
    """What our own loop costs: a session that does nothing, and LiteRT against a tight Python loop."""
    try:
        progress_display()
    except Failed as failure:
        report("progress display, per inference", "failed", "", "", "+-5 ns", False)
        print(f"    {failure}", file=sys.stderr)
    try:
        null = statistics.median(bench_median(ROOT / "Examples" / "digits" / "model.h5", "null") for _ in range(3))
        report("null session, per inference", f"{null:.0f} ns", "", "", "<= 1000 ns", null <= 1000)
    except Failed as failure:
        report("null session, per inference", "failed", "", "", "<= 1000 ns", False)
        print(f"    {failure}", file=sys.stderr)
    for name, source, kind in networks():
        # In a network of microseconds Python's own calls would be most of what the loop times.
        if name not in ("mobilenet_v2", "vww_96"):
            continue
        try:
            ours, _ = files(name, source, "float32", reference(name, source, kind)[0])
            ratios, pairs = [], []
            for _ in range(3 if Settings.quick else 9):
                sides = {}
                for side in random.sample(["ours", "python"], 2):
                    sides[side] = (bench_median(ours, "litert") if side == "ours"
                                   else peer("litert.py", "loop", 1.0, ours))
                pairs.append(sides)
                ratios.append(sides["ours"] / sides["python"])
        except Failed as failure:
            report(f"{name}: assay bench against a Python loop", "failed", "", "", "", False)
            print(f"    {failure}", file=sys.stderr)
            continue
        ratio = statistics.median(ratios)
        report(f"{name}: assay bench against a Python loop",
               seconds(statistics.median(p["ours"] for p in pairs) / 1e9),
               seconds(statistics.median(p["python"] for p in pairs) / 1e9), f"{ratio:.3f}",
               "0.98...1.02", 0.98 <= ratio <= 1.02)
