import AssayBase
import AssayGraph
import AssayTensor
import Testing

@testable import FormatTFLite

/// A small graph that shows one use of an operator.
struct Problem: Sendable, CustomTestStringConvertible {
  var name: String
  /// Whether reading what was written gives the same graph, not only an equivalent one.
  var isVerbatim = true
  var graph: Graph

  var testDescription: String { name }
}

/// Builds graphs with seeded weights.
struct ProblemBuilder {
  private(set) var all: [Problem] = []
  private var rng = SeededRNG(seed: 20)

  mutating func weights(_ shape: Shape) -> Tensor {
    Tensor((0..<shape.count).map { _ in rng.normal() * 0.5 }, shape)
  }

  /// A graph of float inputs `x`, `y`, … and one node on them and on constants.
  mutating func add(
    _ name: String,
    _ op: any Operator,
    inputs: [Shape],
    constants: [Tensor?] = [],
    dtype: DType = .float32,
    isVerbatim: Bool = true
  ) throws {
    var graph = Graph(name: name)
    var values: [ValueID?] = []
    for (index, shape) in inputs.enumerated() {
      values.append(graph.addInput(["x", "y", "z"][index], TensorType(dtype, shape)))
    }
    for (index, tensor) in constants.enumerated() {
      values.append(tensor.map { graph.addConstant("constant\(index)", $0) })
    }
    graph.outputs = try graph.addNode("node", op, values)
    all.append(Problem(name: name, isVerbatim: isVerbatim, graph: graph))
  }

  mutating func add(
    _ name: String,
    isVerbatim: Bool = true,
    _ body: (inout Graph) throws -> Void
  )
    rethrows
  {
    var graph = Graph(name: name)
    try body(&graph)
    all.append(Problem(name: name, isVerbatim: isVerbatim, graph: graph))
  }
}

extension Problem {
  /// One graph for each operator and each way in which the format holds it.
  static let all: [Problem] = {
    var builder = ProblemBuilder()
    do {
      try windows(&builder)
      try shapes(&builder)
      try elementwise(&builder)
      try quantized(&builder)
    } catch {
      preconditionFailure("\(error)")
    }
    return builder.all
  }()

  private static func windows(_ builder: inout ProblemBuilder) throws {
    let image: Shape = [1, 9, 8, 4]
    for (name, padding) in [
      ("same", Padding.same), ("valid", .valid),
      ("explicit", .explicit(top: 2, bottom: 1, left: 0, right: 2)),
      ("explicit_as_same", .explicit(top: 1, bottom: 1, left: 0, right: 1)),
    ] {
      let isVerbatim = !name.hasPrefix("explicit")
      let strides = name == "valid" ? Size2D(1, 3) : Size2D(2, 2)
      try builder.add(
        "conv2d_\(name)",
        Conv2D(strides: strides, padding: padding, activation: .relu6),
        inputs: [image],
        constants: [builder.weights([6, 3, 3, 4]), builder.weights([6])],
        isVerbatim: isVerbatim
      )
      try builder.add(
        "depthwise_\(name)",
        DepthwiseConv2D(strides: strides, padding: padding, activation: .relu),
        inputs: [image],
        constants: [builder.weights([1, 3, 3, 8]), builder.weights([8])],
        isVerbatim: isVerbatim
      )
      try builder.add(
        "max_pool_\(name)",
        Pool2D(.max, window: Size2D(3, 3), strides: strides, padding: padding),
        inputs: [image],
        isVerbatim: isVerbatim
      )
      try builder.add(
        "average_pool_\(name)",
        Pool2D(.average, window: Size2D(3, 3), strides: strides, padding: padding),
        inputs: [image],
        isVerbatim: isVerbatim
      )
    }
    try builder.add(
      "conv2d_dilated",
      Conv2D(dilations: Size2D(2, 3), padding: .same),
      inputs: [image],
      constants: [builder.weights([5, 3, 2, 4]), builder.weights([5])]
    )
    try builder.add(
      "conv2d_grouped",
      Conv2D(padding: .same),
      inputs: [image],
      constants: [builder.weights([6, 3, 3, 2]), builder.weights([6])]
    )
    try builder.add(
      "conv2d_without_bias",
      Conv2D(padding: .same, activation: .reluN1To1),
      inputs: [image],
      constants: [builder.weights([5, 1, 1, 4])]
    )
    try builder.add(
      "depthwise_dilated",
      DepthwiseConv2D(dilations: Size2D(2, 2)),
      inputs: [image],
      constants: [builder.weights([1, 3, 3, 4])]
    )
    for (name, padding, size, output) in [
      ("same", Padding.same, Size2D(2, 2), Size2D(9, 8)),
      ("valid", .valid, Size2D(2, 3), Size2D(11, 12)),
      ("explicit", .explicit(top: 0, bottom: 1, left: 2, right: 0), Size2D(2, 2), Size2D(10, 7)),
    ] {
      let input: Shape = name == "same" ? [1, 5, 4, 4] : [1, 5, 4, 4]
      try builder.add(
        "transpose_conv_\(name)",
        TransposeConv2D(strides: size, padding: padding, outputSize: output),
        inputs: [input],
        constants: [builder.weights([6, 3, 3, 4]), builder.weights([6])],
        isVerbatim: name != "explicit"
      )
    }
    try builder.add(
      "transpose_conv_without_bias",
      TransposeConv2D(
        strides: Size2D(2, 2),
        padding: .same,
        outputSize: Size2D(10, 8),
        activation: .relu
      ),
      inputs: [[1, 5, 4, 4]],
      constants: [builder.weights([6, 3, 3, 4])]
    )
    for kind in [Resize2D.Kind.nearest, .bilinear] {
      for (aligns, half) in [(false, false), (true, false), (false, true)] {
        try builder.add(
          "resize_\(kind.rawValue)_\(aligns ? "aligned" : half ? "half" : "plain")",
          Resize2D(kind, size: Size2D(13, 5), alignsCorners: aligns, usesHalfPixels: half),
          inputs: [image]
        )
      }
    }
  }

