import AssayBase
import AssayCodec
import AssayGraph
import AssayTensor

extension Pad: TFLiteOperator {
  static var builtins: [BuiltinOperator] { ["PAD", "PADV2", "MIRROR_PAD"] }

  func write(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws {
    try exporter.addPad(
      self,
      name: node.name,
      of: node.type(0),
      from: exporter.tensor(node.input(0)),
      to: exporter.tensor(node.outputs.first)
    )
  }

  static func read(_ source: ImportedOperator, into importer: inout TFLiteImporter) throws {
    let x = try importer.input(0, of: source)
    let amounts = try importer.integers(1, of: source)
    guard amounts.count == 2 * importer.type(x).shape.rank else {
      throw Diagnostic("TFL017", "\(amounts.count) amounts around \(importer.type(x).shape)")
    }
    var op = Pad(
      before: stride(from: 0, to: amounts.count, by: 2).map { amounts[$0] },
      after: stride(from: 1, to: amounts.count, by: 2).map { amounts[$0] }
    )
    if source.builtin == "MIRROR_PAD" {
      op.mode = try source.options.int8(0) == 0 ? .reflect : .symmetric
    } else if source.builtin == "PADV2", let index = importer.tensorIndex(2, of: source) {
      guard let value = try importer.knownElements(index), let first = value.floats().first else {
        throw Diagnostic("TFL013", "input 2 is computed while the network runs")
      }
      op.value = first
    }
    try importer.add(op, [x], source)
  }
}

extension TFLiteExporter {
  /// Adds a padding of the tensor `input`.
  mutating func addPad(
    _ pad: Pad,
    name: String,
    of type: TensorType,
    from input: Int32,
    to output: Int32
  ) throws {
    let interleaved = pad.amounts.flatMap { [$0.before, $0.after] }
    let amounts = try constant("\(name)/paddings", interleaved, shape: [type.shape.rank, 2])
    switch pad.mode {
    case .constant:
      let version =
        type.dtype == .bool ? 5 : type.shape.rank > 4 ? 4 : integerVersion(of: type, int16: 3)
      if pad.value == 0 {
        add(
          "PAD",
          version: version,
          inputs: [input, amounts],
          outputs: [output],
          options: (OptionsType.pad, FlatObject())
        )
      } else {
        let scalar = Tensor([pad.value], []).converted(
          to: type.dtype,
          quantization: type.quantization
        )
        guard let scalar else {
          throw Diagnostic("TFL105", "padding of \(type.dtype.rawValue) with \(pad.value)")
        }
        let value = constant("\(name)/value", scalar)
        add("PADV2", version: version, inputs: [input, amounts, value], outputs: [output])
      }
    case .reflect, .symmetric:
      var options = FlatObject()
      options.set(0, Int8(pad.mode == .reflect ? 0 : 1))
      add(
        "MIRROR_PAD",
        version: integerVersion(of: type, int16: 3),
        inputs: [input, amounts],
        outputs: [output],
        options: (OptionsType.mirrorPad, options)
      )
    case .edge:
      throw Diagnostic(
        "TFL106",
        "TensorFlow Lite cannot repeat the border of a tensor",
        remedy: "pad with zeros or by reflection"
      )
    }
  }
}
