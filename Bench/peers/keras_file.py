"""Loads a Keras file with the Keras that can: Keras 2 files are beyond Keras 3 in small ways."""

import os
import sys


def load(path):
    if path.endswith(".h5"):
        import h5py

        with h5py.File(path) as file:
            version = file.attrs.get("keras_version", b"2")
        version = version.decode() if isinstance(version, bytes) else str(version)
        if version.startswith("2"):
            assert "tensorflow" not in sys.modules, "Keras's version is chosen before TensorFlow is imported"
            os.environ["TF_USE_LEGACY_KERAS"] = "1"
    import tensorflow as tf

    return tf.keras.models.load_model(path, compile=False)
