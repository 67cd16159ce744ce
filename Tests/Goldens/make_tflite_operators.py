"""Single-operator .tflite files, and what LiteRT's reference kernels compute for them.

Each file is built table by table from the published schema, so that operators that no converter
writes any more are there too. Versions: ai-edge-litert 2.3.0, flatbuffers 25, numpy 2.

usage: make_tflite_operators.py Tests/Fixtures/tflite/operators.zip
Entries: NAME/model.tflite, NAME/inN.npy, NAME/outN.npy, in the order of the file's inputs and outputs.
"""

import io
import sys
import zipfile

import flatbuffers
import numpy as np
from ai_edge_litert import interpreter as litert
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import flexbuffers

TYPES = {
    "float32": 0, "float16": 1, "int32": 2, "uint8": 3, "int64": 4, "bool": 6, "int16": 7,
    "int8": 9, "float64": 10, "uint32": 15, "complex64": 8, "resource": 13, "int4": 17,
}
rng = np.random.RandomState(7)


class Value:
    """A tensor of a file: an input (`data` is fed), a constant or a variable."""

    def __init__(self, data=None, dtype=None, shape=None, q=None, const=False, variable=False,
                 sparsity=None, raw=None):
        self.sparsity, self.raw = sparsity, raw
        self.data = None if data is None else np.asarray(data)
        self.dtype = dtype or str(self.data.dtype)
        self.shape = list(self.data.shape) if shape is None else list(shape)
        self.q, self.const, self.variable = q, const, variable


def floats(*shape, low=-2.0, high=2.0):
    return Value(rng.uniform(low, high, shape).astype("float32"))


def quantized(dtype, *shape, scale=0.05, zero=3):
    info = np.iinfo(dtype)
    data = rng.randint(info.min, info.max + 1, shape).astype(dtype)
    return Value(data, q=([scale], [zero]))


def const(data, dtype="int32", q=None):
    return Value(np.asarray(data, dtype=dtype), q=q, const=True)


def out(dtype="float32", q=None):
    return Value(dtype=dtype, shape=[], q=q)


def tensor(model, graph, value, name):
    entry = schema.TensorT()
    entry.name = name
    entry.type = TYPES[value.dtype]
    entry.shape = value.shape
    entry.isVariable = value.variable
    entry.hasRank = True
    entry.buffer = 0
    entry.sparsity = value.sparsity
    if value.const:
        data = schema.BufferT()
        content = value.data.tobytes() if value.raw is None else value.raw
        data.data = np.frombuffer(content, dtype=np.uint8)
        model.buffers.append(data)
        entry.buffer = len(model.buffers) - 1
    if value.q:
        entry.quantization = schema.QuantizationParametersT()
        entry.quantization.scale = np.asarray(value.q[0], dtype="float32")
        entry.quantization.zeroPoint = np.asarray(value.q[1], dtype="int64")
        if len(value.q) > 2:
            entry.quantization.quantizedDimension = value.q[2]
    graph.tensors.append(entry)
    return len(graph.tensors) - 1


def options_of(kind, fields):
    options = getattr(schema, kind + "T")()
    for key, value in fields.items():
        assert hasattr(options, key), (kind, key)
        setattr(options, key, value)
    return options


