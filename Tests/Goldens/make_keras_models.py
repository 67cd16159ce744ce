"""Writes networks with the real Keras, and what Keras computes for them.

    python make_keras_models.py OUT_DIR [NAME...] [--keras3]

For each network: NAME.keras, NAME.h5 (Keras 3 layout), NAME.k2.h5 (Keras 2 layout, by tf_keras, where
that has the layers), NAME.npz (`in/<input name>`, `out/<index>`; batch 2, seeded), and, where tf_keras
wrote the file, NAME.k2.npz. A row for each goes to standard output: name, layers, parameters, output
shapes, smallest standard deviation of an output, whether there is a Keras 2 file (--keras3: none).

Made with Keras 3.15.1 and tf_keras 2.21.0 on TensorFlow 2.21.0.
"""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import numpy as np

SEED = 20260401


# MARK: - Networks. `K` is either module, keras or tf_keras; `L` its layers.

NETWORKS = {}
KERAS3_ONLY = set()
KERAS2_ONLY = set()


def network(function=None, *, keras3_only=False, keras2_only=False):
    def register(f):
        NETWORKS[f.__name__] = f
        if keras2_only:
            KERAS2_ONLY.add(f.__name__)
        if keras3_only:
            KERAS3_ONLY.add(f.__name__)
        return f

    return register(function) if function else register


def functional(K, inputs, outputs, name):
    return K.Model(inputs, outputs, name=name)


def chain(K, name, shape, *layers):
    return K.Sequential([K.layers.Input(shape), *layers], name=name)


def branches(K, name, shape, *makers):
    """One input and one output for each maker: many variants of a layer in a single file."""
    x = K.layers.Input(shape, name="x")
    return functional(K, x, [make(x) for make in makers], name)


@network
def conv2d(K):
    L = K.layers
    return branches(
        K, "conv2d", (9, 11, 4),
        L.Conv2D(5, 3, name="valid"),
        L.Conv2D(5, 3, padding="same", activation="relu", name="same_relu"),
        L.Conv2D(6, (2, 3), strides=2, padding="same", use_bias=False, name="same_strided"),
        L.Conv2D(6, 3, strides=(2, 3), name="valid_strided"),
        L.Conv2D(4, 3, dilation_rate=2, padding="same", activation="relu6", name="dilated_same"),
        L.Conv2D(4, 3, dilation_rate=(2, 3), name="dilated_valid"),
        L.Conv2D(8, 3, groups=2, padding="same", name="grouped"),
        L.Conv2D(7, 1, activation="sigmoid", name="pointwise"),
        L.Conv2D(3, 5, strides=3, padding="same", activation="tanh", name="same_5x5_s3"),
    )


@network
def conv2d_sequential(K):
    L = K.layers
    return chain(
        K, "conv2d_sequential", (16, 16, 3),
        L.Conv2D(8, 3, padding="same", name="stem"), L.BatchNormalization(name="stem_bn"), L.ReLU(name="stem_relu"),
        L.MaxPooling2D(), L.Conv2D(12, 3, strides=2, padding="same", activation="relu"),
        L.Dropout(0.25), L.Flatten(), L.Dense(10, activation="softmax", name="probabilities"),
    )


@network
def depthwise(K):
    L = K.layers
    return branches(
        K, "depthwise", (9, 8, 4),
        L.DepthwiseConv2D(3, name="valid"),
        L.DepthwiseConv2D(3, padding="same", activation="relu", name="same"),
        L.DepthwiseConv2D(3, strides=2, padding="same", depth_multiplier=2, name="multiplier"),
        L.DepthwiseConv2D((5, 3), use_bias=False, padding="same", name="rectangular"),
        L.DepthwiseConv2D(3, dilation_rate=2, padding="same", name="dilated"),
        L.SeparableConv2D(6, 3, padding="same", activation="relu", name="separable"),
        L.SeparableConv2D(6, 3, strides=2, depth_multiplier=2, use_bias=False, name="separable_multiplier"),
    )


@network
def conv2d_transpose(K):
    L = K.layers
    return branches(
        K, "conv2d_transpose", (5, 6, 3),
        L.Conv2DTranspose(4, 3, name="valid"),
        L.Conv2DTranspose(4, 3, strides=2, padding="same", activation="relu", name="same_s2"),
        L.Conv2DTranspose(4, 2, strides=2, use_bias=False, name="valid_s2"),
        L.Conv2DTranspose(2, (3, 4), strides=(2, 3), padding="same", name="same_s23"),
        L.Conv2DTranspose(4, 5, strides=2, name="valid_5x5_s2"),
    )


@network
def conv1d(K):
    L = K.layers
    return branches(
        K, "conv1d", (20, 6),
        L.Conv1D(5, 3, name="valid"),
        L.Conv1D(5, 3, padding="same", activation="relu", name="same"),
        L.Conv1D(5, 4, strides=2, padding="same", use_bias=False, name="same_s2"),
        L.Conv1D(5, 3, dilation_rate=4, padding="causal", name="causal_d4"),
        L.Conv1D(5, 3, dilation_rate=2, padding="same", name="same_d2"),
        L.Conv1D(4, 3, groups=2, name="grouped"),
        L.SeparableConv1D(4, 3, padding="same", name="separable"),
        L.MaxPooling1D(2, name="max_pool"),
        L.AveragePooling1D(3, strides=2, padding="same", name="average_pool"),
        L.GlobalAveragePooling1D(name="global_average"),
        L.GlobalMaxPooling1D(name="global_max"),
        L.ZeroPadding1D((1, 2), name="pad"),
        L.Cropping1D((1, 2), name="crop"),
        L.UpSampling1D(2, name="up"),
    )


