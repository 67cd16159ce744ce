"""Writes Tests/Fixtures/Quantize/NAME_static_int8.json: what TensorFlow's converter makes of a network.

usage: python make_quantize_goldens.py    (tensorflow 2.21.0, tf_keras 2.21.0, ai-edge-litert 2.3.0)

The networks are Examples/digits and, where the folder of shared test data is there, those of
models/mlperf_tiny and models/tensor_edge_converter. Calibration sample n and test sample n (n from
100) are the formula `sample` below, which the tests repeat. A fixture has the scales and zero points
of every operator's int8 output, in order, those of the input, the scales of filters (digits only),
and the signal-to-noise ratio of the outputs on LiteRT's reference kernels against Keras.
"""

import json
import os
import pathlib

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from tensorflow.lite.python import schema_py_generated as schema

import tf_keras

root = pathlib.Path(__file__).resolve().parents[2]
shared = pathlib.Path(os.environ.get("ASSAY_TEST_DATA", root / "../shared/data")) / "models"
networks = {
    "digits": root / "Examples/digits/model.keras",
    "vww_96": shared / "mlperf_tiny/vww_96.h5",
    "resnet8_cifar10": shared / "mlperf_tiny/resnet8_cifar10.h5",
    "ad01": shared / "mlperf_tiny/ad01.h5",
    "edge_converter": shared / "tensor_edge_converter/model.h5",
}


def sample(n, shape):
    i = np.arange(int(np.prod(shape)), dtype=np.int64)
    return (((i * 7 + n * 31 + i * i % 17 * 13) % 256).astype("float32") / np.float32(255)).reshape(shape)


def parameters(graph, index):
    q = graph.tensors[index].quantization
    return {"scales": [float(s) for s in q.scale], "zeroPoint": int(q.zeroPoint[0])}


def golden(name, path):
    load = tf.keras.models.load_model if path.suffix == ".keras" else tf_keras.models.load_model
    model = load(path, compile=False)
    shape = [1] + list(model.inputs[0].shape[1:])

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([sample(n, shape)] for n in range(32))
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    converted = converter.convert()
    graph = schema.ModelT.InitFromObj(schema.Model.GetRootAs(converted, 0)).subgraphs[0]

    values, filters = [], []
    for op in graph.operators:
        if graph.tensors[op.outputs[0]].type != schema.TensorType.INT8:
            continue
        values.append(parameters(graph, op.outputs[0]))
        if name == "digits" and len(op.inputs) == 3 and graph.tensors[op.inputs[2]].type == schema.TensorType.INT32:
            axis = int(graph.tensors[op.inputs[1]].quantization.quantizedDimension)
            filters.append(parameters(graph, op.inputs[1]) | {"axis": axis})

    interpreter = Interpreter(model_content=converted, experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    interpreter.allocate_tensors()
    feed, end = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    signal = noise = 0.0
    for n in range(100, 132 if name == "digits" else 104):
        scale, zero = feed["quantization"]
        quantized = np.clip(np.round(sample(n, shape) / np.float32(scale)) + zero, -128, 127).astype("int8")
        interpreter.set_tensor(feed["index"], quantized)
        interpreter.invoke()
        scale, zero = end["quantization"]
        got = (interpreter.get_tensor(end["index"]).astype("float64") - zero) * scale
        want = model(sample(n, shape)).numpy().astype("float64")
        signal += (want**2).sum()
        noise += ((got - want) ** 2).sum()

    fixture = root / f"Tests/Fixtures/Quantize/{name}_static_int8.json"
    fixture.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "versions": {"tensorflow": tf.__version__},
        "input": parameters(graph, graph.inputs[0]),
        "values": values,
        "filters": filters,
        "sqnr": 10 * np.log10(signal / noise),
    }
    fixture.write_text(json.dumps(content, separators=(",", ":")).replace("},{", "},\n{") + "\n")


for name, path in networks.items():
    if path.exists():
        golden(name, path)
