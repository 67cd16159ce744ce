import AssayBase
import AssayCodec
import AssayGraph
import AssayTensor
import AssayTensorFlow

extension TFLiteExporter {
  /// Writes a node as the TensorFlow operator that computes it (Select TF operators).
  ///
  /// - Throws: `Diagnostic` TFL111 when TensorFlow needs several operators for it, TFG1xx when it has
  ///   none.
  mutating func writeFlex(_ node: Node) throws {
    var alone = Graph(name: node.name)
    var inputs: [ValueID] = []
    var moved: [ValueID?] = []
    for id in node.inputs {
      guard let id else {
        moved.append(nil)
        continue
      }
      if let known = graph[id].constant {
        moved.append(alone.addConstant("constant\(moved.count)", known))
      } else {
        moved.append(alone.addInput("input\(inputs.count)", graph[id].type))
        inputs.append(id)
      }
    }
    alone.outputs = node.outputs.enumerated().map { index, id in
      alone.add(Value(name: "output\(index)", type: graph[id].type))
    }
    alone.nodes = [Node(name: "node", op: node.op, inputs: moved, outputs: alone.outputs)]
    let file = try TensorFlowExporter(alone, keepsVariables: false)
    let framing: Set<String> = ["Placeholder", "Const", "Identity"]
    let work = file.nodes.filter { !framing.contains($0.op) }
    guard work.count == 1, let only = work.first else {
      throw Diagnostic(
        "TFL111",
        "TensorFlow computes \(node.op.name) by \(work.count) operators",
        remedy: "export as ONNX, or replace the operator in the network"
      )
    }
    var tensors: [Int32] = []
    for reference in only.dataInputs {
      let name = String(reference.split(separator: ":")[0])
      if let place = file.inputs.firstIndex(where: { $0.reference == reference }) {
        tensors.append(tensor(inputs[place]))
      } else if let source = file.nodes.first(where: { $0.name == name }), source.op == "Const",
        case .tensor(let value)? = source.attributes["value"]
      {
        tensors.append(constant("\(node.name)/\(name)", try plain(value)))
      } else {
        throw Diagnostic("TFL111", "an input of TensorFlow's \(only.op) is not understood")
      }
    }
    let definition = only.encoded().finish().flatMap(\.array)
    addCustom(
      "Flex\(only.op)",
      inputs: tensors,
      outputs: node.outputs.map { tensor($0) },
      options: ByteView(FlexBuffer.pair(only.op, definition))
    )
    notes.append(
      Diagnostic(
        "TFL112",
        "\(node.op.name) is written as TensorFlow's \(only.op)",
        at: ["node '\(node.name)'"],
        remedy: "LiteRT runs it with the Select TensorFlow operators linked, other runtimes do not",
        severity: .warning
      )
    )
  }

  /// A constant that the exporter of TensorFlow made, whose elements are always packed.
  private func plain(_ value: TFTensor) throws -> Tensor {
    guard let dtype = value.dtype.dtype, let shape = try value.shape.shape(),
      let content = value.content
    else { throw Diagnostic("TFL111", "a constant of TensorFlow is not understood") }
    return try Tensor(TensorType(dtype, shape), bytes: content)
  }
}
