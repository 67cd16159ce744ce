#!/usr/bin/env python3
"""Known answers for AssayReference, one JSON object a case: {name: {inputs, outputs}}.

Made with TensorFlow 2.21 (float operators, conversion) and ai-edge-litert 2.3.0 (8-bit operators,
XNNPACK on). A tensor is {dtype, shape, data} and, when quantized, {scales, zeros, axis}. The
operators' attributes stand in Tests/AssayReferenceTests, beside the name of the case.

    python make_operator_goldens.py ../Fixtures/Reference
"""
import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

rng = np.random.default_rng(20261120)


def normal(*shape):
    # Multiples of 1/32 are short in decimal and exact in binary.
    return np.round(rng.standard_normal(shape) * 32).astype(np.float32) / 32


def tensor(array, quantization=None):
    array = np.asarray(array)
    if array.dtype.kind == "f":
        data = [float(f"{x:.8g}") for x in array.reshape(-1).tolist()]
    else:
        data = [int(x) for x in array.reshape(-1).tolist()]
    out = {"dtype": str(array.dtype), "shape": list(array.shape), "data": data}
    if quantization and len(quantization["scales"]):
        out["scales"] = [float(x) for x in quantization["scales"]]
        out["zeros"] = [int(x) for x in quantization["zero_points"]]
        if len(out["scales"]) > 1:
            out["axis"] = int(quantization["quantized_dimension"])
    return out


