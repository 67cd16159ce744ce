"""Writes networks with the real TensorFlow, in every form of file that it has, and what it computes for them.

    python make_tensorflow_models.py OUT_DIR [NAME...] [--large]

Each case is a folder OUT_DIR/NAME: the model's files, `case.json` (`model`: the path in the folder; `inputs`,
`outputs`, `signature`: what the importer is told) and `golden.npz` (`in/<name>`, `out/<index>`). With
--large the networks of Keras Applications and of TensorFlow 1's slim library, at their full size, which are not kept
in the repository; without it the small ones, which pack_tensorflow_models.py packs.

Made with TensorFlow 2.21.0, Keras 3.15.1 and tf_keras 2.21.0.
"""

import json
import os
import shutil
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import numpy as np
import tensorflow as tf

tf.config.threading.set_intra_op_parallelism_threads(1)
v1 = tf.compat.v1
OUT = sys.argv[1]
RNG = np.random.default_rng(20260401)
SMALL, LARGE = {}, {}


def case(function):
    SMALL[function.__name__] = function
    return function


def large(function):
    LARGE[function.__name__] = function
    return function


def fresh(name):
    folder = os.path.join(OUT, name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    return folder


def finish(name, model, inputs, results, **told):
    folder = os.path.join(OUT, name)
    arrays = {f"in/{k}": np.asarray(v) for k, v in inputs.items()}
    arrays |= {f"out/{i}": np.asarray(v) for i, v in enumerate(results)}
    np.savez(os.path.join(folder, "golden.npz"), **arrays)
    with open(os.path.join(folder, "case.json"), "w") as file:
        json.dump({"model": model} | told, file)


def data(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


# MARK: - Keras


def randomize(model):
    """Batch norms with statistics as training leaves them; weights so that activations keep their variance."""
    for variable in model.weights:
        name = variable.path if hasattr(variable, "path") else variable.name
        shape = tuple(variable.shape)
        if "variance" in name:
            value = RNG.uniform(0.5, 1.5, shape)
        elif "gamma" in name:
            value = RNG.uniform(0.8, 1.2, shape)
        elif len(shape) == 1:
            value = RNG.standard_normal(shape) * 0.1
        elif "seed" in name:
            continue
        else:
            fan = np.prod(shape[:-1]) if "depthwise" not in name else np.prod(shape[:2])
            value = RNG.standard_normal(shape) * np.sqrt(1.6 / fan)
        variable.assign(value.astype(np.float32))


def keras_case(name, K, model, how, batch=1):
    randomize(model)
    folder = fresh(name)
    x = data(batch, *model.inputs[0].shape[1:])
    if how == "export":
        model.export(folder, verbose=False)
    elif how == "save":
        tf.saved_model.save(model, folder)
    else:
        model.save(folder, save_format="tf")
    loaded = tf.saved_model.load(folder).signatures["serving_default"]
    key = next(iter(loaded.structured_input_signature[1]))
    y = loaded(**{key: tf.constant(x)})
    finish(name, "saved_model.pb", {key: x}, [y[k] for k in sorted(y)])


def both():
    import keras
    import tf_keras

    return [("keras3", keras, "export"), ("keras3s", keras, "save"), ("keras2", tf_keras, "tf")]


def cnn(K):
    L = K.layers
    x = L.Input((16, 16, 3), name="image")
    y = L.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(x)
    y = L.BatchNormalization()(y)
    y = L.ReLU(6.0)(y)
    z = L.DepthwiseConv2D(3, padding="same")(y)
    z = L.BatchNormalization()(z)
    z = L.Activation("swish")(z)
    y = L.Add()([y, z])
    y = L.ZeroPadding2D(1)(y)
    y = L.SeparableConv2D(12, 3, activation="relu")(y)
    y = L.UpSampling2D(2, interpolation="bilinear")(y)
    y = L.Concatenate()([L.MaxPooling2D(2)(y), L.AveragePooling2D(3, 2, padding="same")(y)])
    y = L.Conv2DTranspose(6, 3, strides=2, padding="same")(y)
    y = L.Conv2D(6, 3, dilation_rate=2, padding="same", activation="elu")(y)
    y = L.Dropout(0.3)(y)
    y = L.GlobalAveragePooling2D()(y)
    return K.Model(x, L.Dense(5, activation="softmax")(y))


def lstm(K):
    L = K.layers
    x = L.Input((6, 4), name="series")
    y = L.LSTM(5, return_sequences=True)(x)
    y = L.Bidirectional(L.LSTM(4))(y)
    return K.Model(x, L.Dense(3)(y))


def gru(K):
    L = K.layers
    x = L.Input((5, 4), name="series")
    y = L.GRU(6, return_sequences=True)(x)
    y = L.GRU(3, reset_after=False)(y)
    return K.Model(x, L.Dense(2)(y))


def attention(K):
    L = K.layers
    x = L.Input((7, 8), name="tokens")
    y = L.LayerNormalization()(x)
    y = L.Add()([x, L.MultiHeadAttention(2, 4)(y, y)])
    z = L.LayerNormalization()(y)
    z = L.Dense(16, activation="gelu")(z)
    y = L.Add()([y, L.Dense(8)(z)])
    return K.Model(x, L.Dense(3)(L.GlobalAveragePooling1D()(y)))


def causal(K):
    L = K.layers
    x = L.Input((20, 3), name="series")
    y = x
    for rate in [1, 2, 4]:
        y = L.Conv1D(6, 3, dilation_rate=rate, padding="causal", activation="relu")(y)
    return K.Model(x, L.Dense(2)(y))


for maker in [cnn, lstm, gru, attention, causal]:

    def build(maker=maker):
        for prefix, K, how in both():
            K.backend.clear_session()
            keras_case(f"{prefix}_{maker.__name__}", K, maker(K), how)

    SMALL[f"keras_{maker.__name__}"] = build


# MARK: - Modules


@case
def module_signatures():
    """Two signatures; a table of embeddings; branches and loops that can be resolved."""

    class Module(tf.Module):
        def __init__(self):
            self.table = tf.Variable(data(11, 4), name="table")
            self.layers = [tf.Variable(data(4, 4), name="w") for _ in range(2)]

        @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.int32, name="ids")])
        def embed(self, ids):
            y = tf.reduce_mean(tf.nn.embedding_lookup(self.table, ids), axis=1)
            for w in self.layers:
                y = tf.tanh(y @ w)
            return {"features": y, "norm": tf.norm(y, axis=-1)}

        @tf.function(input_signature=[tf.TensorSpec([1, 4], tf.float32, name="x")])
        def loop(self, x):
            total = tf.zeros([1, 4])
            for i in tf.range(5):
                if i % 2 == 0:
                    total += x * tf.cast(i, tf.float32)
                else:
                    total -= tf.matmul(x, self.layers[0])
            if tf.reduce_sum(x) > 0:
                total = total + 1.0
            else:
                total = total * 2.0
            return {"total": total}

    module = Module()
    folder = fresh("module_signatures")
    tf.saved_model.save(module, folder, {"embed": module.embed, "loop": module.loop})
    ids = RNG.integers(0, 11, (1, 3)).astype(np.int32)
    y = module.embed(ids)
    finish("module_signatures", "saved_model.pb", {"ids": ids}, [y["features"], y["norm"]], signature="embed")
    shutil.copytree(folder, fresh("module_loop"), dirs_exist_ok=True)
    x = data(1, 4)
    finish("module_loop", "saved_model.pb", {"x": x}, [module.loop(x)["total"]], signature="loop")


