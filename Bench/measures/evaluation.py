"""Evaluations from end to end against what the runtime does alone."""

import json
import random
import statistics

from support import Settings, WORK, assay, photographs, report, run

PREPROCESS = "mobilenet,crop=center:0.875,filter=antialias"


def own_rate(model):
    """Inferences a second of the runtime alone, one thread: by the mean, as items a second are."""
    command = [Settings.assay, "bench", model, "--runtime", "litert", "--threads", "1", "--no-starts", "--no-profile", "--json", "-"]
    return 1e9 / json.loads(run(command, accept=(0, 1)).output)["latencyNs"]["mean"]


def whole_rate(model, data):
    """Items a second of `assay evaluate`, from starting the worker to the last outcome in the store."""
    store = WORK / "evaluation.sqlite"
    for path in WORK.glob("evaluation.sqlite*"):
        path.unlink()
    command = [Settings.assay, "evaluate", model, "--data", data, "-p", PREPROCESS, "--runtime", "litert", "--store", store,
               "--json", "-", "--quiet"]
    return json.loads(run(command, accept=(0, 1)).output)["results"][0]["itemsPerSecond"]


def evaluation():
    """MobileNetV2 in float32 from JPEG and in int8 from the prepared set, one worker with one thread for the runtime;
    int8 from JPEG is shown beside it."""
    count = 1500 if Settings.quick else 6000
    folder = photographs(count)
    float32, int8 = WORK / "evaluated.tflite", WORK / "evaluated-int8.tflite"
    assay("zoo", "build", "MobileNetV2", "-o", float32)
    assay("convert", float32, "-o", int8, "--recipe", "static_int8", "-r", folder / "class0", "-p", PREPROCESS, "--no-verify")
    plain, prepared = WORK / "evaluated-set", WORK / "evaluated-prepared"
    assay("data", "prepare", "folder", folder, "-o", plain, "--quiet")
    assay("data", "prepare", "folder", folder, "-o", prepared, "--for", float32, "-p", PREPROCESS, "--quiet")
    for words, model, data, judged in (
        ("float32 from JPEG", float32, plain, True), ("int8, prepared", int8, prepared, True), ("int8 from JPEG", int8, plain, False),
    ):
        pairs = []
        for _ in range(2 if Settings.quick else 5):
            sides = {}
            for side in random.sample(["own", "whole"], 2):
                sides[side] = own_rate(model) if side == "own" else whole_rate(model, data)
            pairs.append(sides)
        ratio = statistics.median(pair["whole"] / pair["own"] for pair in pairs)
        report(f"evaluate MobileNetV2 {words}, {count} items", f"{statistics.median(p['whole'] for p in pairs):.0f}/s",
               f"{statistics.median(p['own'] for p in pairs):.0f}/s", f"{ratio:.3f}", ">= 0.95" if judged else "",
               ratio >= 0.95 if judged else None)
