import AssayBase
import AssayGraph
import AssayTensor

/// A small network that exercises one thing, and the input that it is run with.
struct Problem: Sendable, CustomStringConvertible {
  var name: String
  var graph: Graph
  var inputs: [String: Tensor]
  /// Steps of quantization by which results may differ (quantized outputs), or relative error.
  var tolerance: Float
  /// Whether what is read again is the same graph; operators that ONNX has in other axes or values are
  /// read as several.
  var isStable = true

  var description: String { name }
}

/// Builds problems with seeded random tensors.
struct ProblemMaker {
  var graph: Graph
  var inputs: [String: Tensor] = [:]
  private var random: SeededRNG

  init(_ name: String) {
    graph = Graph(name: name)
    random = SeededRNG(seed: UInt64(name.utf8.reduce(7) { $0 &* 31 &+ Int($1) } & 0xFFFF_FFFF))
  }

  /// Random floats in a range.
  mutating func floats(_ shape: Shape, _ range: ClosedRange<Float> = -1...1) -> Tensor {
    Tensor((0..<shape.count).map { _ in Float.random(in: range, using: &random) }, shape)
  }

  mutating func input(
    _ shape: Shape,
    _ range: ClosedRange<Float> = -1...1,
    name: String = "x"
  ) -> ValueID {
    inputs[name] = floats(shape, range)
    return graph.addInput(name, TensorType(.float32, shape))
  }

  mutating func constant(
    _ name: String,
    _ shape: Shape,
    _ range: ClosedRange<Float> = -1...1
  ) -> ValueID {
    graph.addConstant(name, floats(shape, range))
  }

  @discardableResult
  mutating func node(_ name: String, _ op: any Operator, _ inputs: ValueID?...) throws -> ValueID {
    try graph.addNode(name, op, inputs)[0]
  }

  /// The problem whose outputs `body` makes.
  mutating func problem(
    tolerance: Float = 1e-5,
    _ body: (inout ProblemMaker) throws -> [ValueID]
  ) rethrows -> Problem {
    let outputs = try body(&self)
    return problem(outputs, tolerance: tolerance)
  }

  /// The problem whose outputs are these values.
  func problem(_ outputs: [ValueID], tolerance: Float = 1e-5) -> Problem {
    var graph = graph
    graph.outputs = outputs
    return Problem(name: graph.name, graph: graph, inputs: inputs, tolerance: tolerance)
  }
}

extension Problem {
  /// One input, one operator.
  static func one(
    _ name: String,
    _ shape: Shape,
    _ op: any Operator,
    _ range: ClosedRange<Float> = -1...1
  ) throws -> Problem {
    var make = ProblemMaker(name)
    let x = make.input(shape, range)
    return try make.problem { [try $0.node("y", op, x)] }
  }

  /// Two inputs, one operator.
  static func two(
    _ name: String,
    _ a: Shape,
    _ b: Shape,
    _ op: any Operator,
    _ range: ClosedRange<Float> = -1...1
  ) throws -> Problem {
    var make = ProblemMaker(name)
    let x = make.input(a, range)
    let y = make.input(b, range, name: "x2")
    return try make.problem { [try $0.node("y", op, x, y)] }
  }

  static let windows: [(String, Size2D, Size2D, Padding, Activation)] = [
    ("same", .one, .one, .same, .none),
    ("same_s2", Size2D(2, 2), .one, .same, .relu),
    ("valid", .one, .one, .valid, .relu6),
    ("dilated", .one, Size2D(2, 1), .same, .reluN1To1),
    ("explicit", Size2D(1, 2), .one, .explicit(top: 1, bottom: 0, left: 2, right: 1), .none),
  ]

