"""What Keras computes in float32, and the data that everybody gets.

usage: keras_reference.py MODEL PREFIX KIND [IMAGES_DIR]

Writes PREFIX.calibration.npy (100 samples), PREFIX.test.npy (64 samples) and PREFIX.expected.npz
(`out0`, ... in the model's order) and prints one JSON line: where the data came from. KIND says what
the network was trained on:

    unit       pictures with values 0...1
    byte       pictures with values 0...255
    signed     pictures with values -1...1
    normal     numbers around 0

Pictures are those below IMAGES_DIR, seeded random crops of them unless they have the network's size;
without a folder they are seeded smooth fields.
"""

import json
import os
import pathlib
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"

import keras_file
import numpy as np
from PIL import Image

CALIBRATION, TEST, SEED = 100, 64, 20260401
SCALES = {"unit": (1 / 255, 0), "byte": (1, 0), "signed": (2 / 255, -1)}


def crops(folder, count, height, width, channels, rng):
    files = sorted(p for p in pathlib.Path(folder).rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
    result = []
    for _ in range(count):
        with Image.open(files[rng.integers(len(files))]) as picture:
            picture = picture.convert("L" if channels == 1 else "RGB")
            if picture.size != (width, height):
                side = int(min(picture.size) * rng.uniform(0.4, 1.0))
                x, y = rng.integers(picture.width - side + 1), rng.integers(picture.height - side + 1)
                picture = picture.resize((width, height), Image.Resampling.BILINEAR, box=(x, y, x + side, y + side))
            result.append(np.asarray(picture, "float32").reshape(height, width, channels))
    return np.stack(result)


def fields(count, height, width, channels, rng):
    coarse = rng.uniform(0, 255, (count, 6, 6, channels)).astype("float32")
    import tensorflow as tf

    smooth = tf.image.resize(coarse, (height, width)).numpy()
    return np.clip(smooth + rng.normal(0, 12, smooth.shape), 0, 255).astype("float32")


def main():
    source, prefix, kind = sys.argv[1:4]
    folder = sys.argv[4] if len(sys.argv) > 4 else None
    model = keras_file.load(source)
    shape = [int(d) for d in model.inputs[0].shape[1:]]
    rng = np.random.default_rng(SEED)
    total = CALIBRATION + TEST
    if kind == "normal":
        data, where = rng.normal(0, 1, [total, *shape]).astype("float32"), "seeded normal numbers"
    else:
        if folder:
            data, where = crops(folder, total, *shape, rng), "seeded samples of " + pathlib.Path(folder).parent.name + "/" + pathlib.Path(folder).name
        else:
            data, where = fields(total, *shape, rng), "seeded smooth fields"
        scale, offset = SCALES[kind]
        data = (data * np.float32(scale) + np.float32(offset)).astype("float32")
    calibration, test = data[:CALIBRATION], data[CALIBRATION:]
    outputs = model(test, training=False)
    outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    np.save(prefix + ".calibration.npy", calibration)
    np.save(prefix + ".test.npy", test)
    np.savez(prefix + ".expected.npz", **{f"out{i}": np.asarray(o) for i, o in enumerate(outputs)})
    print(json.dumps({"data": where, "samples": {"calibration": CALIBRATION, "test": TEST}}))


if __name__ == "__main__":
    main()
