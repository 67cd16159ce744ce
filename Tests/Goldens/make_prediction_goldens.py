#!/usr/bin/env python3
"""What LiteRT computes for files that Assay quantized: the evaluator must predict it.

usage: make_prediction_goldens.py ASSAY OUT.json

ASSAY converts the example network (Examples/digits) by each recipe, calibrated on 32 samples of a formula
(the same as in Tests/AssayQuantizeTests/PeerTests.swift), and LiteRT runs the files on 8 other samples, with its
default kernels (XNNPACK) and with its own.

Made with LiteRT 2.3.0 and numpy 2.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

ROOT = pathlib.Path(__file__).resolve().parents[2]
RECIPES = ["static_int8_floatio", "int16x8_floatio", "dynamic_int8", "weight_int8", "weight_int4", "float32"]
KERNELS = {"default": OpResolverType.AUTO, "builtin": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES}


def sample(n, shape):
    i = np.arange(np.prod(shape), dtype=np.int64)
    return (((i * 7 + n * 31 + i * i % 17 * 13) % 256).astype(np.float32) / np.float32(255)).reshape(shape)


def run(path, kernels, samples):
    interpreter = Interpreter(model_path=str(path), num_threads=1, experimental_op_resolver_type=KERNELS[kernels])
    interpreter.allocate_tensors()
    feed, end = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    result = []
    for x in samples:
        interpreter.set_tensor(feed["index"], x[None])
        interpreter.invoke()
        result += [float(f"{v:.7g}") for v in interpreter.get_tensor(end["index"]).ravel()]
    return result


def main():
    assay, target = sys.argv[1:3]
    shape = (16, 16, 1)
    tests = [sample(n, shape) for n in range(100, 108)]
    answers = {"versions": "LiteRT 2.3.0", "samples": len(tests)}
    with tempfile.TemporaryDirectory() as folder:
        calibration = pathlib.Path(folder) / "calibration.npy"
        np.save(calibration, np.stack([sample(n, shape) for n in range(32)]))
        for recipe in RECIPES:
            path = pathlib.Path(folder) / f"{recipe}.tflite"
            subprocess.run([assay, "convert", ROOT / "Examples/digits/model.keras", "-o", path, "--recipe", recipe,
                            "-r", calibration], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            answers[recipe] = {kernels: run(path, kernels, tests) for kernels in KERNELS}
    pathlib.Path(target).write_text(json.dumps(answers) + "\n")


if __name__ == "__main__":
    main()
