import AssayBase
import AssayGraph
import AssayTensor

let volumeReaders: [String: TFReader] = [
  "Conv3D": { call, into in
    let volume = try into.image(call, 0)
    let filter = try into.filter(call, 1, rank: 5)
    let turned = try into.transposed(call, filter, [4, 0, 1, 2, 3], as: "odhwi")
    let op = Conv3D(
      strides: try triple(call, "strides"),
      dilations: try triple(call, "dilations"),
      padding: try padding3D(call)
    )
    return [try into.emitImage(call, op, [volume, turned])]
  },
  "Conv3DBackpropInputV2": { call, into in
    let volume = try into.image(call, 2)
    let filter = try into.filter(call, 1, rank: 5)
    let turned = try into.transposed(call, filter, [3, 0, 1, 2, 4], as: "odhwi")
    let sizes = try into.integers(call, 0)
    guard sizes.count == 5 else { throw call.unsupported("an output of shape \(sizes)") }
    let first = call.isChannelsFirst ? 2 : 1
    let op = TransposeConv3D(
      strides: try triple(call, "strides"),
      dilations: try triple(call, "dilations"),
      padding: try padding3D(call),
      outputSize: Size3D(sizes[first], sizes[first + 1], sizes[first + 2])
    )
    return [try into.emitImage(call, op, [volume, turned])]
  },
  "MaxPool3D": { try readPool3D($0, &$1, .max) },
  "AvgPool3D": { try readPool3D($0, &$1, .average) },
]

private func readPool3D(
  _ call: TFCall,
  _ into: inout TensorFlowImporter,
  _ kind: Pool2D.Kind
) throws -> [TFValue] {
  let op = Pool3D(
    kind,
    window: try triple(call, "ksize"),
    strides: try triple(call, "strides"),
    padding: try padding3D(call)
  )
  return [try into.emitImage(call, op, [try into.image(call, 0)])]
}

/// The three spatial numbers of an attribute of five.
private func triple(_ call: TFCall, _ key: String) throws -> Size3D {
  guard let numbers = call.ints(key) else { return .one }
  guard numbers.count == 5, numbers.allSatisfy({ (1..<1 << 20).contains($0) }), numbers[0] == 1,
    numbers[call.isChannelsFirst ? 1 : 4] == 1
  else { throw call.unsupported("\(key) \(numbers)") }
  let first = call.isChannelsFirst ? 2 : 1
  return Size3D(numbers[first], numbers[first + 1], numbers[first + 2])
}

private func padding3D(_ call: TFCall) throws -> Padding3D {
  switch call.string("padding") {
  case "SAME": .same
  case "VALID": .valid
  default: throw call.unsupported("padding '\(call.string("padding"))'")
  }
}

// MARK: - Export

extension Conv3D: TensorFlowExportable {
  func write(_ node: TFNodeView, to file: inout TensorFlowExporter) throws -> [String] {
    let filter = file.weight(node, 1, permutation: [1, 2, 3, 4, 0])
    return try file.volume(node, "Conv3D", [], filter, (strides, dilations), padding, activation)
  }
}

extension TransposeConv3D: TensorFlowExportable {
  func write(_ node: TFNodeView, to file: inout TensorFlowExporter) throws -> [String] {
    let filter = file.weight(node, 1, permutation: [1, 2, 3, 0, 4])
    let shape = file.integers(node.outputs[0].shape.dims)
    return try file.volume(
      node,
      "Conv3DBackpropInputV2",
      [shape],
      filter,
      (strides, dilations),
      padding,
      activation
    )
  }
}

extension Pool3D: TensorFlowExportable {
  func write(_ node: TFNodeView, to file: inout TensorFlowExporter) throws -> [String] {
    file.finish(
      node,
      kind == .max ? "MaxPool3D" : "AvgPool3D",
      [file.input(node, 0)],
      [
        "T": node.type, "ksize": .triple(window), "strides": .triple(strides),
        "data_format": .string("NDHWC"), "padding": try padding.tensorFlow(node),
      ],
      activation: activation
    )
  }
}

extension TFAttribute {
  fileprivate static func triple(_ size: Size3D) -> TFAttribute {
    .ints([1] + size.all.map(Int64.init) + [1])
  }
}

extension Padding3D {
  fileprivate func tensorFlow(_ node: TFNodeView) throws -> TFAttribute {
    switch self {
    case .same: return .string("SAME")
    case .valid: return .string("VALID")
    case .explicit: throw node.unsupported("an explicit border")
    }
  }
}

extension TensorFlowExporter {
  /// Adds a convolution of volumes; the transposed one begins with its result's shape and ends with
  /// the volume.
  fileprivate mutating func volume(
    _ node: TFNodeView,
    _ op: String,
    _ shape: [String],
    _ filter: String,
    _ window: (strides: Size3D, dilations: Size3D),
    _ padding: Padding3D,
    _ activation: Activation
  ) throws -> [String] {
    var volume = input(node, 0)
    var border = padding
    if case .explicit(let before, let after) = padding, shape.isEmpty {
      let amounts = [0, 0] + zip(before.all, after.all).flatMap { [$0, $1] } + [0, 0]
      volume = step(
        node,
        "padded",
        "Pad",
        [volume, integers(amounts, [5, 2])],
        ["T": node.type, "Tpaddings": .type(.int32)]
      )
      border = .valid
    }
    var attributes: [String: TFAttribute] = [
      "T": node.type, "strides": .triple(window.strides), "dilations": .triple(window.dilations),
      "data_format": .string("NDHWC"), "padding": try border.tensorFlow(node),
    ]
    if !shape.isEmpty { attributes["Tshape"] = .type(.int32) }
    let inputs = shape.isEmpty ? [volume, filter] : shape + [filter, volume]
    guard node.has(2) else { return finish(node, op, inputs, attributes, activation: activation) }
    return addBias(node, step(node, op, op, inputs, attributes), activation)
  }
}
