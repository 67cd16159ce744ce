"""float32 files against Keras."""

import sys

from support import Failed, files, networks, peer, reference, report


def equality():
    """float32 outputs on LiteRT against Keras's: max |a - b| / max |b|."""
    for name, source, kind in networks():
        calibration, test, expected, _ = reference(name, source, kind)
        try:
            ours, theirs = files(name, source, "float32", calibration)
            mine = peer("litert.py", "outputs", ours, test, expected)["relative"]
            yours = peer("litert.py", "outputs", theirs, test, expected)["relative"]
        except Failed as failure:
            report(f"{name}: float32 against Keras", "failed", "", "", "", False)
            print(f"    {failure}", file=sys.stderr)
            continue
        report(f"{name}: float32 against Keras", f"{mine:.1e}", f"{yours:.1e}", "", "<= 1e-5", mine <= 1e-5)