def raw_operators():
    """Operators by themselves: name -> function of an image x [1, 6, 8, 3] and a matrix m [1, 5, 4]."""
    table = {}
    for name in (
        "abs ceil cos elu erf erfc exp expm1 floor negative relu relu6 rsqrt selu sigmoid sin softplus softsign "
        "sqrt square tanh round rint log log1p reciprocal"
    ).split():
        f = getattr(tf.math, name, None) or getattr(tf.nn, name)
        positive = name in ("rsqrt", "sqrt", "log", "log1p", "reciprocal")
        table[name] = lambda x, m, f=f, positive=positive: f(tf.abs(m) + 0.5 if positive else m)
    table |= {
        "leaky": lambda x, m: tf.nn.leaky_relu(m, 0.3),
        "clip": lambda x, m: tf.clip_by_value(m, -0.5, 0.7),
        "floordiv": lambda x, m: tf.math.floordiv(m, 0.3),
        "floormod": lambda x, m: tf.math.floormod(m, 0.7),
        "div_no_nan": lambda x, m: tf.math.divide_no_nan(m, tf.nn.relu(m - 0.2)),
        "pow": lambda x, m: tf.pow(tf.abs(m), 1.7),
        "where": lambda x, m: tf.where(m > 0, m, m * 3),
        "squared_difference": lambda x, m: tf.math.squared_difference(m, 0.4),
        "addn": lambda x, m: tf.add_n([m, m * 2, m * 3]),
        "mean": lambda x, m: tf.reduce_mean(x, [1, 2], keepdims=True),
        "max": lambda x, m: tf.reduce_max(x, -1),
        "min": lambda x, m: tf.reduce_min(x, [0, 3]),
        "prod": lambda x, m: tf.reduce_prod(m, 1),
        "logsumexp": lambda x, m: tf.reduce_logsumexp(m, -1),
        "softmax": lambda x, m: tf.nn.softmax(m),
        "softmax_axis": lambda x, m: tf.nn.softmax(x, 1),
        "log_softmax": lambda x, m: tf.nn.log_softmax(m),
        "transpose": lambda x, m: tf.transpose(x, [0, 3, 1, 2]),
        "concat": lambda x, m: tf.concat([m, m * 2], 1),
        "stack": lambda x, m: tf.stack([m, -m], 2),
        "unstack": lambda x, m: tf.unstack(m, axis=1)[3],
        "split": lambda x, m: tf.split(m, [1, 2, 2], 1)[1],
        "even_split": lambda x, m: tf.split(m, 2, 2)[1],
        "slice": lambda x, m: tf.slice(x, [0, 1, 2, 0], [1, 3, -1, 2]),
        "strided": lambda x, m: x[:, ::-2, 1:-1:3, tf.newaxis, ..., 1],
        "gather": lambda x, m: tf.gather(m, [[0, 4], [2, 2]], axis=1),
        "pad": lambda x, m: tf.pad(m, [[0, 0], [1, 2], [3, 0]], constant_values=0.5),
        "mirror": lambda x, m: tf.pad(x, [[0, 0], [2, 1], [0, 3], [0, 0]], "REFLECT"),
        "symmetric": lambda x, m: tf.pad(m, [[0, 0], [2, 1], [0, 3]], "SYMMETRIC"),
        "squeeze": lambda x, m: tf.squeeze(m),
        "expand": lambda x, m: tf.expand_dims(m, -2),
        "tile": lambda x, m: tf.tile(m, [2, 1, 3]),
        "broadcast": lambda x, m: tf.broadcast_to(m[:, :1], [3, 5, 4]),
        "roll": lambda x, m: tf.roll(m, 2, 1),
        "reverse": lambda x, m: tf.reverse(m, [1]),
        "cumsum": lambda x, m: tf.cumsum(m, 1),
        "cumsum_exclusive": lambda x, m: tf.cumsum(m, 2, exclusive=True, reverse=True),
        "argmax": lambda x, m: tf.cast(tf.argmax(m, 1), tf.float32),
        "topk": lambda x, m: tf.math.top_k(m, 2)[0],
        "one_hot": lambda x, m: tf.one_hot(tf.argmax(m, 2), 4, 2.0, -1.0),
        "gather_nd": lambda x, m: tf.gather_nd(m, [[0, 1], [0, 3]]),
        "depth_to_space": lambda x, m: tf.nn.depth_to_space(tf.concat([x, x, x, x], 3), 2),
        "space_to_depth": lambda x, m: tf.nn.space_to_depth(x, 2),
        "lrn": lambda x, m: tf.nn.local_response_normalization(x, 1, 1.0, 0.5, 0.6),
        "band": lambda x, m: tf.linalg.band_part(m, 1, 0),
        "batch_matmul": lambda x, m: tf.matmul(m, m, transpose_b=True),
        "einsum": lambda x, m: tf.einsum("bij,bkj->bik", m, m),
        "einsum_wide": lambda x, m: tf.einsum("bhwc,bhwd->bcd", x, x),
        "einsum_ellipsis": lambda x, m: tf.einsum("...i,ij->...j", m, tf.constant(W)),
        "conv_explicit": lambda x, m: tf.nn.conv2d(x, F, 2, [[0, 0], [1, 2], [0, 1], [0, 0]]),
        "conv_groups": lambda x, m: tf.nn.conv2d(tf.concat([x, x], 3), F, 1, "SAME"),
        "depthwise": lambda x, m: tf.nn.depthwise_conv2d(x, D, [1, 2, 2, 1], "SAME"),
        "transposed": lambda x, m: tf.nn.conv2d_transpose(x, T, [1, 12, 16, 5], 2, "SAME"),
        "maxpool": lambda x, m: tf.nn.max_pool2d(x, 3, 2, "SAME"),
        "avgpool": lambda x, m: tf.nn.avg_pool2d(x, [2, 3], [2, 1], "VALID"),
        "bilinear": lambda x, m: tf.image.resize(x, [9, 5]),
        "nearest": lambda x, m: tf.image.resize(x, [9, 5], "nearest"),
        "bilinear_corners": lambda x, m: v1.image.resize_bilinear(x, [11, 13], align_corners=True),
        "fake_quant": lambda x, m: tf.quantization.fake_quant_with_min_max_args(m, -1.3, 2.0),
        "fake_quant_narrow": lambda x, m: tf.quantization.fake_quant_with_min_max_args(m, -1, 1, 4, True),
        "fake_quant_channel": lambda x, m: tf.quantization.fake_quant_with_min_max_vars_per_channel(
            m, tf.constant([-1.0, -0.5, -2, -1]), tf.constant([1.0, 0.5, 2, 3])
        ),
    }
    return table


