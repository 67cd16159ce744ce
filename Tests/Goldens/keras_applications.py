#!/usr/bin/env python3
"""Makes the 35 networks of Keras Applications with seeded weights, for the bench and for equality checks.

usage: keras_applications.py FOLDER [NAME ...]

For each network FOLDER receives NAME.keras, NAME.h5 and NAME.npz (`in/<input name>`, `out/0`: one seeded
image and what Keras answers; `exact/0`: what Keras answers when it computes in float64, since float32's own
rounding reaches 1e-4 of the output in the deepest). What exists is left alone, so that the script can be resumed.

Weights are random, so activations must be kept alive by hand: kernels are drawn with He's variance, and
what residual blocks add is scaled down; batch
normalization's moving statistics are those of one forward pass of two images in training mode (momentum
0), which fits them layer by layer; the last layer is scaled so that the logits' standard deviation is 2. A softmax over them
is neither saturated nor constant.

Made with keras 3.15.1 on tensorflow-cpu 2.21.0 and numpy 2.
"""

import os

os.environ.update(CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3", KERAS_BACKEND="tensorflow")

import gc
import json
import sys
import time
import zlib

import keras
import numpy as np
import tensorflow as tf

# Smallest first.
NETWORKS = """
MobileNetV3Small MobileNet MobileNetV2 MobileNetV3Large EfficientNetB0 NASNetMobile EfficientNetV2B0
ResNet50 DenseNet121 ResNet50V2 EfficientNetB1 EfficientNetV2B1 InceptionV3 Xception EfficientNetB2
EfficientNetV2B2 EfficientNetB3 EfficientNetV2B3 DenseNet169 DenseNet201 ResNet101 ResNet101V2
EfficientNetV2S ResNet152 ResNet152V2 InceptionResNetV2 VGG16 VGG19 EfficientNetB4 EfficientNetV2M
EfficientNetB5 EfficientNetB6 NASNetLarge EfficientNetV2L EfficientNetB7
""".split()


def draw_weights(model, rng):
    """Gives every variable a value that keeps the variance of what flows through it."""
    for layer in model.layers:
        for variable in layer.weights:
            shape, name = variable.shape, variable.path.split("/")[-1]
            if "kernel" in name:
                fan_in = np.prod(shape[:2]) if "depthwise" in name else np.prod(shape[:-1])
                value = rng.normal(0, np.sqrt(2 / fan_in), shape)
            elif name == "gamma":
                value = rng.uniform(0.7, 1.3, shape)
            elif name in ("beta", "bias"):
                value = rng.normal(0, 0.1, shape)
            else:
                continue
            variable.assign(value.astype(np.float32))


def calm_branches(model):
    """What is added to a trunk is made small beside it, as in trained networks.

    Otherwise a hundred random blocks blow float32's rounding up to 1e-3 of the output, Keras's own too.
    """
    for layer in model.layers:
        if not isinstance(layer, keras.layers.Add):
            continue
        for tensor in layer.input:
            source = tensor._keras_history.operation
            # ResNet's projections (`…_0_bn`, `…_0_conv`) are the trunk itself.
            if "_0_" in source.name:
                continue
            scaled = getattr(source, "gamma", None)
            if scaled is None:
                scaled = getattr(source, "kernel", None)
            if scaled is not None:
                scaled.assign(scaled * 0.2)


def fit_statistics(model, image):
    """One pass in training mode; random layers are switched off, momentum 0 keeps what the pass saw."""
    kept = []
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            kept.append((layer, "momentum", layer.momentum))
            layer.momentum = 0.0
        elif isinstance(layer, keras.layers.Dropout):
            kept.append((layer, "rate", layer.rate))
            layer.rate = 0.0
    model(image, training=True)
    for layer, attribute, value in kept:
        setattr(layer, attribute, value)


def scale_logits(model, image):
    logits = np.log(np.maximum(np.array(model(image, training=False)), 1e-30))
    last = [layer for layer in model.layers if hasattr(layer, "kernel")][-1]
    last.kernel.assign(last.kernel * (2 / np.std(logits)))


def image_for(model, seed):
    """Smooth and noisy parts, in the range that the network expects (0...255 where it rescales by itself)."""
    rng = np.random.default_rng(seed)
    height, width, depth = model.input_shape[1:]
    coarse = rng.normal(0, 0.6, (1, 9, 9, depth)).astype(np.float32)
    image = tf.image.resize(coarse, (height, width)).numpy()
    image = np.clip(image + rng.normal(0, 0.3, image.shape), -1, 1).astype(np.float32)
    if any(isinstance(layer, keras.layers.Rescaling) for layer in model.layers):
        image = (image + 1) * np.float32(127.5)
    return image


def exact(model, image):
    """The output of the same network computed in float64."""
    config = json.loads(json.dumps(model.get_config()).replace('"float32"', '"float64"'))
    weights = [weight.astype(np.float64) for weight in model.get_weights()]
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    try:
        wide = type(model).from_config(config)
        wide.set_weights(weights)
        output = np.array(wide(image.astype(np.float64), training=False))
    finally:
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy("float32")
    assert output.dtype == np.float64
    return output


def add_exact(folder, name):
    """Gives arrays of an earlier run the outputs in float64."""
    path = os.path.join(folder, name)
    with np.load(path + ".npz") as archive:
        arrays = dict(archive)
    if "exact/0" in arrays:
        return
    keras.backend.clear_session()
    model = keras.models.load_model(path + ".keras", compile=False)
    arrays["exact/0"] = exact(model, next(value for key, value in arrays.items() if key.startswith("in/")))
    write(path, arrays)
    own = np.abs(arrays["out/0"] - arrays["exact/0"]).max() / np.abs(arrays["exact/0"]).max()
    print(f"{name}: Keras's float32 is {own:.1e} from its float64", flush=True)


def write(path, arrays):
    with open(path + ".npz.part", "wb") as file:
        np.savez(file, **arrays)
    os.replace(path + ".npz.part", path + ".npz")


def make(folder, name):
    started = time.time()
    keras.backend.clear_session()
    seed = zlib.crc32(name.encode())
    # MobileNetV3 leaves its image open unless it is told.
    shape = {"input_shape": (224, 224, 3)} if name.startswith("MobileNetV3") else {}
    model = getattr(keras.applications, name)(weights=None, **shape)
    draw_weights(model, np.random.default_rng(seed))
    calm_branches(model)
    image = image_for(model, seed + 1)
    fit_statistics(model, np.concatenate([image, image_for(model, seed + 2)]))
    scale_logits(model, image)
    output = np.array(model(image, training=False))
    # A constant or saturated output would prove nothing.
    assert np.isfinite(output).all() and output.max() < 0.9 and output.std() > 1e-4, (name, output.max())
    path = os.path.join(folder, name)
    model.save(path + ".keras")
    model.save(path + ".h5")
    write(path, {f"in/{model.inputs[0].name}": image, "out/0": output, "exact/0": exact(model, image)})
    seconds = time.time() - started
    row = f"| {name} | {model.count_params()} | {image.shape[1]} | {output.max():.4f} | {output.std():.2e} | {seconds:.0f} |"
    print(row, flush=True)
    with open(os.path.join(folder, "rows.txt"), "a") as file:
        file.write(row + "\n")


def main():
    folder, names = sys.argv[1], sys.argv[2:] or NETWORKS
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    os.makedirs(folder, exist_ok=True)
    for name in names:
        if not os.path.exists(os.path.join(folder, name + ".npz")):
            make(folder, name)
        else:
            add_exact(folder, name)
        gc.collect()


if __name__ == "__main__":
    main()