def build(operators, inputs, outputs, others=()):
    """`operators`: (builtin, version, inputs, outputs, options kind, fields); `others`: further
    subgraphs of operators, inputs and outputs."""
    model = schema.ModelT()
    model.version = 3
    model.description = "operators"
    model.buffers = [schema.BufferT()]
    model.operatorCodes = []
    model.subgraphs = [
        subgraph(model, name, *parts)
        for name, parts in [("main", (operators, inputs, outputs))]
        + [(f"sub{index}", other) for index, other in enumerate(others, 1)]
    ]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def subgraph(model, name, operators, inputs, outputs):
    graph = schema.SubGraphT()
    graph.tensors, graph.operators = [], []
    graph.name = name
    known = {}

    def index(value, name="t"):
        if value is None:
            return -1
        if id(value) not in known:
            known[id(value)] = tensor(model, graph, value, f"{name}{len(graph.tensors)}")
        return known[id(value)]

    graph.inputs = [index(value, "input") for value in inputs]
    for builtin, version, ins, outs, kind, fields in operators:
        code = schema.OperatorCodeT()
        code.builtinCode = getattr(schema.BuiltinOperator, builtin)
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        code.version = version
        model.operatorCodes.append(code)
        entry = schema.OperatorT()
        entry.opcodeIndex = len(model.operatorCodes) - 1
        entry.inputs = [index(value) for value in ins]
        entry.outputs = [index(value, "output") for value in outs]
        if kind and hasattr(schema.BuiltinOptions2, kind):
            entry.builtinOptions2Type = getattr(schema.BuiltinOptions2, kind)
            entry.builtinOptions2 = options_of(kind, fields or {})
        elif kind:
            entry.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
            entry.builtinOptions = options_of(kind, fields or {})
        graph.operators.append(entry)
    graph.outputs = [known[id(value)] for value in outputs]
    return graph


def run(name, content, inputs):
    kinds = litert.OpResolverType
    # The plain kernel of the local response normalization leaves out one neighbour.
    first = [] if name == "local_response" else [kinds.BUILTIN_REF]
    for kind in first + [kinds.BUILTIN_WITHOUT_DEFAULT_DELEGATES]:
        try:
            session = litert.Interpreter(
                model_content=content, num_threads=1, experimental_op_resolver_type=kind
            )
            session.allocate_tensors()
            break
        except (RuntimeError, ValueError):  # the plain kernels lack a few operators
            if kind != kinds.BUILTIN_REF:
                raise
    for detail, value in zip(session.get_input_details(), inputs):
        session.set_tensor(detail["index"], value.data)
    session.invoke()
    return [session.get_tensor(detail["index"]) for detail in session.get_output_details()]


cases = []


def case(name, builtin, ins, outs, kind=None, fields=None, version=1, operators=None, others=()):
    """A case; inputs that are neither constant nor variable are fed."""
    operators = operators or [(builtin, version, ins, outs, kind, fields)]
    cases.append((name, operators, ins, outs, others))


def dense_axis(size):
    axis = schema.DimensionMetadataT()
    axis.format, axis.denseSize = 0, size
    return axis


def sparse_axis(segments, indices):
    axis = schema.DimensionMetadataT()
    axis.format = 1
    axis.arraySegmentsType = schema.SparseIndexVector.Int32Vector
    axis.arraySegments = schema.Int32VectorT()
    axis.arraySegments.values = np.asarray(segments, "int32")
    axis.arrayIndicesType = schema.SparseIndexVector.Uint8Vector
    axis.arrayIndices = schema.Uint8VectorT()
    axis.arrayIndices.values = np.asarray(indices, "uint8")
    return axis


def sparse(values, shape, order, blocks, axes):
    layout = schema.SparsityParametersT()
    layout.traversalOrder = np.asarray(order, "int32")
    if blocks:
        layout.blockMap = np.asarray(blocks, "int32")
    layout.dimMetadata = axes
    value = Value(np.asarray(values, "float32"), const=True, sparsity=layout)
    value.shape = shape
    return value