W, F, D, T = data(4, 3), data(3, 3, 3, 4), data(3, 3, 3, 2), data(3, 3, 5, 3)


def constant_graph(f, *specs):
    """The frozen graph of a function."""
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    concrete = tf.function(f).get_concrete_function(*specs)
    return convert_variables_to_constants_v2(concrete)


def write_operators(name, table):
    folder = fresh(name)
    x, m = data(1, 6, 8, 3), data(1, 5, 4)

    def f(x, m):
        return {key: tf.identity(g(x, m), name="out_" + key) for key, g in table.items()}

    frozen = constant_graph(f, tf.TensorSpec([1, 6, 8, 3], name="x"), tf.TensorSpec([1, 5, 4], name="m"))
    graph = frozen.graph.as_graph_def()
    tf.io.write_graph(graph, folder, "model.pb", as_text=False)
    with v1.Session(graph=v1.Graph()) as session:
        v1.import_graph_def(graph, name="")
        outputs = session.run([f"out_{key}:0" for key in table], {"x:0": x, "m:0": m})
    finish(name, "model.pb", {"x": x, "m": m}, outputs, outputs=[f"out_{key}" for key in table])


@case
def operators():
    write_operators("operators", raw_operators())


@case
def channels_first():
    """A graph of NCHW operators; TensorFlow's CPU kernels have none, so the expectation is of NHWC ones."""
    folder = fresh("channels_first")
    x = data(1, 3, 8, 6)
    bias, gamma, beta, mean, var = (data(4) for _ in range(5))
    var = np.abs(var) + 0.5

    def network(x, axis, format):
        def perm(values):
            return [values[i] for i in ((0, 3, 1, 2) if format == "NCHW" else range(4))]

        y = tf.nn.conv2d(x, F, perm([1, 2, 1, 1]), "SAME", data_format=format)
        y = tf.nn.bias_add(y, bias, data_format=format)
        y = tf.raw_ops.FusedBatchNormV3(
            x=y, scale=gamma, offset=beta, mean=mean, variance=var, is_training=False, data_format=format
        )[0]
        y = tf.nn.relu(y)
        y = tf.nn.max_pool2d(y, perm([1, 3, 2, 1]), perm([1, 1, 2, 1]), "SAME", data_format=format)
        return tf.identity(tf.reduce_mean(y, axis), name="y")

    graph = v1.Graph()
    with graph.as_default():
        network(v1.placeholder(tf.float32, [None, 3, 8, 6], name="x"), [2, 3], "NCHW")
    tf.io.write_graph(graph.as_graph_def(), folder, "model.pb", as_text=False)
    y = network(tf.transpose(x, [0, 2, 3, 1]), [1, 2], "NHWC")
    finish("channels_first", "model.pb", {"x": x}, [y])


