"""The two networks of the training measure in Keras: written with their batches, and trained.

usage: keras_training.py make NETWORK FOLDER BATCH        writes NETWORK.keras and NETWORK.npz
       keras_training.py train NETWORK FOLDER STEPS       prints the loss and the seconds of every step

NETWORK: `autoencoder` (temporal-convolution autoencoder, windows of 1,050) or `fire` (FireDetectionNet at
128x128; without dropout, whose random numbers no two libraries share).
"""

import json
import os
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras
import numpy as np
from keras import layers

#: Batches that are used in turn.
BATCHES = 8


def autoencoder(batch):
    def stack(x, name):
        skips = []
        for dilation in (1, 2, 4, 8, 16):
            h = x
            for part in "ab":
                h = layers.Conv1D(20, 20, dilation_rate=dilation, padding="same", activation="relu",
                                  kernel_initializer="glorot_normal", name=f"{name}{dilation}{part}")(h)
            skips.append(h)
            if x.shape[-1] != 20:
                x = layers.Conv1D(20, 1, name=f"{name}{dilation}m")(x)
            x = layers.ReLU()(layers.Add()([h, x]))
        return layers.Add()(skips)

    x = layers.Input((1050, 1), batch_size=batch)
    y = layers.Conv1D(8, 1, name="neck")(stack(x, "e"))
    y = layers.UpSampling1D(42)(layers.AveragePooling1D(42)(y))
    return keras.Model(x, layers.Dense(1, name="out")(stack(y, "d")))


def fire(batch):
    x = y = layers.Input((128, 128, 3), batch_size=batch)
    for channels, kernel, pools in ((16, 7, True), (32, 3, True), (64, 3, False), (64, 3, True)):
        y = layers.SeparableConv2D(channels, kernel, padding="same")(y)
        y = layers.BatchNormalization()(layers.ReLU()(y))
        if pools:
            y = layers.MaxPooling2D(2)(y)
    y = layers.Flatten()(y)
    for _ in range(2):
        y = layers.BatchNormalization()(layers.ReLU()(layers.Dense(128)(y)))
    return keras.Model(x, layers.Dense(2, activation="softmax")(y))


def make(network, folder, batch):
    keras.utils.set_random_seed(11)
    rng = np.random.default_rng(11)
    if network == "autoencoder":
        phase = rng.uniform(0, 6.28, (BATCHES, batch, 1))
        moment = np.arange(1050)
        inputs = np.sin(moment / 9 + phase) + 0.4 * np.sin(moment / 3.1 + 2 * phase) + 0.3 * np.cos(moment / 31 - phase)
        inputs = inputs.astype("float32")[..., None]
        targets, model = inputs, autoencoder(batch)
    else:
        inputs = rng.uniform(0, 1, (BATCHES, batch, 128, 128, 3)).astype("float32")
        targets = np.zeros((BATCHES, batch, 2), "float32")
        hot = rng.integers(0, 2, (BATCHES, batch))
        inputs[hot == 1, 32:96, 32:96, 0] += 0.3
        np.put_along_axis(targets, hot[..., None], 1, axis=-1)
        model = fire(batch)
    model.save(f"{folder}/{network}.keras")
    np.savez(f"{folder}/{network}.npz", inputs=inputs, targets=targets)
    print(json.dumps({"parameters": int(model.count_params())}))


def train(network, folder, steps):
    model = keras.models.load_model(f"{folder}/{network}.keras")
    arrays = np.load(f"{folder}/{network}.npz")
    inputs, targets = arrays["inputs"], arrays["targets"]
    if network == "autoencoder":
        model.compile(keras.optimizers.Adam(1e-3, epsilon=1e-8, amsgrad=True), "log_cosh")
    else:
        model.compile(keras.optimizers.Adam(1e-3), "binary_crossentropy")
    losses, seconds = [], []
    for step in range(steps):
        begin = time.perf_counter()
        model.reset_metrics()
        losses.append(float(model.train_on_batch(inputs[step % BATCHES], targets[step % BATCHES], return_dict=True)["loss"]))
        seconds.append(time.perf_counter() - begin)
    print(json.dumps({"losses": losses, "seconds": seconds}))


if sys.argv[1] == "make":
    make(sys.argv[2], sys.argv[3], int(sys.argv[4]))
else:
    train(sys.argv[2], sys.argv[3], int(sys.argv[4]))
