"""Building networks of the zoo with random weights and writing their TFLite files."""

import statistics

from support import Settings, WORK, assay, report, seconds

#: Networks with the seconds that are wanted.
WANTED = {"MobileNetV2": 0.3, "ResNet152": 2.0}


def zoo():
    """From the name to the whole file; what the runtime needs to load it is not counted."""
    for name, wanted in WANTED.items():
        path = WORK / f"{name}.tflite"
        times = [assay("zoo", "build", name, "-o", path).seconds for _ in range(3 if Settings.quick else 7)]
        size = path.stat().st_size
        path.unlink()
        mine = statistics.median(times)
        report(f"zoo build {name} ({size / 1e6:.0f} MB)", seconds(mine), "", "", f"<= {wanted} s", mine <= wanted)
