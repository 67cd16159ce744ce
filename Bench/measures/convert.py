"""Keras file to .tflite: time and memory."""

import statistics

from support import WORK, Settings, megabytes, mobilenet, ours_convert, reference, report, run, seconds, theirs_convert


def convert():
    """Keras file to .tflite, from process start to file written."""
    source = mobilenet()
    calibration = reference("mobilenet_v2", source, "signed")[0]
    for recipe, wanted in (("float32", 40), ("static_int8", 5)):
        ours, theirs = [], []
        for _ in range(1 if Settings.quick else 3):
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