  /// Every operator, in floats.
  static func floats() throws -> [Problem] {
    var result: [Problem] = []
    for (name, strides, dilations, padding, activation) in windows {
      var make = ProblemMaker("conv_\(name)")
      var x = make.input([2, 7, 6, 4])
      var filter = make.constant("w", [5, 3, 2, 4])
      var bias = make.constant("b", [5])
      let conv = Conv2D(
        strides: strides,
        dilations: dilations,
        padding: padding,
        activation: activation
      )
      result.append(try make.problem { [try $0.node("y", conv, x, filter, bias)] })
      make = ProblemMaker("depthwise_\(name)")
      x = make.input([1, 7, 6, 3])
      filter = make.constant("w", [1, 3, 2, 6])
      bias = make.constant("b", [6])
      let depthwise = DepthwiseConv2D(
        strides: strides,
        dilations: dilations,
        padding: padding,
        activation: activation
      )
      result.append(try make.problem { [try $0.node("y", depthwise, x, filter, bias)] })
      guard dilations == .one else { continue }
      for kind in [Pool2D.Kind.max, .average] {
        result.append(
          try one(
            "\(kind)_\(name)",
            [2, 7, 6, 3],
            Pool2D(
              kind,
              window: Size2D(3, 4),
              strides: strides,
              padding: padding,
              activation: activation
            )
          )
        )
      }
    }
    var make = ProblemMaker("conv_groups")
    var x = make.input([1, 5, 5, 6])
    var w = make.constant("w", [4, 3, 3, 3])
    result.append(try make.problem { [try $0.node("y", Conv2D(padding: .same), x, w)] })
    for (name, strides, padding, size) in [
      ("same", Size2D(2, 2), Padding.same, Size2D(8, 10)),
      ("same_odd", Size2D(2, 2), .same, Size2D(7, 9)),
      ("valid", Size2D(2, 1), .valid, Size2D(10, 7)),
    ] {
      make = ProblemMaker("transpose_conv_\(name)")
      x = make.input([1, 4, 5, 3])
      w = make.constant("w", [2, 3, 3, 3])
      let op = TransposeConv2D(strides: strides, padding: padding, outputSize: size)
      result.append(
        try make.problem { [try $0.node("y", op, x, w, $0.constant("b", [2]))] }
      )
    }
    for (name, shape) in [("2", Shape([3, 6])), ("3", [2, 3, 6]), ("4", [2, 1, 3, 6])] {
      make = ProblemMaker("dense_rank\(name)")
      x = make.input(shape)
      w = make.constant("w", [4, 6])
      let b = make.constant("b", [4])
      result.append(
        try make.problem { [try $0.node("y", FullyConnected(activation: .relu), x, w, b)] }
      )
    }
    for (a, b) in [(false, false), (true, true)] {
      result.append(
        try two(
          "matmul_\(a)_\(b)",
          a ? [2, 4, 3] : [2, 3, 4],
          b ? [2, 5, 4] : [2, 4, 5],
          MatMul(transposesA: a, transposesB: b)
        )
      )
    }
    for (name, shape) in [("2", Shape([3, 6])), ("3", [2, 3, 6]), ("4", [2, 2, 3, 6])] {
      make = ProblemMaker("batchnorm_rank\(name)")
      x = make.input(shape)
      let gamma = make.constant("gamma", [6], 0.5...2)
      let mean = make.constant("mean", [6])
      let variance = make.constant("variance", [6], 0.5...2)
      result.append(
        try make.problem {
          [
            try $0.node("y", BatchNorm(epsilon: 1e-3), x, gamma, nil, mean, variance)
          ]
        }
      )
    }
    for kind in Unary.Kind.allCases where ![.logicalNot, .bitwiseNot].contains(kind) {
      let range: ClosedRange<Float> =
        switch kind {
        case .log, .sqrt, .rsqrt: 0.1...3
        case .asin, .acos, .atanh, .tan: -0.9...0.9
        case .acosh: 1.1...3
        default: -4...8
        }
      result.append(try one("unary_\(kind.rawValue)", [2, 3, 4, 5], Unary(kind), range))
    }
    for kind in Binary.Kind.allCases
    where ![.logicalAnd, .logicalOr, .logicalXor, .atan2].contains(kind) && !kind.isBitwise {
      result.append(
        try two("binary_\(kind.rawValue)", [2, 3, 4, 5], [2, 1, 4, 5], Binary(kind), 0.5...3)
      )
    }
    result += try layoutProblems()
    result += try movements()
    result += try lists()
    return result
  }

