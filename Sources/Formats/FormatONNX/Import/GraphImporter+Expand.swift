import AssayBase
import AssayFormat
import AssayGraph

extension GraphImporter {
  /// Reads nodes in the place of a call.
  ///
  /// - Parameters:
  ///   - nodes: their inputs are names of the importer, or outputs of one another.
  ///   - results: the outputs that become the call's, in order.
  mutating func expand(
    _ call: OperatorCall,
    _ nodes: [ONNXNode],
    results: [String],
    opset: Int64 = 21
  ) throws {
    var inner = ONNXGraph()
    inner.nodes = nodes
    inner.outputs = results.map { ONNXValueInfo(name: $0) }
    // What the nodes read has the importer's names already.
    var scope = OperatorCall.Scope()
    scope.path = call.scope.path
    scope.opsets = ["": opset]
    let outer = OperatorCall(node: call.node, opset: opset, scope: scope)
    let names = try inline(inner, call.node.opType, [], outer)
    for (output, name) in zip(call.node.outputs, names) where !output.isEmpty {
      try twins.alias(output, to: name)
    }
  }
}

extension ONNXNode {
  /// A node of ONNX's own set.
  init(
    _ opType: String,
    _ inputs: [String],
    _ output: String,
    _ attributes: [ONNXAttribute] = []
  ) {
    self.init(opType: opType, inputs: inputs, outputs: [output], attributes: attributes)
  }
}
