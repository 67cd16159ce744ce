"""Compares .tflite files on LiteRT, all in one process.

usage: litert.py outputs FILE TEST.npy EXPECTED.npz
       litert.py network FILE EXPECTED.npz
       litert.py operators FILE...
       litert.py latency ROUNDS SECONDS_PER_BLOCK FILE FILE
       litert.py loop SECONDS FILE

outputs    how near the file's outputs are to Keras's: SQNR in dB over all samples and of each, and the largest
           relative difference
network    the same for an archive with arrays in/NAME and out/NUMBER, batch included, and exact/NUMBER: Keras's
           outputs in float64, from which Keras's own (`keras`) are told too
operators  how many operators each file has
latency    both files in turn, in random order, block by block, over several loads; the median of the
           paired ratios
loop       a tight loop over one file: the median, in nanoseconds

One thread; results as one JSON line.
"""

import json
import random
import sys
import time

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType


def load(path, plain=False):
    options = {"experimental_op_resolver_type": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES} if plain else {}
    interpreter = Interpreter(model_path=path, num_threads=1, **options)
    interpreter.allocate_tensors()
    return interpreter


def quantized(values, detail):
    if detail["dtype"] == np.float32:
        return values
    scale, zero = detail["quantization"]
    limits = np.iinfo(detail["dtype"])
    # Halves away from zero, as the runtimes' own quantize operator does.
    scaled = values / np.float32(scale)
    rounded = np.trunc(scaled + np.copysign(np.float32(0.5), scaled)) + zero
    return np.clip(rounded, limits.min, limits.max).astype(detail["dtype"])


def real(values, detail):
    if detail["dtype"] == np.float32:
        return values
    scale, zero = detail["quantization"]
    return (values.astype("float32") - zero) * np.float32(scale)


def outputs(path, test, expected):
    interpreter = load(path)
    feed = interpreter.get_input_details()[0]
    ends = interpreter.get_output_details()
    collected = [[] for _ in ends]
    for sample in np.load(test):
        interpreter.set_tensor(feed["index"], quantized(sample[None], feed).reshape(feed["shape"]))
        interpreter.invoke()
        for into, end in zip(collected, ends):
            into.append(real(interpreter.get_tensor(end["index"]), end))
    archive = np.load(expected)
    wanted = [archive[k] for k in sorted(archive.files)]
    got = [np.concatenate(c) for c in collected]
    if len(got) > 1:
        # Files may order outputs differently: pair each with the one it is nearest to.
        got = [min((g for g in got if g.shape == w.shape), key=lambda g: float(np.abs(g - w).mean())) for w in wanted]
    signal = sum(float((w.astype("float64") ** 2).sum()) for w in wanted)
    error = sum(float(((g.astype("float64") - w.astype("float64")) ** 2).sum()) for g, w in zip(got, wanted))
    relative = max(float(np.abs(g - w).max() / np.abs(w).max()) for g, w in zip(got, wanted))
    each = []
    for index in range(len(wanted[0])):
        own = sum(float((w[index].astype("float64") ** 2).sum()) for w in wanted)
        off = sum(float(((g[index].astype("float64") - w[index].astype("float64")) ** 2).sum()) for g, w in zip(got, wanted))
        each.append(min(max(10 * np.log10(own / off), -20), 80) if off and own else 80.0)
    return {"sqnr": 10 * np.log10(signal / error) if error else float("inf"), "each": each, "relative": relative}


def network(path, expected):
    interpreter = load(path)
    archive = np.load(expected)
    feeds = [archive[k] for k in archive.files if k.startswith("in/")]
    kerases = [archive[k] for k in sorted(archive.files) if k.startswith("out/")]
    exact = [archive[k] for k in sorted(archive.files) if k.startswith("exact/")] or kerases
    for feed, values in zip(interpreter.get_input_details(), feeds):
        interpreter.set_tensor(feed["index"], values)
    interpreter.invoke()
    got = [interpreter.get_tensor(end["index"]) for end in interpreter.get_output_details()]

    def relative(values):
        return max(float(np.abs(g - w).max() / np.abs(w).max()) for g, w in zip(values, exact))

    return {"relative": relative(got), "keras": relative(kerases)}


def fill(interpreter):
    rng = np.random.default_rng(1)
    for feed in interpreter.get_input_details():
        values = rng.uniform(0, 1, feed["shape"]).astype("float32")
        interpreter.set_tensor(feed["index"], quantized(values, feed))


def block(interpreter, seconds):
    samples, clock, invoke = [], time.perf_counter_ns, interpreter.invoke
    end = clock() + int(seconds * 1e9)
    while True:
        start = clock()
        invoke()
        stop = clock()
        samples.append(stop - start)
        if stop >= end:
            return samples


def median(values):
    return float(np.median(values))


PLACEMENTS = 6


def latency(rounds, seconds, first, second):
    # Where a file's packed weights come to lie in memory moves the latency of small networks by several
    # percent, even of one file against itself. So both are loaded anew several times, each as often
    # first as second, and the rounds are spread over these placements.
    random.seed(1)
    ratios, medians = [], ([], [])
    for placement in range(PLACEMENTS):
        pair = {}
        for i in ([0, 1] if placement % 2 == 0 else [1, 0]):
            pair[i] = load((first, second)[i])
        for one in pair.values():
            fill(one)
            block(one, 0.15)
        for _ in range(max(1, -(-rounds // PLACEMENTS))):
            order = [0, 1]
            random.shuffle(order)
            result = {i: median(block(pair[i], seconds)) for i in order}
            for i in order:
                medians[i].append(result[i])
            ratios.append(result[0] / result[1])
    return {"first": median(medians[0]), "second": median(medians[1]), "ratio": median(ratios),
            "spread": [float(np.percentile(ratios, 25)), float(np.percentile(ratios, 75))]}


def main():
    mode, *rest = sys.argv[1:]
    if mode == "outputs":
        result = outputs(*rest)
    elif mode == "network":
        result = network(*rest)
    elif mode == "operators":
        result = [len(load(path, plain=True)._get_ops_details()) for path in rest]
    elif mode == "latency":
        result = latency(int(rest[0]), float(rest[1]), rest[2], rest[3])
    elif mode == "loop":
        interpreter = load(rest[1])
        fill(interpreter)
        block(interpreter, 0.5)
        result = median(block(interpreter, float(rest[0])))
    else:
        sys.exit(__doc__)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