  /// Data movement and reductions.
  static func movements() throws -> [Problem] {
    var result: [Problem] = []
    result.append(
      try one("pad", [2, 3, 4, 5], Pad(before: [0, 1, 2, 0], after: [0, 0, 1, 1], value: 0.5))
    )
    for mode in [Pad.Mode.reflect, .edge] {
      result.append(
        try one(
          "pad_\(mode)",
          [1, 3, 4, 5],
          Pad(before: [0, 1, 2, 0], after: [0, 0, 1, 0], mode: mode)
        )
      )
    }
    for kind in [Reduce.Kind.mean, .sum, .max, .min, .product] {
      for (name, axes) in [("hw", [1, 2]), ("c", [-1]), ("h", [1]), ("all", [0, 1, 2, 3])] {
        for keeps in [true, false] {
          result.append(
            try one(
              "reduce_\(kind)_\(name)_\(keeps)",
              [2, 3, 4, 5],
              Reduce(kind, axes: axes, keepsAxes: keeps)
            )
          )
        }
      }
    }
    result.append(try one("reshape", [2, 3, 4, 5], Reshape([2, 6, 10])))
    result.append(try one("reshape_to_image", [2, 60], Reshape([2, 3, 4, 5])))
    result.append(try one("transpose", [2, 3, 4, 5], Transpose([0, 3, 1, 2])))
    result.append(try one("transpose3", [2, 3, 4], Transpose([2, 0, 1])))
    result.append(
      try one(
        "slice",
        [2, 7, 4, 5],
        Slice(begin: [0, 6, 0, 1], sizes: [2, 3, 4, 4], steps: [1, -3, 1, 1])
      )
    )
    result.append(
      try one("slice_to_front", [1, 7], Slice(begin: [0, 6], sizes: [1, 7], steps: [1, -1]))
    )
    for axis in [1, 3] {
      result.append(try one("softmax_\(axis)", [2, 3, 4, 5], Softmax(axis: axis, beta: 2), -3...3))
    }
    result.append(try one("leaky", [2, 3, 4, 5], LeakyReLU(alpha: 0.3)))
    for (rank, count) in [(2, 2), (3, 1), (4, 0)] {
      let shape = Shape(Array([2, 3, 4, 5].suffix(rank)))
      var make = ProblemMaker("layer_norm_\(rank)")
      let x = make.input(shape)
      let gamma = count > 0 ? make.constant("gamma", [5]) : nil
      let beta = count > 1 ? make.constant("beta", [5]) : nil
      var problem = try make.problem {
        [try $0.node("y", LayerNorm(epsilon: 1e-3), x, gamma, beta)]
      }
      // A factor of one is read as such.
      problem.isStable = count > 0
      result.append(problem)
    }
    for kind in [Resize2D.Kind.nearest, .bilinear] {
      for (corners, halves) in [(false, false), (true, false), (false, true)] {
        for size in [Size2D(9, 13), Size2D(3, 5)] {
          result.append(
            try one(
              "resize_\(kind)_\(corners)_\(halves)_\(size.text)",
              [1, 5, 7, 2],
              Resize2D(kind, size: size, alignsCorners: corners, usesHalfPixels: halves)
            )
          )
        }
      }
    }
    var make = ProblemMaker("prelu")
    var x = make.input([2, 3, 4, 5])
    result.append(try make.problem { [try $0.node("y", PReLU(), x, $0.constant("a", [5]))] })
    make = ProblemMaker("split")
    x = make.input([2, 3, 4, 5])
    var parts = try make.graph.addNode("y", Split(axis: -1, sizes: [1, 4]), [x])
    result.append(make.problem(parts))
    make = ProblemMaker("concat")
    x = make.input([2, 3, 4, 5])
    let other = make.input([2, 3, 4, 2], name: "x2")
    result.append(try make.problem { [try $0.node("y", Concat(axis: -1), x, other)] })
    make = ProblemMaker("gather")
    x = make.input([2, 3, 4, 5])
    let indices = make.graph.addConstant("i", Tensor([Int32(3), 0, 3], [3]))
    result.append(try make.problem { [try $0.node("y", Gather(axis: 2), x, indices)] })
    make = ProblemMaker("select")
    x = make.input([2, 3, 4, 5])
    let condition = try make.node("c", Binary(.less), x, make.constant("zero", [], 0...0))
    result.append(
      try make.problem { [try $0.node("y", Select(), condition, $0.constant("k", [4, 5]), x)] }
    )
    make = ProblemMaker("cast")
    x = make.input([2, 3], -9...9)
    let integers = try make.node("i", Cast(.int32), x)
    parts = [try make.node("y", Cast(.float32), integers)]
    result.append(make.problem(parts))
    make = ProblemMaker("logic")
    x = make.input([2, 3])
    let positive = try make.node("p", Binary(.greater), x, make.constant("zero", [], 0...0))
    let not = try make.node("n", Unary(.logicalNot), positive)
    let both = try make.node("b", Binary(.logicalOr), positive, not)
    result.append(
      try make.problem { [not, try $0.node("y", Binary(.logicalAnd), both, positive)] }
    )
    make = ProblemMaker("float16")
    x = make.input([1, 5, 5, 4])
    let half = make.floats([3, 3, 3, 4]).converted(to: .float16) ?? make.floats([3, 3, 3, 4])
    let stored = make.graph.addConstant("w", half)
    let filter = try make.node("w/float", Dequantize(), stored)
    result.append(try make.problem { [try $0.node("y", Conv2D(), x, filter)] })
    make = ProblemMaker("same_value_twice")
    x = make.input([1, 4])
    let y = try make.node("y", Unary(.relu), x)
    result.append(make.problem([y, x]))
    return result
  }

