"""Small networks as Keras trains them: the network, its batches, and the loss of every step.

Versions: tensorflow 2.21, keras 3.15, numpy 2.

usage: make_training_goldens.py Tests/Fixtures/training

Writes NAME.keras (initial weights) and NAME.npz: `inputs`, `targets` (batches that are used in turn),
`losses` (before each step's update), and `moving` (the moving averages after the last step, joined).
"""

import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras
import numpy as np
from keras import layers

STEPS = 50


def autoencoder():
    """Residual blocks of dilated convolutions with skip connections, a pool between two stacks."""

    def stack(x, name):
        skips = []
        for dilation in (1, 4):
            h = x
            for part in "ab":
                h = layers.Conv1D(6, 4, dilation_rate=dilation, padding="same", activation="relu",
                                  kernel_initializer="glorot_normal", name=f"{name}{dilation}{part}")(h)
            skips.append(h)
            if x.shape[-1] != 6:
                x = layers.Conv1D(6, 1, name=f"{name}{dilation}m")(x)
            x = layers.ReLU()(layers.Add()([h, x]))
        return layers.Add()(skips)

    x = layers.Input((96, 1), batch_size=4)
    y = layers.Conv1D(3, 1, name="neck")(stack(x, "e"))
    y = layers.UpSampling1D(8)(layers.AveragePooling1D(8)(y))
    return keras.Model(x, layers.Dense(1, name="out")(stack(y, "d")))


def classifier():
    """Separable convolutions, each before ReLU and batch normalization, then dense layers."""
    x = y = layers.Input((16, 16, 3), batch_size=8)
    for channels, kernel in ((6, 5), (10, 3)):
        y = layers.SeparableConv2D(channels, kernel, padding="same")(y)
        y = layers.BatchNormalization()(layers.ReLU()(y))
        y = layers.MaxPooling2D(2)(y)
    y = layers.Flatten()(y)
    y = layers.BatchNormalization()(layers.ReLU()(layers.Dense(12)(y)))
    return keras.Model(x, layers.Dense(2, activation="softmax")(y))


def train(folder, name, model, optimizer, loss, inputs, targets):
    # Saved before it is compiled: the optimizer's state would make the file three times as large.
    model.save(f"{folder}/{name}.keras")
    model.compile(optimizer=optimizer, loss=loss)
    losses = []
    for step in range(STEPS):
        # Otherwise the mean over all steps so far is reported.
        model.reset_metrics()
        batch = [array[step % len(array)].astype("float32") for array in (inputs, targets)]
        losses.append(float(model.train_on_batch(*batch, return_dict=True)["loss"]))
    moving = [w.numpy() for w in model.non_trainable_weights if "moving" in w.path]
    np.savez_compressed(f"{folder}/{name}.npz", inputs=inputs, targets=targets,
                        losses=np.array(losses, "float64"),
                        moving=np.concatenate(moving).astype("float32") if moving else np.zeros(0, "float32"))
    print(name, losses[0], losses[1], losses[-1])


def main():
    folder = sys.argv[1]
    keras.utils.set_random_seed(7)
    rng = np.random.default_rng(7)
    time = np.arange(96)
    phase = rng.uniform(0, 6.28, (4, 4, 1))
    series = (np.sin(time / 7 + phase) + 0.3 * np.sin(time / 2.3 + 2 * phase)).astype("float32")[..., None]
    model = autoencoder()
    train(folder, "autoencoder", model, keras.optimizers.Adam(1e-3, epsilon=1e-8, amsgrad=True), "log_cosh",
          series, series)
    images = rng.uniform(0, 1, (2, 8, 16, 16, 3)).astype("float16")
    images[:, ::2, :, :, 0] += np.float16(0.25)
    labels = np.zeros((2, 8, 2), "float32")
    labels[:, ::2, 1] = 1
    labels[:, 1::2, 0] = 1
    model = classifier()
    train(folder, "classifier", model, keras.optimizers.Adam(1e-3), "binary_crossentropy", images, labels)


main()
