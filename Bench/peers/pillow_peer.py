"""Decodes and resizes every picture of a folder on one thread: the processor's seconds, the best of some rounds.

usage: pillow_peer.py FOLDER SIDE ROUNDS
"""

import json
import pathlib
import sys
import time

import PIL
from PIL import Image

files, side = sorted(pathlib.Path(sys.argv[1]).iterdir()), int(sys.argv[2])
best = {"decoding": float("inf"), "all": float("inf")}
for _ in range(int(sys.argv[3])):
    start = time.process_time()
    for path in files:
        Image.open(path).convert("RGB")
    best["decoding"] = min(best["decoding"], time.process_time() - start)
    start = time.process_time()
    for path in files:
        Image.open(path).convert("RGB").resize((side, side), Image.BILINEAR)
    best["all"] = min(best["all"], time.process_time() - start)
# Pillow-SIMD's versions end in .post and a number.
print(json.dumps({**best, "name": ("Pillow-SIMD " if "post" in PIL.__version__ else "Pillow ") + PIL.__version__}))
