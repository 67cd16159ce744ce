"""static_int8 of the networks of Keras Applications: the signal-to-noise ratio of both converters' files on LiteRT."""

import statistics
import sys

from measures.applications import chosen, network
from support import PEERS, WORK, Failed, Settings, ours_convert, peer, report, run

#: Images of calibration and of test.
COUNT = 8
#: Of eight images one is left out in turn: how far the ratio moves by luck alone.
SUBSETS = 4


def quantization():
    """Outputs of static_int8 on both sides against Keras's; the networks' weights are random, so a deep one turns rounding
    into noise of nearly the signal's size, and which side is luckier changes with every calibration image. The row shows
    the median over calibration sets and the spread; the verdict is on the median difference over all networks."""
    import numpy as np

    differences = []
    for name in chosen():
        prefix = WORK / f"{name}.quantized"
        try:
            source, _ = network(name)
            if not (WORK / f"{name}.quantized.tf.tflite").exists():
                run([sys.executable, PEERS / "tf_quantized.py", source, prefix, COUNT])
            test, expected = f"{prefix}.test.npy", f"{prefix}.expected.npz"
            images = np.load(f"{prefix}.calibration.npy")
            ours, part = WORK / "quantized.assay.tflite", WORK / "quantized.part.npy"
            ratios = []
            for left_out in [None] + list(range(1 if Settings.quick else SUBSETS)):
                np.save(part, images if left_out is None else np.delete(images, left_out, axis=0))
                run(ours_convert(source, ours, "static_int8", part))
                ratios.append(peer("litert.py", "outputs", ours, test, expected)["sqnr"])
            theirs = peer("litert.py", "outputs", f"{prefix}.tf.tflite", test, expected)["sqnr"]
        except Failed as failure:
            report(f"{name}: static_int8 SQNR", "failed", "", "", "", False)
            print(f"    {failure}", file=sys.stderr)
            continue
        median = statistics.median(ratios)
        differences.append(median - theirs)
        report(f"{name}: static_int8 SQNR ({min(ratios):.1f} to {max(ratios):.1f})", f"{median:.2f} dB",
               f"{theirs:.2f} dB", f"{median - theirs:+.2f} dB", "", None)
    if differences:
        middle = statistics.median(differences)
        report(f"static_int8 SQNR, median difference of {len(differences)} networks", "", "", f"{middle:+.2f} dB",
               ">= -0.5 dB", middle >= -0.5)