# MARK: - TensorFlow 1: networks as its slim library builds them


class Slim:
    """Layers with real variables; `width` scales the channels."""

    def __init__(self, width, training=None, norm=True):
        self.width, self.training, self.norm = width, training, norm

    def channels(self, n):
        return max(2, int(n * self.width))

    def variable(self, name, shape, value):
        return v1.get_variable(name, initializer=tf.constant(value.astype(np.float32).reshape(shape)))

    def bn(self, y):
        c = y.shape[-1]
        with v1.variable_scope("BatchNorm"):
            beta = self.variable("beta", [c], RNG.standard_normal(c) * 0.1)
            gamma = self.variable("gamma", [c], RNG.uniform(0.8, 1.2, c))
            mean = self.variable("moving_mean", [c], RNG.standard_normal(c) * 0.1)
            var = self.variable("moving_variance", [c], RNG.uniform(0.5, 1.5, c))
            if self.training is None:
                return v1.nn.fused_batch_norm(y, gamma, beta, mean, var, 0.001, is_training=False)[0]
            return v1.cond(
                self.training,
                lambda: v1.nn.fused_batch_norm(y, gamma, beta, epsilon=0.001, is_training=True)[0],
                lambda: v1.nn.fused_batch_norm(y, gamma, beta, mean, var, 0.001, is_training=False)[0],
            )

    def conv(self, y, name, n, kernel, stride=1, padding="SAME", rate=1, relu=tf.nn.relu, norm=None):
        k = (kernel, kernel) if isinstance(kernel, int) else kernel
        c = int(y.shape[-1])
        with v1.variable_scope(name):
            w = self.variable("weights", [*k, c, n], RNG.standard_normal(k[0] * k[1] * c * n) * np.sqrt(1.6 / (k[0] * k[1] * c)))
            y = v1.nn.convolution(y, w, padding, [stride, stride], [rate, rate])
            if self.norm if norm is None else norm:
                y = self.bn(y)
            else:
                y = tf.nn.bias_add(y, self.variable("biases", [n], RNG.standard_normal(n) * 0.1))
            return relu(y) if relu else y

    def depthwise(self, y, name, stride):
        c = int(y.shape[-1])
        with v1.variable_scope(name):
            w = self.variable("depthwise_weights", [3, 3, c, 1], RNG.standard_normal(9 * c) * 0.4)
            y = v1.nn.depthwise_conv2d_native(y, w, [1, stride, stride, 1], "SAME")
            return tf.nn.relu6(self.bn(y))

    def dense(self, y, name, n, relu=tf.nn.relu):
        c = int(y.shape[-1])
        with v1.variable_scope(name):
            w = self.variable("weights", [c, n], RNG.standard_normal(c * n) * np.sqrt(1.6 / c))
            y = tf.nn.bias_add(tf.matmul(y, w), self.variable("biases", [n], RNG.standard_normal(n) * 0.1))
            return relu(y) if relu else y

    def dropout(self, y, keep=0.8):
        if self.training is None:
            return y
        return v1.cond(self.training, lambda: v1.nn.dropout(y, keep_prob=keep), lambda: tf.identity(y))


