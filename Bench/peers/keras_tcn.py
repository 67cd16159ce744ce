"""How long a step of training the temporal-convolution autoencoder takes Keras.

usage: keras_tcn.py SERIES.csv STEPS [BATCH]

Prints one JSON line. The network, the optimizer and the schedule are those that find 95 of 100 events after
8,000 steps of 8 windows.
"""

import json
import os
import sys
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
from keras import layers


def stack(x, filters=20, kernel=20):
    skips = []
    for dilation in (1, 2, 4, 8, 16):
        h = x
        for _ in range(2):
            h = layers.Conv1D(filters, kernel, dilation_rate=dilation, padding="same", activation="relu", kernel_initializer="glorot_normal")(h)
        short = x if x.shape[-1] == filters else layers.Conv1D(filters, 1, kernel_initializer="glorot_normal")(x)
        skips.append(h)
        x = layers.Activation("relu")(layers.Add()([h, short]))
    return layers.Add()(skips)


def network(length):
    x = given = layers.Input((length, 1))
    x = layers.Conv1D(8, 1, kernel_initializer="glorot_normal")(stack(x))
    x = layers.UpSampling1D(42)(layers.AveragePooling1D(42)(x))
    return keras.Model(given, layers.Dense(1)(stack(x)))


def main():
    series = np.loadtxt(sys.argv[1], delimiter=",", skiprows=1)[:, 1]
    series = ((series - series.mean()) / series.std()).astype("float32")
    steps, batch = int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 8
    keras.utils.set_random_seed(0)
    model = network(1050)
    schedule = keras.optimizers.schedules.CosineDecay(0.0, 7800, alpha=0.01, warmup_target=3e-3, warmup_steps=200)
    model.compile(keras.optimizers.Adam(schedule, amsgrad=True, epsilon=1e-8), "log_cosh")
    random = np.random.default_rng(0)

    def windows():
        starts = random.integers(0, len(series) - 1050, batch)
        return np.stack([series[start : start + 1050] for start in starts])[:, :, None]

    for _ in range(10):
        model.train_on_batch(*[windows()] * 2)
    start = time.perf_counter()
    for _ in range(steps):
        x = windows()
        loss = model.train_on_batch(x, x)
    took = time.perf_counter() - start
    print(json.dumps({"steps": steps, "batch": batch, "seconds_per_step": took / steps, "loss": float(loss)}))


main()
