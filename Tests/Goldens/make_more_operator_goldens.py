#!/usr/bin/env python3
"""Known answers for the operators of AssayReference that no mobile network of images needs.

In the form of make_operator_goldens.py. Made with TensorFlow 2.21; what it has no function for is made
with NumPy (element-wise gathers and scatters) or ONNX Runtime 1.31.1 (GridSample, RoIAlign).

    python make_more_operator_goldens.py ../Fixtures/Reference
"""
import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import onnxruntime
import tensorflow as tf
from onnx import TensorProto, helper

rng = np.random.default_rng(20261121)


def normal(*shape):
    return np.round(rng.standard_normal(shape) * 32).astype(np.float32) / 32


def tensor(array):
    array = np.asarray(array)
    convert = (lambda v: float(f"{v:.8g}")) if array.dtype.kind == "f" else int
    data = [convert(v) for v in array.reshape(-1).tolist()]
    return {"dtype": str(array.dtype), "shape": list(array.shape), "data": data}


def by_onnx(op, inputs, **attributes):
    kinds = {np.dtype(np.float32): TensorProto.FLOAT, np.dtype(np.int64): TensorProto.INT64}
    names = [f"i{k}" for k in range(len(inputs))]
    graph = helper.make_graph(
        [helper.make_node(op, names, ["y"], **attributes)], "g",
        [helper.make_tensor_value_info(n, kinds[x.dtype], x.shape) for n, x in zip(names, inputs)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return session.run(None, dict(zip(names, inputs)))[0]


def main(folder):
    cases = {}

    def case(name, inputs, output):
        outputs = output if isinstance(output, (list, tuple)) else [output]
        cases[name] = {
            "inputs": [tensor(x) for x in inputs],
            "outputs": [tensor(x.numpy() if hasattr(x, "numpy") else x) for x in outputs],
        }

    x = normal(3, 5)
    small = np.clip(x / 4, -0.9, 0.9).astype(np.float32)
    case("Sign", [x], tf.sign(x))
    case("Tan", [small], tf.tan(small))
    case("Asin", [small], tf.asin(small))
    case("Acos", [small], tf.acos(small))
    case("Atan", [x], tf.atan(x))
    case("Sinh", [x], tf.sinh(x))
    case("Cosh", [x], tf.cosh(x))
    case("Asinh", [x], tf.asinh(x))
    case("Acosh", [np.abs(x) + 1], tf.acosh(np.abs(x) + 1))
    case("Atanh", [small], tf.atanh(small))
    i = rng.integers(-40, 40, (3, 5)).astype(np.int32)
    j = rng.integers(0, 6, (3, 5)).astype(np.int32)
    k = rng.integers(-9, 9, (3, 5)).astype(np.int32) * 2 + 1
    y = normal(3, 5)
    case("BitwiseNot", [i], tf.bitwise.invert(i))
    case("LogicalXor", [x > 0, y > 0], tf.math.logical_xor(x > 0, y > 0))
    case("BitwiseAnd", [i, k], tf.bitwise.bitwise_and(i, k))
    case("BitwiseOr", [i, k], tf.bitwise.bitwise_or(i, k))
    case("BitwiseXor", [i, k], tf.bitwise.bitwise_xor(i, k))
    case("ShiftLeft", [i, j], tf.bitwise.left_shift(i, j))
    case("ShiftRight", [i, j], tf.bitwise.right_shift(i, j))
    case("TruncatedMod", [i, k], tf.truncatemod(i, k))
    case("Atan2", [x, y], tf.atan2(x, y))
    t = normal(2, 4, 3)
    t[0, 1] = t[0, 2]
    case("reduce_any", [t > 0.7], tf.reduce_any(t > 0.7, 1))
    case("reduce_all", [t > -0.7], tf.reduce_all(t > -0.7, [0, 2], keepdims=True))
    case("argmax", [t], tf.argmax(t, 1))
    case("argmin", [t], tf.argmin(t, -1, tf.int32))
    last = 3 - np.argmax(np.flip(t, 1), 1)[:, None]
    case("argmax_last", [t], last.astype(np.int64))
    case("topk", [t], list(tf.math.top_k(t, 2)))
    least = tf.math.top_k(-np.swapaxes(t, 1, 2), 3)
    case("topk_least", [t], [-np.swapaxes(least[0].numpy(), 1, 2),
                             np.swapaxes(least[1].numpy(), 1, 2).astype(np.int64)])
    at = np.array([[[1, 2], [0, 0]], [[1, 1], [0, 3]]], np.int32)
    case("gather_nd", [t, at], tf.gather_nd(t, at))
    at = np.array([[[1], [3]], [[0], [2]]], np.int32)
    case("gather_nd_batch", [t, at], tf.gather_nd(t, at, batch_dims=1))
    at = np.array([[[1, 0, 3], [2, 2, 0]], [[0, 1, 3], [3, 0, 1]]], np.int64)
    case("gather_elements", [t, at], np.take_along_axis(t, at, 1))
    at = np.array([[1, 3], [0, 0]], np.int32)
    up = normal(2, 3)
    case("scatter_nd", [t, at, up], tf.tensor_scatter_nd_update(t, at, up))
    at = np.array([[1, 3], [1, 3]], np.int32)
    case("scatter_nd_add", [t, at, up], tf.tensor_scatter_nd_add(t, at, up))
    case("scatter_nd_max", [t, at, up], tf.tensor_scatter_nd_max(t, at, up))
    case("scatter_nd_min", [t, at, up], tf.tensor_scatter_nd_min(t, at, up))
    at = np.array([[[1, 0, 3]], [[0, 1, 2]]], np.int64)
    up = normal(2, 1, 3)
    put = t.copy()
    np.put_along_axis(put, at, up, 1)
    case("scatter_elements", [t, at, up], put)
    times = t.copy()
    np.put_along_axis(times, at, np.take_along_axis(t, at, 1) * up, 1)
    case("scatter_elements_multiply", [t, at, up], times)
    case("cumsum", [t], tf.cumsum(t, 1))
    case("cumsum_reverse", [t], tf.cumsum(t, -1, exclusive=True, reverse=True))
    at = np.array([[2, 0], [-1, 4]], np.int32)
    on, off = np.float32(2.5), np.float32(-1)
    case("one_hot", [at, on, off], tf.one_hot(at, 4, on, off))
    case("one_hot_axis", [at, on, off], tf.one_hot(at, 4, on, off, axis=1))
    case("tile", [t], tf.tile(t, [1, 2, 3]))
    case("broadcast_to", [t[:, :1]], tf.broadcast_to(t[:, :1], [2, 2, 4, 3]))
    image = normal(2, 3, 2, 8)
    case("depth_to_space", [image], tf.nn.depth_to_space(image, 2))
    image = normal(2, 4, 6, 3)
    case("space_to_depth", [image], tf.nn.space_to_depth(image, 2))
    case("reverse", [t], tf.reverse(t, [0, 2]))
    lengths = np.array([2, 4], np.int32)
    case("reverse_sequence", [t, lengths],
         tf.reverse_sequence(t, lengths, seq_axis=1, batch_axis=0))
    case("lrn", [image], tf.nn.lrn(image, 1, 1.5, 0.3, 0.6))
    square = normal(2, 4, 5)
    case("band_part", [square], tf.linalg.band_part(square, 1, 2))
    case("band_part_lower", [square], tf.linalg.band_part(square, -1, 0))
    case("log_softmax", [t], tf.nn.log_softmax(t, 1))
    centers = rng.uniform(0, 10, (12, 2))
    extents = rng.uniform(2, 6, (12, 2))
    boxes = np.concatenate([centers - extents / 2, centers + extents / 2], 1).astype(np.float32)
    boxes[3] = boxes[3][[2, 3, 0, 1]]
    scores = rng.permutation(12).astype(np.float32) / 16
    for name, sigma in [("nms", 0.0), ("nms_soft", 0.4)]:
        out = tf.raw_ops.NonMaxSuppressionV5(
            boxes=boxes, scores=scores, max_output_size=8, iou_threshold=0.3 if sigma == 0 else 1.0,
            score_threshold=0.1, soft_nms_sigma=sigma, pad_to_max_output_size=True)
        count = int(out.valid_outputs)
        chosen, best = out.selected_indices.numpy(), out.selected_scores.numpy()
        chosen[count:], best[count:] = 0, 0
        case(name, [boxes, scores], [chosen, best, np.int32(count)])
    image = normal(2, 3, 5, 4)
    grid = rng.uniform(-1.3, 1.3, (2, 3, 4, 2)).astype(np.float32)
    nchw = np.transpose(image, (0, 3, 1, 2)).copy()
    for mode, border, corners in [("linear", "zeros", 0), ("nearest", "border", 1),
                                  ("cubic", "reflection", 0), ("linear", "reflection", 1)]:
        out = by_onnx("GridSample", [nchw, grid], mode=mode, padding_mode=border,
                      align_corners=corners)
        case(f"grid_{mode}_{border}", [image, grid], np.transpose(out, (0, 2, 3, 1)))
    regions = np.array([[0, 0, 3, 2.5], [1, 0.5, 4, 2], [-1, -1, 2, 6]], np.float32)
    which = np.array([0, 1, 1], np.int64)
    for mode, grid in [("avg", "half_pixel"), ("max", "output_half_pixel")]:
        out = by_onnx("RoiAlign", [nchw, regions, which], mode=mode, output_height=2,
                      output_width=3, sampling_ratio=2, spatial_scale=0.9,
                      coordinate_transformation_mode=grid)
        case(f"roi_align_{mode}", [image, regions, which], np.transpose(out, (0, 2, 3, 1)))

    rows = [f'"{name}":' + json.dumps(value, separators=(",", ":")) for name, value in cases.items()]
    with open(os.path.join(folder, "more_operators.json"), "w") as file:
        file.write("{\n" + ",\n".join(rows) + "\n}\n")


if __name__ == "__main__":
    main(sys.argv[1])
