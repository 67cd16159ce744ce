"""Writes JPEGs of 500 x 375 and 375 x 500 into class folders: crops of photographs, or smooth noise without any.

usage: photographs.py FOLDER COUNT [PHOTOGRAPHS]
"""

import pathlib
import sys

import numpy as np
from PIL import Image

target, count = pathlib.Path(sys.argv[1]), int(sys.argv[2])
rng = np.random.default_rng(5)
found = sorted(pathlib.Path(sys.argv[3]).rglob("*.jpg")) if len(sys.argv) > 3 else []
sources = [Image.open(path).convert("RGB") for path in found] or [
    Image.fromarray(rng.integers(0, 256, (24, 32, 3), dtype=np.uint8)).resize((640, 480), Image.BICUBIC) for _ in range(20)]
for index in range(count):
    source = sources[index % len(sources)]
    share = rng.uniform(0.6, 1)
    width, height = int(source.width * share), int(source.height * share)
    x, y = rng.integers(0, source.width - width + 1), rng.integers(0, source.height - height + 1)
    part = source.crop((x, y, x + width, y + height)).resize((500, 375) if index % 2 else (375, 500), Image.LANCZOS)
    folder = target / f"class{index % 10}"
    folder.mkdir(parents=True, exist_ok=True)
    part.save(folder / f"{index:05}.jpg", quality=90)
print("{}")
