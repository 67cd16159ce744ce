"""Our files against TensorFlow's on LiteRT."""

import sys

from support import RECIPES, Failed, Settings, files, networks, peer, reference, report, seconds


def latency():
    """Our files against TensorFlow's of the same recipe, on LiteRT in one process."""
    for name, source, kind in networks():
        calibration = reference(name, source, kind)[0]
        for recipe in RECIPES:
            try:
                ours, theirs = files(name, source, recipe, calibration)
                rounds, block = (5, 0.1) if Settings.quick else (15, 0.2)
                result = peer("litert.py", "latency", rounds, block, ours, theirs)
                mine, yours = peer("litert.py", "operators", ours, theirs)
            except Failed as failure:
                report(f"{name} {recipe}", "failed", "", "", "", False)
                print(f"    {failure}", file=sys.stderr)
                continue
            report(f"{name} {recipe}: latency on LiteRT", seconds(result["first"] / 1e9), seconds(result["second"] / 1e9),
                   f"{result['ratio']:.3f}", "<= 1.02", result["ratio"] <= 1.02)
            report("  operators", str(mine), str(yours), f"{mine - yours:+d}", "<= 0", mine <= yours)
