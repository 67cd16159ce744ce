"""Prints the measures of this project, each as a ratio to its peer in the same run.

usage: scripts/bench [--quick] [--binary FILE] [--json FILE] [MEASURE...]

Measures: convert, latency, accuracy, equality, harness, startup. All of them without a name.
Peers run as a user would run them; ours is .build/release/assay, or --binary. Runs of both sides alternate, and
the figure is the median of each side. `wanted` is the project's own goal. Results also go to
.build/bench/results.json.
"""

import argparse
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PEERS = ROOT / "Bench" / "peers"
WORK = ROOT / ".build" / "bench"
ASSAY = ROOT / ".build" / "release" / "assay"
RECIPES = ["float32", "float16", "dynamic_int8", "static_int8", "static_int8_floatio"]
#: Networks of the test data, with what they were trained on (see peers/keras_reference.py).
SHARED = {
    "vww_96": ("models/mlperf_tiny/vww_96.h5", "unit"),
    "resnet8_cifar10": ("models/mlperf_tiny/resnet8_cifar10.h5", "byte"),
    "ad01": ("models/mlperf_tiny/ad01.h5", "normal"),
    "edge_converter": ("models/tensor_edge_converter/model.h5", "unit"),
}

quick = False
rows = []


class Failed(Exception):
    """A command of either side that did not do its work; the message is what it said."""


# MARK: - Running


class Run:
    """One finished process: wall time, peak memory, and what it printed."""

    def __init__(self, seconds, anonymous, resident, output):
        self.seconds, self.anonymous, self.resident, self.output = seconds, anonymous, resident, output


def run(command, watch=False, accept=(0,)):
    """Runs to the end; an exit code that is not in `accept` is a failure. With `watch`, the peak of RssAnon in /proc/PID/status, read all the time, and
    VmHWM, which the kernel keeps and which also counts the pages of mapped files."""
    command = [str(part) for part in command]
    with open(WORK / "stdout.txt", "w+b") as out, open(WORK / "stderr.txt", "w+b") as err:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=err, stdin=subprocess.DEVNULL)
        anonymous = resident = 0
        while watch and process.poll() is None:
            try:
                with open(f"/proc/{process.pid}/status", "rb") as status:
                    for line in status:
                        if line.startswith(b"RssAnon"):
                            anonymous = max(anonymous, int(line.split()[1]))
                        elif line.startswith(b"VmHWM"):
                            resident = max(resident, int(line.split()[1]))
            except (FileNotFoundError, ProcessLookupError):
                break
        process.wait()
        seconds = time.perf_counter() - start
        out.seek(0)
        err.seek(0)
        printed, complaint = out.read().decode(errors="replace"), err.read().decode(errors="replace")
    if process.returncode not in accept:
        tail = "\n    ".join(complaint.strip().splitlines()[-12:])
        raise Failed(f"{' '.join(command)}\n    exit code {process.returncode}\n    {tail}")
    return Run(seconds, anonymous * 1024, resident * 1024, printed)


def peer(script, *arguments):
    """The last line that a peer prints, as JSON."""
    printed = run([sys.executable, PEERS / script, *arguments]).output
    return json.loads(printed.strip().splitlines()[-1])


def assay(*arguments):
    return run([ASSAY, *arguments])


def ours_convert(source, target, recipe, calibration=None):
    command = [ASSAY, "convert", source, "-o", target, "--recipe", recipe]
    return command + (["--representative", calibration] if calibration and "static" in recipe else [])


def theirs_convert(source, target, recipe, calibration=None):
    command = [sys.executable, PEERS / "tf_convert.py", source, target, recipe]
    return command + ([calibration] if calibration and "static" in recipe else [])


# MARK: - Reporting


def report(measure, ours, theirs, ratio, wanted, met):
    """One row. `met` is True, False, or None where there is nothing to compare."""
    row = {"measure": measure, "ours": ours, "peer": theirs, "ratio": ratio, "wanted": wanted, "met": met}
    rows.append(row)
    verdict = {True: "met", False: "MISSED", None: ""}[met]
    print(f"{measure:<58} {ours:>14} {theirs:>14} {ratio:>10}  {wanted:<12} {verdict}", flush=True)


def header():
    print(f"{'measure':<58} {'ours':>14} {'peer':>14} {'ratio':>10}  {'wanted':<12}")