@network
def dense(K):
    L = K.layers
    x3 = L.Input((5, 6), name="sequence")
    x1 = L.Input((12,), name="vector")
    return functional(K, [x3, x1], [
        L.Dense(7, name="dense_3d")(x3),
        L.Dense(7, use_bias=False, activation="relu", name="dense_3d_relu")(x3),
        L.Dense(4, activation="softmax", name="dense_softmax")(x1),
        L.Dense(3, activation="elu", name="dense_elu")(x1),
        L.Dense(1, activation="sigmoid", name="dense_sigmoid")(x1),
    ], "dense")


@network
def pooling(K):
    L = K.layers
    return branches(
        K, "pooling", (9, 10, 3),
        L.MaxPooling2D(name="max_default"),
        L.MaxPooling2D(3, strides=2, padding="same", name="max_same"),
        L.MaxPooling2D((2, 3), strides=(1, 2), name="max_rectangular"),
        L.AveragePooling2D(2, name="average_default"),
        L.AveragePooling2D(3, strides=2, padding="same", name="average_same"),
        L.GlobalAveragePooling2D(name="global_average"),
        L.GlobalAveragePooling2D(keepdims=True, name="global_average_keep"),
        L.GlobalMaxPooling2D(name="global_max"),
        L.GlobalMaxPooling2D(keepdims=True, name="global_max_keep"),
    )


@network
def batchnorm(K):
    L = K.layers
    x = L.Input((6, 6, 4), name="x")
    v = L.Input((7,), name="v")
    s = L.Input((5, 3), name="s")
    return functional(K, [x, v, s], [
        L.BatchNormalization(name="plain")(x),
        L.BatchNormalization(scale=False, name="no_scale")(x),
        L.BatchNormalization(center=False, epsilon=1e-2, name="no_center")(x),
        L.BatchNormalization(scale=False, center=False, name="neither")(x),
        L.BatchNormalization(axis=1, name="axis_1")(x),
        L.BatchNormalization(name="vector")(v),
        L.BatchNormalization(axis=1, name="sequence_axis_1")(s),
        L.BatchNormalization(name="after_conv")(L.Conv2D(5, 3, use_bias=False, name="conv")(x)),
        L.BatchNormalization(name="after_depthwise")(L.DepthwiseConv2D(3, name="dw")(x)),
        L.BatchNormalization(name="after_dense")(L.Dense(6, name="fc")(v)),
        L.Conv2D(3, 3, padding="same", name="conv_padded")(L.BatchNormalization(name="before_conv")(x)),
        L.BatchNormalization(name="after_relu")(L.ReLU(name="r")(x)),
    ], "batchnorm")


@network
def activations(K):
    L = K.layers
    names = ["relu", "relu6", "elu", "selu", "sigmoid", "tanh", "softmax", "softplus", "softsign",
             "hard_sigmoid", "exponential", "linear", "swish", "gelu"]
    if K.__name__ == "keras":
        names += ["silu", "leaky_relu", "mish", "log_softmax", "hard_silu"]
    return branches(K, "activations", (6, 5), *[L.Activation(n, name="activation_" + n) for n in names])


@network
def activation_layers(K):
    L = K.layers
    slope = {"negative_slope": 0.15} if K.__name__ == "keras" else {"alpha": 0.15}
    return branches(
        K, "activation_layers", (6, 4, 3),
        L.ReLU(name="relu"),
        L.ReLU(max_value=6.0, name="relu6"),
        L.ReLU(max_value=1.0, name="relu1"),
        L.ReLU(negative_slope=0.2, name="relu_slope"),
        L.ReLU(threshold=0.5, name="relu_threshold"),
        L.ReLU(max_value=1.5, negative_slope=0.1, threshold=0.25, name="relu_all"),
        L.LeakyReLU(name="leaky_default"),
        L.LeakyReLU(**slope, name="leaky_slope"),
        L.PReLU(name="prelu"),
        L.PReLU(shared_axes=[1, 2], name="prelu_shared"),
        L.ELU(name="elu"),
        L.ELU(alpha=0.5, name="elu_alpha"),
        L.Softmax(name="softmax"),
        L.Softmax(axis=1, name="softmax_axis_1"),
    )


@network
def merge(K):
    L = K.layers
    a = L.Input((4, 5, 3), name="a")
    b = L.Input((4, 5, 3), name="b")
    c = L.Input((4, 5, 2), name="c")
    g = L.Input((1, 1, 3), name="gate")
    return functional(K, [a, b, c, g], [
        L.Add(name="add")([a, b]),
        L.Add(name="add_three")([a, b, a]),
        L.Subtract(name="subtract")([a, b]),
        L.Multiply(name="multiply")([a, b]),
        L.Multiply(name="gated")([a, g]),
        L.Average(name="average")([a, b]),
        L.Maximum(name="maximum")([a, b]),
        L.Minimum(name="minimum")([a, b]),
        L.Concatenate(name="concatenate")([a, c, b]),
        L.Concatenate(axis=1, name="concatenate_axis_1")([a, b]),
    ], "merge")