def mobilenet_v1(s, x, classes):
    with v1.variable_scope("MobilenetV1"):
        y = s.conv(x, "Conv2d_0", s.channels(32), 3, 2, relu=tf.nn.relu6)
        for i, (n, stride) in enumerate([(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1), (1024, 2)]):
            y = s.depthwise(y, f"Conv2d_{i + 1}_depthwise", stride)
            y = s.conv(y, f"Conv2d_{i + 1}_pointwise", s.channels(n), 1, relu=tf.nn.relu6)
        size = y.shape[1:3]
        y = tf.nn.avg_pool2d(y, size, size, "VALID")
        y = s.dropout(y)
        y = s.conv(y, "Logits/Conv2d_1c_1x1", classes, 1, relu=None, norm=False)
        return tf.nn.softmax(tf.squeeze(y, [1, 2]), name="Predictions/Softmax")


def squeezenet(s, x, classes):
    s.norm = False
    with v1.variable_scope("squeezenet"):
        y = s.conv(x, "conv1", s.channels(64), 3, 2, "VALID")
        y = tf.nn.max_pool2d(y, 3, 2, "VALID")
        for i, n in enumerate([16, 16, 32, 32]):
            with v1.variable_scope(f"fire{i + 2}"):
                z = s.conv(y, "squeeze", s.channels(n), 1)
                y = tf.concat([s.conv(z, "1x1", s.channels(4 * n), 1), s.conv(z, "3x3", s.channels(4 * n), 3)], 3)
        y = s.dropout(y, 0.5)
        y = s.conv(y, "conv10", classes, 1)
        y = tf.squeeze(tf.reduce_mean(y, [1, 2], keepdims=True), [1, 2])
        return tf.nn.softmax(y, name="prob")