def define():
    f, q, c, o = floats, quantized, const, out
    for kind in ["max", "min"]:
        builtin, options = f"ARG_{kind.upper()}", f"Arg{kind.title()}Options"
        case(f"arg_{kind}", builtin, [f(2, 5, 4), c([1])], [o("int32")], options, {"outputType": 2})
        case(
            f"arg_{kind}_int8", builtin, [q("int8", 2, 6), c([-1])], [o("int64")], options,
            {"outputType": 4}, 2,
        )
    case("arg_max_uint8", "ARG_MAX", [q("uint8", 3, 6), c([1])], [o("int32")], "ArgMaxOptions",
         {"outputType": 2})
    case("topk", "TOPK_V2", [f(3, 7), c(3)], [o(), o("int32")], "TopKV2Options")
    case("topk_int8", "TOPK_V2", [q("int8", 9), c(4)], [o("int8", ([0.05], [3])), o("int32")],
         "TopKV2Options", version=2)
    case("gather_nd", "GATHER_ND", [f(3, 4, 5), c([[0, 1], [2, 3]])], [o()], "GatherNdOptions")
    case("gather_nd_int8", "GATHER_ND", [q("int8", 3, 4), c([[0, 1], [2, 3], [1, 0]])],
         [o("int8", ([0.05], [3]))], "GatherNdOptions", version=2)
    case("scatter_nd", "SCATTER_ND", [c([[1], [3], [1]]), f(3, 2), c([5, 2])], [o()],
         "ScatterNdOptions")
    case("cumsum", "CUMSUM", [f(3, 4), c(1)], [o()], "CumsumOptions")
    case("cumsum_exclusive_reverse", "CUMSUM", [f(3, 4), c(0)], [o()], "CumsumOptions",
         {"exclusive": True, "reverse": True})
    case("one_hot", "ONE_HOT", [Value(np.array([0, 2, 5, -1], "int32")), c(4), c(2.5, "float32"),
                                c(-1, "float32")], [o()], "OneHotOptions", {"axis": -1})
    case("one_hot_axis", "ONE_HOT", [Value(np.array([[0, 2]], "int32")), c(3), c(1, "int32"),
                                     c(0, "int32")], [o("int32")], "OneHotOptions", {"axis": 0})
    case("tile", "TILE", [f(2, 3), c([2, 3])], [o()], "TileOptions")
    case("broadcast_to", "BROADCAST_TO", [f(3, 1), c([2, 3, 4])], [o()], "BroadcastToOptions",
         version=2)
    case("depth_to_space", "DEPTH_TO_SPACE", [f(1, 2, 3, 8)], [o()], "DepthToSpaceOptions",
         {"blockSize": 2})
    case("space_to_depth", "SPACE_TO_DEPTH", [f(1, 4, 6, 2)], [o()], "SpaceToDepthOptions",
         {"blockSize": 2})
    case("space_to_batch", "SPACE_TO_BATCH_ND", [f(2, 4, 5, 3), c([2, 3]), c([[1, 1], [0, 1]])],
         [o()], "SpaceToBatchNDOptions")
    case("space_to_batch_int8", "SPACE_TO_BATCH_ND",
         [q("int8", 1, 4, 4, 1), c([2, 2]), c([[0, 0], [2, 0]])], [o("int8", ([0.05], [3]))],
         "SpaceToBatchNDOptions", version=2)
    case("space_to_batch_3d", "SPACE_TO_BATCH_ND", [f(1, 7, 2), c([3]), c([[1, 1]])], [o()],
         "SpaceToBatchNDOptions", version=3)
    case("batch_to_space", "BATCH_TO_SPACE_ND", [f(6, 2, 3, 2), c([2, 3]), c([[1, 0], [2, 1]])],
         [o()], "BatchToSpaceNDOptions")
    case("reverse", "REVERSE_V2", [f(2, 3, 4), c([1])], [o()], "ReverseV2Options")
    case("reverse_sequence", "REVERSE_SEQUENCE", [f(3, 5, 2), c([2, 5, 1])], [o()],
         "ReverseSequenceOptions", {"seqDim": 1, "batchDim": 0})
    case("local_response", "LOCAL_RESPONSE_NORMALIZATION", [f(1, 2, 2, 9)], [o()],
         "LocalResponseNormalizationOptions",
         {"radius": 2, "bias": 1.5, "alpha": 0.3, "beta": 0.75})
    case("log_softmax", "LOG_SOFTMAX", [f(3, 7, low=-6, high=6)], [o()], "LogSoftmaxOptions")
    case("log_softmax_int8", "LOG_SOFTMAX", [q("int8", 3, 7, scale=0.1)],
         [o("int8", ([16 / 256], [127]))], "LogSoftmaxOptions", version=2)
    case("sign", "SIGN", [f(3, 4)], [o()], "SignOptions")
    case("atan2", "ATAN2", [f(3, 4), f(3, 4)], [o()], "ATan2Options")
    case("bitwise_xor", "BITWISE_XOR",
         [Value(rng.randint(-99, 99, (2, 5)).astype("int32")),
          Value(rng.randint(-99, 99, (2, 5)).astype("int32"))], [o("int32")], "BitwiseXorOptions")
    case("right_shift", "RIGHT_SHIFT",
         [Value(rng.randint(-999, 999, (6,)).astype("int32")), c([0, 1, 2, 3, 4, 5])],
         [o("int32")], "RightShiftOptions")
    for kind in ["any", "all"]:
        case(f"reduce_{kind}", f"REDUCE_{kind.upper()}",
             [Value(rng.rand(3, 4) < 0.6), c([1])], [o("bool")], "ReducerOptions")
    boxes = rng.uniform(0, 1, (8, 4)).astype("float32")
    boxes[:, 2:] = boxes[:, :2] + rng.uniform(0.1, 0.6, (8, 2)).astype("float32")
    scores = rng.uniform(0, 1, 8).astype("float32")
    case("nms_v4", "NON_MAX_SUPPRESSION_V4",
         [Value(boxes), Value(scores), c(5), c(0.3, "float32"), c(0.2, "float32")],
         [o("int32"), o("int32")], "NonMaxSuppressionV4Options")
    case("nms_v5", "NON_MAX_SUPPRESSION_V5",
         [Value(boxes), Value(scores), c(5), c(1.0, "float32"), c(0.1, "float32"),
          c(0.4, "float32")],
         [o("int32"), o(), o("int32")], "NonMaxSuppressionV5Options")
    case("conv_3d", "CONV_3D",
         [f(1, 4, 5, 6, 2), c(rng.randn(2, 3, 2, 2, 3), "float32"), c(rng.randn(3), "float32")],
         [o()], "Conv3DOptions",
         {"padding": 0, "strideD": 1, "strideW": 2, "strideH": 1, "dilationDFactor": 1,
          "dilationWFactor": 1, "dilationHFactor": 1, "fusedActivationFunction": 1})
    case("conv_3d_transpose", "CONV_3D_TRANSPOSE",
         [c([1, 4, 4, 6, 2]), c(rng.randn(2, 2, 2, 2, 3), "float32"), f(1, 2, 2, 3, 3)],
         [o()], "Conv3DOptions",
         {"padding": 0, "strideD": 2, "strideW": 2, "strideH": 2, "dilationDFactor": 1,
          "dilationWFactor": 1, "dilationHFactor": 1})
    for kind in ["SUM", "PROD", "MAX", "MIN"]:
        case(f"segment_{kind.lower()}", f"UNSORTED_SEGMENT_{kind}",
             [f(5, 3), c([0, 2, 0, -1, 2]), c(4)], [o()],
             f"UnsortedSegment{kind.title()}Options")
    case("segment_sum_sorted", "SEGMENT_SUM", [f(5, 3), c([0, 0, 1, 2, 2])], [o()],
         "SegmentSumOptions")
    case("bucketize", "BUCKETIZE", [f(3, 4)], [o("int32")], "BucketizeOptions",
         {"boundaries": [-1.0, 0.0, 0.75]})
    case("matrix_diag", "MATRIX_DIAG", [f(2, 3)], [o()], "MatrixDiagOptions")
    case("matrix_set_diag", "MATRIX_SET_DIAG", [f(2, 3, 4), f(2, 3)], [o()],
         "MatrixSetDiagOptions")
    case("l2_normalization", "L2_NORMALIZATION", [f(2, 3, 5)], [o()], "L2NormOptions")
    case("l2_pool", "L2_POOL_2D", [f(1, 5, 6, 2)], [o()], "Pool2DOptions",
         {"padding": 0, "strideW": 2, "strideH": 1, "filterWidth": 3, "filterHeight": 2})
    case("fake_quant", "FAKE_QUANT", [f(3, 7)], [o()], "FakeQuantOptions",
         {"min": -1.3, "max": 1.7, "numBits": 8, "narrowRange": False})
    case("relu_0_to_1", "RELU_0_TO_1", [f(3, 7)], [o()])
    case("add_n", "ADD_N", [f(2, 3), f(2, 3), f(2, 3)], [o()], "AddNOptions")
    case("embedding_lookup", "EMBEDDING_LOOKUP",
         [Value(np.array([2, 0, 3], "int32")), c(rng.randn(4, 5), "float32")], [o()])
    case("embedding_lookup_int8", "EMBEDDING_LOOKUP",
         [Value(np.array([2, 0, 3], "int32")),
          c(rng.randint(-127, 128, (4, 5)), "int8", ([0.02], [0]))], [o()], version=2)
    case("dilate", "DILATE", [f(2, 3), c([2, 3]), c(-1.5, "float32")], [o()], "DilateOptions")
    case("dynamic_update_slice", "DYNAMIC_UPDATE_SLICE", [f(3, 4), f(2, 2), c([1, 3])], [o()],
         "DynamicUpdateSliceOptions")
    case("fill", "FILL", [c([2, 3]), Value(np.float32(1.25))], [o()], "FillOptions")
    x = f(2, 8)
    spectrum = out("complex64")
    magnitude = out()
    case("rfft_abs", None, [x], [magnitude], operators=[
        ("RFFT2D", 1, [x, c([1, 8])], [spectrum], "Rfft2dOptions", None),
        ("COMPLEX_ABS", 1, [spectrum], [magnitude], None, None),
    ])
    x2, s2, re, im = f(1, 4, 6), out("complex64"), out(), out()
    case("rfft_2d", None, [x2], [re, im], operators=[
        ("RFFT2D", 1, [x2, c([4, 8])], [s2], "Rfft2dOptions", None),
        ("REAL", 1, [s2], [re], None, None),
        ("IMAG", 1, [s2], [im], None, None),
    ])
    state = lambda *shape: Value(dtype="float32", shape=shape, variable=True)  # noqa: E731
    weight = lambda *shape: c(rng.randn(*shape) * 0.5, "float32")  # noqa: E731
    for major in [False, True]:
        ins = [f(2, 5, 3) if not major else f(5, 2, 3)]
        ins += [weight(4, 3) for _ in range(4)] + [weight(4, 4) for _ in range(4)]
        ins += [None] * 3 + [weight(4) for _ in range(4)] + [None, None]
        ins += [state(2, 4), state(2, 4)] + [None] * 4
        case(f"lstm_{'time' if major else 'batch'}_major", "UNIDIRECTIONAL_SEQUENCE_LSTM", ins,
             [o()], "UnidirectionalSequenceLSTMOptions",
             {"fusedActivationFunction": 4, "cellClip": 10.0, "projClip": 0.0, "timeMajor": major})
    ins = [f(2, 4, 3), None] + [weight(4, 3) for _ in range(3)]
    ins += [None] + [weight(4, 2) for _ in range(3)] + [None, weight(4), weight(4)]
    ins += [None] + [weight(4) for _ in range(3)] + [weight(2, 4), weight(2)]
    ins += [state(2, 2), state(2, 4)] + [None] * 4
    case("lstm_cifg_peephole_projection", "UNIDIRECTIONAL_SEQUENCE_LSTM", ins, [o()],
         "UnidirectionalSequenceLSTMOptions",
         {"fusedActivationFunction": 4, "cellClip": 0.0, "projClip": 0.8, "timeMajor": False})
    case("rnn", "RNN", [f(2, 3), weight(4, 3), weight(4, 4), weight(4), state(2, 4)], [o()],
         "RNNOptions", {"fusedActivationFunction": 1})
    case("sequence_rnn", "UNIDIRECTIONAL_SEQUENCE_RNN",
         [f(2, 5, 3), weight(4, 3), weight(4, 4), weight(4), state(2, 4)], [o()],
         "SequenceRNNOptions", {"fusedActivationFunction": 4, "timeMajor": False})
    case("bidirectional_rnn", "BIDIRECTIONAL_SEQUENCE_RNN",
         [f(2, 5, 3), weight(4, 3), weight(4, 4), weight(4), state(2, 4), weight(4, 3),
          weight(4, 4), weight(4), state(2, 4), None, None, None], [o(), o()],
         "BidirectionalSequenceRNNOptions",
         {"fusedActivationFunction": 4, "timeMajor": False, "mergeOutputs": False})
    # Its kernel reads what it never wrote for more than one sequence.
    ins = [f(1, 5, 3)]
    for _ in range(2):
        ins += [weight(4, 3) for _ in range(4)] + [weight(4, 4) for _ in range(4)]
        ins += [None] * 3 + [weight(4) for _ in range(4)] + [None, None]
    ins += [state(1, 4) for _ in range(4)] + [None] * 9
    case("bidirectional_lstm", "BIDIRECTIONAL_SEQUENCE_LSTM", ins, [o()],
         "BidirectionalSequenceLSTMOptions",
         {"fusedActivationFunction": 4, "mergeOutputs": True, "timeMajor": False})
    case("svdf", "SVDF", [f(2, 3), weight(8, 3), weight(8, 5), weight(4), state(2, 40)], [o()],
         "SVDFOptions", {"rank": 2, "fusedActivationFunction": 1})
    case("gather_batch", "GATHER", [f(2, 4, 3), c([[1, 0], [3, 3]])], [o()], "GatherOptions",
         {"axis": 1, "batchDims": 1})
    case("stablehlo_pad", "STABLEHLO_PAD", [f(2, 3), c(-1.0, "float32")], [o()],
         "StablehloPadOptions",
         {"edgePaddingLow": np.array([1, -1]), "edgePaddingHigh": np.array([0, 2]),
          "interiorPadding": np.array([1, 0])})
    case("sparse_to_dense", "SPARSE_TO_DENSE",
         [c([[0, 1], [2, 3]]), c([3, 4]), f(2), c(-1.0, "float32")], [o()],
         "SparseToDenseOptions")
    case("stablehlo_shift_left", "STABLEHLO_SHIFT_LEFT",
         [Value(np.array([1, 5, -3], "int32")), c([3, 0, 2])], [o("int32")],
         "StablehloShiftLeftOptions")
    define_structures()
    for name in ["ADD", "MULTIPLY", "MAXIMUM", "MINIMUM"]:
        case(f"stablehlo_{name.lower()}", f"STABLEHLO_{name}", [f(2, 3), f(2, 3)], [o()])


