"""What sweeps lose when everything around them fails, and how a store does with very many records."""

import json
import tempfile

from support import ROOT, Settings, report, run, seconds


def probe(*words):
    """What the tests break sweeps with, built optimized."""
    run(["swift", "build", "-c", "release", "--product", "SweepProbe", "--package-path", ROOT])
    return json.loads(run([ROOT / ".build" / "release" / "SweepProbe", *words]).output)


def sweeps():
    """A thousand faults over sweeps of synthetic sessions."""
    wanted = 100 if Settings.quick else 1000
    result = probe("chaos", wanted, 24, 7)
    faults = result["faults"]
    report(f"{faults} kills, power losses, full disks, crashes, hangs: trials lost", result["lost"], "", "", "0", result["lost"] == 0)
    report("… measured twice", result["duplicated"], "", "", "0", result["duplicated"] == 0)
    report("… tables unlike an undisturbed sweep's", result["differingTables"], "", "", "0", result["differingTables"] == 0)
    count = 50_000 if Settings.quick else 1_000_000
    with tempfile.TemporaryDirectory(dir=ROOT / ".build") as folder:
        result = probe("store", folder, count)
    rate = result["appendedPerSecond"]
    report(f"{count} records appended in synced batches of {result['batch']}", f"{rate:.0f}/s", "", "", ">= 20000/s", rate >= 20000)
    slowest = result["slowestSummarySeconds"]
    report(f"… summary of one model ({result['recordsOfModel']} records)", seconds(slowest), "", "", "< 100 ms", slowest < 0.1)
    opening, empty = result["openSeconds"], result["openEmptySeconds"]
    report("… opening the store (peer: an empty one)", seconds(opening), seconds(empty), "", "+ <= 5 ms", opening <= empty + 0.005)
