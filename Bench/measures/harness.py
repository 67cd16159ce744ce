"""What our own measuring loop costs."""

import json
import random
import statistics
import sys

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


def harness():
    """What our own loop costs: a session that does nothing, and LiteRT against a tight Python loop."""
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
