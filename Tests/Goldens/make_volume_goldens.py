#!/usr/bin/env python3
"""Known answers for windows over volumes and for recurrent layers, one JSON object a case.

Made with TensorFlow 2.21 and Keras 3.15.1 (volumes, LSTM, GRU, SimpleRNN, masks) and onnxruntime 1.31.1
(peepholes, clipping, coupled gates, other activations). The projection is NumPy after the
paper (Sak et al., 2014), because neither of them has it. An absent input has shape [0].

    python make_volume_goldens.py ../Fixtures/Reference
"""
import json
import os
import sys

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="")
import keras
import numpy as np
import onnx
import onnxruntime
import tensorflow as tf
from onnx import helper

rng = np.random.default_rng(20261121)


def normal(*shape):
    # Multiples of 1/32 are short in decimal and exact in binary.
    return np.round(rng.standard_normal(shape) * 16).astype(np.float32) / 32


def tensor(array):
    if array is None:
        array = np.zeros(0, np.float32)
    array = np.asarray(array)
    data = [float(f"{x:.8g}") for x in array.reshape(-1).tolist()]
    return {"dtype": str(array.dtype), "shape": list(array.shape), "data": data}


def volumes():
    cases = {}

    def case(name, inputs, output):
        cases[name] = {"inputs": [tensor(x) for x in inputs], "outputs": [tensor(output)]}

    # Filters are stored O, D, H, W, I here; TensorFlow wants D, H, W, I, O.
    def forward(w):
        return np.transpose(w, (1, 2, 3, 4, 0))

    x, w, b = normal(2, 5, 6, 4, 3), normal(4, 3, 2, 3, 3), normal(4)
    case("conv3d_same", [x, w, b], tf.nn.relu(tf.nn.conv3d(x, forward(w), [1] * 5, "SAME") + b))
    case("conv3d_stride", [x, w], tf.nn.conv3d(x, forward(w), [1, 2, 1, 2, 1], "SAME"))
    layer = keras.layers.Conv3D(4, (2, 3, 2), dilation_rate=(2, 1, 2), use_bias=False)
    w = normal(4, 2, 3, 2, 3)
    layer.build(x.shape)
    layer.set_weights([forward(w)])
    case("conv3d_dilated", [x, w], layer(x))
    layer = keras.layers.Conv3D(4, (2, 3, 2), groups=2, padding="same")
    y, w = normal(1, 4, 4, 5, 6), normal(4, 2, 3, 2, 3)
    layer.build(y.shape)
    layer.set_weights([forward(w), b])
    case("conv3d_groups", [y, w, b], layer(y))
    for name, padding, options in [
        ("transpose_conv3d_same", "same", {}), ("transpose_conv3d_valid", "valid", {}),
    ]:
        layer = keras.layers.Conv3DTranspose(5, (2, 3, 3), (2, 1, 2), padding, **options)
        y, w, b = normal(1, 2, 3, 2, 3), normal(5, 2, 3, 3, 3), normal(5)
        layer.build(y.shape)
        layer.set_weights([np.transpose(w, (1, 2, 3, 0, 4)), b])
        case(name, [y, w, b], layer(y))
    case("max_pool3d_same", [x], tf.nn.max_pool3d(x, 3, 2, "SAME"))
    case("max_pool3d_valid", [x], tf.nn.max_pool3d(x, [2, 3, 2], [2, 1, 1], "VALID"))
    case("average_pool3d_same", [x], tf.nn.avg_pool3d(x, 3, 2, "SAME"))
    case("average_pool3d_valid", [x], tf.nn.avg_pool3d(x, [2, 3, 1], [1, 2, 1], "VALID"))
    return cases


FEATURES, UNITS, STEPS, BATCH = 3, 4, 5, 2


