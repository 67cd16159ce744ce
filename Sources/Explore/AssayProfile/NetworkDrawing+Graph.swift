import AssayBase
import AssayGraph
import AssayReport
import AssayTensor

extension NetworkDrawing {
  /// A graph as a page draws it.
  ///
  /// - Parameters:
  ///   - title: what the page is called.
  ///   - statistics: whether the elements of constants are looked at.
  public init(_ graph: Graph, title: String, statistics: Bool = true, version: String = "") {
    self.init(title: title, version: version)
    facts = [
      "\(graph.nodes.count) operators", "\(Words.count(graph.parameterCount)) parameters",
      "\(Words.count(graph.cost.macs)) multiply-accumulates",
    ]
    var maker: [ValueID: Int] = [:]
    for id in graph.inputs {
      var box = Box(
        kind: .input,
        title: graph[id].name,
        detail: "\(graph[id].type)",
        name: graph[id].name
      )
      box.outputs = [Port(graph, id, name: graph[id].name)]
      maker[id] = boxes.count
      boxes.append(box)
    }
    var known: [ValueID: Statistics] = [:]
    for node in graph.nodes {
      var box = Box(kind: Kind(node.op), title: node.op.name, detail: "", name: node.name)
      box.attributes = node.op.attributes
      for case let id? in node.inputs {
        var port = Port(graph, id, name: graph[id].name)
        if let constant = graph[id].constant {
          box.parameters += constant.count
          box.constantBytes += constant.bytes.count
          if statistics, constant.count > 0 {
            if known[id] == nil { known[id] = Statistics(of: constant.floats()) }
            port.statistics = known[id]
          }
        } else {
          box.activationBytes += graph[id].type.byteCount ?? 0
          if let from = maker[id] { edges.append((from, boxes.count)) }
        }
        box.inputs.append(port)
      }
      for id in node.outputs {
        box.outputs.append(Port(graph, id, name: graph[id].name))
        box.activationBytes += graph[id].type.byteCount ?? 0
        maker[id] = boxes.count
      }
      let cost = node.op.cost(
        inputs: node.inputs.map { $0.map { graph[$0].type } },
        outputs: node.outputs.map { graph[$0].type }
      )
      box.macs = cost.macs
      box.detail = Self.detail(node, graph)
      boxes.append(box)
    }
    for id in graph.outputs {
      let name = graph.outputName(id)
      var box = Box(kind: .output, title: name, detail: "\(graph[id].type)", name: name)
      box.inputs = [Port(graph, id, name: graph[id].name)]
      if let from = maker[id] { edges.append((from, boxes.count)) }
      boxes.append(box)
    }
  }

  /// The window, what is fused, and the shape of the result.
  private static func detail(_ node: Node, _ graph: Graph) -> String {
    var parts: [String] = []
    let attributes = Dictionary(node.op.attributes.map { ($0.name, $0.value) }) { first, _ in first
    }
    let isConvolution = Kind(node.op) == .convolution
    if isConvolution, node.inputs.count > 1, let filter = node.inputs[1] {
      let shape = graph[filter].type.shape
      if shape.rank == 4 { parts.append("\(shape[1])x\(shape[2])") }
    }
    if let window = attributes["window"] { parts.append(window) }
    if let strides = attributes["strides"], strides != "1x1" { parts.append("/\(strides)") }
    if let activation = attributes["activation"], activation != "none" { parts.append(activation) }
    if let id = node.outputs.first {
      let type = graph[id].type
      let dtype = type.dtype == .float32 ? "" : " \(type.dtype.rawValue)"
      parts.append("\(type.shape)\(dtype)")
    }
    return parts.joined(separator: " · ")
  }
}

extension NetworkDrawing.Port {
  init(_ graph: Graph, _ id: ValueID, name: String) {
    let type = graph[id].type
    self.init(
      name: name,
      type: "\(type.dtype.rawValue) \(type.shape)",
      quantization: type.quantization.map(Self.words),
      isConstant: graph[id].constant != nil
    )
  }

  private static func words(_ quantization: Quantization) -> String {
    guard quantization.isPerChannel else {
      return "scale \(quantization.scale), zero point \(quantization.zeroPoint)"
    }
    let scales = quantization.scales
    return "\(scales.count) scales along axis \(quantization.axis ?? 0), "
      + "\(scales.min() ?? 0) to \(scales.max() ?? 0)"
  }
}

extension NetworkDrawing.Kind {
  /// The kind of an operator, by what it is and else by its name: operators are many, kinds are few.
  init(_ op: any Operator) {
    switch op {
    case is Conv2D, is DepthwiseConv2D, is TransposeConv2D: self = .convolution
    case is FullyConnected, is MatMul: self = .dense
    case is BatchNorm: self = .normalization
    case is Pool2D, is Reduce: self = .pooling
    case is Concat, is Split: self = .merging
    case let binary as Binary:
      self = [.add, .subtract, .multiply].contains(binary.kind) ? .merging : .other
    case is Unary, is LeakyReLU, is PReLU, is Softmax: self = .activation
    case is Quantize, is Dequantize, is Cast: self = .quantization
    case is Reshape, is Transpose, is Pad, is Slice, is Gather, is Resize2D: self = .shape
    default: self = Self.named(op.name)
    }
  }

  private static func named(_ name: String) -> NetworkDrawing.Kind {
    let words: [(String, NetworkDrawing.Kind)] = [
      ("Conv", .convolution), ("Pool", .pooling), ("Norm", .normalization), ("LSTM", .recurrent),
      ("GRU", .recurrent), ("RNN", .recurrent), ("SVDF", .recurrent), ("Attention", .attention),
      ("Softmax", .activation), ("ELU", .activation), ("Space", .shape), ("Depth", .shape),
      ("Scatter", .shape), ("Gather", .shape), ("Tile", .shape), ("Broadcast", .shape),
      ("Reverse", .shape), ("Arg", .pooling),
    ]
    return words.first { name.contains($0.0) }?.1 ?? .other
  }
}
