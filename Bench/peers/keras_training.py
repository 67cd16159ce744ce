"""The two networks of the training measure in Keras: written with their batches, and trained.

usage: keras_training.py make NETWORK FOLDER BATCH        writes NETWORK.keras and NETWORK.npz
       keras_training.py train NETWORK FOLDER STEPS       prints the loss and the seconds of every step
       keras_training.py exact NETWORK FOLDER STEPS       the same in float64

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
        # Smooth scenes: sums of a few waves in each color, redder in the middle where the class is 1.
        grid = np.arange(128, dtype="float32") / 128
        waves = rng.uniform(-9, 9, (BATCHES, batch, 4, 3, 3)).astype("float32")
        inputs = np.full((BATCHES, batch, 128, 128, 3), 0.5, "float32")
        for w in range(4):
            a, b, c = (waves[:, :, w, part, None, None, :] for part in range(3))
            inputs += 0.1 * np.sin(a * grid[:, None, None] + b * grid[None, :, None] + c)
        targets = np.zeros((BATCHES, batch, 2), "float32")
        hot = rng.integers(0, 2, (BATCHES, batch))
        inputs[hot == 1, 32:96, 32:96, 0] += 0.2
        np.put_along_axis(targets, hot[..., None], 1, axis=-1)
        model = fire(batch)
    model.save(f"{folder}/{network}.keras")
    np.savez(f"{folder}/{network}.npz", inputs=inputs, targets=targets)
    print(json.dumps({"parameters": int(model.count_params())}))


def train(network, folder, steps, dtype):
    model = keras.models.load_model(f"{folder}/{network}.keras")
    arrays = np.load(f"{folder}/{network}.npz")
    inputs, targets = arrays["inputs"].astype(dtype), arrays["targets"].astype(dtype)
    if dtype != "float32":
        weights = [weight.numpy() for weight in model.weights]
        keras.config.set_dtype_policy(dtype)
        keras.config.set_floatx(dtype)
        model = {"autoencoder": autoencoder, "fire": fire}[network](inputs.shape[1])
        model.set_weights(weights)
    if network == "autoencoder":
        model.compile(keras.optimizers.Adam(1e-3, epsilon=1e-8, amsgrad=True), "log_cosh")
    else:
        model.compile(keras.optimizers.Adam(1e-4), "binary_crossentropy")
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
    train(sys.argv[2], sys.argv[3], int(sys.argv[4]), "float64" if sys.argv[1] == "exact" else "float32")
