import AssayTensor

extension Graph {
  /// The graph as text: one line for each input, node and output; stable, for golden files.
  public func dump() -> String {
    var lines = ["graph \(name)"]
    for id in inputs { lines.append("input  \(self[id].name): \(text(self[id].type))") }
    for node in nodes {
      let attributes = node.op.attributes.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
      let arguments = node.inputs.map { $0.map { reference($0) } ?? "-" }.joined(separator: ", ")
      let results = node.outputs.map { "\(self[$0].name): \(text(self[$0].type))" }
      let suffix = attributes.isEmpty ? "" : " {\(attributes)}"
      lines.append(
        "\(results.joined(separator: ", ")) = \(node.op.name)(\(arguments))\(suffix)"
      )
    }
    for id in outputs { lines.append("output \(outputName(id)): \(text(self[id].type))") }
    return lines.joined(separator: "\n") + "\n"
  }

  private func reference(_ id: ValueID) -> String {
    self[id].constant == nil ? self[id].name : "\(self[id].name):\(text(self[id].type))"
  }

  private func text(_ type: TensorType) -> String {
    guard let quantization = type.quantization else { return type.description }
    return type.description
      + (quantization.isPerChannel
        ? " per-channel" : " \(quantization.scale)@\(quantization.zeroPoint)")
  }
}
