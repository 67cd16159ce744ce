import AssayBase
import AssayGraph
import AssayTensor

/// A small float32 network around one operator, and the arrays that it is run with.
///
/// What every exporter is tested on: the reference evaluator says what comes out.
public struct OperatorCase: Sendable, CustomStringConvertible {
  /// The name, fit for a file.
  public var name: String
  /// The network.
  public var graph: Graph
  /// What it is fed.
  public var inputs: [String: Tensor]

  public var description: String { name }
}

/// Makes cases with seeded random elements.
public struct OperatorCaseMaker {
  /// The network so far.
  public var graph: Graph
  private var inputs: [String: Tensor] = [:]
  private var rng: SeededRNG

  /// A network without nodes.
  public init(_ name: String) {
    graph = Graph(name: name)
    rng = SeededRNG(seed: UInt64(name.utf8.reduce(7) { ($0 &* 31 &+ Int($1)) & 0xFFFF_FFFF }))
  }

  /// Random floats in a range.
  public mutating func floats(_ shape: Shape, _ range: ClosedRange<Float> = -1...1) -> Tensor {
    Tensor(
      (0..<shape.count).map { _ in rng.uniform(range.lowerBound, range.upperBound) },
      shape
    )
  }

  /// An input of random floats.
  public mutating func input(
    _ shape: Shape,
    _ range: ClosedRange<Float> = -1...1,
    name: String = "x"
  ) -> ValueID {
    inputs[name] = floats(shape, range)
    return graph.addInput(name, TensorType(.float32, shape))
  }

  /// An input of these elements.
  public mutating func input(_ tensor: Tensor, name: String) -> ValueID {
    inputs[name] = tensor
    return graph.addInput(name, tensor.type)
  }

  /// A Constant of random floats.
  public mutating func constant(
    _ name: String,
    _ shape: Shape,
    _ range: ClosedRange<Float> = -1...1
  ) -> ValueID {
    graph.addConstant(name, floats(shape, range))
  }

  /// The case whose outputs `body` makes.
  public mutating func finished(
    _ body: (inout Graph) throws -> [ValueID]
  ) rethrows -> OperatorCase {
    let outputs = try body(&graph)
    return finished(outputs)
  }

  /// The case whose outputs are these values.
  public func finished(_ outputs: [ValueID]) -> OperatorCase {
    var graph = graph
    graph.outputs = outputs
    return OperatorCase(name: graph.name, graph: graph, inputs: inputs)
  }
}

extension OperatorCase {
  /// One input, one operator.
  public static func one(
    _ name: String,
    _ shape: Shape,
    _ op: any Operator,
    _ range: ClosedRange<Float> = -1...1
  ) throws -> OperatorCase {
    var make = OperatorCaseMaker(name)
    let x = make.input(shape, range)
    return try make.finished { try $0.addNode("y", op, [x]) }
  }

  /// Two inputs, one operator.
  public static func two(
    _ name: String,
    _ a: Shape,
    _ b: Shape,
    _ op: any Operator,
    _ range: ClosedRange<Float> = -1...1
  ) throws -> OperatorCase {
    var make = OperatorCaseMaker(name)
    let x = make.input(a, range)
    let y = make.input(b, range, name: "x2")
    return try make.finished { try $0.addNode("y", op, [x, y]) }
  }

  /// One input, Constants of these shapes, one operator.
  public static func weighted(
    _ name: String,
    _ shape: Shape,
    _ op: any Operator,
    _ weights: [Shape],
    _ range: ClosedRange<Float> = -1...1
  ) throws -> OperatorCase {
    var make = OperatorCaseMaker(name)
    let x = make.input(shape, range)
    var inputs: [ValueID?] = [x]
    for (index, weight) in weights.enumerated() {
      inputs.append(make.constant("w\(index)", weight, range))
    }
    return try make.finished { try $0.addNode("y", op, inputs) }
  }

  /// A network that indexes its input by a Constant of int64.
  public static func indexed(
    _ name: String,
    _ shape: Shape,
    _ op: any Operator,
    _ indices: [Int64],
    _ indexShape: Shape
  ) throws -> OperatorCase {
    var make = OperatorCaseMaker(name)
    let x = make.input(shape)
    let tensor = Tensor(indices, indexShape, dtype: .int64)
    let list = make.graph.addConstant("indices", tensor)
    return try make.finished { try $0.addNode("y", op, [x, list]) }
  }
}
