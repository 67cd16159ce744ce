"""COCO's figures of 5,000 pictures' finds against pycocotools, both from files to the summary."""

import json
import random

from support import WORK, Failed, Settings, peer, report, run


def scene(images, seed=11):
    """Pictures of 640 x 480 with about seven objects each and 36 finds, as a detector judged by precision gives them."""
    rng = random.Random(seed)
    truth = {"images": [], "annotations": [], "categories": [{"id": c + 1, "name": f"c{c}"} for c in range(80)]}
    found = []
    for image in range(1, images + 1):
        truth["images"].append({"id": image, "file_name": f"{image}.jpg", "width": 640, "height": 480})
        for _ in range(rng.randrange(1, 14)):
            w, h = rng.uniform(8, 300), rng.uniform(8, 240)
            x, y = rng.uniform(0, 640 - w), rng.uniform(0, 480 - h)
            category = rng.randrange(1, 81)
            truth["annotations"].append({"id": len(truth["annotations"]) + 1, "image_id": image, "category_id": category,
                                         "bbox": [x, y, w, h], "area": w * h, "iscrowd": int(rng.random() < 0.01)})
            for _ in range(rng.randrange(0, 5)):
                box = [x + rng.gauss(0, w / 12), y + rng.gauss(0, h / 12), w * rng.uniform(0.8, 1.2), h * rng.uniform(0.8, 1.2)]
                found.append({"image_id": image, "category_id": category, "bbox": [round(v, 2) for v in box],
                              "score": round(rng.random(), 4)})
        for _ in range(22):
            found.append({"image_id": image, "category_id": rng.randrange(1, 81),
                          "bbox": [round(rng.uniform(0, 400), 2), round(rng.uniform(0, 300), 2), 60.0, 50.0],
                          "score": round(rng.random() ** 3, 4)})
    return truth, found


def detection():
    """Wall time of both, and whether the figures are equal."""
    try:
        import pycocotools  # noqa: F401
    except ImportError:
        raise Failed("pycocotools is missing\n    remedy: pip install pycocotools") from None
    images = 500 if Settings.quick else 5000
    truth, found = scene(images)
    annotations, results = WORK / "coco-truth.json", WORK / "coco-found.json"
    annotations.write_text(json.dumps(truth))
    results.write_text(json.dumps(found))
    ours = run([Settings.assay, "evaluate", "--results", results, "--data", annotations, "--json", WORK / "coco.json", "--quiet"])
    theirs = peer("pycocotools_peer.py", annotations, results)
    mine = json.loads((WORK / "coco.json").read_text())["box"]
    difference = max(abs(mine["mAP50_95"]["value"] - theirs["stats"][0]), abs(mine["mAP50"]["value"] - theirs["stats"][1]))
    if difference > 1e-6:
        raise Failed(f"mAP differs by {difference}")
    ratio = theirs["seconds"] / ours.seconds
    report(f"mAP of {images} pictures, {len(found)} finds (with intervals)", f"{ours.seconds:.2f} s", f"{theirs['seconds']:.2f} s",
           f"{ratio:.1f}x", ">= 10x", ratio >= 10)
