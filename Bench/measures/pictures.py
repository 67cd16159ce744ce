"""Decoding JPEGs and resizing them as Pillow does, on one core."""

import json

from support import ROOT, Settings, peer, photographs, report, run, seconds


def pictures():
    """Ours and Pillow's (Pillow-SIMD, where the environment has it) in turn over the same files; equal to the last bit."""
    run(["swift", "build", "-c", "release", "--product", "picture-probe", "--package-path", ROOT])
    probe = ROOT / ".build" / "release" / "picture-probe"
    folder = photographs(300) / "class0"
    files = len(list(folder.iterdir()))
    rounds = 3 if Settings.quick else 9
    mine, theirs = {}, {}
    for _ in range(2 if Settings.quick else 5):
        ours = json.loads(run([probe, folder, 224, "filter=antialias", rounds]).output)
        other = peer("pillow_peer.py", folder, 224, rounds)
        for key in ("decoding", "all"):
            mine[key] = min(mine.get(key, 1e9), ours[key] / files)
            theirs[key] = min(theirs.get(key, 1e9), other[key] / files)
    for key, words in (("decoding", "decoding"), ("all", "decoding and resizing")):
        ratio = theirs[key] / mine[key]
        report(f"{words} a JPEG of 500 x 375 ({other['name']})", seconds(mine[key]), seconds(theirs[key]), f"{ratio:.2f}x",
               ">= 1x" if key == "all" else "", ratio >= 1 if key == "all" else None)
