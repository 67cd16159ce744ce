#!/usr/bin/env python3
"""Makes the goldens of the runtimes' tests: what each runtime's own Python package computes.

usage: make_runtime_outputs.py SHARED_DATA

Made with ai-edge-litert 2.3.0, onnx 1.23.2, onnxruntime 1.31.1. Element i of an input is
lattice(i) = (37 i mod 101) / 101 for floats, and (37 i mod 251) - 125 for int8.
"""
import json
import pathlib
import sys

import numpy as np

TARGET = pathlib.Path(__file__).resolve().parent / "runtimes"


def lattice(dtype, shape):
    index = np.arange(int(np.prod(shape)), dtype=np.int64) * 37
    if dtype == np.float32:
        return ((index % 101).astype(np.float32) / np.float32(101)).reshape(shape)
    return ((index % 251) - 125).astype(dtype).reshape(shape)


def litert(data):
    from ai_edge_litert.interpreter import Interpreter

    goldens = {}
    for path in sorted((data / "models/mlperf_tiny").glob("*.tflite")):
        interpreter = Interpreter(model_path=str(path), num_threads=1)
        interpreter.allocate_tensors()
        (source,), outputs = interpreter.get_input_details(), interpreter.get_output_details()
        interpreter.set_tensor(source["index"], lattice(source["dtype"], source["shape"]))
        interpreter.invoke()
        value = interpreter.get_tensor(outputs[0]["index"])
        goldens[path.name] = {
            "input": [np.dtype(source["dtype"]).name, *map(int, source["shape"])],
            "scale": float(source["quantization"][0]),
            "zeroPoint": int(source["quantization"][1]),
            "output": [round(float(v), 7) for v in value.ravel()],
        }
    (TARGET / "mlperf_tiny.json").write_text(json.dumps(goldens) + "\n")


def onnx_models():
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(7)
    weights = rng.normal(size=(4, 3, 3, 3)).astype(np.float32) / 5
    bias = rng.normal(size=4).astype(np.float32)
    dense = rng.normal(size=(4, 5)).astype(np.float32)

    def model(name, nodes, inputs, outputs, constants):
        graph = helper.make_graph(
            nodes, name, inputs, outputs, [numpy_helper.from_array(v, k) for k, v in constants.items()]
        )
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
        made.ir_version = 8
        onnx.checker.check_model(made)
        return made.SerializeToString()

    network = model(
        "network",
        [
            helper.make_node("Conv", ["image", "weights", "bias"], ["a"], "conv", pads=[1, 1, 1, 1]),
            helper.make_node("Relu", ["a"], ["b"], "relu"),
            helper.make_node("GlobalAveragePool", ["b"], ["c"], "pool"),
            helper.make_node("Flatten", ["c"], ["d"], "flatten"),
            helper.make_node("MatMul", ["d", "dense"], ["e"], "dense"),
            helper.make_node("Softmax", ["e"], ["scores"], "softmax", axis=1),
            helper.make_node("Identity", ["d"], ["features"], "features"),
        ],
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, 8, 8])],
        [
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", 5]),
            helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", 4]),
        ],
        {"weights": weights, "bias": bias, "dense": dense},
    )
    integer = model(
        "integer",
        [
            helper.make_node("DequantizeLinear", ["codes", "scale", "zero"], ["real"], "dequantize"),
            helper.make_node("Relu", ["real"], ["positive"], "relu"),
            helper.make_node("QuantizeLinear", ["positive", "scale", "zero"], ["result"], "quantize"),
        ],
        [helper.make_tensor_value_info("codes", TensorProto.INT8, [1, 6])],
        [helper.make_tensor_value_info("result", TensorProto.INT8, [1, 6])],
        {"scale": np.float32(0.1).reshape(()), "zero": np.int8(3).reshape(())},
    )
    # How many columns the output has depends on the values of the input.
    places = model(
        "places",
        [helper.make_node("NonZero", ["x"], ["places"], "places")],
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 3])],
        [helper.make_tensor_value_info("places", TensorProto.INT64, [2, "count"])],
        {},
    )
    session = onnxruntime.InferenceSession(network, providers=["CPUExecutionProvider"])
    scores, features = session.run(["scores", "features"], {"image": lattice(np.float32, (1, 3, 8, 8))})
    session = onnxruntime.InferenceSession(integer, providers=["CPUExecutionProvider"])
    (result,) = session.run(["result"], {"codes": lattice(np.int8, (1, 6))})
    (TARGET / "network.onnx").write_bytes(network)
    (TARGET / "integer.onnx").write_bytes(integer)
    (TARGET / "places.onnx").write_bytes(places)
    # The network with its weights in a file of their own, as those of more than 2 GB have them.
    onnx.save_model(
        onnx.load_from_string(network),
        TARGET / "outside.onnx",
        save_as_external_data=True,
        location="outside.onnx.data",
        size_threshold=0,
    )
    outputs = {
        "scores": [round(float(v), 7) for v in scores.ravel()],
        "features": [round(float(v), 7) for v in features.ravel()],
        "result": [int(v) for v in result.ravel()],
    }
    (TARGET / "onnx.json").write_text(json.dumps(outputs) + "\n")


TARGET.mkdir(exist_ok=True)
litert(pathlib.Path(sys.argv[1]))
onnx_models()
