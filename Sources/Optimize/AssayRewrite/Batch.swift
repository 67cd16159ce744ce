import AssayBase
import AssayGraph
import AssayTensor

extension Graph {
  /// The network for `count` times as many items at once.
  ///
  /// The first axis of every input is taken for that of the items. Every value that depends on an input
  /// must keep that axis first, which holds for networks of images and sequences; where an operator
  /// mixes the items or moves the axis, the network is refused by that operator's name.
  ///
  /// - Throws: `Diagnostic` RWR040 that names the input or the operator.
  public func batched(_ count: Int) throws -> Graph {
    guard count > 0 else { throw Diagnostic("RWR040", "a batch of \(count) is none") }
    var result = self
    var touched: Set<ValueID> = []
    for id in inputs {
      guard result[id].type.shape.dims.first == 1 else {
        throw Self.batchFault(
          "the first axis of input '\(self[id].name)' (\(self[id].type)) is not one item"
        )
      }
      result[id].type.shape.dims[0] = count
      touched.insert(id)
    }
    for index in result.nodes.indices {
      let sources = result.nodes[index].inputs.compactMap { $0 }
      guard sources.contains(where: touched.contains) else { continue }
      let node = result.nodes[index]
      let place = "operator '\(node.name)' (\(node.op.name))"
      if var reshape = node.op as? Reshape, reshape.shape.first == 1 {
        reshape.shape[0] = count
        result.nodes[index].op = reshape
      }
      let types: [TensorType]
      do {
        types = try result.nodes[index].op.inferTypes(
          node.inputs.map { $0.map { result[$0].type } }
        )
      } catch {
        throw Self.batchFault("\(place) has the batch written into it", cause: "\(error)")
      }
      for (id, type) in zip(node.outputs, types) {
        var wanted = self[id].type.shape.dims
        guard wanted.first == 1 else {
          throw Self.batchFault("\(place) mixes the items of a batch, or moves their axis")
        }
        wanted[0] = count
        guard type.shape.dims == wanted, Self.keepsItemsApart(node, self) else {
          throw Self.batchFault("\(place) mixes the items of a batch, or moves their axis")
        }
        result[id].type.shape = type.shape
        touched.insert(id)
      }
    }
    return result
  }

  /// Whether an operator leaves the first axis to the items, though its shapes would allow another
  /// reading.
  private static func keepsItemsApart(_ node: Node, _ graph: Graph) -> Bool {
    let before = (node.inputs.first ?? nil).map { graph[$0].type.shape.dims } ?? []
    let after = node.outputs.first.map { graph[$0].type.shape.dims } ?? []
    switch node.op {
    case let transpose as Transpose: return transpose.permutation.first == 0
    case is Reshape: return before.first == after.first
    default: break
    }
    // What works along an axis must not work along that of the items.
    for (name, value) in node.op.attributes where name == "axis" || name == "axes" {
      let numbers = value.split { !$0.isNumber && $0 != "-" }.compactMap { Int($0) }
      if numbers.contains(where: { $0 == 0 || $0 == -before.count || $0 == -after.count }) {
        return false
      }
    }
    return true
  }

  private static func batchFault(_ reason: String, cause: String? = nil) -> Diagnostic {
    Diagnostic(
      "RWR040",
      "this network cannot be written for another batch: \(reason)",
      remedy: "export it from its source at that batch, and measure the files with assay bench",
      cause: cause
    )
  }
}