def inception_v3(s, x, classes):
    with v1.variable_scope("InceptionV3"):
        y = s.conv(x, "Conv2d_1a_3x3", s.channels(32), 3, 2, "VALID")
        y = s.conv(y, "Conv2d_2b_3x3", s.channels(64), 3)
        y = tf.nn.max_pool2d(y, 3, 2, "VALID")
        for i in range(2):
            with v1.variable_scope(f"Mixed_5{'bc'[i]}"):
                a = s.conv(y, "Branch_0", s.channels(64), 1)
                b = s.conv(s.conv(y, "Branch_1a", s.channels(48), 1), "Branch_1b", s.channels(64), 5)
                c = s.conv(y, "Branch_2a", s.channels(64), 1)
                c = s.conv(s.conv(c, "Branch_2b", s.channels(96), (1, 7)), "Branch_2c", s.channels(96), (7, 1))
                d = s.conv(tf.nn.avg_pool2d(y, 3, 1, "SAME"), "Branch_3", s.channels(32), 1)
                y = tf.concat([a, b, c, d], 3)
        a = s.conv(y, "Mixed_6a/Branch_0", s.channels(384), 3, 2, "VALID")
        y = tf.concat([a, tf.nn.max_pool2d(y, 3, 2, "VALID")], 3)
        size = y.shape[1:3]
        y = s.dropout(tf.nn.avg_pool2d(y, size, 1, "VALID"))
        y = s.conv(y, "Logits", classes, 1, relu=None, norm=False)
        y = tf.reshape(y, [-1, classes])
        return tf.nn.softmax(y, name="Predictions")