def seconds(value):
    if value < 1e-3:
        return f"{value * 1e6:.1f} us"
    return f"{value * 1e3:.1f} ms" if value < 1 else f"{value:.2f} s"


def megabytes(value):
    return f"{value / 1e6:.1f} MB"


# MARK: - Data


def data_folder():
    for folder in (os.environ.get("ASSAY_TEST_DATA"), ROOT.parent / "shared" / "data"):
        if folder and pathlib.Path(folder).is_dir():
            return pathlib.Path(folder)
    return None


def mobilenet():
    """MobileNetV2 (1.0, 224) as Keras saves it, with plausible statistics in its batch normalizations."""
    target = WORK / "mobilenet_v2_224.h5"
    if not target.exists():
        run([sys.executable, ROOT / "Tests" / "Goldens" / "make_keras_models.py", WORK, "mobilenet_v2_224", "--keras3"])
    return target


def networks():
    """(name, file, kind) of every network there is here."""
    found = [("digits", ROOT / "Examples" / "digits" / "model.h5", "unit"), ("mobilenet_v2", mobilenet(), "signed")]
    folder = data_folder()
    if folder is None:
        print("note: no test data (ASSAY_TEST_DATA): only the example and MobileNetV2", file=sys.stderr)
        return found
    return found + [(name, folder / path, kind) for name, (path, kind) in SHARED.items()]


def reference(name, source, kind):
    """Calibration data, test data and Keras's outputs for a network; the origin of the data is kept beside."""
    prefix = WORK / name
    origin = WORK / f"{name}.origin.json"
    if not origin.exists():
        folder = ROOT / "Examples" / "digits" if name == "digits" else data_folder()
        images = [folder / "images"] if folder and (folder / "images").is_dir() else []
        origin.write_text(json.dumps(peer("keras_reference.py", source, prefix, kind, *images)))
    return (f"{prefix}.calibration.npy", f"{prefix}.test.npy", f"{prefix}.expected.npz",
            json.loads(origin.read_text())["data"])


def files(name, source, recipe, calibration):
    """The .tflite of both sides for one recipe. Ours is made anew each time, TensorFlow's once."""
    ours, theirs = WORK / f"{name}.{recipe}.assay.tflite", WORK / f"{name}.{recipe}.tf.tflite"
    run(ours_convert(source, ours, recipe, calibration))
    if not theirs.exists():
        run(theirs_convert(source, theirs, recipe, calibration))
    return ours, theirs


# MARK: - Measures


def convert():
    """Keras file to .tflite, from process start to file written."""
    source = mobilenet()
    calibration = reference("mobilenet_v2", source, "signed")[0]
    for recipe, wanted in (("float32", 40), ("static_int8", 5)):
        ours, theirs = [], []
        for _ in range(1 if quick else 3):
            theirs.append(run(theirs_convert(source, WORK / "peer.tflite", recipe, calibration), watch=True))
            ours += [run(ours_convert(source, WORK / "ours.tflite", recipe, calibration)) for _ in range(3)]
        watched = [run(ours_convert(source, WORK / "ours.tflite", recipe, calibration), watch=True) for _ in range(3)]
        mine, yours = statistics.median(r.seconds for r in ours), statistics.median(r.seconds for r in theirs)
        report(f"convert MobileNetV2 {recipe}", seconds(mine), seconds(yours), f"{yours / mine:.1f}x",
               f">= {wanted}x", yours / mine >= wanted)
        peak = statistics.median(r.anonymous for r in watched)
        limit = 2 * source.stat().st_size + 60e6
        report(f"  peak anonymous memory (RssAnon), {recipe}", megabytes(peak),
               megabytes(statistics.median(r.anonymous for r in theirs)),
               f"{statistics.median(r.anonymous for r in theirs) / max(peak, 1):.1f}x",
               f"<= {megabytes(limit)}" if recipe == "float32" else "", peak <= limit if recipe == "float32" else None)
        report(f"  peak resident memory (VmHWM), {recipe}", megabytes(statistics.median(r.resident for r in watched)),
               megabytes(statistics.median(r.resident for r in theirs)), "", "", None)


