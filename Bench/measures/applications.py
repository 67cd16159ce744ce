"""The networks of Keras Applications: conversion time and memory, equality, and speed on LiteRT."""

import math
import os
import pathlib
import statistics
import sys

from support import ROOT, WORK, Failed, Settings, megabytes, ours_convert, peer, report, run, seconds, theirs_convert

#: All that the maker knows, the small ones first; a quick run takes the first five.
NETWORKS = [
    "MobileNetV3Small", "MobileNetV2", "MobileNet", "EfficientNetB0", "ResNet50", "MobileNetV3Large", "NASNetMobile",
    "EfficientNetV2B0", "DenseNet121", "EfficientNetB1", "EfficientNetV2B1", "EfficientNetB2", "EfficientNetV2B2",
    "DenseNet169", "EfficientNetB3", "EfficientNetV2B3", "DenseNet201", "ResNet50V2", "InceptionV3", "Xception",
    "ResNet101", "ResNet101V2", "EfficientNetB4", "EfficientNetV2S", "InceptionResNetV2", "ResNet152", "ResNet152V2",
    "EfficientNetB5", "EfficientNetV2M", "EfficientNetB6", "EfficientNetB7", "NASNetLarge", "EfficientNetV2L", "VGG16",
    "VGG19",
]


def folder():
    """Where the networks are kept between runs: they take 5 GB and an hour to make."""
    return pathlib.Path(os.environ.get("ASSAY_BENCH_NETWORKS") or WORK / "applications")


def network(name):
    """A network as Keras saves it, with seeded weights, an input and Keras's output (made once)."""
    place = folder()
    if not (place / f"{name}.npz").exists():
        place.mkdir(parents=True, exist_ok=True)
        run([sys.executable, ROOT / "Tests" / "Goldens" / "keras_applications.py", place, name])
    return place / f"{name}.keras", place / f"{name}.npz"


def chosen():
    wanted = os.environ.get("ASSAY_BENCH_ONLY")
    if wanted:
        return [name for name in NETWORKS if name in wanted.split(",")]
    return NETWORKS[:5] if Settings.quick else NETWORKS


def applications():
    """Each of the networks through both converters, and both files on LiteRT."""
    ratios = []
    for name in chosen():
        try:
            source, expected = network(name)
            ours, theirs = WORK / "applications.assay.tflite", WORK / "applications.tf.tflite"
            yours = run(theirs_convert(source, theirs, "float32"), watch=True)
            mine = [run(ours_convert(source, ours, "float32")) for _ in range(3)]
            watched = run(ours_convert(source, ours, "float32"), watch=True)
            error = peer("litert.py", "network", ours, expected)
            rounds, block = (6, 0.2) if Settings.quick else (12, 0.3)
            speed = peer("litert.py", "latency", rounds, block, ours, theirs)
        except Failed as failure:
            report(f"{name}: convert", "failed", "", "", "", False)
            print(f"    {failure}", file=sys.stderr)
            continue
        median = statistics.median(r.seconds for r in mine)
        ratios.append(yours.seconds / median)
        limit = 1.2 * source.stat().st_size + 60e6
        report(f"{name}: convert", seconds(median), seconds(yours.seconds), f"{ratios[-1]:.1f}x", "", None)
        report("  peak anonymous memory", megabytes(watched.anonymous), megabytes(yours.anonymous),
               f"{yours.anonymous / max(watched.anonymous, 1):.1f}x", f"<= {megabytes(limit)}", watched.anonymous <= limit)
        # The peer here is Keras itself in float32.
        report("  outputs against Keras in float64", f"{error['relative']:.1e}", f"{error['keras']:.1e}", "", "<= 1e-4",
               error["relative"] <= 1e-4)
        report("  latency on LiteRT", seconds(speed["first"] / 1e9), seconds(speed["second"] / 1e9),
               f"{speed['ratio']:.3f}", "<= 1.02", speed["ratio"] <= 1.02)
    if ratios:
        mean = math.exp(statistics.fmean(math.log(r) for r in ratios))
        report(f"convert, geometric mean of {len(ratios)} networks", "", "", f"{mean:.1f}x", ">= 40x", mean >= 40)