def resnet_v1(s, x, classes, output_stride=None):
    with v1.variable_scope("resnet_v1"):
        y = tf.pad(x, [[0, 0], [3, 3], [3, 3], [0, 0]])
        y = s.conv(y, "conv1", s.channels(64), 7, 2, "VALID")
        y = tf.nn.max_pool2d(y, 3, 2, "SAME")
        rate = 1
        for block, (n, units) in enumerate([(64, 2), (128, 2), (256, 2)]):
            for unit in range(units):
                stride = 2 if unit == units - 1 and block < 2 else 1
                if output_stride and block >= 1:
                    stride, rate = 1, rate * stride
                with v1.variable_scope(f"block{block + 1}/unit_{unit + 1}"):
                    c = s.channels(4 * n)
                    if int(y.shape[-1]) == c:
                        short = y if stride == 1 else tf.nn.max_pool2d(y, 1, stride, "VALID")
                    else:
                        short = s.conv(y, "shortcut", c, 1, stride, relu=None)
                    z = s.conv(y, "conv1", s.channels(n), 1)
                    z = s.conv(z, "conv2", s.channels(n), 3, stride, rate=rate)
                    z = s.conv(z, "conv3", c, 1, relu=None)
                    y = tf.nn.relu(short + z)
        y = tf.reduce_mean(y, [1, 2], name="pool5", keepdims=True)
        y = s.conv(y, "logits", classes, 1, relu=None, norm=False)
        return tf.nn.softmax(tf.squeeze(y, [1, 2]), name="predictions")


def alexnet(s, x, classes):
    s.norm = False
    with v1.variable_scope("alexnet_v2"):
        y = s.conv(x, "conv1", s.channels(64), 11, 4, "VALID")
        y = tf.nn.lrn(y, 2, 1.0, 2e-4, 0.75)
        y = tf.nn.max_pool2d(y, 3, 2, "VALID")
        y = s.conv(y, "conv2", s.channels(192), 5)
        y = tf.nn.max_pool2d(y, 3, 2, "VALID")
        y = s.conv(y, "conv3", s.channels(384), 3)
        y = s.conv(y, "conv5", s.channels(256), 3)
        y = tf.reshape(y, [-1, int(np.prod(y.shape[1:]))])
        y = s.dropout(s.dense(y, "fc6", s.channels(4096)), 0.5)
        return s.dense(y, "fc8", classes, relu=None)


NETWORKS = {"mobilenet_v1": mobilenet_v1, "squeezenet": squeezenet, "inception_v3": inception_v3, "resnet_v1": resnet_v1, "alexnet": alexnet}


def slim_case(name, network, form, width, size, classes, training=False, **options):
    """A network in one of the forms: frozen, text, v2 (.pb with a checkpoint), v1 (old checkpoint), meta, meta_v1, saved_model."""
    folder = fresh(name)
    v1.disable_control_flow_v2()
    if form != "saved_model_resource":
        v1.disable_resource_variables()
    with v1.Graph().as_default() as graph, v1.Session(graph=graph) as session:
        x = v1.placeholder(tf.float32, [None, size, size, 3], name="input")
        flag = v1.placeholder_with_default(False, [], name="is_training") if training else None
        if training == "placeholder":
            flag = v1.placeholder(tf.bool, [], name="is_training")
        if options.pop("partitioned", False):
            v1.get_variable_scope().set_partitioner(v1.fixed_size_partitioner(2, axis=3))
            with v1.variable_scope("", partitioner=v1.fixed_size_partitioner(2, axis=0)):
                gain = v1.get_variable("gain", [5, 1, 3], initializer=v1.random_normal_initializer(seed=1))
            v1.get_variable_scope().set_partitioner(None)
            x0 = x * tf.reduce_mean(tf.convert_to_tensor(gain), axis=0)
        else:
            x0 = x
        y = network(Slim(width, flag), x0, classes, **options)
        if training:
            labels = v1.placeholder(tf.int64, [None], name="labels")
            logits = y.op.inputs[0] if y.op.type == "Softmax" else y
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
            tf.reduce_mean(tf.cast(tf.equal(tf.argmax(y, 1), labels), tf.float32), name="accuracy")
            v1.train.AdamOptimizer(1e-3).minimize(loss, global_step=v1.train.get_or_create_global_step())
            v1.summary.scalar("loss", loss)
        session.run(v1.global_variables_initializer())
        # Few digits, so that the packed case is small.
        image = np.round(data(1, size, size, 3) * 4) / 4
        feed = {x: image} | ({flag: False} if training else {})
        golden = session.run(y, feed)
        model = "model.pb"
        if form in ("frozen", "text"):
            frozen = v1.graph_util.convert_variables_to_constants(session, graph.as_graph_def(), [y.op.name])
            model = "model.pbtxt" if form == "text" else model
            tf.io.write_graph(frozen, folder, model, as_text=form == "text")
        elif form in ("v1", "v2", "meta", "meta_v1"):
            tf.io.write_graph(graph.as_graph_def(), folder, model, as_text=False)
            version = v1.train.SaverDef.V1 if form.endswith("v1") else v1.train.SaverDef.V2
            saver = v1.train.Saver(write_version=version)
            prefix = os.path.join(folder, "model.ckpt")
            saver.save(session, prefix, global_step=7, write_meta_graph=form.startswith("meta"))
            if form.startswith("meta"):
                os.remove(os.path.join(folder, model))
                model = "model.ckpt-7.meta"
        else:
            model = "saved_model.pb"
            shutil.rmtree(folder)
            v1.saved_model.simple_save(session, folder, {"image": x}, {"probabilities": y})
            finish(name, model, {"image": image}, [golden])
            return
        finish(name, model, {"input": image}, [golden])


