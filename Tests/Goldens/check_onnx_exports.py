"""Checks the ONNX files that FormatONNXTests write with the real libraries.

    ASSAY_ONNX_EXPORTS=DIR swift test --filter ExportTests
    python Tests/Goldens/check_onnx_exports.py DIR [NAME...]

Every NAME.onnx in DIR is checked by onnx.checker (with shape inference), then run on ONNX Runtime and
OpenVINO on the arrays `in/...` of NAME.npz; the results are compared with its arrays `out/...`, which
come from Assay's reference evaluator. Quantized outputs may differ by one step (ties are rounded
differently) in a few elements. Prints a line for each fault and ends with status 1 if there is one.

Written for onnx 1.23.2, onnxruntime 1.31.1, openvino 2026.4.1.
"""

import os
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime as ort
import openvino as ov


def difference(got, want):
    """The error of `got`: in steps for integers, relative to the largest value for floats."""
    if got.shape != want.shape or got.dtype != want.dtype:
        return f"{got.dtype}{got.shape} instead of {want.dtype}{want.shape}"
    if want.dtype == bool:
        return float((got != want).sum())
    error = np.abs(got.astype(np.float64) - want.astype(np.float64))
    if np.issubdtype(want.dtype, np.integer):
        return float(error.max())
    return float(error.max() / max(np.abs(want).max(), 1e-30))


def float_layers_onnxruntime(path):
    """Heavy nodes that ONNX Runtime's optimizer did not turn into integer kernels."""
    options = ort.SessionOptions()
    options.log_severity_level = 3
    with tempfile.TemporaryDirectory() as folder:
        options.optimized_model_filepath = os.path.join(folder, "optimized.onnx")
        ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        nodes = onnx.load(options.optimized_model_filepath).graph.node
    return [n.op_type for n in nodes if n.op_type in ("Conv", "Gemm", "MatMul", "FusedConv")]


def float_layers_openvino(compiled):
    """Heavy nodes that OpenVINO does not execute in 8 bits."""
    found = []
    for op in compiled.get_runtime_model().get_ordered_ops():
        info = {k: op.get_rt_info()[k].astype(str) for k in ("layerType", "runtimePrecision")}
        heavy = info["layerType"] in ("Convolution", "FullyConnected", "MatMul")
        if heavy and info["runtimePrecision"] not in ("u8", "i8"):
            found.append(info["layerType"])
    return found


def main():
    folder, only = sys.argv[1], sys.argv[2:]
    faults = 0
    core = ov.Core()
    names = sorted(f[:-5] for f in os.listdir(folder) if f.endswith(".onnx"))
    for name in only or names:
        path = os.path.join(folder, name)
        arrays = np.load(path + ".npz")
        feeds = {k[3:]: arrays[k] for k in arrays.files if k.startswith("in/")}
        wants = {k[4:]: arrays[k] for k in arrays.files if k.startswith("out/")}
        tolerance = float(arrays["tolerance"]) if "tolerance" in arrays.files else 1e-5
        lines = []
        try:
            onnx.checker.check_model(path + ".onnx", full_check=True)
        except Exception as error:
            lines.append(f"checker: {error}")
        results = {}
        try:
            session = ort.InferenceSession(path + ".onnx", providers=["CPUExecutionProvider"])
            outputs = [o.name for o in session.get_outputs()]
            results["onnxruntime"] = dict(zip(outputs, session.run(None, feeds)))
        except Exception as error:
            lines.append(f"onnxruntime: {str(error)[:400]}")
        try:
            config = {"INFERENCE_PRECISION_HINT": "f32"}
            compiled = core.compile_model(core.read_model(path + ".onnx"), "CPU", config)
            made = compiled(feeds)
            results["openvino"] = {k: made[compiled.output(k)] for k in wants}
        except Exception as error:
            lines.append(f"openvino: {str(error)[:400]}")
        if "_int8" in name and len(results) == 2:
            for layer in float_layers_onnxruntime(path + ".onnx"):
                lines.append(f"onnxruntime: {layer} is executed in floats")
            for layer in float_layers_openvino(compiled):
                lines.append(f"openvino: {layer} is executed in floats")
        for runtime, got in results.items():
            for output, want in wants.items():
                error = difference(got[output], want)
                if isinstance(error, str) or not error <= tolerance:
                    lines.append(f"{runtime}: output {output} is off by {error}")
        for line in lines:
            print(f"{name}: {line}")
        faults += len(lines)
    print(f"{len(only or names)} networks, {faults} faults")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
