"""Reads the operators' own test networks, which the onnx package carries, and compares the results.

    python Tests/Goldens/check_onnx_node_tests.py path/to/assay

Every test network of one node whose operator Assay reads is run by `assay run --runtime reference`.
Inputs that say how (shapes, axes, scales, ...) become constants first, as files of trained networks
have them. A network may be refused with a diagnostic; a wrong result or a crash is a fault. Prints each
fault, then the counts, and ends with status 1 if there is a fault.

Written for onnx 1.23.2.
"""

import collections
import os
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import onnx
from onnx.backend.test.case.node import collect_testcases

# Inputs that hold parameters, by operator.
PARAMETERS = {
    "BatchNormalization": [1, 2, 3, 4], "Clip": [1, 2], "ConstantOfShape": [0], "Conv": [1, 2],
    "DequantizeLinear": [1, 2], "Dropout": [1, 2], "Gather": [1], "Pad": [1, 2, 3],
    "QuantizeLinear": [1, 2], "ReduceMax": [1], "ReduceMean": [1], "ReduceMin": [1],
    "ReduceProd": [1], "ReduceSum": [1], "Reshape": [1], "Resize": [1, 2, 3], "Slice": [1, 2, 3, 4],
    "Split": [1], "Squeeze": [1], "Unsqueeze": [1], "Upsample": [1],
}
# The extremum of no elements and remainders of infinities, which a graph's evaluators leave open.
LEFT_OUT = {
    "test_reduce_max_empty_set_bool", "test_reduce_max_empty_set", "test_reduce_min_empty_set",
    "test_mod_float_edge_cases_fmod_0_float16", "test_mod_float_edge_cases_fmod_0_float32",
    "test_mod_float_edge_cases_fmod_0_float64",
}


def with_constants(model, arrays):
    """Moves parameters from the inputs to the initializers."""
    node = model.graph.node[0]
    for index in PARAMETERS.get(node.op_type, []):
        name = node.input[index] if index < len(node.input) else ""
        if not isinstance(arrays.get(name), np.ndarray):
            continue
        model.graph.initializer.append(onnx.numpy_helper.from_array(arrays.pop(name), name))
        for value in [v for v in model.graph.input if v.name == name]:
            model.graph.input.remove(value)


def verdict(assay, folder, case):
    """`same`, `refused`, or what is wrong."""
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    inputs, wanted = case.data_sets[0]
    arrays = dict(zip([v.name for v in model.graph.input], inputs))
    with_constants(model, arrays)
    path = os.path.join(folder, "model.onnx")
    onnx.save(model, path)
    plain = {k: v for k, v in arrays.items() if isinstance(v, (np.ndarray, np.generic))}
    if len(plain) < len(arrays) or any(np.asarray(a).dtype.kind in "OVSU" for a in plain.values()):
        return "refused"
    np.savez(os.path.join(folder, "in.npz"), **plain)
    result = subprocess.run(
        [assay, "run", path, "--runtime", "reference", "--input", os.path.join(folder, "in.npz"),
         "-o", os.path.join(folder, "out.npz"), "--quiet"],
        capture_output=True, text=True, timeout=60,
    )
    if result.returncode in (1, 2, 3):
        return "refused"
    if result.returncode != 0:
        return f"status {result.returncode}"
    made = np.load(os.path.join(folder, "out.npz"))
    for value, want in zip(model.graph.output, wanted):
        want, got = np.asarray(want), made[value.name]
        if got.shape != want.shape or got.dtype != want.dtype:
            return f"{got.dtype}{got.shape} instead of {want.dtype}{want.shape}"
        error = np.abs(got.astype(np.float64) - want.astype(np.float64)).max(initial=0)
        if not error <= 1e-5 * max(np.abs(want.astype(np.float64)).max(initial=0), 1e-30):
            return f"off by {error}"
    return "same"


def main():
    warnings.filterwarnings("ignore")
    assay = sys.argv[1]
    counts = collections.Counter()
    faults = []
    with tempfile.TemporaryDirectory() as folder:
        for case in collect_testcases(None):
            if case.model is None or len(case.model.graph.node) != 1 or case.name in LEFT_OUT:
                continue
            outcome = verdict(assay, folder, case)
            counts[outcome if outcome in ("same", "refused") else "fault"] += 1
            if outcome not in ("same", "refused"):
                faults.append(f"{case.name}: {outcome}")
    for fault in faults:
        print(fault)
    print(dict(counts))
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
