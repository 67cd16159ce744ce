"""Networks in ONNX through our converter and onnx2tf, which people use for it; both files on LiteRT. onnx2tf turns the
inputs to channels last, so ours does too (`--io-layout nhwc`): else our file would hold one transpose more."""

import os
import pathlib
import shutil
import statistics
import subprocess
import sys

from support import ROOT, WORK, Failed, Settings, mobilenet, ours_convert, peer, report, run, seconds


def onnx2tf():
    """The program: $ASSAY_BENCH_ONNX2TF, else one in a virtual environment of its own (its pins
    contradict those of the other peers), made on first use."""
    given = os.environ.get("ASSAY_BENCH_ONNX2TF")
    if given:
        return pathlib.Path(given)
    home = pathlib.Path(os.environ["ASSAY_HOME"]) / "bench-onnx2tf"
    program, requirements = home / "bin" / "onnx2tf", ROOT / "Bench" / "requirements-onnx2tf.txt"
    done = home / "installed.txt"
    if not done.exists() or done.read_bytes() != requirements.read_bytes():
        print(f"installing onnx2tf into {home} (about 3 GB, once)", file=sys.stderr)
        shutil.rmtree(home, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        subprocess.run([home / "bin" / "pip", "install", "-q", "-r", requirements], check=True)
        shutil.copy(requirements, done)
    return program


def networks():
    """The .onnx files of $ASSAY_BENCH_ONNX, such as PyTorch's exports, else MobileNetV2 as we write it."""
    given = os.environ.get("ASSAY_BENCH_ONNX")
    if given:
        return sorted(pathlib.Path(given).glob("*.onnx"))
    target = WORK / "mobilenet_v2.onnx"
    run(ours_convert(mobilenet(), target, "float32"))
    return [target]


def workplace():
    """Where onnx2tf works: it loads sample images from the network unless they lie there."""
    import numpy as np

    folder = WORK / "onnx2tf"
    samples = folder / "calibration_image_sample_data_20x128x128x3_float32.npy"
    if not samples.exists():
        folder.mkdir(parents=True, exist_ok=True)
        np.save(samples, np.random.default_rng(1).random((20, 128, 128, 3), dtype=np.float32))
    return folder


def onnx():
    """From an .onnx file to a .tflite, and how fast that is."""
    program = onnx2tf()
    for source in networks():
        ours, folder = WORK / "onnx.assay.tflite", WORK / "onnx2tf" / source.stem
        theirs = folder / f"{source.stem}_float32.tflite"
        try:
            took = ""
            if not theirs.exists():
                yours = run([program, "-i", source.resolve(), "-o", folder, "-n"], folder=workplace())
                took = seconds(yours.seconds)
            mine = statistics.median(run(ours_convert(source, ours, "float32") + ["--io-layout", "nhwc"]).seconds for _ in range(3))
            rounds, block = (6, 0.2) if Settings.quick else (12, 0.3)
            speed = peer("litert.py", "latency", rounds, block, ours, theirs)
            counts = peer("litert.py", "operators", ours, theirs)
        except Failed as failure:
            report(f"{source.stem}: from ONNX", "failed", "", "", "", False)
            print(f"    {failure}", file=sys.stderr)
            continue
        report(f"{source.stem}: from ONNX, convert", seconds(mine), took or "kept", f"{yours.seconds / mine:.1f}x" if took else "", "", None)
        report("  latency on LiteRT (peer: onnx2tf)", seconds(speed["first"] / 1e9), seconds(speed["second"] / 1e9),
               f"{speed['ratio']:.3f}", "< 1", speed["ratio"] < 1)
        report("  operators", str(counts[0]), str(counts[1]), f"{counts[0] - counts[1]:+d}", "<= 0", counts[0] <= counts[1])
