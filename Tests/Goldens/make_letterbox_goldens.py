#!/usr/bin/env python3
"""Writes Tests/Fixtures/accuracy/letterbox.json: a seeded picture resized by OpenCV (5.0.0, INTER_LINEAR) and laid into letterboxes
as Ultralytics does.

usage: make_letterbox_goldens.py FOLDER
"""

import json
import pathlib
import sys

import cv2
import numpy as np


def letterbox(image, width, height):
    old_height, old_width = image.shape[:2]
    ratio = min(height / old_height, width / old_width)
    size = (round(old_width * ratio), round(old_height * ratio))
    dw, dh = (width - size[0]) / 2, (height - size[1]) / 2
    resized = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)
    return cv2.copyMakeBorder(resized, round(dh - 0.1), round(dh + 0.1), round(dw - 0.1), round(dw + 0.1),
                              cv2.BORDER_CONSTANT, value=(114, 114, 114))


def main():
    rng = np.random.default_rng(2)
    image = rng.integers(0, 256, (23, 37, 3), dtype=np.uint8)
    cases = []
    for width, height in [(32, 32), (64, 48), (20, 41), (37, 23), (33, 32)]:
        cases.append({"width": width, "height": height, "pixels": letterbox(image, width, height).flatten().tolist()})
    golden = {"width": 37, "height": 23, "pixels": image.flatten().tolist(), "letterboxes": cases}
    pathlib.Path(sys.argv[1], "letterbox.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")


main()
