"""What TensorFlow's interpreter with its Flex delegate computes for the temporal-convolution autoencoder.

Versions: tensorflow 2.19 (newer packages have no Flex delegate), numpy 2.

usage: make_tcn_golden.py tcnae40_flex_float.tflite Tests/Fixtures/tflite/tcn_autoencoder.npz
"""

import sys

import numpy as np
import tensorflow as tf

model, path = sys.argv[1:]
session = tf.lite.Interpreter(model, num_threads=1)
name = session.get_input_details()[0]["index"]
session.resize_tensor_input(name, [1, 420, 1])
session.allocate_tensors()
steps = np.arange(420)
series = np.sin(steps / 9) + 0.5 * np.sin(steps / 23 + 1) + 0.1 * np.cos(steps / 2.5)
series = series.astype("float32").reshape(1, 420, 1)
session.set_tensor(name, series)
session.invoke()
result = session.get_tensor(session.get_output_details()[0]["index"])
np.savez(path, input_1=series, dense=result)
print(result.shape, float(np.abs(result).max()))
