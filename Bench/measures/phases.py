"""What watching a measurement costs it."""

import json
import os
import pty
import random
import statistics
import subprocess
import sys
import threading

from support import ROOT, Failed, Settings, report, seconds


def bench(model, runtime, watched):
    """The record of one `assay bench`; with `watched` its progress is shown on a terminal."""
    command = [str(part) for part in
               (Settings.assay, "bench", model, "--runtime", runtime, "--threads", "1", "--preset", "quick",
                "--no-starts", "--no-profile", "--preflight", "tag", "--json", "-")]
    master, terminal = pty.openpty() if watched else (None, subprocess.DEVNULL)
    shown = []

    def read():
        try:
            while data := os.read(master, 65536):
                shown.append(data)
        except OSError:
            pass

    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=terminal)
    if watched:
        os.close(terminal)
        reader = threading.Thread(target=read)
        reader.start()
    output = process.communicate()[0]
    if watched:
        reader.join(5)
        os.close(master)
        if b"[" not in b"".join(shown):
            raise Failed("no progress was shown on the terminal")
    if process.returncode not in (0, 1):
        raise Failed(f"assay bench ended with {process.returncode}")
    return json.loads(output)


def phases():
    """A progress display beside none, in turns; each ratio is that of two neighbours."""
    model = ROOT / "Examples" / "digits" / "model.h5"
    for name, runtime in (("null session", "null"), ("digits", "reference")):
        ratios, sides = [], {True: [], False: []}
        for _ in range(5 if Settings.quick else 25):
            pair = {}
            for watched in random.sample([True, False], 2):
                pair[watched] = bench(model, runtime, watched)["latencyNs"]["p50"]
                sides[watched].append(pair[watched])
            ratios.append(pair[True] / max(pair[False], 1))
        ratio = statistics.median(ratios)
        # A session that does nothing takes a few steps of the clock: one of them is the tolerance.
        low, high = (0.9, 1.1) if runtime == "null" else (0.98, 1.02)
        report(f"{name}: with a progress display (peer: without)",
               seconds(statistics.median(sides[True]) / 1e9), seconds(statistics.median(sides[False]) / 1e9),
               f"{ratio:.3f}", f"{low}...{high}", low <= ratio <= high)
