import AssayGraph
import AssayQuantize
import AssayTensor

/// A layer's weights, as pruning and clustering see them: a matrix of outputs by what each reads.
public struct LayerWeights: Sendable {
  /// The node that reads them first.
  public var node: String
  /// Its operator.
  public var op: String
  /// The Constant.
  public var value: ValueID
  /// The number of output channels.
  public var rows: Int
  /// The number of weights of each output channel.
  public var columns: Int
  /// Whether output channels are the last axis of the Constant, and not the first.
  public var isTransposed: Bool

  /// Describes a layer's weights.
  public init(
    node: String,
    op: String,
    value: ValueID,
    rows: Int,
    columns: Int,
    isTransposed: Bool
  ) {
    self.node = node
    self.op = op
    self.value = value
    self.rows = rows
    self.columns = columns
    self.isTransposed = isTransposed
  }

  /// The number of weights.
  public var count: Int { rows * columns }

  /// The place of a weight among the Constant's elements.
  func index(_ row: Int, _ column: Int) -> Int {
    isTransposed ? column &* rows &+ row : row &* columns &+ column
  }
}

extension Graph {
  /// The operators whose weights pruning and clustering change unless told otherwise.
  ///
  /// Depthwise filters are few, and nothing but them tells their channels apart.
  static let compressible: Set<String> = ["Conv2D", "TransposeConv2D", "FullyConnected"]

  /// The weights of layers, in the graph's order, each Constant once.
  ///
  /// - Parameter rule: which layers are meant; first and last are counted among all that have weights.
  public func layerWeights(_ rule: LayerRule = LayerRule()) -> [LayerWeights] {
    var all: [LayerWeights] = []
    var known: [ValueID: Int] = [:]
    for node in nodes {
      guard let (axis, id) = weightInput(node), let shape = self[id].constant?.shape,
        known[id] == nil, shape.count > 0
      else { continue }
      known[id] = all.count
      let rows = shape[axis]
      all.append(
        LayerWeights(
          node: node.name,
          op: node.op.name,
          value: id,
          rows: rows,
          columns: shape.count / rows,
          isTransposed: axis != 0
        )
      )
    }
    let spared =
      (rule.sparesFirst ? all.first.map { [$0.value] } ?? [] : [])
      + (rule.sparesLast ? all.last.map { [$0.value] } ?? [] : [])
    return all.filter { layer in
      !spared.contains(layer.value)
        && rule.matches(name: layer.node, op: layer.op, among: Self.compressible)
    }
  }

  /// The input of a node that is a Constant of weights, and the axis of its output channels.
  private func weightInput(_ node: Node) -> (axis: Int, id: ValueID)? {
    let axis: Int
    switch node.op {
    case is Conv2D, is TransposeConv2D, is FullyConnected: axis = 0
    case is DepthwiseConv2D: axis = 3
    default: return nil
    }
    guard node.inputs.count > 1, let id = node.inputs[1], self[id].constant?.dtype == .float32
    else {
      return nil
    }
    return (axis, id)
  }
}