def binary(builtin, kind):
    a, b, r = Value(dtype="float32", shape=[3]), Value(dtype="float32", shape=[3]), None
    r = Value(dtype="float32", shape=[3])
    return ([(builtin, 1, [a, b], [r], kind, {})], [a, b], [r])


def define_structures():
    """Subgraphs, variables and constants that are no plain arrays."""
    for truth in [True, False]:
        x, y, r = floats(3), floats(3), out()
        case(f"if_{str(truth).lower()}", None, [x, y], [r], operators=[
            ("IF", 1, [const(truth, "bool"), x, y], [r], "IfOptions",
             {"thenSubgraphIndex": 1, "elseSubgraphIndex": 2}),
        ], others=[binary("ADD", "AddOptions"), binary("MUL", "MulOptions")])

    def loop():
        i, a, c = Value(dtype="int32", shape=[]), floats(3), out("bool")
        condition = ([("LESS", 1, [i, const(4)], [c], "LessOptions", {})], [i, a], [c])
        j, b = Value(dtype="int32", shape=[]), Value(dtype="float32", shape=[3])
        k, d = Value(dtype="int32", shape=[]), Value(dtype="float32", shape=[3])
        body = ([("ADD", 1, [j, const(1)], [k], "AddOptions", {}),
                 ("ADD", 1, [b, b], [d], "AddOptions", {})], [j, b], [k, d])
        return [condition, body]

    x, count, r = floats(3), out("int32"), out()
    case("while_counts", None, [x], [r], operators=[
        ("WHILE", 1, [const(1), x], [count, r], "WhileOptions",
         {"condSubgraphIndex": 1, "bodySubgraphIndex": 2}),
    ], others=loop())

    empty = flexbuffers.Builder()
    with empty.Map():
        pass
    x, y, r = floats(3), floats(3), out()
    case("composite", None, [x, y], [r], operators=[
        ("STABLEHLO_COMPOSITE", 1, [x, y], [r], "StableHLOCompositeOptions",
         {"name": "assay.sum", "decompositionSubgraphIndex": 1,
          "compositeAttributes": np.frombuffer(empty.Finish(), dtype=np.uint8)}),
    ], others=[binary("ADD", "AddOptions")])

    def handle():
        return Value(dtype="resource", shape=[])

    names = {"container": "c", "sharedName": "weights"}
    first, second, read, x, r = handle(), handle(), Value(dtype="float32", shape=[3]), floats(3), out()
    case("variable_of_loading", None, [x], [r], operators=[
        ("CALL_ONCE", 1, [], [], "CallOnceOptions", {"initSubgraphIndex": 1}),
        ("VAR_HANDLE", 1, [], [second], "VarHandleOptions", names),
        ("READ_VARIABLE", 1, [second], [read], "ReadVariableOptions", {}),
        ("ADD", 1, [x, read], [r], "AddOptions", {}),
    ], others=[([
        ("VAR_HANDLE", 1, [], [first], "VarHandleOptions", names),
        ("ASSIGN_VARIABLE", 1, [first, const([1.5, -2, 4], "float32")], [],
         "AssignVariableOptions", {}),
    ], [], [])])

    rows = sparse([1, 2, 3, 4, 5], [4, 6], [0, 1], None,
                  [dense_axis(4), sparse_axis([0, 2, 2, 3, 5], [1, 4, 0, 2, 5])])
    blocks = sparse(np.arange(1, 13), [4, 8], [0, 1, 2], [1],
                    [dense_axis(4), sparse_axis([0, 1, 1, 2, 3], [1, 0, 1]), dense_axis(4)])
    for name, weights, width in [("sparse_rows", rows, 6), ("sparse_blocks", blocks, 8)]:
        x, whole, r = floats(2, width), Value(dtype="float32", shape=[4, width]), out()
        case(name, None, [x], [r], operators=[
            ("DENSIFY", 1, [weights], [whole], "DensifyOptions", {}),
            ("FULLY_CONNECTED", 1, [x, whole, None], [r], "FullyConnectedOptions", {}),
        ])

    nibbles = np.array([[-8, 7, 3], [0, -1, 5]], "int8")
    low = nibbles.reshape(-1).astype("uint8") & 15
    packed = bytes((low[0::2] | (low[1::2] << 4)).tolist())
    weights = Value(nibbles, dtype="int4", const=True, raw=packed, q=([0.25], [0]))
    real, x, r = Value(dtype="float32", shape=[2, 3]), floats(2, 3), out()
    case("dequantize_int4", None, [x], [r], operators=[
        ("DEQUANTIZE", 6, [weights], [real], None, None),
        ("ADD", 1, [x, real], [r], "AddOptions", {}),
    ])


def main(path):
    define()
    failures = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, operators, ins, outs, others in cases:
            fed = [v for v in ins if v is not None and not v.const and not v.variable]
            try:
                results = run(name, build(operators, fed, outs, others), fed)
                for value, result in zip(outs, results):
                    value.shape = list(result.shape)
                content = build(operators, fed, outs, others)
                results = run(name, content, fed)
            except Exception as error:  # noqa: BLE001
                failures.append(f"{name}: {str(error).splitlines()[0]}")
                continue
            def add(entry, data):
                info = zipfile.ZipInfo(f"{name}/{entry}", (1980, 1, 1, 0, 0, 0))
                info.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(info, data)
            def array(data):
                file = io.BytesIO()
                np.save(file, data)
                return file.getvalue()
            add("model.tflite", content)
            for index, value in enumerate(fed):
                add(f"in{index}.npy", array(value.data))
            for index, result in enumerate(results):
                add(f"out{index}.npy", array(result))
    print(f"{len(cases) - len(failures)} of {len(cases)} cases")
    print("\n".join(failures))


if __name__ == "__main__":
    main(sys.argv[1])
