import AssayGraph
import AssayTensor

extension LayoutPlan {
  /// Plans a Graph: tells images, which have four axes, from other values.
  ///
  /// - Parameters:
  ///   - parameters: values that are written in any order of axes as a node asks for them.
  ///   - rule: what a node asks for; `nil` for one that cannot be written.
  public init(_ graph: Graph, _ parameters: ParameterSet, rule: (NodeView) -> LayoutRule?) {
    let rules = graph.nodes.indices.map { index in
      rule(NodeView(index, of: graph, parameters: parameters.values)) ?? .ordered
    }
    var images: [ValueID: Image] = [:]
    func isImage(_ id: ValueID) -> Bool {
      graph[id].type.shape.rank == 4 && !parameters.values.contains(id)
    }
    for id in graph.inputs where isImage(id) {
      images[id] = Image(producer: nil, shape: graph[id].type.shape)
    }
    var order = graph.inputs.filter { images[$0] != nil }
    for (number, node) in graph.nodes.enumerated() {
      for (index, input) in node.inputs.enumerated() {
        guard let input, rules[number].imageInputs?.contains(index) ?? true else { continue }
        images[input]?.consumers.append(number)
      }
      for output in node.outputs where isImage(output) {
        images[output] = Image(producer: number, shape: graph[output].type.shape)
        order.append(output)
      }
    }
    for id in graph.outputs { images[id]?.isOutput = true }
    self.init(rules: rules, images: order.compactMap { images[$0] })
  }
}