def latency():
    """Our files against TensorFlow's of the same recipe, on LiteRT in one process."""
    for name, source, kind in networks():
        calibration = reference(name, source, kind)[0]
        for recipe in RECIPES:
            try:
                ours, theirs = files(name, source, recipe, calibration)
                rounds, block = (5, 0.1) if quick else (15, 0.2)
                result = peer("litert.py", "latency", rounds, block, ours, theirs)
                mine, yours = peer("litert.py", "operators", ours, theirs)
            except Failed as failure:
                report(f"{name} {recipe}", "failed", "", "", "", False)
                print(f"    {failure}", file=sys.stderr)
                continue
            report(f"{name} {recipe}: latency on LiteRT", seconds(result["first"] / 1e9), seconds(result["second"] / 1e9),
                   f"{result['ratio']:.3f}", "<= 1.02", result["ratio"] <= 1.02)
            report("  operators", str(mine), str(yours), f"{mine - yours:+d}", "<= 0", mine <= yours)


def accuracy():
    """Outputs of static_int8 against Keras's in float32: the signal-to-noise ratio of both sides."""
    for name, source, kind in networks():
        calibration, test, expected, origin = reference(name, source, kind)
        try:
            ours, theirs = files(name, source, "static_int8", calibration)
            mine = peer("litert.py", "outputs", ours, test, expected)["sqnr"]
            yours = peer("litert.py", "outputs", theirs, test, expected)["sqnr"]
        except Failed as failure:
            report(f"{name}: static_int8 SQNR", "failed", "", "", "", False)
            print(f"    {failure}", file=sys.stderr)
            continue
        # MobileNetV2 is untrained here: its random layers turn rounding into noise of the size of the
        # signal, on both sides, and which side is luckier means nothing.
        judged = name != "mobilenet_v2"
        report(f"{name}: static_int8 SQNR ({origin})", f"{mine:.2f} dB", f"{yours:.2f} dB", f"{mine - yours:+.2f} dB",
               ">= -0.5 dB" if judged else "untrained", mine - yours >= -0.5 if judged else None)


def equality():
    """float32 outputs on LiteRT against Keras's: max |a - b| / max |b|."""
    for name, source, kind in networks():
        calibration, test, expected, _ = reference(name, source, kind)
        try:
            ours, theirs = files(name, source, "float32", calibration)
            mine = peer("litert.py", "outputs", ours, test, expected)["relative"]
            yours = peer("litert.py", "outputs", theirs, test, expected)["relative"]
        except Failed as failure:
            report(f"{name}: float32 against Keras", "failed", "", "", "", False)
            print(f"    {failure}", file=sys.stderr)
            continue
        report(f"{name}: float32 against Keras", f"{mine:.1e}", f"{yours:.1e}", "", "<= 1e-5", mine <= 1e-5)


def bench_median(model, runtime):
    """The p50 of `assay bench`, in nanoseconds. Exit code 1 says that it does not trust its figure, as
    on a machine that is busy with something else; the peer of the same moment suffers alike."""
    command = [ASSAY, "bench", model, "--runtime", runtime, "--threads", "1", "--json", "-"]
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
            for _ in range(3 if quick else 9):
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


def startup():
    """`assay --help` beside the smallest process there is."""
    ours, smallest = [], []
    for _ in range(10 if quick else 40):
        ours.append(assay("--help").seconds)
        smallest.append(run(["/bin/true"]).seconds)
    mine, yours = statistics.median(ours), statistics.median(smallest)
    report("assay --help (peer: /bin/true)", seconds(mine), seconds(yours), f"{mine / yours:.1f}x", "<= 20 ms", mine <= 0.020)


MEASURES = {f.__name__: f for f in (startup, convert, equality, accuracy, latency, harness)}


def main():
    global quick, ASSAY
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].removeprefix("usage: "))
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--binary", type=pathlib.Path, default=ASSAY)
    parser.add_argument("--json", type=pathlib.Path, default=WORK / "results.json")
    parser.add_argument("measures", nargs="*", metavar="MEASURE")
    options = parser.parse_args()
    unknown = [name for name in options.measures if name not in MEASURES]
    if unknown:
        parser.error(f"no measure '{unknown[0]}'; there are {', '.join(MEASURES)}")
    quick, ASSAY = options.quick, options.binary.resolve()
    if not ASSAY.exists():
        sys.exit(f"error: {ASSAY} is missing\n  remedy: make release")
    WORK.mkdir(parents=True, exist_ok=True)
    header()
    failed = False
    for name in options.measures or MEASURES:
        try:
            MEASURES[name]()
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
