"""Energies against what is known: virtual meters with known faults, and what reading a meter costs the measurement."""

import json
import statistics
import sys

from support import ROOT, WORK, Failed, Settings, report, run, seconds


def selftest():
    """True energies lie within the stated uncertainty in 95 of 100 trials, and clocks are joined to a reading."""
    trials = 200 if Settings.quick else 2000
    command = [Settings.assay, "power", "selftest", "--trials", trials, "--json", "-"]
    for kind in json.loads(run(command, accept=(0, 1)).output)["kinds"]:
        name = f"virtual {kind['kind']}, {kind['trials']} trials"
        for words, key in (("total", "totalWithin"), ("above idle", "netWithin")):
            share = kind[key] / kind["trials"]
            report(f"{name}: {words} within its uncertainty", f"{share:.1%}", "", "", ">= 95 %", share >= 0.95)
        worst = kind["greatestSkewError"]
        ok = worst <= 1 and kind["markersNotFound"] == 0
        report(f"{name}: worst skew, readings", f"{worst:.2f}", "", "", "<= 1", ok)


def disturbance():
    """The median latency with a meter that is read a hundred times a second, and without."""
    model = WORK / "energy-digits.tflite"
    run([Settings.assay, "convert", ROOT / "Examples/digits/model.h5", "-o", model, "--recipe", "float32", "--no-verify"])
    medians = {False: [], True: []}
    for _ in range(3 if Settings.quick else 9):
        for watched in (False, True):
            command = [Settings.assay, "bench", model, "--runtime", "litert", "--threads", "1", "--no-profile",
                       "--no-starts", "--preset", "quick", "--store", f"sqlite:{WORK / 'energy.sqlite'}", "--json", "-"]
            command += ["--meter", "virtual:rate=100"] if watched else []
            medians[watched].append(json.loads(run(command, accept=(0, 1)).output)["latencyNs"]["p50"])
    ours, alone = (statistics.median(medians[side]) for side in (True, False))
    report("p50 while a meter is read 100 times a second", seconds(ours / 1e9), seconds(alone / 1e9), f"{ours / alone:.3f}",
           "0.98...1.02", 0.98 <= ours / alone <= 1.02)


def energy():
    """Energies within their uncertainty, and a measurement that its meter does not disturb."""
    for part in (selftest, disturbance):
        try:
            part()
        except Failed as failure:
            report(f"energy: {part.__name__}", "failed", "", "", "", False)
            print(f"    {failure}", file=sys.stderr)
