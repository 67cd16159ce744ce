"""The vision example: what pruning, clustering and training for integers cost in accuracy."""

import json
import shutil

from support import WORK, Settings, assay, report, seconds

#: Recipes that are fine-tuned, beside those that only convert.
TUNED = ["cluster8+dynamic_int8", "prune50+dynamic_int8", "qat+static_int8"]


def vision():
    """FireDetectionNet from painted scenes to the accuracy of every written file. A variant may lose one point; the
    row also shows the interval that the number of test pictures allows."""
    training, test, target = WORK / "scenes", WORK / "test-scenes", WORK / "fire"
    images, judged = (400, 200) if Settings.quick else (2000, 1000)
    for folder, count, seed in ((training, images, 1), (test, judged, 2)):
        shutil.rmtree(folder, ignore_errors=True)
        assay("data", "fire-scenes", "-o", folder, "--images", count, "--seed", seed, "--quiet")
    recipes = ["float32", "float16", "dynamic_int8", *TUNED]
    took = assay("train", "fire-detection", "--data", training, "--test", test, "-o", target, "--preset", "fast",
                 "--variants", ",".join(recipes), "--restart", "--no-latency", "--quiet").seconds
    variants = {each["variant"]: each["score"] for each in json.loads((target / "result.json").read_text())["variants"]}
    whole = variants["float32"]["accuracy"]
    for name in recipes:
        own = variants[name]["accuracy"]
        low, high = variants[name]["interval"]
        wanted = None if name == "float32" or Settings.quick else whole - own <= 0.01
        report(f"vision: {name} on {judged} pictures ({low:.1%} to {high:.1%})", f"{own:.1%}", f"{whole:.1%}",
               f"{(own - whole) * 100:+.1f} points", ">= -1", wanted)
    report("vision: training and all variants", seconds(took), "", "", "", None)
