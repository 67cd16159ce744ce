#!/usr/bin/env python3
"""Writes Tests/Fixtures/accuracy: small seeded scenes with pycocotools' figures (2.0.11), texts with the pieces of
Hugging Face's BERT tokenizer (tokenizers 0.23.3), and scikit-learn's F1 (1.9.1).

usage: make_accuracy_goldens.py FOLDER
"""

import contextlib
import copy
import io
import json
import pathlib
import random
import sys

import numpy as np
from pycocotools import mask as masks
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

OUT = pathlib.Path(sys.argv[1])


def scene(rng, images=24, categories=4):
    """Objects of all sizes, crowds, finds of every quality, equal scores, polygons with several parts."""
    truth = {"images": [], "annotations": [], "categories": [{"id": 3 * c + 1, "name": f"thing{c}"} for c in range(categories)]}
    boxes, segments = [], []
    for image in range(1, images + 1):
        width, height = rng.randrange(80, 400), rng.randrange(60, 320)
        truth["images"].append({"id": image * 7, "file_name": f"{image}.png", "width": width, "height": height})
        for _ in range(rng.randrange(0, 7)):
            w, h = rng.uniform(4, width * 0.8), rng.uniform(4, height * 0.8)
            x, y = rng.uniform(0, width - w), rng.uniform(0, height - h)
            crowd = rng.random() < 0.12
            corners = rng.randrange(3, 8)
            angles = sorted(rng.uniform(0, 2 * np.pi) for _ in range(corners))
            polygon = [round(v, 2) for a in angles for v in (x + w / 2 * (1 + np.cos(a)), y + h / 2 * (1 + np.sin(a)))]
            polygons = [polygon]
            if rng.random() < 0.3:
                polygons.append([round(v, 2) for v in (x, y, x + w / 3, y, x, y + h / 3)])
            whole = masks.merge(masks.frPyObjects(polygons, height, width))
            annotation = {"id": len(truth["annotations"]) + 1, "image_id": image * 7,
                          "category_id": 3 * rng.randrange(categories) + 1, "iscrowd": int(crowd),
                          "bbox": [round(float(v), 2) for v in masks.toBbox(whole)], "area": float(masks.area(whole))}
            if crowd:
                counts, pixels = [], masks.decode(whole).flatten(order="F")
                value, run = 0, 0
                for pixel in pixels:
                    if pixel != value:
                        counts.append(run)
                        value, run = pixel, 0
                    run += 1
                annotation["segmentation"] = {"size": [height, width], "counts": counts + [run]}
            else:
                annotation["segmentation"] = polygons
            truth["annotations"].append(annotation)
            for _ in range(rng.randrange(0, 4)):
                spread = rng.choice([0.02, 0.1, 0.3])
                bx = [annotation["bbox"][i] + rng.gauss(0, spread) * (w, h)[i % 2] for i in range(4)]
                bx = [round(bx[0], 2), round(bx[1], 2), round(max(bx[2], 1), 2), round(max(bx[3], 1), 2)]
                score = round(rng.random(), rng.choice([1, 3]))
                category = annotation["category_id"] if rng.random() < 0.85 else 3 * rng.randrange(categories) + 1
                boxes.append({"image_id": image * 7, "category_id": category, "bbox": bx, "score": score})
                moved = masks.merge(masks.frPyObjects([[v + rng.gauss(0, spread) * 8 for v in p] for p in polygons], height, width))
                segments.append({"image_id": image * 7, "category_id": category, "score": score,
                                 "segmentation": {"size": [height, width], "counts": moved["counts"].decode()}})
    return truth, boxes, segments


def coco(truth, found, kind):
    with contextlib.redirect_stdout(io.StringIO()):
        known = COCO()
        known.dataset = copy.deepcopy(truth)
        known.createIndex()
        results = known.loadRes(copy.deepcopy(found))
        evaluation = COCOeval(known, results, kind)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return [float(v) for v in evaluation.stats]


def detection():
    rng = random.Random(8)
    truth, boxes, segments = scene(rng)
    polygons = []
    for _ in range(60):
        width, height = rng.randrange(3, 40), rng.randrange(3, 40)
        polygon = [round(rng.uniform(-4, 44), rng.choice([0, 1, 2])) for _ in range(2 * rng.randrange(3, 7))]
        made = masks.frPyObjects([polygon], height, width)[0]
        polygons.append({"width": width, "height": height, "polygon": polygon, "counts": made["counts"].decode(),
                         "area": int(masks.area(made)), "box": [float(v) for v in masks.toBbox(made)]})
    return {"truth": truth, "boxes": boxes, "segments": segments, "bbox": coco(truth, boxes, "bbox"),
            "segm": coco(truth, segments, "segm"), "polygons": polygons}


def texts():
    from tokenizers import BertWordPieceTokenizer
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "want", "##want", "##ed", "wa", "un", "runn", "##ing", ",", "hello", "!",
             "how", "are", "you", "?", "a", "##h", "ah", "博", "推", "z", "##z", "##zz", "naive", "cafe", "##s", ".", "-", "'",
             "the", "quick", "brown", "fox", "##es", "2", "##0", "##2", "##6", "$", "Hello", "HeLLo", "é", "über", "uber"]
    samples = ["UNwant\u00E9d,running", " \tHeLLo!how  \n Are yoU?  ", "H\u00E9llo", "ah\u535A\u63A8zz", "unwantedX running",
               "", "want wanted unwanted", "caf\u00e9s - na\u00efve", "the quick brown foxes.", "2026 $2,0", "a\u0000b \ufffd hello",
               "hello\u00a0you", "\u201chello\u201d", "want" * 60, "[UNK] hello", "\u00dcber \u00e9", "hello\u200byou", "Ⅷ ﬁ"]
    folder = pathlib.Path("/tmp/assay-goldens")
    folder.mkdir(exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(words))
    result = {"vocabulary": words, "samples": []}
    for uncased in (True, False):
        tokenizer = BertWordPieceTokenizer(str(folder / "vocab.txt"), lowercase=uncased, strip_accents=uncased)
        for text in samples:
            if "[UNK]" in text:
                continue
            tokens = tokenizer.encode(text, add_special_tokens=False).ids
            result["samples"].append({"text": text, "uncased": uncased, "ids": tokens})
    return result


def classes():
    from sklearn.metrics import f1_score
    rng = random.Random(3)
    truth = [rng.randrange(5) for _ in range(200)]
    found = [t if rng.random() < 0.7 else rng.randrange(5) for t in truth]
    return {"truth": truth, "found": found, "macro": float(f1_score(truth, found, average="macro")),
            "each": [float(v) for v in f1_score(truth, found, average=None)]}


def paired():
    from scipy.stats import binomtest
    return [{"b": b, "c": c, "p": float(binomtest(b, b + c, 0.5).pvalue)} for b, c in
            [(0, 0), (1, 0), (3, 9), (10, 25), (100, 100), (40, 61), (0, 30), (700, 811)] if b + c]


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    for name, content in (("detection", detection()), ("texts", texts()), ("classes", {**classes(), "mcnemar": paired()})):
        (OUT / f"{name}.json").write_text(json.dumps(content, separators=(",", ":"), ensure_ascii=True) + "\n")


main()
