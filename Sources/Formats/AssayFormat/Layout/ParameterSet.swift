import AssayGraph

/// The parameters of a Graph as exporters see them: Constants, and Constants that are dequantized.
public struct ParameterSet: Sendable {
  /// The values that are parameters.
  public let values: Set<ValueID>
  /// The Constant behind each dequantized parameter.
  public let sources: [ValueID: ValueID]

  /// Finds the parameters of a graph.
  public init(of graph: Graph) {
    var sources: [ValueID: ValueID] = [:]
    var values = Set(graph.values.indices.map(ValueID.init).filter { graph[$0].constant != nil })
    for node in graph.nodes where node.op is Dequantize {
      if let source = node.inputs.first.flatMap({ $0 }), graph[source].constant != nil {
        sources[node.outputs[0]] = source
        values.insert(node.outputs[0])
      }
    }
    self.values = values
    self.sources = sources
  }
}
