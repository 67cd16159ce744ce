"""What every measure stands on: running both sides, the networks and their data, and the rows of the table."""

import json
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PEERS = ROOT / "Bench" / "peers"
WORK = ROOT / ".build" / "bench"
RECIPES = ["float32", "float16", "dynamic_int8", "static_int8", "static_int8_floatio"]
#: Networks of the test data, with what they were trained on (see peers/keras_reference.py).
SHARED = {
    "vww_96": ("models/mlperf_tiny/vww_96.h5", "unit"),
    "resnet8_cifar10": ("models/mlperf_tiny/resnet8_cifar10.h5", "byte"),
    "ad01": ("models/mlperf_tiny/ad01.h5", "normal"),
    "edge_converter": ("models/tensor_edge_converter/model.h5", "unit"),
}


class Settings:
    """What the command line says."""

    quick = False
    assay = ROOT / ".build" / "release" / "assay"


rows = []


class Failed(Exception):
    """A command of either side that did not do its work; the message is what it said."""


# MARK: - Running


class Run:
    """One finished process: wall time, peak memory, and what it printed."""

    def __init__(self, seconds, anonymous, resident, output):
        self.seconds, self.anonymous, self.resident, self.output = seconds, anonymous, resident, output


def run(command, watch=False, accept=(0,), folder=None):
    """Runs to the end; an exit code that is not in `accept` is a failure. With `watch`, the peak of RssAnon in /proc/PID/status, read all the time, and
    VmHWM, which the kernel keeps and which also counts the pages of mapped files. Works in `folder`, if one is given."""
    command = [str(part) for part in command]
    with open(WORK / "stdout.txt", "w+b") as out, open(WORK / "stderr.txt", "w+b") as err:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=err, stdin=subprocess.DEVNULL, cwd=folder)
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
    return run([Settings.assay, *arguments])


def ours_convert(source, target, recipe, calibration=None):
    command = [Settings.assay, "convert", source, "-o", target, "--recipe", recipe, "--no-verify"]
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


def photographs(count):
    """A folder of ten folders with JPEGs of two sizes, made once: crops of the test data's, if there are any."""
    folder = WORK / f"photographs-{count}"
    done = folder.with_suffix(".done")
    if not done.exists():
        data = data_folder()
        peer("photographs.py", folder, count, *([data / "images"] if data and (data / "images").is_dir() else []))
        done.touch()
    return folder


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
