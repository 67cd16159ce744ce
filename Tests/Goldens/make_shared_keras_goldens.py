"""Writes what Keras computes for the real networks that are not part of the package.

    python make_shared_keras_goldens.py DATA_DIR OUT_FILE

DATA_DIR has models/mlperf_tiny and models/tensor_edge_converter; OUT_FILE is
Tests/Fixtures/keras-shared.npz: an array for each network, of the output for the input whose element
i is ((i * 7919 + 13) % 1009) / 1009, batch 1.

Made with tf_keras 2.21.0 on TensorFlow 2.21.0.
"""

import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"

import numpy as np
import tf_keras

data, out = sys.argv[1:]
goldens = {}
for path in ["mlperf_tiny/ad01.h5", "mlperf_tiny/resnet8_cifar10.h5", "mlperf_tiny/vww_96.h5",
             "tensor_edge_converter/model.h5"]:
    model = tf_keras.models.load_model(os.path.join(data, "models", path), compile=False)
    shape = (1, *model.input_shape[1:])
    x = ((np.arange(np.prod(shape), dtype=np.int64) * 7919 + 13) % 1009).astype("f4") / np.float32(1009)
    goldens[path] = model(x.reshape(shape), training=False).numpy()
    print(path, goldens[path].shape, goldens[path].std())
np.savez_compressed(out, **goldens)
