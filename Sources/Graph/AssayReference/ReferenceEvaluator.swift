import AssayBase
import AssayGraph
import AssayTensor

/// The slow, obvious evaluator: the oracle that every other execution of a Graph is compared with.
///
/// Float32 sums are accumulated in double precision and rounded once. Nodes with quantized values
/// compute by the TensorFlow Lite 8-bit specification: convolutions, dense layers, sums and products
/// in integers (`sumsOfProducts`, `FixedPointMultiplier`), the others through the real numbers that
/// the integers stand for. Loops follow the definitions; none is tuned.
public struct ReferenceEvaluator: Sendable {
  private let graph: Graph
  /// Elements of an output that are still computed: a budget against hostile shapes.
  private static let mostElements = 1 << 28

  /// Whether the evaluator computes an operator.
  public static func canEvaluate(_ op: any Operator) -> Bool { op is any ReferenceOperator }

  /// An evaluator of a valid graph.
  public init(_ graph: Graph) { self.graph = graph }

  /// Computes the outputs.
  ///
  /// - Parameters:
  ///   - inputs: arrays by input name, as `bind(_:to:)` takes them.
  ///   - tap: called with every input and every node's outputs as they are made.
  /// - Returns: the outputs in the graph's order, under the names by which they leave it.
  /// - Throws: `Diagnostic` EVL00x for the inputs, EVL01x for a node that cannot be computed.
  public func run(
    _ inputs: [String: Tensor],
    tap: ((ValueID, Tensor) -> Void)? = nil
  ) throws -> [(name: String, tensor: Tensor)] {
    let bound = try bind(inputs, to: graph.inputs.map { (graph[$0].name, graph[$0].type) })
    var known: [ValueID: Tensor] = [:]
    for (id, tensor) in zip(graph.inputs, bound) {
      known[id] = tensor
      tap?(id, tensor)
    }
    let lastUse = self.lastUse()
    for (index, node) in graph.nodes.enumerated() {
      let results = try locating("node '\(node.name)' (\(node.op.name))") {
        try evaluate(node, known)
      }
      for (id, tensor) in zip(node.outputs, results) {
        known[id] = tensor
        tap?(id, tensor)
      }
      for case let id? in node.inputs where lastUse[id] == index { known[id] = nil }
    }
    return try graph.outputs.map { id in
      guard let tensor = known[id] ?? graph[id].constant else {
        throw Diagnostic("EVL010", "output '\(graph[id].name)' is never made")
      }
      return (graph.outputName(id), tensor)
    }
  }

  private func evaluate(_ node: Node, _ known: [ValueID: Tensor]) throws -> [Tensor] {
    let inputs = try node.inputs.map { id in
      try id.map { id in
        guard let tensor = known[id] ?? graph[id].constant else {
          throw Diagnostic("EVL010", "'\(graph[id].name)' is read before it is made")
        }
        return tensor
      }
    }
    // Inferred anew, because extents that the graph leaves open are known only now.
    let inferred = try node.op.inferTypes(inputs.map { $0?.type })
    let types = zip(node.outputs, inferred).map { id, type in
      TensorType(graph[id].type.dtype, type.shape, quantization: graph[id].type.quantization)
    }
    return try Self.evaluate(node.op, inputs, as: types)
  }

  /// Computes one operator: the way to fold what follows from constants alone.
  ///
  /// - Parameters:
  ///   - inputs: a tensor for each input; `nil` for an absent one.
  ///   - types: the types of the outputs; those that the operator infers, if `nil`.
  /// - Throws: `Diagnostic` GRF… when the operator does not accept the inputs, EVL011 when it is not
  ///   computed here, EVL012 when an output is too large, EVL014 for text.
  public static func evaluate(
    _ op: any Operator,
    _ inputs: [Tensor?],
    as types: [TensorType]? = nil
  ) throws -> [Tensor] {
    guard let computed = op as? any ReferenceOperator else {
      throw Diagnostic(
        "EVL011",
        "operator '\(op.name)' cannot be computed",
        remedy: "run the model on a runtime that has this operator"
      )
    }
    let types = try types ?? op.inferTypes(inputs.map { $0?.type })
    for type in types where type.shape.elementCount.map({ $0 > mostElements }) ?? true {
      throw Diagnostic("EVL012", "an output of type \(type) is too large")
    }
    for case let input? in inputs where input.dtype == .string {
      throw Diagnostic("EVL014", "nothing is computed with text")
    }
    return try computed.evaluate(Arguments(inputs: inputs, outputs: types))
  }

  /// The node that reads each value last; outputs are never let go.
  private func lastUse() -> [ValueID: Int] {
    var result: [ValueID: Int] = [:]
    for (index, node) in graph.nodes.enumerated() {
      for case let id? in node.inputs { result[id] = index }
    }
    for id in graph.outputs { result[id] = nil }
    return result
  }
}