@case
def slim():
    slim_case("slim_mobilenet_v1_frozen", mobilenet_v1, "frozen", 0.04, 32, 7)
    slim_case("slim_mobilenet_v1_meta", mobilenet_v1, "meta", 0.03, 32, 7, training=True)
    slim_case("slim_squeezenet_v1", squeezenet, "v1", 0.1, 40, 6)
    slim_case("slim_squeezenet_v2", squeezenet, "v2", 0.1, 40, 6, training="placeholder")
    slim_case("slim_inception_v3_v2", inception_v3, "v2", 0.04, 35, 5, training=True)
    slim_case("slim_inception_v3_v1", inception_v3, "v1", 0.04, 35, 5)
    slim_case("slim_resnet_v1_saved", resnet_v1, "saved_model", 0.04, 24, 5)
    slim_case("slim_resnet_v1_dilated", resnet_v1, "frozen", 0.04, 24, 5, output_stride=8)
    slim_case("slim_alexnet_frozen", alexnet, "frozen", 0.02, 59, 5)
    slim_case("slim_alexnet_meta", alexnet, "meta", 0.02, 59, 5, training=True)
    slim_case("slim_squeezenet_text", squeezenet, "text", 0.04, 40, 3)
    slim_case("slim_partitioned", squeezenet, "meta", 0.04, 40, 3, partitioned=True)
    slim_case("slim_partitioned_v1", squeezenet, "meta_v1", 0.04, 40, 3, partitioned=True)


# MARK: - Large networks


@large
def keras_applications():
    import keras
    import tf_keras

    for name in ["MobileNetV2", "ResNet50", "EfficientNetB0"]:
        for prefix, K, how in both():
            K.backend.clear_session()
            model = getattr(K.applications, name)(weights=None)
            keras_case(f"{prefix}_{name}", K, model, how)


@large
def slim_full():
    for name, size in [("mobilenet_v1", 224), ("squeezenet", 227), ("inception_v3", 299), ("resnet_v1", 224), ("alexnet", 224)]:
        for form in ["frozen", "v1", "v2"]:
            slim_case(f"full_{name}_{form}", NETWORKS[name], form, 1.0, size, 1001)


if __name__ == "__main__":
    wanted = [a for a in sys.argv[2:] if not a.startswith("--")]
    table = LARGE if "--large" in sys.argv else SMALL
    for name in wanted or table:
        (SMALL | LARGE)[name]()
        print(name, flush=True)
