"""Converts the networks of make_keras_models.py with TensorFlow's own converter, in every recipe.

    python make_tflite_models.py MODELS_DIR OUT_DIR [NAME...]

For each NAME.keras: NAME.RECIPE.tflite, calibrated on the two samples in NAME.npz, and
NAME.RECIPE.npz: `out/<index>` in Keras's order, what LiteRT's own kernels (`builtin/`) and XNNPACK
(`xnnpack/`) compute for these samples, as the file gives them (integers stay integers).

Made with TensorFlow 2.21.0, Keras 3.15.1 and LiteRT 2.3.0.
"""

import os
import pathlib
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter, OpResolverType

RECIPES = ["float32", "float16", "dynamic_int8", "static_int8", "static_int8_floatio"]


def convert(model, recipe, names, samples):
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if recipe != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if recipe == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if recipe.startswith("static"):
        count = len(samples[0])
        converter.representative_dataset = lambda: (
            {n: s[i : i + 1] for n, s in zip(names, samples)} for i in range(count)
        )
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    if recipe == "static_int8":
        converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter.convert()


def quantized(value, detail):
    if detail["dtype"] == np.float32:
        return value
    scale, zero = detail["quantization"]
    limits = np.iinfo(detail["dtype"])
    return np.clip(np.round(value / scale) + zero, limits.min, limits.max).astype(detail["dtype"])


def outputs(data, names, samples, resolver):
    interpreter = Interpreter(model_content=data, num_threads=1, experimental_op_resolver_type=resolver)
    runner = interpreter.get_signature_runner()
    feeds, ends = runner.get_input_details(), runner.get_output_details()
    batches = []
    for i in range(len(samples[0])):
        feed = {n: quantized(s[i : i + 1], feeds[n]) for n, s in zip(names, samples)}
        batches.append(runner(**feed))
    # `output_0`, `output_1`, ... in Keras's order.
    order = sorted(ends, key=lambda name: int(name.rsplit("_", 1)[-1]))
    return {f"out/{i}": np.concatenate([b[name] for b in batches]) for i, name in enumerate(order)}


def main():
    models, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    out.mkdir(exist_ok=True, parents=True)
    names = sys.argv[3:] or sorted(p.stem for p in models.glob("*.keras"))
    for name in names:
        model = keras.models.load_model(models / f"{name}.keras", compile=False)
        archive = np.load(models / f"{name}.npz")
        inputs = [t.name for t in model.inputs]
        samples = [archive["in/" + n] for n in inputs]
        for recipe in RECIPES:
            try:
                data = convert(model, recipe, inputs, samples)
                (out / f"{name}.{recipe}.tflite").write_bytes(data)
                arrays = {}
                for word, resolver in (("builtin", OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES),
                                       ("xnnpack", OpResolverType.AUTO)):
                    arrays |= {f"{word}/{k}": v for k, v in outputs(data, inputs, samples, resolver).items()}
                np.savez(out / f"{name}.{recipe}.npz", **arrays)
                print(f"{name} {recipe} {len(data)}", flush=True)
            except Exception as error:
                print(f"{name} {recipe} failed: {type(error).__name__} {str(error)[:300]!r}", flush=True)


if __name__ == "__main__":
    main()
