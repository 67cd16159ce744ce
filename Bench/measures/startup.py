"""How long the command takes to say something."""

import statistics

from support import Settings, assay, report, run, seconds


def startup():
    """`assay --help` beside the smallest process there is."""
    ours, smallest = [], []
    for _ in range(10 if Settings.quick else 40):
        ours.append(assay("--help").seconds)
        smallest.append(run(["/bin/true"]).seconds)
    mine, yours = statistics.median(ours), statistics.median(smallest)
    report("assay --help (peer: /bin/true)", seconds(mine), seconds(yours), f"{mine / yours:.1f}x", "<= 20 ms", mine <= 0.020)