def recurrent():
    cases = {}

    def case(name, inputs, outputs):
        cases[name] = {
            "inputs": [tensor(x) for x in inputs], "outputs": [tensor(x) for x in outputs]
        }

    def by_keras(name, cls, gates, mask=None, states=0, **options):
        layer = cls(UNITS, return_sequences=True, return_state=True, **options)
        x = normal(BATCH, STEPS, FEATURES)
        layer.build(x.shape)
        w, r = normal(FEATURES, gates * UNITS), normal(UNITS, gates * UNITS)
        weights = [w, r]
        biases = [None, None]
        if options.get("use_bias", True):
            b = normal(*layer.cell.bias.shape)
            weights.append(b)
            biases = [b[0], b[1]] if b.ndim == 2 else [b, None]
        layer.set_weights(weights)
        initial = [normal(BATCH, UNITS) for _ in range(states)]
        arguments = {"initial_state": initial} if states else {}
        if mask is not None:
            arguments["mask"] = tf.constant(mask.astype(bool))
        outputs = [np.array(y) for y in layer(x, **arguments)]
        if options.get("go_backwards"):
            outputs[0] = outputs[0][:, ::-1]
        initial += [None] * (2 - len(initial))
        case(name, [x, w.T, r.T] + biases + initial + [None] * 3 + [mask], outputs)

    layers = keras.layers
    by_keras("lstm", layers.LSTM, 4)
    by_keras("lstm_reversed_states", layers.LSTM, 4, states=2, go_backwards=True)
    by_keras("lstm_functions", layers.LSTM, 4, activation="relu",
             recurrent_activation="hard_sigmoid", use_bias=False)
    mask = np.array([[1, 1, 0, 1, 0], [0, 1, 1, 1, 1]], np.float32)
    by_keras("lstm_masked", layers.LSTM, 4, mask=mask)
    by_keras("lstm_masked_zeros", layers.LSTM, 4, mask=mask, zero_output_for_mask=True,
             go_backwards=True)
    by_keras("gru", layers.GRU, 3)
    by_keras("gru_before", layers.GRU, 3, reset_after=False, states=1)
    by_keras("gru_reversed", layers.GRU, 3, go_backwards=True, activation="softsign")
    by_keras("simple", layers.SimpleRNN, 1, states=1)
    by_keras("simple_masked", layers.SimpleRNN, 1, mask=mask, activation="gelu")

    def by_onnx(name, op, gates, order, peepholes=False, **attributes):
        x = normal(STEPS, BATCH, FEATURES)
        w, r = normal(gates, UNITS, FEATURES), normal(gates, UNITS, UNITS)
        b, rb = normal(gates, UNITS), normal(gates, UNITS)
        h, c = normal(BATCH, UNITS), normal(BATCH, UNITS)
        p = normal(3, UNITS) if peepholes else None  # i, f, o here; ONNX has i, o, f
        # Our gates in ONNX's order.
        def turned(array):
            return array[order].reshape(1, gates * UNITS, *array.shape[2:])

        feeds = {
            "X": x, "W": turned(w), "R": turned(r),
            "B": np.concatenate([turned(b), turned(rb)], 1), "H": h[None],
        }
        names = ["X", "W", "R", "B", "", "H"]
        if op == "LSTM":
            feeds["C"] = c[None]
            names.append("C")
            if peepholes:
                feeds["P"] = p[[0, 2, 1]].reshape(1, -1)
                names.append("P")
        outputs = ["Y", "Yh"] + (["Yc"] if op == "LSTM" else [])
        node = helper.make_node(op, names, outputs, hidden_size=UNITS, **attributes)
        kind = onnx.TensorProto.FLOAT
        graph = helper.make_graph(
            [node], "g",
            [helper.make_tensor_value_info(k, kind, v.shape) for k, v in feeds.items()],
            [helper.make_tensor_value_info(k, kind, None) for k in outputs],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
        got = onnxruntime.InferenceSession(model.SerializeToString()).run(None, feeds)
        got = [got[0][:, 0].transpose(1, 0, 2)] + [y[0] for y in got[1:]]
        case(
            name,
            [x.transpose(1, 0, 2), w.reshape(-1, FEATURES), r.reshape(-1, UNITS), b.reshape(-1),
             rb.reshape(-1), h, c if op == "LSTM" else None,
             p.reshape(-1) if peepholes else None],
            got,
        )

    lstm = [0, 3, 1, 2]
    by_onnx("lstm_peepholes", "LSTM", 4, lstm, peepholes=True)
    by_onnx("lstm_clip", "LSTM", 4, lstm, peepholes=True, clip=0.25)
    by_onnx("lstm_coupled", "LSTM", 4, lstm, input_forget=1)
    by_onnx("lstm_activations", "LSTM", 4, lstm, activations=["Sigmoid", "ScaledTanh", "Elu"],
            activation_alpha=[0.5, 0.7], activation_beta=[1.5])
    by_onnx("gru_linear_before", "GRU", 3, [0, 1, 2], linear_before_reset=1)
    by_onnx("gru_clip", "GRU", 3, [0, 1, 2], clip=0.3)
    by_onnx("simple_affine", "RNN", 1, [0], activations=["Affine"], activation_alpha=[0.4],
            activation_beta=[0.1])

    def sigmoid(v):
        return 1 / (1 + np.exp(-v))

    outputs = 3
    x, w, r = normal(BATCH, STEPS, FEATURES), normal(4 * UNITS, FEATURES), normal(4 * UNITS, outputs)
    b, p, pb = normal(4 * UNITS), normal(outputs, UNITS), normal(outputs)
    h, c = np.zeros((BATCH, outputs)), np.zeros((BATCH, UNITS))
    sequence = []
    for t in range(STEPS):
        i, f, g, o = np.split(x[:, t] @ w.T + h @ r.T + b, 4, axis=1)
        c = np.clip(sigmoid(f) * c + sigmoid(i) * np.tanh(g), -0.2, 0.2)
        h = np.clip((sigmoid(o) * np.tanh(c)) @ p.T + pb, -0.3, 0.3)
        sequence.append(h)
    case("lstm_projection", [x, w, r, b, None, None, None, None, p, pb],
         [v.astype(np.float32) for v in (np.stack(sequence, 1), h, c)])
    return cases


def main():
    folder = sys.argv[1]
    for name, cases in [("volume_operators", volumes()), ("recurrent_operators", recurrent())]:
        with open(f"{folder}/{name}.json", "w") as file:
            lines = [f"{json.dumps(k)}:{json.dumps(v, separators=(',', ':'))}" for k, v in cases.items()]
            file.write("{\n" + ",\n".join(lines) + "\n}\n")


main()
