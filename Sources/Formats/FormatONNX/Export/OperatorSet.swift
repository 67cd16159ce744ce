import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

/// The operator set and file version that a network is written with.
///
/// Writers write for the newest set; for an older one nodes are brought to the form that they had, or
/// refused.
struct OperatorSet {
  /// The operator set.
  var number: Int64
  /// The file version that came with it.
  var irVersion: Int64

  /// Operator sets that can be asked for.
  static let range: ClosedRange<Int> = 13...23

  /// The usual set for a graph, or the one that the options name.
  ///
  /// - Throws: `Diagnostic` ONX104 for a set that is not written.
  init(_ graph: Graph, _ options: ExportOptions) throws {
    // Integers of 4 and 16 bits and blocks came late.
    let needsNewer = graph.values.contains {
      $0.type.isQuantizedInteger
        && ([4, 16].contains($0.type.dtype.bitWidth) || $0.type.quantization?.isBlockwise ?? false)
    }
    let usual = needsNewer ? ONNXFormat.writtenForNewIntegers : ONNXFormat.written
    guard let wanted = options.opset else {
      (number, irVersion) = (usual.opset, usual.irVersion)
      return
    }
    guard Self.range.contains(wanted) else {
      throw Diagnostic(
        "ONX104",
        "operator set \(wanted) is not written",
        remedy: "take one from \(Self.range.lowerBound) to \(Self.range.upperBound)"
      )
    }
    guard !needsNewer || wanted >= 21 else {
      throw Diagnostic(
        "ONX104",
        "quantization in 4 or 16 bits or by blocks needs operator set 21",
        remedy: "take operator set 21 or newer, or a recipe of 8 bits"
      )
    }
    number = Int64(wanted)
    irVersion =
      switch wanted {
      case ...14: 7
      case ...18: 8
      case ...20: 9
      case ...22: 10
      default: 11
      }
  }

  /// The first set that has an operator (in the form in which it is written), where that is above 13.
  private static let since: [String: Int64] = [
    "BitwiseAnd": 18, "BitwiseNot": 18, "BitwiseOr": 18, "BitwiseXor": 18, "GridSample": 16,
    "LayerNormalization": 17, "Trilu": 14,
  ]

  /// Whether a node needs a newer set than this one.
  fileprivate func needs(_ node: ONNXNode) -> Int64? {
    var needed = Self.since[node.opType] ?? 13
    func has(_ attribute: String) -> Bool { node.attributes.contains { $0.name == attribute } }
    if node.opType.hasPrefix("Scatter") {
      for case .string(let word) in node.attributes.map(\.payload) {
        needed = max(needed, word == "max" || word == "min" ? 18 : word == "none" ? 13 : 16)
      }
    }
    if node.opType == "Reshape", has("allowzero") { needed = max(needed, 14) }
    if node.opType == "RoiAlign" { needed = max(needed, 16) }
    return needed > number ? needed : nil
  }
}

extension GraphExporter {
  /// The nodes that do a node's work in an operator set.
  ///
  /// - Throws: `Diagnostic` ONX104 when the set has no such operator.
  mutating func fitted(_ node: ONNXNode, to set: OperatorSet) throws -> [ONNXNode] {
    if let needed = set.needs(node) {
      throw Diagnostic(
        "ONX104",
        "\(node.opType) needs operator set \(needed)",
        remedy: "take operator set \(needed) or newer"
      )
    }
    var node = node
    switch node.opType {
    case "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd":
      guard set.number < 18 else { return [node] }
      // Axes were an attribute.
      guard node.inputs.count > 1, let axes = constantInts(node.inputs[1]), !axes.isEmpty else {
        throw Diagnostic("ONX104", "a reduction over no axes needs operator set 18")
      }
      node.inputs = [node.inputs[0]]
      node.attributes.append(.ints("axes", axes))
      return [node]
    case "Gelu" where set.number < 20: return gelu(node)
    case "HardSwish" where set.number < 14:
      let gate = unique("\(node.outputs[0])/gate")
      let line: [ONNXAttribute] = [.float("alpha", 1 / 6), .float("beta", 0.5)]
      return [
        ONNXNode("HardSigmoid", node.inputs, gate, line),
        ONNXNode("Mul", [node.inputs[0], gate], node.outputs[0]),
      ]
    case "GridSample" where set.number < 20:
      node.attributes = node.attributes.map { attribute in
        guard attribute.name == "mode", case .string(let mode) = attribute.payload else {
          return attribute
        }
        let old = mode == "linear" ? "bilinear" : mode == "cubic" ? "bicubic" : mode
        return .string("mode", old)
      }
      return [node]
    case "ScatterND", "ScatterElements", "Scatter":
      guard set.number < 16 else { return [node] }
      node.attributes.removeAll { $0.name == "reduction" }
      return [node]
    default: return [node]
    }
  }

  private func constantInts(_ name: String) -> [Int]? {
    guard let tensor = file.initializers.first(where: { $0.name == name }),
      let view = tensor.raw.first, tensor.dataType == DType.int64.onnx
    else { return nil }
    return (0..<view.count / 8).compactMap { index in
      (try? view.load(Int64.self, at: index * 8)).map { Int($0) }
    }
  }

  private mutating func gelu(_ node: ONNXNode) -> [ONNXNode] {
    let (x, y) = (node.inputs[0], node.outputs[0])
    var nodes: [ONNXNode] = []
    func then(_ opType: String, _ inputs: [String], _ output: String? = nil) -> String {
      let name = output ?? unique("\(y)/\(opType)")
      nodes.append(ONNXNode(name: name, opType: opType, inputs: inputs, outputs: [name]))
      return name
    }
    let isApproximate = node.attributes.contains { $0.name == "approximate" }
    let gate: String
    if isApproximate {
      let square = then("Mul", [x, x])
      let cube = then("Mul", [square, x])
      let part = then("Mul", [cube, constant(0.044715)])
      let sum = then("Add", [x, part])
      gate = then("Tanh", [then("Mul", [sum, constant(0.797_884_56)])])
    } else {
      gate = then("Erf", [then("Mul", [x, constant(0.707_106_77)])])
    }
    let half = then("Mul", [x, constant(0.5)])
    _ = then("Mul", [half, then("Add", [gate, constant(1)])], y)
    return nodes
  }
}