@network
def shapes(K):
    L = K.layers
    return branches(
        K, "shapes", (4, 6, 3),
        L.ZeroPadding2D(name="pad_default"),
        L.ZeroPadding2D(((0, 1), (2, 1)), name="pad_asymmetric"),
        L.Cropping2D(((1, 0), (2, 1)), name="crop"),
        L.UpSampling2D(name="nearest"),
        L.UpSampling2D((2, 3), interpolation="bilinear", name="bilinear"),
        L.Reshape((6, 12), name="reshape"),
        L.Reshape((-1, 2), name="reshape_inferred"),
        L.Flatten(name="flatten"),
        L.Permute((3, 1, 2), name="permute"),
        L.Dropout(0.5, name="dropout"),
        L.SpatialDropout2D(0.5, name="spatial_dropout"),
        L.GaussianNoise(0.5, name="noise"),
        L.Activation("linear", name="linear"),
        lambda x: L.RepeatVector(3, name="repeat")(L.Flatten(name="flatten_for_repeat")(x)),
    )


@network
def preprocessing(K):
    L = K.layers
    x = L.Input((6, 6, 3), name="image")
    scaled = L.Rescaling(1 / 127.5, offset=-1.0, name="rescale")(x)
    normalized = L.Normalization(mean=[1.0, 2.0, 3.0], variance=[4.0, 0.25, 1.5], name="normalize")(x)
    return functional(K, x, [scaled, normalized, L.Conv2D(4, 3, name="conv")(scaled)], "preprocessing")


@network
def normalization_adapted(K):
    L = K.layers
    layer = L.Normalization(name="normalize")
    layer.adapt(np.random.default_rng(3).normal(2, 3, (256, 5)).astype("float32"))
    return chain(K, "normalization_adapted", (5,), layer, L.Dense(3, name="fc"))


@network
def nested(K):
    """A Sequential and a functional model as layers of another, the first of them used twice."""
    L = K.layers
    block = K.Sequential([L.Input((8, 8, 4)), L.Conv2D(4, 3, padding="same", name="conv"),
                          L.BatchNormalization(name="bn"), L.ReLU(name="relu")], name="block")
    inner_in = L.Input((8, 8, 4), name="inner_in")
    inner = K.Model(inner_in, L.Add(name="inner_add")([L.Conv2D(4, 1, name="inner_conv")(inner_in), inner_in]),
                    name="inner")
    x = L.Input((8, 8, 4), name="x")
    y = block(inner(block(x)))
    y = L.GlobalAveragePooling2D(name="pool")(y)
    return functional(K, x, L.Dense(3, name="fc")(y), "nested")


@network
def nested_sequential(K):
    L = K.layers
    inner = K.Sequential([L.Input((6, 6, 3)), L.Conv2D(4, 3, name="c1"), L.Conv2D(5, 3, activation="relu", name="c2")],
                         name="features")
    return chain(K, "nested_sequential", (6, 6, 3), inner, L.Flatten(name="flat"), L.Dense(2, name="head"))


@network
def shared(K):
    L = K.layers
    a, b = L.Input((10,), name="left"), L.Input((10,), name="right")
    tower = L.Dense(6, activation="tanh", name="tower")
    return functional(K, [a, b], L.Subtract(name="difference")([tower(a), tower(b)]), "shared")


@network
def multi(K):
    """Two inputs, three outputs, one of which is also an inner value."""
    L = K.layers
    image, side = L.Input((12, 12, 2), name="image"), L.Input((5,), name="side")
    x = L.Conv2D(6, 3, strides=2, padding="same", activation="relu", name="conv")(image)
    pooled = L.GlobalAveragePooling2D(name="pooled")(x)
    joined = L.Concatenate(name="joined")([pooled, side])
    return functional(K, [image, side], [
        L.Dense(4, activation="softmax", name="klass")(joined),
        L.Dense(1, name="value")(joined),
        pooled,
    ], "multi")


@network
def residual(K):
    L = K.layers
    x = L.Input((16, 16, 3), name="x")
    y = L.Conv2D(8, 3, padding="same", name="stem")(x)
    for i, (width, stride) in enumerate([(8, 1), (16, 2)]):
        z = L.Conv2D(width, 3, strides=stride, padding="same", name=f"b{i}_c1")(y)
        z = L.ReLU(name=f"b{i}_r1")(L.BatchNormalization(name=f"b{i}_n1")(z))
        z = L.BatchNormalization(name=f"b{i}_n2")(L.Conv2D(width, 3, padding="same", name=f"b{i}_c2")(z))
        if stride != 1:
            y = L.Conv2D(width, 1, strides=stride, padding="same", name=f"b{i}_short")(y)
        y = L.Activation("relu", name=f"b{i}_out")(L.Add(name=f"b{i}_add")([y, z]))
    y = L.Flatten(name="flat")(L.AveragePooling2D(8, name="avg")(y))
    return functional(K, x, L.Dense(10, activation="softmax", name="probabilities")(y), "residual")


