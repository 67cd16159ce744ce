"""Data and TensorFlow's static_int8 file for a network of Keras Applications.

usage: tf_quantized.py NETWORK.keras PREFIX COUNT

Writes PREFIX.calibration.npy and PREFIX.test.npy (COUNT seeded images each), PREFIX.expected.npz (Keras's float32
outputs for the test images) and PREFIX.tf.tflite, calibrated on the same images.
"""

import os
import pathlib
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Tests" / "Goldens"))


def main():
    source, prefix, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    import keras
    import keras_applications
    import tensorflow as tf

    model = keras.models.load_model(source, compile=False)
    images = lambda seed: np.concatenate([keras_applications.image_for(model, seed + i) for i in range(count)])
    calibration, test = images(100).astype("float32"), images(900).astype("float32")
    np.save(f"{prefix}.calibration.npy", calibration)
    np.save(f"{prefix}.test.npy", test)
    np.savez(f"{prefix}.expected.npz", a=np.concatenate([model(x[None], training=False) for x in test]))
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([x[None]] for x in calibration)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    pathlib.Path(f"{prefix}.tf.tflite").write_bytes(converter.convert())


if __name__ == "__main__":
    main()
