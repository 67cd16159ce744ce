"""Runs SavedModels and frozen graphs that Assay wrote in the real TensorFlow, beside what TensorFlow computed for the originals.

    python check_tensorflow_exports.py ASSAY MODELS_DIR SCRATCH_DIR [NAME...]

MODELS_DIR is what make_tensorflow_models.py wrote. Each network is converted to a SavedModel, loaded with
tf.saved_model.load and as Keras's TFSMLayer, and to a frozen graph; a row for each says how far its outputs are
(max |a-b| / max |b|). Run with TensorFlow 2.21.0 and Keras 3.15.1.
"""

import json
import os
import subprocess
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import numpy as np
import tensorflow as tf
import keras

assay, models, scratch, *wanted = sys.argv[1:]


def error(a, b):
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if a.shape != b.shape:
        return float("inf")
    return float(np.max(np.abs(a - b)) / max(np.max(np.abs(b)), 1e-30)) if a.size else 0.0


def convert(source, target, told):
    flags = []
    for key in ("inputs", "outputs"):
        if told.get(key):
            flags += [f"--{key[:-1]}-nodes", ",".join(told[key])]
    if told.get("signature"):
        flags += ["--signature", told["signature"]]
    run = subprocess.run([assay, "convert", source, *flags, "-o", target], capture_output=True, text=True)
    return None if run.returncode == 0 else (run.stdout + run.stderr).strip().replace("\n", " | ")


for name in wanted or sorted(os.listdir(models)):
    folder = os.path.join(models, name)
    told = json.load(open(os.path.join(folder, "case.json")))
    golden = np.load(os.path.join(folder, "golden.npz"))
    inputs = {k[3:]: golden[k] for k in golden.files if k.startswith("in/")}
    outputs = [golden[f"out/{i}"] for i in range(sum(k.startswith("out/") for k in golden.files))]
    source = os.path.join(folder, told["model"])
    target = os.path.join(scratch, name)
    row = [name]
    fault = convert(source, target + ".savedmodel", told)
    if fault:
        print(name, fault[:300], flush=True)
        continue
    loaded = tf.saved_model.load(target + ".savedmodel")
    function = loaded.signatures["serving_default"]
    results = function(**{k: tf.constant(v) for k, v in inputs.items()})
    keys = list(json.load(open(os.path.join(folder, "case.json"))).get("outputs") or sorted(results))
    row.append(max(error(results[k], y) for k, y in zip(keys, outputs)))
    row.append(len(loaded.variables))
    layer = keras.layers.TFSMLayer(target + ".savedmodel", call_endpoint="serving_default")
    tensors = {k: tf.constant(v) for k, v in inputs.items()}
    results = layer(next(iter(tensors.values()))) if len(tensors) == 1 else layer(**tensors)
    row.append(max(error(results[k], y) for k, y in zip(keys, outputs)))
    convert(source, target + ".pb", told)
    graph = tf.compat.v1.GraphDef.FromString(open(target + ".pb", "rb").read())
    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        tf.import_graph_def(graph, name="")
        fetched = session.run([f"{k}:0" for k in keys], {f"{k}:0": v for k, v in inputs.items()}) if all(
            n in {node.name for node in graph.node} for n in [*keys, *inputs]
        ) else None
    row.append("names" if fetched is None else max(error(a, b) for a, b in zip(fetched, outputs)))
    print(*row, flush=True)