@network
def inverted_residual(K):
    """The blocks of MobileNet V2 and, with squeeze and excitation and hard swish, of V3."""
    L = K.layers
    x = L.Input((17, 17, 8), name="x")
    y = L.Conv2D(24, 1, use_bias=False, name="expand")(x)
    y = L.ReLU(6.0, name="expand_relu")(L.BatchNormalization(name="expand_bn")(y))
    y = L.ZeroPadding2D(((0, 1), (0, 1)), name="pad")(y)
    y = L.DepthwiseConv2D(3, strides=2, use_bias=False, name="dw")(y)
    y = L.ReLU(6.0, name="dw_relu")(L.BatchNormalization(name="dw_bn")(y))
    s = L.GlobalAveragePooling2D(name="squeeze")(y)
    s = L.Reshape((1, 1, 24), name="squeeze_shape")(s)
    s = L.Conv2D(6, 1, activation="relu", name="reduce")(s)
    s = L.Conv2D(24, 1, activation="sigmoid", name="excite")(s)
    y = L.Multiply(name="scale")([y, s])
    y = L.Conv2D(8, 1, use_bias=False, name="project")(y)
    y = L.BatchNormalization(name="project_bn")(y)
    return functional(K, x, y, "inverted_residual")


@network
def autoencoder(K):
    L = K.layers
    return chain(
        K, "autoencoder", (64,), L.Dense(32, name="e1"), L.BatchNormalization(name="n1"), L.Activation("relu"),
        L.Dense(8, activation="relu", name="code"), L.Dense(32, activation="relu", name="d1"), L.Dense(64, name="out"),
    )


@network
def segmentation(K):
    """A small U: encoder, decoder with a skip, per-pixel softmax."""
    L = K.layers
    x = L.Input((16, 16, 3), name="x")
    a = L.Conv2D(6, 3, padding="same", activation="relu", name="a")(x)
    b = L.Conv2D(12, 3, padding="same", activation="relu", name="b")(L.MaxPooling2D(name="down")(a))
    u = L.Conv2DTranspose(6, 2, strides=2, padding="same", name="up")(b)
    y = L.Concatenate(name="skip")([u, a])
    return functional(K, x, L.Conv2D(4, 1, activation="softmax", name="pixels")(y), "segmentation")


@network(keras3_only=True)
def operators(K):
    """Python operators on Keras tensors, which Keras 3 saves as operation layers."""
    L = K.layers
    x, y = L.Input((5, 4), name="x"), L.Input((5, 4), name="y")
    return functional(K, [x, y], [x + y, x * 2.0 - 1.0, (x - y) / 3.0, K.ops.relu(-x), K.ops.mean(x, axis=1)], "operators")


@network
def volumes(K):
    """Layers over three spatial axes."""
    L = K.layers
    return branches(
        K, "volumes", (4, 5, 3, 3),
        L.Conv3D(3, 2, name="valid"),
        L.Conv3D(3, (3, 2, 3), strides=(2, 1, 2), padding="same", activation="relu", name="same"),
        L.Conv3D(2, 2, dilation_rate=(2, 1, 1), use_bias=False, name="dilated"),
        L.Conv3DTranspose(2, 3, strides=2, padding="same", activation="tanh", name="transposed"),
        L.Conv3DTranspose(2, 2, strides=(1, 2, 1), name="transposed_valid"),
        L.MaxPooling3D(name="max"),
        L.MaxPooling3D(3, strides=2, padding="same", name="max_same"),
        L.AveragePooling3D((2, 3, 2), strides=1, padding="same", name="average"),
        L.GlobalAveragePooling3D(name="global_average"),
        L.GlobalMaxPooling3D(keepdims=True, name="global_max"),
        L.UpSampling3D((1, 2, 3), name="up"),
        L.ZeroPadding3D(((0, 1), (1, 0), (2, 1)), name="pad"),
        L.Cropping3D(((1, 0), (0, 2), (1, 1)), name="crop"),
        L.BatchNormalization(name="norm"),
        L.SpatialDropout3D(0.5, name="drop"),
    )


@network
def recurrent(K):
    L = K.layers
    x = L.Input((5, 4), name="x")
    h, c = L.Input((3,), name="h"), L.Input((3,), name="c")
    sequence, last_h, last_c = L.LSTM(3, return_sequences=True, return_state=True, name="states")(x)
    _, gru_state = L.GRU(2, return_state=True, name="gru_state")(x)
    return functional(K, [x, h, c], [
        L.LSTM(3, name="lstm")(x),
        L.LSTM(3, return_sequences=True, go_backwards=True, unit_forget_bias=False, name="lstm_back")(x),
        L.LSTM(3, use_bias=False, activation="relu", recurrent_activation="hard_sigmoid", name="lstm_functions")(x),
        L.LSTM(3, return_sequences=True, name="lstm_started")(x, initial_state=[h, c]),
        sequence, last_h, last_c,
        L.GRU(3, name="gru")(x),
        L.GRU(3, reset_after=False, return_sequences=True, name="gru_before")(x),
        L.GRU(2, go_backwards=True, use_bias=False, name="gru_back")(x),
        L.Dense(2, name="on_state")(gru_state),
        L.SimpleRNN(4, name="simple")(x),
        L.SimpleRNN(4, return_sequences=True, activation="relu", name="simple_sequence")(x),
    ], "recurrent")


