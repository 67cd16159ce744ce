"""Prints the measures of this project, each as a ratio to its peer in the same run.

usage: scripts/bench [--quick] [--binary FILE] [--json FILE] [MEASURE...]

Measures: startup, convert, equality, accuracy, latency, harness, phases, applications, onnx, quantization, training,
anomaly, vision, comparison, sweeps, energy, detection, rating, explorer, zoo, pictures, evaluation. All of them without a name.
Peers run as a user would run them; ours is .build/release/assay, or --binary. Runs of both sides alternate, and
the figure is the median of each side. `wanted` is the project's own goal. Results also go to
.build/bench/results.json.
"""

import argparse
import importlib
import json
import pathlib
import sys

from support import WORK, Failed, Settings, header, report, rows

#: Each is a function in a file of its name in measures/, in the order of the table.
MEASURES = [
    "startup", "convert", "equality", "accuracy", "latency", "harness", "phases", "applications", "onnx", "quantization", "training",
    "anomaly", "vision", "comparison", "sweeps", "energy", "detection", "rating", "explorer", "zoo",
    "pictures", "evaluation",
]


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].removeprefix("usage: "))
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--binary", type=pathlib.Path, default=Settings.assay)
    parser.add_argument("--json", type=pathlib.Path, default=WORK / "results.json")
    parser.add_argument("measures", nargs="*", metavar="MEASURE")
    options = parser.parse_args()
    unknown = [name for name in options.measures if name not in MEASURES]
    if unknown:
        parser.error(f"no measure '{unknown[0]}'; there are {', '.join(MEASURES)}")
    Settings.quick, Settings.assay = options.quick, options.binary.resolve()
    if not Settings.assay.exists():
        sys.exit(f"error: {Settings.assay} is missing\n  remedy: make release")
    WORK.mkdir(parents=True, exist_ok=True)
    header()
    failed = False
    for name in options.measures or MEASURES:
        try:
            importlib.import_module(f"measures.{name}").__dict__[name]()
        except Failed as failure:
            failed = True
            report(name, "failed", "", "", "", False)
            print(f"    {failure}", file=sys.stderr)
    options.json.write_text(json.dumps({"schema": "assay.bench-measures/1", "rows": rows}, indent=2) + "\n")
    missed = sum(row["met"] is False for row in rows)
    print(f"{sum(row['met'] is True for row in rows)} met, {missed} missed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
