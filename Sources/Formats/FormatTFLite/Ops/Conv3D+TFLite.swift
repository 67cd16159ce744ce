import AssayBase
import AssayCodec
import AssayGraph
import AssayTensor

extension Conv3D: TFLiteOperator {
  static var builtins: [BuiltinOperator] { ["CONV_3D"] }

  func write(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws {
    let (volume, filter) = (try node.type(0), try node.type(1))
    guard filter.shape[4] == volume.shape[4] else {
      throw Diagnostic("TFL107", "groups of a convolution over volumes have no counterpart")
    }
    let image = try exporter.paddedVolume(node, padding)
    var options = FlatObject()
    options.set(0, image.padding)
    options.set(1, Int32(clamping: strides.depth))
    options.set(2, Int32(clamping: strides.width))
    options.set(3, Int32(clamping: strides.height))
    options.set(4, FusedActivation(activation).rawValue)
    options.set(5, Int32(clamping: dilations.depth), default: 1)
    options.set(6, Int32(clamping: dilations.width), default: 1)
    options.set(7, Int32(clamping: dilations.height), default: 1)
    var inputs = [
      image.tensor, try exporter.permutedFilter(node.input(1), [1, 2, 3, 4, 0], node.name),
    ]
    if let bias = node.input(2) { inputs.append(exporter.tensor(bias)) }
    exporter.add(
      "CONV_3D",
      inputs: inputs,
      outputs: node.outputs.map { exporter.tensor($0) },
      options: (OptionsType.conv3D, options)
    )
  }

  static func read(_ source: ImportedOperator, into importer: inout TFLiteImporter) throws {
    let options = source.options
    let activation = try options.activation(4)
    let op = Conv3D(
      strides: Size3D(try options.int(1), try options.int(3), try options.int(2)),
      dilations: Size3D(
        try options.int(5, default: 1),
        try options.int(7, default: 1),
        try options.int(6, default: 1)
      ),
      padding: try options.padding3D(0),
      activation: activation.activation ?? .none
    )
    let filter = try importer.filter3D(1, [4, 0, 1, 2, 3], source)
    let inputs = [
      try importer.input(0, of: source), filter, try importer.optionalInput(2, of: source),
    ]
    let after = activation.activation == nil ? activation : .none
    try importer.add(op, trimmed(inputs), source, then: after)
  }
}

extension TransposeConv3D: TFLiteOperator {
  static var builtins: [BuiltinOperator] { ["CONV_3D_TRANSPOSE"] }

  func write(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws {
    let (volume, output) = (try node.type(0), try node.outputType)
    guard padding == .same || padding == .valid, dilations == Size3D(1, 1, 1) else {
      throw Diagnostic(
        "TFL107",
        "a transposed convolution over volumes with explicit padding or dilation",
        remedy: "use SAME or VALID padding"
      )
    }
    var options = FlatObject()
    options.set(0, Int8(padding == .same ? 0 : 1))
    options.set(1, Int32(clamping: strides.depth))
    options.set(2, Int32(clamping: strides.width))
    options.set(3, Int32(clamping: strides.height))
    options.set(4, FusedActivation(activation).rawValue)
    let dims =
      [volume.shape[0], outputSize.depth, outputSize.height, outputSize.width, output.shape[4]]
    var inputs = [
      try exporter.constant("\(node.name)/shape", dims),
      try exporter.permutedFilter(node.input(1), [1, 2, 3, 0, 4], node.name),
      exporter.tensor(node.input(0)),
    ]
    if let bias = node.input(2) { inputs.append(exporter.tensor(bias)) }
    exporter.add(
      "CONV_3D_TRANSPOSE",
      inputs: inputs,
      outputs: node.outputs.map { exporter.tensor($0) },
      options: (OptionsType.conv3D, options)
    )
  }

  static func read(_ source: ImportedOperator, into importer: inout TFLiteImporter) throws {
    let options = source.options
    let activation = try options.activation(4)
    let shape = try importer.integers(0, of: source)
    guard shape.count == 5 else { throw Diagnostic("TFL017", "the output's shape is \(shape)") }
    let op = TransposeConv3D(
      strides: Size3D(try options.int(1), try options.int(3), try options.int(2)),
      dilations: Size3D(
        try options.int(5, default: 1),
        try options.int(7, default: 1),
        try options.int(6, default: 1)
      ),
      padding: try options.padding3D(0),
      outputSize: Size3D(shape[1], shape[2], shape[3]),
      activation: activation.activation ?? .none
    )
    let filter = try importer.filter3D(1, [3, 0, 1, 2, 4], source)
    let inputs = [
      try importer.input(2, of: source), filter, try importer.optionalInput(3, of: source),
    ]
    let after = activation.activation == nil ? activation : .none
    try importer.add(op, trimmed(inputs), source, then: after)
  }
}

extension ImportedOptions {
  /// The enum Padding for volumes.
  fileprivate func padding3D(_ field: Int) throws -> Padding3D {
    switch try int8(field) {
    case 0: return .same
    case 1: return .valid
    case let number: throw Diagnostic("TFL011", "padding \(number) is not known")
    }
  }
}

extension TFLiteImporter {
  /// A filter of volumes with its axes in our order.
  fileprivate mutating func filter3D(
    _ input: Int,
    _ order: [Int],
    _ source: ImportedOperator
  ) throws -> ValueID {
    let id = try self.input(input, of: source)
    guard let known = constant(id), let permuted = known.permuted(order) else {
      return try intermediate(Transpose(order), [id], source, like: type(id))
    }
    return addConstant(graph[id].name, permuted)
  }
}

extension TFLiteExporter {
  /// A filter with its axes in the format's order.
  fileprivate mutating func permutedFilter(
    _ id: ValueID?,
    _ order: [Int],
    _ name: String
  ) throws -> Int32 {
    guard let id else { throw Diagnostic("TFL100", "the filter is missing") }
    if let permuted = graph[id].constant?.permuted(order) {
      return constant(graph[id].name, permuted)
    }
    var type = graph[id].type
    type.shape = Shape(order.map { type.shape.dims[$0] })
    let result = temporary("\(name)/filter", type)
    try addTranspose(order, name: name, of: graph[id].type, from: tensor(id), to: result)
    return result
  }

  /// The volume of a window operator, with explicit padding put around it.
  fileprivate mutating func paddedVolume(
    _ node: ExportedNode,
    _ padding: Padding3D
  ) throws -> (tensor: Int32, padding: Int8) {
    let volume = tensor(node.input(0))
    switch padding {
    case .same: return (volume, 0)
    case .valid: return (volume, 1)
    case .explicit(let before, let after):
      let pad = Pad(
        before: [0, before.depth, before.height, before.width, 0],
        after: [0, after.depth, after.height, after.width, 0]
      )
      if (pad.before + pad.after).allSatisfy({ $0 == 0 }) { return (volume, 1) }
      let type = try node.type(0)
      guard var padded = try pad.inferTypes([type]).first else {
        throw Diagnostic("TFL100", "the padding has no result")
      }
      padded.quantization = type.quantization
      let result = temporary("\(node.name)/padded", padded)
      try addPad(pad, name: node.name, of: type, from: volume, to: result)
      return (result, 1)
    }
  }
}