@network
def wrapped(K):
    """Bidirectional, TimeDistributed and RNN around cells."""
    L = K.layers
    x = L.Input((5, 4), name="x")
    v = L.Input((3, 6, 6, 2), name="v")
    inner = K.Sequential([L.Input((6, 6, 2)), L.Conv2D(2, 3, name="ic"), L.Flatten(name="if"), L.Dense(3, name="id")],
                         name="inner")
    stacked = [L.LSTMCell(3), L.GRUCell(2)]
    both = L.Bidirectional(L.GRU(2, return_sequences=True, return_state=True), name="both_states")(x)
    return functional(K, [x, v], [
        L.Bidirectional(L.LSTM(3), name="both")(x),
        L.Bidirectional(L.LSTM(3, return_sequences=True), merge_mode="sum", name="both_sum")(x),
        L.Bidirectional(L.GRU(2, return_sequences=True), merge_mode="ave", name="both_average")(x),
        L.Bidirectional(L.SimpleRNN(3), merge_mode="mul", backward_layer=L.SimpleRNN(3, go_backwards=True, activation="relu"),
                        name="both_given")(x),
        *both,
        L.TimeDistributed(L.Dense(3, activation="relu"), name="each_dense")(x),
        L.TimeDistributed(L.Conv2D(2, 3, padding="same"), name="each_conv")(v),
        L.TimeDistributed(L.BatchNormalization(), name="each_norm")(v),
        L.TimeDistributed(inner, name="each_model")(v),
        L.RNN(L.LSTMCell(3), name="cell")(x),
        L.RNN(L.GRUCell(3, reset_after=False), return_sequences=True, name="gru_cell")(x),
        L.RNN(L.SimpleRNNCell(3), go_backwards=True, name="simple_cell")(x),
        L.RNN(stacked, return_sequences=True, name="stacked")(x),
    ], "wrapped")


@network
def masked(K):
    """Masks from Masking and Embedding, through layers that pass them on to those that heed them."""
    L = K.layers
    x = L.Input((6, 3), name="x")
    t = L.Input((7,), name="tokens", dtype="int32")
    m = L.Masking(0.0, name="mask")(x)
    e = L.Embedding(9, 4, mask_zero=True, name="embed")(t)
    return functional(K, [x, t], [
        L.LSTM(3, return_sequences=True, name="lstm")(m),
        L.GRU(3, name="gru")(L.Dropout(0.3, name="drop")(L.Dense(4, activation="tanh", name="dense")(m))),
        L.Bidirectional(L.LSTM(2, return_sequences=True), name="both")(e),
        L.GlobalAveragePooling1D(name="average")(e),
        L.SimpleRNN(2, name="simple")(L.LSTM(3, return_sequences=True, name="first")(e)),
        L.TimeDistributed(L.Dense(2), name="each")(m),
        L.MultiHeadAttention(2, 3, name="attention")(e, e),
        L.GRU(2, name="gru_joined")(L.Concatenate(name="joined")([e, L.Dense(2, name="side")(e)])),
    ], "masked")


@network
def attention(K):
    L = K.layers
    q, v, k = L.Input((4, 6), name="q"), L.Input((5, 6), name="v"), L.Input((5, 6), name="k")
    s = L.Input((3, 4, 6), name="s")
    scored, scores = L.MultiHeadAttention(2, 3, name="scored")(q, v, return_attention_scores=True)
    return functional(K, [q, v, k, s], [
        L.MultiHeadAttention(2, 3, name="cross")(q, v),
        L.MultiHeadAttention(3, 4, value_dim=2, output_shape=5, use_bias=False, name="keyed")(q, v, k),
        L.MultiHeadAttention(2, 3, dropout=0.2, name="causal")(q, q, use_causal_mask=True),
        L.MultiHeadAttention(2, 3, attention_axes=(2,), name="axes")(s, s),
        scored, scores,
        L.Attention(name="dot")([q, v]),
        L.Attention(use_scale=True, name="dot_scaled")([q, v, k]),
        L.AdditiveAttention(name="additive")([q, v]),
        L.Attention(name="dot_causal")([q, q], use_causal_mask=True),
    ], "attention")


@network(keras3_only=True)
def attention3(K):
    L = K.layers
    q, v = L.Input((4, 6), name="q"), L.Input((5, 6), name="v")
    allowed = L.Input((4, 5), name="allowed", dtype="bool")
    return functional(K, [q, v, allowed], [
        L.GroupQueryAttention(3, 4, 2, name="grouped")(q, v),
        L.GroupedQueryAttention(3, 4, 2, use_bias=False, name="grouped_causal")(q, q, use_causal_mask=True)
        if hasattr(L, "GroupedQueryAttention") else
        L.GroupQueryAttention(3, 4, 2, use_bias=False, name="grouped_causal")(q, q, use_causal_mask=True),
        L.MultiHeadAttention(2, 3, name="allowed_only")(q, v, attention_mask=allowed),
        L.Attention(score_mode="concat", name="concat")([q, v]),
        L.MultiHeadAttention(2, 3, use_gate=True, name="gated")(q, v),
    ], "attention3")


@network
def dots(K):
    L = K.layers
    a, b = L.Input((4, 3), name="a"), L.Input((4, 5), name="b")
    c, d = L.Input((6,), name="c"), L.Input((6,), name="d")
    w = L.Input((3, 4, 5), name="w")
    return functional(K, [a, b, c, d, w], [
        L.Dot(axes=1, name="dot_1")([a, b]),
        L.Dot(axes=(1, 1), normalize=True, name="cosine")([a, b]),
        L.Dot(axes=1, name="vectors")([c, d]),
        L.Dot(axes=(2, 1), name="dot_21")([w, b]),
    ], "dots")