  private static func shapes(_ builder: inout ProblemBuilder) throws {
    try builder.add("reshape", Reshape([3, -1]), inputs: [[1, 6, 4]])
    try builder.add("reshape_to_scalar", Reshape([]), inputs: [[1, 1]])
    try builder.add("transpose", Transpose([0, 3, 1, 2]), inputs: [[2, 3, 4, 5]])
    try builder.add("transpose_5d", Transpose([4, 0, 3, 1, 2]), inputs: [[2, 3, 2, 5, 2]])
    try builder.add("pad", Pad(before: [0, 1, 2], after: [1, 0, 3]), inputs: [[2, 3, 4]])
    try builder.add(
      "pad_value",
      Pad(before: [0, 1], after: [2, 0], value: -1.5),
      inputs: [[3, 4]]
    )
    try builder.add(
      "pad_reflect",
      Pad(before: [2, 1], after: [1, 3], mode: .reflect),
      inputs: [[3, 4]]
    )
    try builder.add(
      "pad_symmetric",
      Pad(before: [2, 1], after: [1, 3], mode: .symmetric),
      inputs: [[3, 4]]
    )
    try builder.add("slice", Slice(begin: [0, 1, 2], sizes: [1, 2, 3]), inputs: [[1, 4, 6]])
    try builder.add(
      "slice_strided",
      Slice(begin: [0, 3, 1], sizes: [1, 4, 3], steps: [1, -1, 2]),
      inputs: [[1, 4, 6]]
    )
    try builder.add("concat", Concat(axis: -1), inputs: [[2, 3], [2, 4], [2, 1]])
    try builder.add(
      "gather",
      Gather(axis: 1),
      inputs: [[2, 5, 3]],
      constants: [
        Tensor([Int32(4), 0, 2, 2], [2, 2])
      ]
    )
    try builder.add("split_even", Split(axis: -1, sizes: [2, 2, 2]), inputs: [[2, 6]])
    try builder.add("split_uneven", Split(axis: 1, sizes: [1, 2, 3]), inputs: [[2, 6]])
    for kind in [Reduce.Kind.mean, .sum, .max, .min, .product] {
      try builder.add(
        "reduce_\(kind.rawValue)",
        Reduce(kind, axes: [1, 2], keepsAxes: kind == .max),
        inputs: [[1, 3, 4, 2]]
      )
    }
    try builder.add("softmax", Softmax(beta: 1.5), inputs: [[3, 5]])
    try builder.add("softmax_axis", Softmax(axis: 1), inputs: [[2, 3, 4]], isVerbatim: false)
    try builder.add(
      "matmul",
      MatMul(transposesA: true, transposesB: true),
      inputs: [[2, 4, 3], [2, 5, 4]]
    )
    try builder.add(
      "dense",
      FullyConnected(activation: .relu),
      inputs: [[2, 6]],
      constants: [builder.weights([4, 6]), builder.weights([4])]
    )
    try builder.add(
      "dense_without_bias",
      FullyConnected(),
      inputs: [[2, 6]],
      constants: [builder.weights([4, 6])]
    )
    try builder.add(
      "dense_3d",
      FullyConnected(),
      inputs: [[2, 3, 6]],
      constants: [builder.weights([4, 6]), builder.weights([4])]
    )
    let weights = builder.weights([5, 12])
    try builder.add("flatten_dense") { graph in
      let x = graph.addInput("x", TensorType(.float32, [1, 2, 2, 3]))
      let flat = try graph.addNode("y/Reshape", Reshape([1, 12]), [x])
      let constant = graph.addConstant("w", weights)
      graph.outputs = try graph.addNode("y", FullyConnected(), [flat[0], constant])
    }
    try builder.add(
      "batch_norm",
      BatchNorm(epsilon: 1e-3),
      inputs: [[1, 2, 3, 4]],
      constants: [
        builder.weights([4]), builder.weights([4]), builder.weights([4]),
        Tensor([Float(0.5), 1, 2, 0.01], [4]),
      ],
      isVerbatim: false
    )
  }

