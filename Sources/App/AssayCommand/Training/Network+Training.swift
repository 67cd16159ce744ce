import AssayAutodiff
import AssayGraph
import AssayModels
import AssayTensor

extension Network {
  /// The network as it is trained: with its dropouts, which the trained graph leaves out again.
  func trainingGraph() throws -> Graph { try graph.dropping(dropouts) }
}

extension Graph {
  /// The graph with a dropout behind values, by their names.
  func dropping(_ rates: [String: Float]) throws -> Graph {
    var result = self
    result.nodes = []
    var dropped: [ValueID: ValueID] = [:]
    func current(_ id: ValueID) -> ValueID { dropped[id] ?? id }
    for node in nodes {
      var copy = node
      copy.inputs = node.inputs.map { $0.map(current) }
      result.nodes.append(copy)
      for output in node.outputs {
        guard let rate = rates[self[output].name], rate > 0 else { continue }
        let name = self[output].name + "/dropout"
        dropped[output] = try result.addNode(name, Dropout(rate: rate), [output])[0]
      }
    }
    result.outputs = outputs.map(current)
    return result
  }

  /// The graph with the constants that another one has under the same names.
  func takingConstants(of other: Graph) -> Graph {
    var known: [String: Tensor] = [:]
    for value in other.values { if let constant = value.constant { known[value.name] = constant } }
    var result = self
    for index in values.indices {
      guard let old = values[index].constant, let new = known[values[index].name],
        new.shape == old.shape
      else { continue }
      result[ValueID(index)].constant = new
      result[ValueID(index)].type = new.type
    }
    return result
  }
}
