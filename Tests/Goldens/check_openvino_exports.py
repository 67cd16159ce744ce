"""Checks the OpenVINO networks that FormatOpenVINOTests write with the real readers.

    ASSAY_OPENVINO_EXPORTS=DIR swift test --filter ExportTests
    python Tests/Goldens/check_openvino_exports.py DIR [NAME...]

Every NAME.xml in DIR is run on the arrays `in/...` of NAME.npz; the results are compared with its arrays
`out/...`, which come from Assay's reference evaluator. Prints a line for each fault and ends with status
1 if there is one. With the package of OpenVINO 2021.4, whose API is another one, only networks of
version 10 (NAME.v10.xml) are read.

Written for openvino 2026.4.1, 2022.3.2 and 2021.4.2 (the last two on Python 3.9).
"""

import glob
import os
import sys

import numpy as np

try:
    from openvino import Core
except ImportError:
    try:
        from openvino.runtime import Core
    except ImportError:
        Core = None
        from openvino.inference_engine import IECore


def run_new(core, path, inputs):
    """The outputs by name, with the API of OpenVINO 2022 and later."""
    compiled = core.compile_model(core.read_model(path), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    results = compiled.create_infer_request().infer(inputs)
    return {port.get_any_name(): results[port] for port in compiled.outputs}


def run_old(core, path, inputs):
    """The outputs by name, with the API of OpenVINO 2021."""
    return core.load_network(core.read_network(path), "CPU").infer(inputs)


def error(got, want):
    """The largest difference, relative to the largest value."""
    if got.shape != want.shape:
        return f"{got.shape} instead of {want.shape}"
    got, want = got.astype(np.float64), want.astype(np.float64)
    return np.abs(got - want).max(initial=0) / max(np.abs(want).max(initial=0), 1e-30)


def main():
    folder, only = sys.argv[1], sys.argv[2:]
    if Core:
        core, run, pattern = Core(), run_new, "*.xml"
    else:
        core, run, pattern = IECore(), run_old, "*.v10.xml"
        core.set_config({"ENFORCE_BF16": "NO"}, "CPU")
    faults = count = 0
    for path in sorted(glob.glob(os.path.join(folder, pattern))):
        name = os.path.basename(path)[: -len(".xml")]
        if only and name not in only:
            continue
        count += 1
        arrays = np.load(path[: -len("xml")] + "npz")
        inputs = {key[3:]: arrays[key] for key in arrays if key.startswith("in/")}
        try:
            outputs = run(core, path, inputs)
            for key in arrays:
                if not key.startswith("out/"):
                    continue
                difference = error(outputs[key[4:]], arrays[key])
                bound = 2e-2 if name.startswith("quantized") else 2e-5
                if isinstance(difference, str) or not difference <= bound:
                    faults += 1
                    print(f"{name} {key}: {difference}", flush=True)
        except Exception as exception:  # Every reader has exceptions of its own.
            faults += 1
            print(f"{name}: {str(exception).strip().splitlines()[0]}", flush=True)
    print(f"{count} networks, {faults} faults")
    return 1 if faults else 0


sys.exit(main())
