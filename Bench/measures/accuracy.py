"""static_int8 files against Keras's float32."""

import sys

from support import Failed, files, networks, peer, reference, report


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
