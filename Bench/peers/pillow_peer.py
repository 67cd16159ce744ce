"""Decodes and resizes every picture of a folder on one thread: the processor's seconds, the best of some rounds.

usage: pillow_peer.py FOLDER SIDE ROUNDS
"""

import ctypes
import json
import pathlib
import sys
import time

import PIL
from PIL import Image

# Memory that was given back stays with the process: else each picture's is asked of the system anew, which costs as
# much as decoding it.
if hasattr(ctypes.CDLL(None), "mallopt"):
    M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
    for option in (M_TRIM_THRESHOLD, M_MMAP_THRESHOLD):
        ctypes.CDLL(None).mallopt(option, 1 << 25)
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
