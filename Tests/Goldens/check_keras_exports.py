"""Checks the networks that FormatKerasTests write with the real Keras.

    ASSAY_KERAS_EXPORTS=DIR swift test --filter KerasExportTests
    python Tests/Goldens/check_keras_exports.py DIR [NAME...]

Every NAME.keras and NAME.h5 in DIR is loaded by Keras 3, every NAME.h5 by tf_keras (Keras 2) as well, and
called with the arrays `in/0`, ... of NAME.npz in the order of the model's inputs; the results are
compared with its arrays `out/0`, ..., which come from Assay's reference evaluator. Prints a line for each
fault and ends with status 1 if there is one.

Written for keras 3.15.1, tf_keras 2.21, tensorflow 2.21.
"""

import glob
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tf_keras  # noqa: E402


def numbered(arrays, prefix):
    """The arrays `prefix/0`, `prefix/1`, ..."""
    return [arrays[f"{prefix}/{i}"] for i in range(len(arrays.files)) if f"{prefix}/{i}" in arrays]


def main():
    folder, only = sys.argv[1], sys.argv[2:]
    faults = count = 0
    for path in sorted(glob.glob(os.path.join(folder, "*.keras")) + glob.glob(os.path.join(folder, "*.h5"))):
        name = os.path.basename(path)
        if only and name not in only:
            continue
        arrays = np.load(path + ".npz")
        inputs, wanted = numbered(arrays, "in"), numbered(arrays, "out")
        for library in [keras, tf_keras] if path.endswith(".h5") else [keras]:
            count += 1
            try:
                model = library.models.load_model(path, compile=False)
                outputs = model(inputs if len(inputs) > 1 else inputs[0], training=False)
                outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
                assert len(outputs) == len(wanted), f"{len(outputs)} outputs"
                for got, want in zip(outputs, wanted):
                    got = np.array(got, dtype=np.float64)
                    assert got.shape == want.shape, f"{got.shape} instead of {want.shape}"
                    error = np.abs(got - want).max(initial=0) / max(np.abs(want).max(initial=0), 1e-30)
                    assert error <= 2e-6, f"error {error}"
            except Exception as exception:  # Keras raises many kinds.
                faults += 1
                print(f"{name} in {library.__name__}: {str(exception).strip()[:300]}", flush=True)
    print(f"{count} loads, {faults} faults")
    return 1 if faults else 0


sys.exit(main())
