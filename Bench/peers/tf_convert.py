"""TensorFlow's converter as a user runs it: one process from a Keras file to a .tflite.

usage: tf_convert.py IN.(h5|keras) OUT.tflite RECIPE [CALIBRATION.npy]
"""

import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras_file
import numpy as np


def converter_for(model, recipe, calibration):
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if recipe == "float32":
        return converter
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if recipe == "float16":
        converter.target_spec.supported_types = [tf.float16]
    elif recipe in ("static_int8", "static_int8_floatio"):
        samples = np.load(calibration, mmap_mode="r")
        converter.representative_dataset = lambda: ([np.asarray(samples[i : i + 1])] for i in range(len(samples)))
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        if recipe == "static_int8":
            converter.inference_input_type = converter.inference_output_type = tf.int8
    elif recipe != "dynamic_int8":
        sys.exit(f"unknown recipe {recipe}")
    return converter


def main():
    source, target, recipe = sys.argv[1:4]
    model = keras_file.load(source)
    data = converter_for(model, recipe, sys.argv[4] if len(sys.argv) > 4 else None).convert()
    with open(target, "wb") as file:
        file.write(data)


if __name__ == "__main__":
    main()