def floats():
    cases = {}

    def case(name, inputs, output):
        outputs = output if isinstance(output, (list, tuple)) else [output]
        cases[name] = {
            "inputs": [tensor(x) for x in inputs],
            "outputs": [tensor(x.numpy() if hasattr(x, "numpy") else x) for x in outputs],
        }

    # Filters are stored OHWI here; TensorFlow wants HWIO.
    def hwio(w):
        return np.transpose(w, (1, 2, 3, 0))

    x, w, b = normal(2, 6, 5, 3), normal(4, 3, 3, 3), normal(4)
    case("conv2d_same", [x, w, b], tf.nn.relu(tf.nn.conv2d(x, hwio(w), 1, "SAME") + b))
    case("conv2d_stride", [x, w, b], tf.nn.conv2d(x, hwio(w), [2, 1], "SAME") + b)
    case("conv2d_dilated", [x, w], tf.nn.conv2d(x, hwio(w), 1, "VALID", dilations=2))
    explicit = [[0, 0], [1, 2], [0, 1], [0, 0]]
    case("conv2d_explicit", [x, w], tf.nn.conv2d(x, hwio(w), 2, explicit))
    x, w = normal(1, 5, 5, 4), normal(6, 3, 2, 2)
    case("conv2d_groups", [x, w], tf.nn.conv2d(x, hwio(w), 1, "VALID"))
    x, w, b = normal(2, 6, 5, 3), normal(1, 3, 3, 6), normal(6)
    dw = w.reshape(3, 3, 3, 2)
    one, two = [1, 1, 1, 1], [1, 2, 2, 1]
    case("depthwise_same", [x, w, b], tf.nn.relu6(tf.nn.depthwise_conv2d(x, dw, two, "SAME") + b))
    case("depthwise_dilated", [x, w],
         tf.nn.depthwise_conv2d(x, dw, one, "SAME", dilations=[2, 2]))
    x, w, b = normal(2, 3, 4, 3), normal(5, 3, 3, 3), normal(5)
    tw = np.transpose(w, (1, 2, 0, 3))
    case("transpose_conv_same", [x, w, b],
         tf.nn.conv2d_transpose(x, tw, [2, 6, 8, 5], 2, "SAME") + b)
    case("transpose_conv_valid", [x, w],
         tf.nn.conv2d_transpose(x, tw, [2, 7, 9, 5], 2, "VALID"))
    x, w, b = normal(3, 2, 5), normal(4, 5), normal(4)
    case("dense", [x, w, b], tf.nn.relu(tf.tensordot(x, w.T, 1) + b))
    a, c = normal(2, 1, 3, 4), normal(5, 4, 2)
    case("matmul", [a, c], tf.matmul(a, c))
    case("matmul_transposed", [np.swapaxes(a, 2, 3).copy(), np.swapaxes(c, 1, 2).copy()],
         tf.matmul(a, c))
    x = normal(2, 6, 5, 2)
    case("max_pool_same", [x], tf.nn.max_pool2d(x, 3, 2, "SAME"))
    case("average_pool_same", [x], tf.nn.avg_pool2d(x, 3, 2, "SAME"))
    case("average_pool_valid", [x], tf.nn.avg_pool2d(x, 2, 1, "VALID"))
    case("mean", [x], tf.reduce_mean(x, [1, 2]))
    case("sum", [x], tf.reduce_sum(x, [0, -1], keepdims=True))
    case("reduce_max", [x], tf.reduce_max(x, 2))
    case("reduce_min", [x], tf.reduce_min(x, [1, 3]))
    case("reduce_product", [x], tf.reduce_prod(x, 3))
    case("softmax", [x], tf.nn.softmax(x * 2))
    case("softmax_axis", [x], tf.nn.softmax(x, axis=1))
    case("resize_bilinear", [x], tf.compat.v1.image.resize_bilinear(x, [7, 8]))
    case("resize_bilinear_half", [x], tf.image.resize(x, [4, 7]))
    case("resize_bilinear_corners", [x],
         tf.compat.v1.image.resize_bilinear(x, [9, 4], align_corners=True))
    case("resize_nearest", [x], tf.compat.v1.image.resize_nearest_neighbor(x, [7, 8]))
    case("resize_nearest_half", [x], tf.image.resize(x, [7, 8], "nearest"))
    case("pad_constant", [x], tf.pad(x, [[0, 0], [1, 2], [0, 3], [1, 0]], constant_values=1.5))
    case("pad_reflect", [x], tf.pad(x, [[0, 0], [2, 1], [0, 3], [1, 0]], "REFLECT"))
    case("pad_symmetric", [x], tf.pad(x, [[0, 1], [2, 1], [0, 3], [1, 0]], "SYMMETRIC"))
    case("pad_edge", [x], np.pad(x, [[0, 0], [2, 1], [0, 3], [1, 0]], "edge"))
    case("transpose", [x], tf.transpose(x, [0, 3, 1, 2]))
    case("slice", [x], x[:, 1:6:2, 4:0:-2, 1:2])
    case("split", [x], tf.split(x, [2, 1, 3], 1))
    case("reshape", [x], tf.reshape(x, [2, -1, 5]))
    case("concat", [x, x[:, :2]], tf.concat([x, x[:, :2]], 1))
    case("gather", [x, np.array([[2, 0], [1, 1]], np.int32)], tf.gather(x, [[2, 0], [1, 1]], axis=2))
    stats = [normal(2), normal(2), normal(2), np.abs(normal(2)) + 0.125]
    case("batch_norm", [x] + stats,
         tf.nn.batch_normalization(x, stats[2], stats[3], stats[1], stats[0], 1e-3))
    x = np.linspace(-7, 7, 29).astype(np.float32)
    for name, function in {
        "ReLU": tf.nn.relu, "ReLU6": tf.nn.relu6, "ReLUN1To1": lambda v: tf.clip_by_value(v, -1, 1),
        "Sigmoid": tf.sigmoid, "Tanh": tf.tanh, "Exp": tf.exp, "Abs": tf.abs, "Neg": tf.negative,
        "Square": tf.square, "Floor": tf.floor, "Ceil": tf.math.ceil, "Round": tf.round,
        "Sin": tf.sin, "Cos": tf.cos, "ELU": tf.nn.elu, "Erf": tf.math.erf,
        "HardSwish": lambda v: v * tf.nn.relu6(v + 3) / 6,
        "GELU": lambda v: tf.nn.gelu(v, approximate=False),
        "GELUApproximate": lambda v: tf.nn.gelu(v, approximate=True),
    }.items():
        case(name, [x], function(x))
    p = np.abs(x) + 0.01
    for name, function in {"Log": tf.math.log, "Sqrt": tf.sqrt, "Rsqrt": tf.math.rsqrt}.items():
        case(name, [p], function(p))
    case("LogicalNot", [x > 0], tf.logical_not(x > 0))
    case("LeakyReLU", [x], tf.nn.leaky_relu(x, 0.3))
    x, y = normal(2, 3, 4), normal(3, 1)
    case("PReLU", [x, y], np.where(x < 0, x * y, x))
    for name, function in {
        "Add": tf.add, "Sub": tf.subtract, "Mul": tf.multiply, "Div": tf.divide,
        "Maximum": tf.maximum, "Minimum": tf.minimum,
        "SquaredDifference": tf.math.squared_difference, "FloorDiv": tf.math.floordiv,
        "FloorMod": tf.math.floormod, "Less": tf.less, "LessEqual": tf.less_equal,
        "Greater": tf.greater, "GreaterEqual": tf.greater_equal,
    }.items():
        case(name, [x, y], function(x, y))
    case("Pow", [np.abs(x), y], tf.pow(np.abs(x), y))
    i, j = np.arange(6, dtype=np.int32).reshape(2, 3) - 2, np.array([[1], [-2]], np.int32)
    case("Equal", [i, j], tf.equal(i, j))
    case("NotEqual", [i, j], tf.not_equal(i, j))
    case("FloorDiv_int32", [i, j], tf.math.floordiv(i, j))
    case("FloorMod_int32", [i, j], tf.math.floormod(i, j))
    case("LogicalAnd", [x > 0, y > 0], tf.logical_and(x > 0, y > 0))
    case("LogicalOr", [x > 0, y > 0], tf.logical_or(x > 0, y > 0))
    case("Select", [x > 0, x, y], tf.where(x > 0, x, y))
    case("Cast", [x * 9], tf.cast(x * 9, tf.int32))
    case("dequantize_float16", [x.astype(np.float16)], x.astype(np.float16).astype(np.float32))
    return cases