@network
def sequences(K):
    """Layers over one axis and what surrounds them."""
    L = K.layers
    return branches(
        K, "sequences", (12, 4),
        L.Conv1DTranspose(3, 3, strides=2, padding="same", name="up_same"),
        L.Conv1DTranspose(3, 2, strides=3, activation="relu", name="up_valid"),
        L.DepthwiseConv1D(3, padding="same", depth_multiplier=2, name="depthwise"),
        L.SeparableConv1D(5, 3, dilation_rate=2, activation="relu", name="separable"),
        L.LayerNormalization(name="layer"),
        L.LayerNormalization(axis=[1, 2], center=False, name="layer_both"),
        L.UnitNormalization(name="unit"),
        L.UnitNormalization(axis=[1, 2], name="unit_both"),
        L.GroupNormalization(2, name="groups"),
        L.EinsumDense("abc,cd->abd", output_shape=(None, 5), bias_axes="d", name="einsum"),
        L.EinsumDense("abc,cde->abde", output_shape=(None, 2, 3), bias_axes="de", activation="relu", name="einsum_heads"),
        L.SpatialDropout1D(0.3, name="drop"),
        L.ActivityRegularization(0.1, name="regularize"),
        L.Permute((2, 1), name="permute"),
    )


@network
def channels_first(K):
    """Layers whose channels come first; Keras cannot run all of them on a CPU, so these are a few."""
    L = K.layers
    first = {"data_format": "channels_first"}
    return branches(
        K, "channels_first", (4, 6, 8),
        L.BatchNormalization(axis=1, name="norm"),
        L.GlobalAveragePooling2D(name="average", **first),
        L.GlobalMaxPooling2D(name="max", keepdims=True, **first),
        L.Flatten(name="flatten", **first),
        L.ZeroPadding2D(1, name="pad", **first),
        L.Cropping2D(1, name="crop", **first),
        L.UpSampling2D(2, name="up", **first),
        L.GroupNormalization(2, axis=1, name="groups"),
        L.LayerNormalization(axis=1, name="layer"),
    )


@network(keras3_only=True)
def layers3(K):
    """Layers that Keras 2 does not have."""
    L = K.layers
    x = L.Input((7, 8, 6), name="x")
    y = L.Input((5, 4), name="y")
    return functional(K, [x, y], [
        L.RMSNormalization(name="rms")(x),
        L.SpectralNormalization(L.Conv2D(3, 3), name="spectral")(x),
        L.SpectralNormalization(L.Dense(3), name="spectral_dense")(y),
        L.Identity(name="same")(x),
        L.GroupNormalization(3, name="groups")(x),
        L.GroupNormalization(-1, name="instances")(x),
        L.AdaptiveAveragePooling2D((3, 5), name="adaptive_average")(x),
        L.AdaptiveMaxPooling2D((2, 3), name="adaptive_max")(x),
        L.AdaptiveAveragePooling1D(3, name="adaptive_1d")(y),
        L.Conv2D(4, 3, padding="same", activation=K.layers.LeakyReLU(0.2), name="layer_activation")(x),
        L.Conv2DTranspose(3, 3, strides=2, dilation_rate=1, output_padding=1, padding="same", name="output_padding")(x),
        L.Softmax(axis=(1, 2), name="softmax_axes")(x),
        L.Resizing(5, 9, name="resize")(x),
        L.Resizing(9, 5, interpolation="nearest", name="resize_nearest")(x),
        L.Resizing(4, 4, crop_to_aspect_ratio=True, name="resize_crop")(x),
        L.CenterCrop(4, 5, name="center_crop")(x),
        L.ReLU(max_value=0.5, negative_slope=0.3, name="relu")(x),
    ], "layers3")


@network(keras3_only=True)
def activations3(K):
    L = K.layers
    names = ["celu", "glu", "hard_shrink", "hard_tanh", "log_sigmoid", "soft_shrink", "sparse_plus", "sparsemax",
             "squareplus", "tanh_shrink", "threshold", "sparse_sigmoid"]
    A = K.activations
    makers = [L.Activation(n, name="activation_" + n) for n in names if n != "threshold" and hasattr(A, n)]
    return branches(
        K, "activations3", (6, 4), *makers,
        L.Dense(3, activation=K.activations.gelu, name="function"),
        L.Conv1D(3, 2, activation=L.ELU(alpha=0.7), name="elu"),
        L.Activation(K.ops.tanh, name="operation"),
    )


@network(keras3_only=True)
def tokens(K):
    """A small text model: embeddings of tokens and positions, a block of a transformer."""
    L = K.layers
    t = L.Input((6,), name="tokens", dtype="int32")
    e = L.Embedding(11, 8, name="embed")(t)
    p = L.Embedding(6, 8, name="positions")(K.ops.arange(6))
    x = e + p
    y = L.LayerNormalization(name="norm_1")(x)
    y = L.MultiHeadAttention(2, 4, name="attention")(y, y)
    x = x + y
    y = L.LayerNormalization(name="norm_2")(x)
    y = L.Dense(8, name="contract")(L.Dense(16, activation="gelu", name="expand")(y))
    x = L.Add(name="last_sum")([x, y])
    out = L.Dense(3, activation="softmax", name="head")(x[:, 0])
    tied = L.ReversibleEmbedding(11, 8, name="tied")
    return functional(K, t, [out, tied(tied(t), reverse=True), L.CategoryEncoding(11, "multi_hot", name="hot")(t)], "tokens")


