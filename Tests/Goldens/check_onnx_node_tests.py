"""Takes ONNX's node tests through TFLite: of those that pass, how many can be written, and compute the same.

    python Tests/Goldens/check_onnx_node_tests.py path/to/assay [path/to/onnx-node/1.18.0]

The tests are those that Tests/Goldens/onnx_node_tests.txt says pass (scripts/setup --tests unpacks them).
Each is written by `assay convert` as a .tflite, specialized on the inputs that the list names, and run by
`assay run --runtime litert` on the test's own input files; the results are compared with its outputs by
ONNX's tolerances (1e-3 of the value, and 1e-5 because LiteRT's kernels round in float32). Prints each
difference, then the counts, and ends with status 1 if a result differs.

Written for onnx 1.23.2 (to read tensors), ai-edge-litert 2.3.0.
"""

import collections
import concurrent.futures
import os
import subprocess
import sys
import tempfile

import numpy as np
import onnx


def tensor(path):
    proto = onnx.TensorProto()
    with open(path, "rb") as file:
        proto.ParseFromString(file.read())
    return proto.name, onnx.numpy_helper.to_array(proto)


def run(*arguments):
    return subprocess.run(arguments, capture_output=True, text=True, timeout=120)


def verdict(assay, folder, given):
    """`same`, `constant`, `refused`, `failed`, or what is wrong."""
    data = os.path.join(folder, "test_data_set_0")
    names = [value.name for value in onnx.load(os.path.join(folder, "model.onnx")).graph.input]
    if set(names) == set(given):
        return "constant"
    values = []
    for name in given:
        values += ["--value", f"{name}={data}/input_{names.index(name)}.pb"]
    with tempfile.TemporaryDirectory() as scratch:
        model, made = os.path.join(scratch, "m.tflite"), os.path.join(scratch, "out.npz")
        source = os.path.join(folder, "model.onnx")
        done = run(assay, "convert", source, "-o", model, "--no-verify", "--quiet", *values)
        if done.returncode != 0 or not os.path.exists(model):
            return "refused"
        done = run(assay, "run", model, "--runtime", "litert", "--input", data, "-o", made, *values)
        if done.returncode != 0:
            return "failed: " + (done.stderr.strip().splitlines() or ["?"])[0]
        results = np.load(made)
        for index, name in enumerate(results.files):
            wanted = tensor(os.path.join(data, f"output_{index}.pb"))[1]
            got = results[name].astype(np.float64)
            if got.shape != wanted.shape:
                return f"wrong: {got.shape} for {wanted.shape}"
            if not np.allclose(got, wanted.astype(np.float64), 1e-3, 1e-5, equal_nan=True):
                return f"wrong: off by {np.nanmax(np.abs(got - wanted.astype(np.float64)))}"
    return "same"


def main():
    assay = sys.argv[1]
    here = os.path.dirname(os.path.abspath(__file__))
    home = os.environ.get("ASSAY_HOME", os.path.expanduser("~/.local/share/assay"))
    root = sys.argv[2] if len(sys.argv) > 2 else os.path.join(home, "tests/onnx-node/1.18.0")
    tests = []
    for line in open(os.path.join(here, "onnx_node_tests.txt")):
        words = line.split()
        if not line.startswith("#") and words[1] == "same":
            tests.append((words[0], words[3:]))
    counts = collections.Counter()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        folders = [os.path.join(root, "test_" + name) for name, _ in tests]
        outcomes = pool.map(verdict, [assay] * len(tests), folders, [given for _, given in tests])
        for (name, _), outcome in zip(tests, outcomes):
            kind = outcome.split(":")[0]
            counts[kind] += 1
            if kind in ("wrong", "failed"):
                print(f"{name}: {outcome}", flush=True)
    written = counts["same"] + counts["wrong"] + counts["failed"]
    print(dict(counts))
    print(f"{written} of {len(tests)} are written as TFLite, {counts['same']} of them compute the same")
    sys.exit(1 if counts["wrong"] else 0)


if __name__ == "__main__":
    main()