def quantized():
    """Single operators converted to 8 bits and run by LiteRT: every tensor of the operator."""
    cases = {}
    layers = tf.keras.layers

    def ramp(layer):
        for v in layer.weights:
            v.assign(rng.standard_normal(v.shape).astype(np.float32))

    def case(name, make, *shapes, dynamic=False, low=-2.0, high=3.0, operator=None):
        inputs = [layers.Input(s, batch_size=2) for s in shapes]
        model = tf.keras.Model(inputs, make(*inputs))
        for layer in model.layers:
            ramp(layer)

        def data():
            return [rng.uniform(low, high, (2,) + s).astype(np.float32) for s in shapes]

        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if not dynamic:
            converter.representative_dataset = lambda: (data() for _ in range(20))
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.inference_input_type = converter.inference_output_type = tf.int8
        interpreter = Interpreter(
            model_content=converter.convert(), experimental_preserve_all_tensors=True)
        interpreter.allocate_tensors()
        for detail in interpreter.get_input_details():
            array = rng.uniform(low, high, detail["shape"]).astype(np.float32)
            q = detail["quantization_parameters"]
            if not dynamic:
                array = np.clip(np.round(array / q["scales"][0]) + q["zero_points"][0], -128, 127)
            interpreter.set_tensor(detail["index"], array.astype(detail["dtype"]))
        interpreter.invoke()
        details = {d["index"]: d for d in interpreter.get_tensor_details()}
        operators = [o for o in interpreter._get_ops_details() if o["op_name"] != "DELEGATE"]
        if operator is None:
            assert len(operators) == 1, (name, [o["op_name"] for o in operators])
        chosen = next(o for o in operators if operator in (None, o["op_name"]))

        def dump(index):
            return tensor(interpreter.get_tensor(index), details[index]["quantization_parameters"])

        cases[name] = {
            "inputs": [dump(i) for i in chosen["inputs"] if i >= 0],
            "outputs": [dump(i) for i in chosen["outputs"]],
        }
        print(name, chosen["op_name"], [x["shape"] for x in cases[name]["inputs"]])

    case("conv2d", lambda x: layers.Conv2D(5, 3, 2, "same", activation="relu6")(x), (7, 6, 3))
    case("conv2d_linear", lambda x: layers.Conv2D(4, (3, 2), dilation_rate=2)(x), (7, 6, 3))
    case("depthwise", lambda x: layers.DepthwiseConv2D(3, 1, "same", activation="relu")(x),
         (6, 5, 8))
    case("dense", lambda x: layers.Dense(6)(x), (20,))
    case("transpose_conv", lambda x: layers.Conv2DTranspose(4, 3, 2, "same")(x), (3, 4, 3),
         operator="TRANSPOSE_CONV")
    case("add", lambda x, y: layers.Add()([x, y * 3]), (4, 5), (4, 5), operator="ADD")
    case("sub", lambda x, y: layers.Subtract()([x, y * 3]), (4, 5), (4, 5), operator="SUB")
    case("mul", lambda x, y: layers.Multiply()([x, y]), (4, 5), (4, 5))
    case("average_pool", lambda x: layers.AveragePooling2D(3, 2, "same")(x), (7, 6, 3))
    case("max_pool", lambda x: layers.MaxPooling2D(3, 2, "same")(x), (7, 6, 3))
    case("mean", lambda x: layers.GlobalAveragePooling2D()(x), (7, 6, 3))
    case("softmax", lambda x: layers.Softmax()(x), (10,))
    case("sigmoid", lambda x: tf.keras.activations.sigmoid(x), (40,))
    case("tanh", lambda x: tf.keras.activations.tanh(x), (40,))
    case("leaky_relu", lambda x: layers.LeakyReLU(negative_slope=0.2)(x), (40,))
    case("concat", lambda x, y: layers.Concatenate()([x, y]), (4, 3), (4, 2))
    case("pad", lambda x: layers.ZeroPadding2D(((1, 0), (2, 1)))(x), (4, 3, 2))
    case("resize_bilinear", lambda x: layers.UpSampling2D(2, interpolation="bilinear")(x),
         (4, 3, 2))
    case("dynamic_conv2d", lambda x: layers.Conv2D(16, 3)(x), (5, 4, 8), dynamic=True)
    case("dynamic_dense", lambda x: layers.Dense(32)(x), (40,), dynamic=True)
    return cases


def main():
    folder = sys.argv[1]
    for name, cases in [("float_operators", floats()), ("int8_operators", quantized())]:
        with open(f"{folder}/{name}.json", "w") as file:
            lines = [f"{json.dumps(k)}:{json.dumps(v, separators=(',', ':'))}" for k, v in cases.items()]
            file.write("{\n" + ",\n".join(lines) + "\n}\n")


main()