  /// Borders before window operators: of zeros, of something else, one that two nodes read; before a
  /// maximum over what may not be negative, and what may.
  static func padded() throws -> [Problem] {
    let border = Pad(before: [0, 1, 2, 0], after: [0, 2, 0, 0])
    var result: [Problem] = []
    for (name, value, isShared) in [
      ("padded_zero", Float(0), false), ("padded_one", 1, false), ("padded_shared", 0, true),
    ] {
      var make = ProblemMaker(name)
      let x = make.input([1, 6, 7, 3])
      var op = border
      op.value = value
      let wide = try make.node("pad", op, x)
      let y = try make.node("y", Conv2D(), wide, make.constant("w", [4, 3, 3, 3]))
      let outputs = isShared ? [y, try make.node("z", Unary(.abs), wide)] : [y]
      result.append(make.problem(outputs))
    }
    for (name, kind, taken) in [
      ("padded_max_relu", Unary.Kind.relu, Pool2D.Kind.max), ("padded_max_tanh", .tanh, .max),
      ("padded_average", .tanh, .average),
    ] {
      var make = ProblemMaker(name)
      let x = make.input([1, 6, 7, 3], -2...0.5)
      let wide = try make.node("pad", border, make.node("f", Unary(kind), x))
      let pool = Pool2D(taken, window: Size2D(3, 3), strides: Size2D(2, 2))
      let y = try make.node("y", pool, wide)
      result.append(make.problem([y]))
    }
    return result
  }

  /// Broadcasting and branches in the exporter's own layout.
  static func layoutProblems() throws -> [Problem] {
    var result: [Problem] = []
    var make = ProblemMaker("broadcast")
    var x = make.input([2, 3, 4, 5])
    var value = x
    for (index, shape) in [[5], [4, 1], [3, 1, 5], [1, 3, 4, 1], []].enumerated() {
      let constant = make.constant("c\(index)", Shape(shape))
      value = try make.node(
        "conv\(index)",
        Conv2D(),
        value,
        make.constant("w\(index)", [5, 1, 1, 5])
      )
      value = try make.node("add\(index)", Binary(.add, activation: .relu6), value, constant)
      value = try make.node("sub\(index)", Binary(.subtract), constant, value)
    }
    result.append(make.problem([value]))
    make = ProblemMaker("squeeze_excite")
    x = make.input([2, 4, 4, 6])
    let image = try make.node("conv", Conv2D(padding: .same), x, make.constant("w", [8, 3, 3, 6]))
    let mean = try make.node("mean", Reduce(.mean, axes: [1, 2], keepsAxes: false), image)
    let small = try make.node("small", Reshape([2, 1, 1, 8]), mean)
    let down = try make.node(
      "down",
      Conv2D(activation: .relu),
      small,
      make.constant("d", [2, 1, 1, 8])
    )
    let up = try make.node("up", Conv2D(), down, make.constant("u", [8, 1, 1, 2]))
    let gate = try make.node("gate", Unary(.sigmoid), up)
    let scaled = try make.node("scaled", Binary(.multiply), image, gate)
    let cat = try make.node("cat", Concat(axis: -1), scaled, image)
    let flat = try make.node("flat", Reshape([2, 256]), cat)
    result.append(
      try make.problem {
        [
          try $0.node("y", FullyConnected(), flat, $0.constant("f", [3, 256])), scaled,
        ]
      }
    )
    make = ProblemMaker("low_rank_operand")
    x = make.input([2, 3, 4, 5])
    let rows = make.input([4, 5], name: "x2")
    let convolved = try make.node("conv", Conv2D(), x, make.constant("w", [5, 1, 1, 5]))
    result.append(try make.problem { [try $0.node("y", Binary(.add), convolved, rows)] })
    return result
  }
}
