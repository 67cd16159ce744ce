"""Runs .tflite files of ours on LiteRT and compares the outputs with those beside them.

    python check_tflite_exports.py FOLDER [--against TENSORFLOW_FOLDER] [--same-as OTHER_FOLDER]
        [--keras MODELS_FOLDER]

FOLDER has NAME.tflite with NAME.npz (arrays `in/<input>` and `out/<output>`), as the test
`exportForOtherRuntimes` writes them (ASSAY_TFLITE_EXPORTS=FOLDER swift test --filter
exportForOtherRuntimes). Each file runs on LiteRT's own kernels and on XNNPACK. With --against, each
FOLDER/NAME.tflite is also compared with TENSORFLOW_FOLDER/NAME.tflite: operators, their versions and
their number. With --same-as, each is run on seeded inputs beside OTHER_FOLDER/NAME.tflite, of which it
is a copy (ASSAY_TFLITE_REEXPORTS=OTHER_FOLDER:FOLDER swift test --filter exportWhatOthersWrote); the
outputs must have the same bits. With --keras, each is compared with what Keras computed for the samples
in MODELS_FOLDER/NAME.npz (arrays `in/<input>` and `out/<index>`, by make_keras_models.py), to 1e-5 of the
largest element.

Made with LiteRT 2.3.0.
"""

import argparse
import collections
import pathlib
import sys

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType

NAMES = {v: k for k, v in vars(schema.BuiltinOperator).items() if not k.startswith("_")}
RESOLVERS = {
    "builtin": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    "xnnpack": OpResolverType.BUILTIN,
}


def operators(path):
    """The operators of the first subgraph: number and version by name."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(bytearray(path.read_bytes())))
    codes = [
        (NAMES.get(max(c.builtinCode, c.deprecatedBuiltinCode)), c.version)
        for c in model.operatorCodes
    ]
    return collections.Counter(codes[op.opcodeIndex] for op in model.subgraphs[0].operators)


def error(actual, expected):
    """Largest difference: relative to the largest element, for integers and truths in steps."""
    if actual.dtype != expected.dtype or actual.shape != expected.shape:
        return np.inf
    if actual.size == 0:
        return 0
    a, b = actual.astype(np.float64), expected.astype(np.float64)
    difference = np.abs(a - b).max()
    return difference if actual.dtype.kind != "f" else difference / max(np.abs(b).max(), 1e-30)


def run(path, arrays, resolver):
    interpreter = Interpreter(
        model_path=str(path), num_threads=1, experimental_op_resolver_type=resolver
    )
    runner = interpreter.get_signature_runner("serving_default")
    feed = {n[3:]: a for n, a in arrays.items() if n.startswith("in/")}
    return runner(**feed)


def invoke(path, resolver):
    """The outputs in the file's order, for seeded inputs."""
    interpreter = Interpreter(
        model_path=str(path), num_threads=1, experimental_op_resolver_type=resolver
    )
    interpreter.allocate_tensors()
    rng = np.random.default_rng(5)
    for detail in interpreter.get_input_details():
        shape, dtype = detail["shape"], detail["dtype"]
        if dtype == np.float32:
            value = rng.standard_normal(shape).astype(np.float32)
        elif dtype == np.bool_:
            value = rng.random(shape) < 0.5
        else:
            value = rng.integers(0, 100, shape).astype(dtype)
        interpreter.set_tensor(detail["index"], value)
    interpreter.invoke()
    return [interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details()]


def same(path, other):
    """What differs between two files that should compute the same."""
    notes = []
    for name, resolver in RESOLVERS.items():
        try:
            ours, theirs = invoke(path, resolver), invoke(other, resolver)
        except Exception as fault:
            notes.append(f"{name}: {fault}".replace("\n", " "))
            continue
        for index, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            if a.shape != b.shape or a.dtype != b.dtype:
                notes.append(f"{name}: output {index} is {a.dtype}{a.shape} for {b.dtype}{b.shape}")
            elif not np.array_equal(a, b, equal_nan=a.dtype.kind == "f"):
                notes.append(f"{name}: output {index} differs by {error(a, b):.3g}")
    return notes


def compare_with_keras(path, arrays):
    """What differs from Keras's outputs, sample by sample."""
    notes = []
    feeds = {n[3:]: a for n, a in arrays.items() if n.startswith("in/")}
    count = sum(n.startswith("out/") for n in arrays)
    for name, resolver in RESOLVERS.items():
        interpreter = Interpreter(
            model_path=str(path), num_threads=1, experimental_op_resolver_type=resolver
        )
        interpreter.allocate_tensors()
        details = interpreter.get_input_details()
        for sample in range(len(next(iter(feeds.values())))):
            for detail in details:
                feed = feeds[detail["name"]] if len(feeds) > 1 else next(iter(feeds.values()))
                interpreter.set_tensor(detail["index"], feed[sample : sample + 1])
            interpreter.invoke()
            outputs = interpreter.get_output_details()
            if len(outputs) != count:
                notes.append(f"{name}: {len(outputs)} outputs for {count}")
                break
            for index, output in enumerate(outputs):
                actual = interpreter.get_tensor(output["index"])
                off = error(actual, arrays[f"out/{index}"][sample : sample + 1])
                if not off <= 1e-5:
                    notes.append(f"{name}: output {index} of sample {sample} is off by {off:.3g}")
    return notes


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--against", type=pathlib.Path)
    parser.add_argument("--same-as", type=pathlib.Path)
    parser.add_argument("--keras", type=pathlib.Path)
    options = parser.parse_args()
    bad = 0
    for path in sorted(options.folder.glob("*.tflite")):
        notes = []
        beside = path.with_suffix(".npz")
        if beside.exists():
            arrays = dict(np.load(beside))
            expected = {n[4:]: a for n, a in arrays.items() if n.startswith("out/")}
            hybrid = "dynamic" in path.name
            for name, resolver in RESOLVERS.items():
                try:
                    actual = run(path, arrays, resolver)
                except Exception as fault:
                    notes.append(f"{name}: {fault}".replace("\n", " "))
                    continue
                if actual.keys() != expected.keys():
                    notes.append(f"{name}: outputs {sorted(actual)} for {sorted(expected)}")
                    continue
                for output, value in expected.items():
                    off = error(actual[output], value)
                    # Integers may differ by one step of rounding; hybrid kernels round inputs.
                    limit = 1 if value.dtype.kind != "f" else 0.03 if hybrid else 1e-5
                    if "static" in path.name and value.dtype.kind == "f":
                        limit = 0.02
                    if not off <= limit:
                        notes.append(f"{name}: {output} differs by {off:.3g}")
        if options.against and (options.against / path.name).exists():
            ours, theirs = operators(path), operators(options.against / path.name)
            if ours != theirs:
                more, fewer = dict(ours - theirs), dict(theirs - ours)
                notes.append(f"{ours.total()} operators for {theirs.total()}: +{more} -{fewer}")
        if options.same_as and (options.same_as / path.name).exists():
            notes += same(path, options.same_as / path.name)
        if options.keras and (options.keras / f"{path.stem}.npz").exists():
            notes += compare_with_keras(path, dict(np.load(options.keras / f"{path.stem}.npz")))
        bad += bool(notes)
        print(path.name, "ok" if not notes else "; ".join(notes))
    print(f"{bad} files differ")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
