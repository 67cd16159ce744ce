#!/usr/bin/env python3
"""Writes Tests/Fixtures/accuracy/yolov8.json: seeded maps of a small YOLOv8 head, decoded, suppressed and turned into masks
by Ultralytics' own functions (8.4.190, torch 2.15), and letterboxes by OpenCV (5.0.0).

usage: make_vision_goldens.py FOLDER
"""

import json
import pathlib
import sys

import numpy as np
import torch
from ultralytics.nn.modules.block import DFL
from ultralytics.utils import ops
from ultralytics.utils.nms import non_max_suppression
from ultralytics.utils.tal import dist2bbox, make_anchors

OUT = pathlib.Path(sys.argv[1])
CLASSES, SIZE = 3, 96


def main():
    torch.manual_seed(4)
    strides = [8, 16, 32]
    maps = []
    for stride in strides:
        side = SIZE // stride
        edges = torch.randn(1, 64, side, side) * 1.5
        scores = torch.randn(1, CLASSES, side, side) * 2 - 2.5
        maps.append(torch.round(torch.cat([edges, scores], 1), decimals=2))
    coefficients = [torch.round(torch.randn(1, 32, m.shape[2], m.shape[3]), decimals=2) for m in maps]
    prototypes = torch.round(torch.randn(1, 32, SIZE // 4, SIZE // 4), decimals=2)
    prototypes = torch.nn.functional.avg_pool2d(prototypes, 5, 1, 2)
    prototypes = torch.round(prototypes, decimals=3)
    joined = torch.cat([m.view(1, 64 + CLASSES, -1) for m in maps], 2)
    box, score = joined.split((64, CLASSES), 1)
    anchors, stride = (t.transpose(0, 1) for t in make_anchors(maps, torch.tensor(strides), 0.5))
    boxes = dist2bbox(DFL(16)(box), anchors.unsqueeze(0), xywh=True, dim=1) * stride
    table = torch.cat([boxes, score.sigmoid(), torch.cat([c.view(1, 32, -1) for c in coefficients], 2)], 1)
    found = non_max_suppression(table.clone(), conf_thres=0.25, iou_thres=0.7, multi_label=True, nc=CLASSES, max_det=300)[0]
    # A picture of 80 x 48 in a letterbox of 96 x 96: 96 x 58 (57.6 rounded) with 19 above.
    picture = (48, 80)
    placed = found.clone()
    placed[:, :4] = ops.scale_boxes((SIZE, SIZE), placed[:, :4], picture)
    masks = ops.process_mask_native(prototypes[0], found[:, 6:], placed[:, :4], picture)
    rows = [[round(float(v), 4) for v in row[:6]] for row in placed]
    golden = {
        "classes": CLASSES, "size": SIZE, "picture": picture,
        "maps": [[round(float(v), 2) for v in m.flatten()] for m in maps],
        "coefficients": [[round(float(v), 2) for v in c.flatten()] for c in coefficients],
        "prototypes": [round(float(v), 3) for v in prototypes.flatten()],
        "table": [round(float(v), 5) for v in table.flatten()],
        "found": rows, "areas": [int(m.sum()) for m in masks],
        "mask0": "".join(str(int(v)) for v in masks[0].flatten()),
    }
    (OUT / "yolov8.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
    print(len(rows), golden["areas"][:5], rows[:2])


main()
