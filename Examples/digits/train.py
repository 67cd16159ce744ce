"""Trains the digits network of this folder and writes everything in it but the words.

    pip install keras tensorflow-cpu scikit-learn pillow
    python train.py

Writes model.h5, model.keras, images/ (200 digits that training never saw, with labels.csv),
representative/ (100 training digits, for calibration) and training.npz (800 training digits, to train
variants on). Seeded: on one machine it writes the same
network each time. Made with Keras 3.15.1, TensorFlow 2.21.0 and scikit-learn 1.9.1.
"""

import csv
import os
import pathlib
import shutil

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"

import keras
import numpy as np
from keras import layers
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

SEED = 7
HELD_OUT = 200
REPRESENTATIVE = 100
RETRAINING = 800
SIDE = 16
EPOCHS = 60
BATCH = 32

here = pathlib.Path(__file__).parent


def pictures():
    """The 1797 digits as 16 x 16 grey pictures with values 0...255, as their PNG files hold them."""
    digits = load_digits()
    result = []
    for pixels in digits.images:
        small = Image.fromarray(np.round(pixels * 255 / 16).astype("uint8"), mode="L")
        result.append(np.asarray(small.resize((SIDE, SIDE), Image.Resampling.BICUBIC)))
    return np.stack(result), digits.target


def network():
    return keras.Sequential(
        [
            layers.Input((SIDE, SIDE, 1), name="image"),
            layers.Conv2D(16, 3, padding="same", use_bias=False, name="conv1"),
            layers.BatchNormalization(name="norm1"),
            layers.ReLU(name="relu1"),
            layers.MaxPooling2D(2, name="pool1"),
            layers.DepthwiseConv2D(3, padding="same", use_bias=False, name="depthwise2"),
            layers.BatchNormalization(name="norm2"),
            layers.ReLU(name="relu2"),
            layers.Conv2D(32, 1, activation="relu", name="conv3"),
            layers.MaxPooling2D(2, name="pool3"),
            layers.Flatten(name="flatten"),
            layers.Dropout(0.3, name="dropout"),
            layers.Dense(32, activation="relu", name="dense4"),
            layers.Dense(10, activation="softmax", name="digit"),
        ],
        name="digits",
    )


def write_images(folder, images, labels):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    rows = []
    for index, (image, label) in enumerate(zip(images, labels)):
        name = f"{index:03}.png"
        Image.fromarray(image, mode="L").save(folder / name, optimize=True)
        rows.append((name, int(label)))
    return rows


def main():
    keras.utils.set_random_seed(SEED)
    images, labels = pictures()
    train_x, test_x, train_y, test_y = train_test_split(
        images, labels, test_size=HELD_OUT, stratify=labels, random_state=SEED
    )
    scaled = lambda x: (x.astype("float32") / 255)[..., None]

    model = network()
    steps = EPOCHS * -(-len(train_x) // BATCH)
    model.compile(
        optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(3e-3, steps)),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    # Written digits are not all upright and centred.
    jitter = keras.Sequential(
        [layers.RandomTranslation(0.08, 0.08, fill_mode="constant"), layers.RandomRotation(0.03, fill_mode="constant")]
    )
    for epoch in range(EPOCHS):
        model.fit(jitter(scaled(train_x), training=True), train_y, batch_size=BATCH, verbose=0)
    accuracy = model.evaluate(scaled(test_x), test_y, verbose=0)[1]
    print(f"held-out accuracy {accuracy:.3f}, {model.count_params()} parameters")

    # A fresh copy, because a compiled model is saved with its optimizer's state.
    trained = network()
    trained.set_weights(model.get_weights())
    trained.save(here / "model.h5")
    trained.save(here / "model.keras")
    rows = write_images(here / "images", test_x, test_y)
    with open(here / "images" / "labels.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("file", "label"))
        writer.writerows(rows)
    write_images(here / "representative", train_x[:REPRESENTATIVE], train_y[:REPRESENTATIVE])
    np.savez_compressed(
        here / "training.npz", x=train_x[:RETRAINING, ..., None], y=train_y[:RETRAINING].astype("uint8")
    )


if __name__ == "__main__":
    main()