  private static func elementwise(_ builder: inout ProblemBuilder) throws {
    for kind in Unary.Kind.allCases where kind != .logicalNot && Unary(kind).hasBuiltin {
      try builder.add("unary_\(kind)", Unary(kind), inputs: [[2, 3, 4]])
    }
    try builder.add("unary_logicalNot", Unary(.logicalNot), inputs: [[2, 3]], dtype: .bool)
    for kind in Binary.Kind.allCases where Binary(kind).hasBuiltin && !kind.isBitwise {
      let isLogical = kind == .logicalAnd || kind == .logicalOr
      let dtype: DType = isLogical ? .bool : .float32
      try builder.add(
        "binary_\(kind)",
        Binary(kind),
        inputs: [[2, 3, 4], [2, 3, 4]],
        dtype: dtype
      )
    }
    try builder.add("binary_broadcast", Binary(.add), inputs: [[2, 3, 4], [3, 1]])
    for activation in [Activation.relu, .relu6, .reluN1To1] {
      try builder.add(
        "binary_\(activation)",
        Binary(.subtract, activation: activation),
        inputs: [[2, 3], [2, 3]]
      )
    }
    try builder.add("leaky_relu", LeakyReLU(alpha: 0.3), inputs: [[2, 3]])
    try builder.add(
      "prelu",
      PReLU(),
      inputs: [[1, 2, 3, 4]],
      constants: [builder.weights([1, 1, 4])]
    )
    try builder.add("cast", Cast(.int32), inputs: [[2, 3]])
    let (a, b) = (builder.weights([2, 3]), builder.weights([2, 3]))
    for (name, shape) in [("select", [2, 3] as Shape), ("select_broadcast", [2, 1])] {
      try builder.add(name) { graph in
        let x = graph.addInput("x", TensorType(.bool, shape))
        let inputs = [x, graph.addConstant("a", a), graph.addConstant("b", b)]
        graph.outputs = try graph.addNode("chosen", Select(), inputs)
      }
    }
    try builder.add("float16_weights") { graph in
      let x = graph.addInput("x", TensorType(.float32, [1, 3]))
      let halves = graph.addConstant("halves", try required(a.converted(to: .float16)))
      let weights = try graph.addNode("weights", Dequantize(), [halves])
      graph.outputs = try graph.addNode("y", FullyConnected(), [x, weights[0]])
    }
    try builder.add("several_outputs") { graph in
      let x = graph.addInput("first input", TensorType(.float32, [1, 3]))
      let y = graph.addInput("second", TensorType(.float32, [1, 3]))
      let sum = try graph.addNode("sum", Binary(.add), [x, y])[0]
      let twice = try graph.addNode("twice", Binary(.add), [sum, sum])[0]
      graph.outputs = [twice, sum]
      graph.outputNames = [twice: "output_0", sum: "output_1"]
    }
  }

  private static func required<T>(_ value: T?) throws -> T {
    guard let value else { throw Diagnostic("TST001", "a value is missing") }
    return value
  }
}