@network(keras3_only=True)
def operations(K):
    """Functions of keras.ops on Keras tensors."""
    L, O = K.layers, K.ops
    x, y = L.Input((5, 4), name="x"), L.Input((5, 4), name="y")
    n = L.Input((6, 6, 3), name="n")
    p = O.abs(x) + 0.5
    first, second = O.split(x, 2, axis=-1)
    top, where = O.top_k(x, 2)
    parts = O.unstack(x, axis=1)
    outputs = [
        x ** 2.0, 1.0 - x, 2.0 / p, O.floor_divide(x, 0.5), O.mod(x, 0.75), -x, abs(x),
        O.add(x, y), O.subtract(x, y), O.multiply(x, y), O.divide(x, p), O.maximum(x, y), O.minimum(x, 0.2),
        O.power(p, 1.5), O.square(x), O.sqrt(p), O.rsqrt(p), O.exp(x), O.expm1(x), O.log(p), O.log1p(p), O.log2(p),
        O.log10(p), O.sin(x), O.cos(x), O.tan(x), O.tanh(x), O.sinh(x), O.cosh(x), O.arctan(x), O.erf(x),
        O.floor(x), O.ceil(x), O.round(x), O.sign(x), O.reciprocal(p), O.absolute(x),
        O.clip(x, -0.5, 0.7), O.logaddexp(x, y), O.squeeze(O.expand_dims(x, 1), 1),
        O.mean(x, axis=1), O.sum(x, axis=-1, keepdims=True), O.max(x, axis=1), O.min(x, axis=(1, 2)), O.prod(x, axis=1),
        O.var(x, axis=1), O.std(x, axis=-1), O.logsumexp(x, axis=-1), O.norm(x, axis=-1), O.amax(x, axis=1), O.average(x, axis=1),
        O.concatenate([x, y], axis=1), O.stack([x, y], axis=2), O.reshape(x, (-1, 20)), O.transpose(x, (0, 2, 1)),
        O.swapaxes(x, 1, 2), O.moveaxis(x, 1, 2), O.flip(x, axis=1), O.repeat(x, 2, axis=1), O.tile(x, (1, 2, 1)),
        O.pad(x, ((0, 0), (1, 2), (0, 1))), O.roll(x, 1, axis=1), O.broadcast_to(O.expand_dims(x, 1), (2, 3, 5, 4)),
        x[:, 1:4:2], x[:, -1], x[..., 0], x[:, None, 2], first, second, parts[2],
        O.matmul(x, O.transpose(y, (0, 2, 1))), O.einsum("bij,bkj->bik", x, y), O.dot(x, O.ones((4, 3))),
        O.where(O.greater(x, y), x, y), O.where(x > 0, x, 0.0), O.cast(x >= y, "float32"),
        O.cast(O.logical_and(x > 0, y > 0), "float32"), O.cast(O.isnan(x), "float32"),
        O.take(x, [2, 0], axis=1), O.take(x, 1, axis=2),
        O.cast(O.argmax(x, axis=1), "float32"), O.cast(O.argmin(x, axis=-1), "float32"), top, O.cast(where, "float32"),
        O.cumsum(x, axis=1), O.tril(x), O.triu(x), O.one_hot(O.argmax(x, axis=-1), 4), O.zeros_like(x) + 1.0, O.ones_like(x),
        O.softmax(x, axis=1), O.log_softmax(x), O.relu(x), O.relu6(x * 4), O.sigmoid(x), O.silu(x), O.gelu(x),
        O.gelu(x, approximate=False), O.elu(x), O.selu(x), O.leaky_relu(x, 0.1), O.softplus(x), O.softsign(x),
        O.hard_sigmoid(x), O.hard_silu(x), O.log_sigmoid(x), O.celu(x), O.glu(x), O.hard_tanh(x), O.tanh_shrink(x),
        O.soft_shrink(x), O.hard_shrink(x), O.squareplus(x), O.sparse_plus(x), O.threshold(x, 0.3, 0.1),
        O.max_pool(n, 2), O.average_pool(n, 3, strides=2, padding="same"), O.image.resize(n, (4, 9)),
        O.normalize(x, axis=-1), x * 5.0,
        O.arange(4, dtype="float32") + x, O.depthwise_conv(n, O.ones((3, 3, 3, 1))), O.conv(n, O.ones((3, 3, 3, 2)), padding="same"),
    ]
    return functional(K, [x, y, n], outputs, "operations")


@network(keras2_only=True)
def paths(K):
    """Names with slashes, as Keras 2 has them in MobileNet V3; its operators on tensors."""
    L = K.layers
    x = L.Input((6, 6, 3), name="x")
    y = L.Conv2D(4, 3, use_bias=False, name="Conv")(x)
    y = L.BatchNormalization(name="Conv/BatchNorm")(y)
    y = L.ReLU(6.0, name="Conv/gate")(y + 3.0) * (1.0 / 6.0)
    z = L.Conv2D(4, 1, name="expanded/Conv/project")(y)
    return functional(K, x, L.Add(name="expanded/Conv/Add")([y, z]), "paths")


