"""Training steps against Keras on TensorFlow: throughput and the loss of every step.

Rounding grows while a network is trained: after 50 steps of FireDetectionNet Keras in float32 is some
percent away from Keras in float64, because its sums over a million pixels lose five digits. So the losses of
both sides are held against Keras in float64: ours must be within 1e-3, or within twice the distance of Keras.
"""

import json
import os
import statistics
import sys

from support import PEERS, ROOT, WORK, Failed, Settings, peer, report, run, seconds

#: Network, samples of a step, loss, rate and further options of ours, and what the row says.
NETWORKS = [
    ("autoencoder", 32, "log-cosh", ["1e-3", "--amsgrad"], "autoencoder, 32 windows of 1050"),
    ("fire", 64, "binary-crossentropy", ["1e-4"], "FireDetectionNet, 64 images of 128x128"),
]
#: Steps whose losses are compared.
COMPARED = 50


def program():
    """Our side: it trains a Keras file on given batches and prints what happened."""
    built = ROOT / ".build" / "release" / "train-steps"
    run(["swift", "build", "-c", "release", "--product", "train-steps", "--package-path", ROOT])
    return built


def training():
    """The time of a training step and the losses of the first 50, from the same weights and batches."""
    ours = program()
    threads = len(os.sched_getaffinity(0))
    for name, batch, loss, options, title in NETWORKS:
        try:
            if not (WORK / f"{name}.npz").exists():
                run([sys.executable, PEERS / "keras_training.py", "make", name, WORK, batch])
            command = [ours, WORK / f"{name}.keras", WORK / f"{name}.npz", loss, COMPARED, threads, *options]
            mine, yours = [], []
            for _ in range(1 if Settings.quick else 3):
                yours.append(peer("keras_training.py", "train", name, WORK, COMPARED))
                mine.append(json.loads(run(command).output.strip().splitlines()[-1]))
        except Failed as failure:
            report(f"{title}: training step", "failed", "", "", "", False)
            print(f"    {failure}", file=sys.stderr)
            continue

        # The first steps compile and warm up on both sides.
        def step(runs):
            return statistics.median(statistics.median(r["seconds"][5:]) for r in runs)

        a, b = step(mine), step(yours)
        report(f"{title}: training step", seconds(a), seconds(b), f"{b / a:.2f}x", ">= 2x", b / a >= 2)
        try:
            exact = peer("keras_training.py", "exact", name, WORK, COMPARED)["losses"]
        except Failed as failure:
            print(f"    {failure}", file=sys.stderr)
            continue

        def distance(losses):
            return max(abs(x - y) / abs(y) for x, y in zip(losses, exact))

        x, y = distance(mine[0]["losses"]), distance(yours[0]["losses"])
        report(f"  losses of {COMPARED} steps against Keras in float64", f"{x:.1e}", f"{y:.1e}", "",
               "<= 1e-3 or 2x", x <= max(1e-3, 2 * y))
        near = max(abs(a - b) / abs(b) for a, b in zip(mine[0]["losses"], yours[0]["losses"]))
        report("  losses against Keras in float32", f"{near:.1e}", "", "", "", None)
