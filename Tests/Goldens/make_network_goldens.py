#!/usr/bin/env python3
"""What LiteRT computes for real 8-bit networks: {file: outputs as integers}.

Made with ai-edge-litert 2.3.0 (XNNPACK on). Input element i, counted over all inputs of the network
in a row, is (37 i + 17 floor(i / 11)) mod 251 above the least value of its type.

    python make_network_goldens.py DATA_FOLDER ../Fixtures/Reference/networks.json
"""
import json
import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter

FILES = [
    "models/mlperf_tiny/vww_96_int8.tflite",
    "models/mlperf_tiny/resnet8_cifar10_int8.tflite",
    "models/mlperf_tiny/kws_int8.tflite",
    "models/mlperf_tiny/ad01_int8.tflite",
    "models/tflite_micro/micro_speech_quantized.tflite",
    "models/tensor_edge_converter/model_full_integer.tflite",
    "models/coral/mobilenet_v1_0.25_128_quant.tflite",
]


def outputs(path):
    interpreter = Interpreter(model_path=path)
    interpreter.allocate_tensors()
    first = 0
    for detail in interpreter.get_input_details():
        i = np.arange(first, first + int(np.prod(detail["shape"])))
        first += i.size
        values = (37 * i + 17 * (i // 11)) % 251 + np.iinfo(detail["dtype"]).min
        interpreter.set_tensor(
            detail["index"], values.astype(detail["dtype"]).reshape(detail["shape"]))
    interpreter.invoke()
    return [
        [int(x) for x in interpreter.get_tensor(d["index"]).reshape(-1)]
        for d in interpreter.get_output_details()
    ]


def main():
    data, target = sys.argv[1:]
    lines = [
        f"{json.dumps(f)}:{json.dumps(outputs(f'{data}/{f}'), separators=(',', ':'))}" for f in FILES
    ]
    with open(target, "w") as file:
        file.write("{\n" + ",\n".join(lines) + "\n}\n")


main()