@network
def mobilenet_v2_224(K):
    return K.applications.MobileNetV2(input_shape=(224, 224, 3), weights=None)


@network
def mobilenet_v1_128(K):
    return K.applications.MobileNet(input_shape=(128, 128, 3), alpha=0.5, weights=None, dropout=1e-3)


@network
def resnet50(K):
    return K.applications.ResNet50(weights=None)


# MARK: - Weights as a trained network might have them


def settle(model, rng, images):
    """Gives every batch normalization moderate random scales, and statistics near its real input's.

    Freshly made statistics (mean 0, variance 1) make deep networks fade or blow up, and every folding
    trivial. The statistics come from one forward pass in training mode, then get a little noise.
    """
    for layer in flatten(model):
        for weight in layer.weights:
            last = (getattr(weight, "path", None) or weight.name).split("/")[-1].split(":")[0]
            if last in ("bias", "alpha"):
                weight.assign(rng.uniform(-0.2, 0.3, weight.shape).astype("float32"))
    norms = [layer for layer in flatten(model) if type(layer).__name__ == "BatchNormalization"]
    for norm in norms:
        width = norm.moving_mean.shape
        if norm.gamma is not None:
            norm.gamma.assign(rng.uniform(0.6, 1.4, width).astype("float32"))
        if norm.beta is not None:
            norm.beta.assign(rng.normal(0, 0.3, width).astype("float32"))
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    model(images, training=True)
    for norm, momentum in zip(norms, momenta):
        norm.momentum = momentum
        mean, variance = norm.moving_mean.numpy(), norm.moving_variance.numpy()
        variance = np.maximum(variance, 0.1 * variance.mean() + 1e-6)
        noise = rng.normal(0, 0.1, mean.shape) * np.sqrt(variance)
        norm.moving_mean.assign((mean + noise).astype("float32"))
        norm.moving_variance.assign((variance * rng.uniform(0.8, 1.25, mean.shape)).astype("float32"))


def flatten(model):
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from flatten(layer)
        else:
            yield layer


def inputs_for(model, rng):
    batch = {}
    # A Sequential of Keras 3 names its input in the file, not on the tensor.
    given = [layer.name for layer in getattr(model, "_layers", []) if type(layer).__name__ == "InputLayer"]
    for tensor in model.inputs:
        name = given[0] if len(given) == len(model.inputs) == 1 else tensor.name.split(":")[0]
        shape = [2] + [int(d) for d in tensor.shape[1:]]
        if shape[-1] == 3 and shape[1] >= 100:
            # Smooth fields rather than white noise: nearer to what photographs do to a network.
            coarse = rng.uniform(-1, 1, (2, 8, 8, 3))
            up = coarse.repeat(-(-shape[1] // 8), 1).repeat(-(-shape[2] // 8), 2)[:, : shape[1], : shape[2]]
            value = np.clip(up + rng.normal(0, 0.15, shape), -1, 1)
        else:
            value = rng.normal(0, 1, shape)
        kind = getattr(tensor.dtype, "name", tensor.dtype)
        if kind == "bool":
            batch[name] = value > -0.7
        elif kind.startswith("int"):
            # Tokens: small numbers, zeros (which may mask) at the end and in between.
            value = rng.integers(0, 6, shape)
            value[:, -2:] = 0
            batch[name] = value.astype(kind)
        else:
            if model.name == "masked":
                value[0, -2:], value[1, 1] = 0, 0
            batch[name] = value.astype("float32")
    return batch


def write(module, name, out, suffixes, arrays):
    module.utils.set_random_seed(SEED)
    module.backend.clear_session()
    model = NETWORKS[name](module)
    rng = np.random.default_rng(SEED)
    batch = inputs_for(model, rng)
    values = list(batch.values())
    settle(model, rng, values if len(values) > 1 else values[0])
    # Saved first, so that what is computed is computed by the file.
    for suffix in suffixes:
        model.save(os.path.join(out, name + suffix))
    results = model.predict(values if len(values) > 1 else values[0], verbose=0)
    results = results if isinstance(results, (list, tuple)) else [results]
    np.savez(
        os.path.join(out, name + arrays),
        **{"in/" + k: v for k, v in batch.items()},
        **{f"out/{i}": np.asarray(v) for i, v in enumerate(results)},
    )
    spread = [float(np.std(r)) for r in results]
    return model, [list(np.shape(r)) for r in results], spread


def main():
    out, *names = [a for a in sys.argv[1:] if a != "--keras3"]
    keras2 = "--keras3" not in sys.argv
    os.makedirs(out, exist_ok=True)
    import keras

    for name in names or NETWORKS:
        row, keras3 = "", name not in KERAS2_ONLY
        if keras3:
            model, shapes, spread = write(keras, name, out, [".keras", ".h5"], ".npz")
        if keras2 and name not in KERAS3_ONLY:
            import tf_keras

            other = write(tf_keras, name, out, [".k2.h5"], ".k2.npz")
            model, shapes, spread = (model, shapes, spread) if keras3 else other
            row = " yes |"
        elif keras3:
            row = " no |"
        else:
            continue
        row = f"| {name} | {len(list(flatten(model)))} | {model.count_params()} | {shapes} | {min(spread):.3g} |" + row
        print(row, flush=True)


if __name__ == "__main__":
    main()
