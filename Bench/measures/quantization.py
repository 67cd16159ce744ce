"""static_int8 of the networks of Keras Applications: the signal-to-noise ratio of both converters' files on LiteRT."""

import math
import os
import statistics
import sys

from measures.applications import chosen, network
from support import PEERS, WORK, Failed, peer, ours_convert, report, run

#: Images of calibration and of test.
COUNT = 8


def quantization():
    """Outputs of static_int8 on both sides against Keras's, image by image.

    The networks' weights are random, so a deep one turns rounding into noise of nearly the signal's size, and a few
    unlucky images fill a sum over all of them: the ratio of a single network moves by several dB when one image of
    calibration is left out. So the ratios in dB are compared pair by pair; a row shows their means and the standard error
    of the difference, and ours is worse where the difference is below zero by more than two of those.
    """
    differences, worse = [], 0
    for name in chosen():
        prefix = WORK / f"{name}.quantized"
        try:
            source, _ = network(name)
            if not (WORK / f"{name}.quantized.tf.tflite").exists():
                run([sys.executable, PEERS / "tf_quantized.py", source, prefix, COUNT])
            test, expected = f"{prefix}.test.npy", f"{prefix}.expected.npz"
            ours = WORK / f"{name}.quantized.assay.tflite"
            run(ours_convert(source, ours, "static_int8", f"{prefix}.calibration.npy"))
            mine = peer("litert.py", "outputs", ours, test, expected)["each"]
            theirs = peer("litert.py", "outputs", f"{prefix}.tf.tflite", test, expected)["each"]
        except Failed as failure:
            report(f"{name}: static_int8 SQNR", "failed", "", "", "", False)
            print(f"    {failure}", file=sys.stderr)
            continue
        finally:
            if os.path.exists(WORK / f"{name}.quantized.assay.tflite"):
                os.remove(WORK / f"{name}.quantized.assay.tflite")
        pairs = [a - b for a, b in zip(mine, theirs)]
        difference, error = statistics.fmean(pairs), statistics.stdev(pairs) / math.sqrt(len(pairs))
        differences.append(difference)
        worse += difference < -2 * error
        report(f"{name}: static_int8 SQNR, mean of {len(pairs)} images", f"{statistics.fmean(mine):.2f} dB",
               f"{statistics.fmean(theirs):.2f} dB", f"{difference:+.2f} +- {error:.2f}", ">= 0 - 2 errors",
               difference >= -2 * error)
    if len(differences) > 1:
        middle = statistics.fmean(differences)
        error = statistics.stdev(differences) / math.sqrt(len(differences))
        report(f"static_int8 SQNR, mean difference of {len(differences)} networks ({worse} worse)", "", "",
               f"{middle:+.2f} +- {error:.2f}", ">= 0 dB", middle >= 0)
