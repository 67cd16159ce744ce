"""Makes the small files of weights of Tests/Fixtures/weights, and what the frameworks compute with them.

Made with tensorflow-cpu 2.21.0 and keras 3 (`keras` first), then torch 2.15.0 and safetensors 0.7 (`torch`),
Python 3.11:

    python make_weight_files.py keras FOLDER
    python make_weight_files.py torch FOLDER
    python make_weight_files.py statistics FOLDER

All files hold the weights of one network, which WeightFileTests.swift builds in Swift. `golden.npz` has an
input `x` and Keras's output `y`; the torch stage checks that PyTorch computes the same.
"""

import os
import sys

import numpy as np

stage, folder = sys.argv[1], sys.argv[2]
os.makedirs(folder, exist_ok=True)


def path(name):
    return os.path.join(folder, name)


def keras_stage():
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import h5py
    import keras
    import tensorflow as tf
    from keras import layers
    from keras.src.legacy.saving import legacy_h5_format

    def build(named, seed):
        keras.utils.set_random_seed(seed)

        def called(name):
            return {"name": name} if named else {}

        x = entry = layers.Input((8, 8, 3))
        x = layers.Conv2D(4, 3, padding="valid", **called("stem"))(x)
        x = layers.BatchNormalization(**called("stem_bn"))(x)
        x = layers.ReLU()(x)
        x = layers.DepthwiseConv2D(3, depth_multiplier=2, **called("spread"))(x)
        x = layers.Conv2DTranspose(3, 2, strides=2, **called("grow"))(x)
        x = layers.Conv2D(6, 3, strides=2, use_bias=False, **called("mix"))(x)
        x = layers.BatchNormalization(scale=False, **called("mix_bn"))(x)
        x = layers.Flatten()(x)
        x = layers.Dense(5, **called("top"))(x)
        model = keras.Model(entry, x)
        rng = np.random.default_rng(seed)
        for weight in model.weights:
            values = rng.normal(0, 0.4, weight.shape)
            if "variance" in weight.path:
                values = np.abs(values) + 0.5
            weight.assign(values.astype("float32"))
        return model

    model = build(True, 1)
    x = np.random.default_rng(2).normal(size=(1, 8, 8, 3)).astype("float32")
    np.savez(path("golden.npz"), x=x, y=np.asarray(model(x)))
    np.savez(
        path("reference.npz"), **{w.path: np.asarray(w) for w in model.weights}
    )
    model.save_weights(path("named.weights.h5"))
    model.save(path("named.keras"))
    with h5py.File(path("legacy.h5"), "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, model)

    # The second network of a program: its layers are called conv2d_2 and so on.
    build(False, 3)
    second = build(False, 1)
    for target, source in zip(second.weights, model.weights):
        target.assign(source)
    with h5py.File(path("numbered.h5"), "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, second)

    # What Keras 3.0 wrote: groups by class and number, no names.
    with h5py.File(path("named.weights.h5")) as source:
        with h5py.File(path("nameless.weights.h5"), "w") as target:
            for key in source:
                source.copy(key, target)
            def drop(_, item):
                if "name" in item.attrs:
                    del item.attrs["name"]
            target.visititems(drop)
    top = [layer for layer in model.layers if layer.name == "top"]
    with h5py.File(path("notop.h5"), "w") as file:
        part = keras.Model(model.input, top[0].input)
        legacy_h5_format.save_weights_to_hdf5_group(file, part)

    # A checkpoint as TF-Slim names things, with what a training leaves beside the weights.
    words = {"kernel": "weights", "bias": "biases"}
    values = {weight.path: np.asarray(weight) for weight in model.weights}
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        for place, value in values.items():
            layer, part = place.split("/")
            part = {"spread/kernel": "depthwise_weights"}.get(place, words.get(part, part))
            name = f"Small/{layer}/{part}"
            tf.compat.v1.get_variable(name, initializer=value)
            if layer == "top":
                tf.compat.v1.get_variable(name + "/Momentum", initializer=value * 0)
        tf.compat.v1.get_variable("global_step", initializer=np.int64(7))
        session.run(tf.compat.v1.global_variables_initializer())
        tf.compat.v1.train.Saver().save(session, path("slim"), write_meta_graph=False)
    os.remove(path("checkpoint"))


def statistics_stage():
    """A network that normalizes pictures by statistics of its file, as Keras's EfficientNets do."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import h5py
    import keras
    from keras import layers
    from keras.src.legacy.saving import legacy_h5_format

    keras.utils.set_random_seed(4)
    entry = layers.Input((4, 4, 3))
    normalization = layers.Normalization(name="normalization")
    x = layers.Conv2D(2, 3, name="stem")(normalization(entry))
    model = keras.Model(entry, x)
    values = {"mean": [0.1, -0.7, 2.5], "variance": [0.3, 1.7, 4.1]}
    for weight in normalization.weights:
        if weight.name in values:
            weight.assign(np.array(values[weight.name], "float32").reshape(weight.shape))
    normalization.finalize_state()
    x = np.random.default_rng(5).normal(size=(1, 4, 4, 3)).astype("float32")
    np.savez(path("statistics.npz"), x=x, y=np.asarray(model(x)))
    model.save_weights(path("statistics.weights.h5"))
    with h5py.File(path("statistics.h5"), "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, model)


def torch_stage():
    import types

    import torch
    from safetensors.torch import save_file
    from torch import nn

    reference = np.load(path("reference.npz"))
    golden = np.load(path("golden.npz"))

    class Small(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = nn.Conv2d(3, 4, 3)
            self.stem_bn = nn.BatchNorm2d(4, eps=1e-3)
            self.spread = nn.Conv2d(4, 8, 3, groups=4)
            self.grow = nn.ConvTranspose2d(8, 3, 2, stride=2)
            self.mix = nn.Conv2d(3, 6, 3, stride=2, bias=False)
            self.mix_bn = nn.BatchNorm2d(6, eps=1e-3)
            self.top = nn.Linear(54, 5)

        def forward(self, x):
            x = torch.relu(self.stem_bn(self.stem(x)))
            x = self.grow(self.spread(x))
            return self.top(self.mix_bn(self.mix(x)).flatten(1))

    def value(name):
        return torch.from_numpy(reference[name].copy())

    model = Small().eval()
    state = model.state_dict()
    for layer in ["stem", "spread", "grow", "mix"]:
        kernel = value(f"{layer}/kernel")
        if layer == "spread":
            kernel = kernel.reshape(3, 3, 1, 8)
        # Keras's transposed kernels are [H, W, out, in]: the same permutation serves both.
        state[f"{layer}.weight"] = kernel.permute(3, 2, 0, 1).contiguous()
        if layer != "mix":
            state[f"{layer}.bias"] = value(f"{layer}/bias")
    for layer in ["stem_bn", "mix_bn"]:
        if layer == "stem_bn":
            state[f"{layer}.weight"] = value(f"{layer}/gamma")
        state[f"{layer}.bias"] = value(f"{layer}/beta")
        state[f"{layer}.running_mean"] = value(f"{layer}/moving_mean")
        state[f"{layer}.running_var"] = value(f"{layer}/moving_variance")
    # Keras flattens [3, 3, 6], PyTorch [6, 3, 3].
    kernel = value("top/kernel").reshape(3, 3, 6, 5).permute(3, 2, 0, 1).reshape(5, 54)
    state["top.weight"] = kernel.contiguous()
    state["top.bias"] = value("top/bias")
    model.load_state_dict(state)
    x = torch.from_numpy(golden["x"]).permute(0, 3, 1, 2)
    with torch.no_grad():
        difference = np.abs(model(x).numpy() - golden["y"]).max()
    assert difference < 1e-4, difference

    torch.save(model.state_dict(), path("state.pt"))
    torch.save(
        {"epoch": 3, "state_dict": {"module." + k: v for k, v in model.state_dict().items()}},
        path("wrapped.pth"),
    )
    torch.save(model.state_dict(), path("old.pth"), _use_new_zipfile_serialization=False)
    save_file(model.state_dict(), path("small.safetensors"), metadata={"format": "pt"})
    save_file(
        {k: v.half() if v.is_floating_point() else v for k, v in model.state_dict().items()},
        path("half.safetensors"),
        metadata={"format": "pt", "license": "CC0-1.0"},
    )

    # A whole network of classes that only its own package has, as Ultralytics publishes them.
    tasks = types.ModuleType("ultralytics.nn.tasks")
    sys.modules["ultralytics.nn.tasks"] = tasks
    Small.__module__, Small.__qualname__ = "ultralytics.nn.tasks", "Small"
    tasks.Small = Small
    torch.save(
        {
            "epoch": -1,
            "ema": None,
            "model": model.half(),
            "train_args": {"lr0": 0.01, "seen": {1, 2}},
            "license": "AGPL-3.0 (https://ultralytics.com/license)",
            "version": "8.0.0",
        },
        path("module.pt"),
    )
    os.remove(path("reference.npz"))


{"keras": keras_stage, "torch": torch_stage, "statistics": statistics_stage}[stage]()
