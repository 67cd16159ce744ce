import AssayBase
import AssayCodec
import AssayGraph
import AssayTensor

extension ScatterND: TFLiteOperator {
  static var builtins: [BuiltinOperator] { ["SCATTER_ND"] }

  /// The format adds updates to zeros: a sum goes on from there, and what replaces elements is chosen
  /// by a mask that is scattered like it.
  func write(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws {
    let (x, indices, output) = (try node.type(0), try node.type(1), try node.outputType)
    let updates = try node.type(2)
    guard indices.dtype == .int32 || indices.dtype == .int64 else {
      throw Diagnostic("TFL105", "indices of \(indices.dtype.rawValue)")
    }
    guard reduction == .add || reduction == .replace else {
      throw Diagnostic("TFL107", "updates by \(reduction.rawValue) have no counterpart")
    }
    let places = try index32(exporter.tensor(node.input(1)), indices, node, &exporter)
    let shape = try exporter.constant("\(node.name)/shape", x.shape.dims)
    let final = exporter.tensor(node.outputs.first)
    let isZero = node.input(0).flatMap { exporter.graph[$0].constant }?.bytes.array.allSatisfy {
      $0 == 0
    }
    func scatter(_ values: Int32, to result: Int32) {
      exporter.add(
        "SCATTER_ND",
        inputs: [places, values, shape],
        outputs: [result],
        options: (OptionsType.scatterND, FlatObject())
      )
    }
    if reduction == .add, isZero == true {
      return scatter(exporter.tensor(node.input(2)), to: final)
    }
    let scattered = exporter.temporary("\(node.name)/scattered", output)
    scatter(exporter.tensor(node.input(2)), to: scattered)
    if reduction == .add {
      exporter.add(
        "ADD",
        version: integerVersion(of: x),
        inputs: [exporter.tensor(node.input(0)), scattered],
        outputs: [final],
        options: (OptionsType.add, FlatObject())
      )
      return
    }
    let ones = Tensor([Int32](repeating: 1, count: updates.shape.count), updates.shape)
    let count = exporter.temporary("\(node.name)/count", TensorType(.int32, x.shape))
    scatter(exporter.constant("\(node.name)/ones", ones), to: count)
    let mask = exporter.temporary("\(node.name)/mask", TensorType(.bool, x.shape))
    exporter.add(
      "NOT_EQUAL",
      inputs: [count, try exporter.constant("\(node.name)/none", [0], shape: [])],
      outputs: [mask]
    )
    exporter.add(
      "SELECT_V2",
      inputs: [mask, scattered, exporter.tensor(node.input(0))],
      outputs: [final],
      options: (OptionsType.selectV2, FlatObject())
    )
  }

  /// Indices of 32 bits, the only ones that the format's scatter takes.
  private func index32(
    _ tensor: Int32,
    _ type: TensorType,
    _ node: ExportedNode,
    _ exporter: inout TFLiteExporter
  ) throws -> Int32 {
    guard type.dtype == .int64 else { return tensor }
    if let id = node.input(1), let known = exporter.graph[id].constant?.converted(to: .int32) {
      return exporter.constant("\(node.name)/indices", known)
    }
    var options = FlatObject()
    options.set(0, DType.int64.tfliteNumber)
    options.set(1, DType.int32.tfliteNumber)
    let narrow = exporter.temporary("\(node.name)/indices", TensorType(.int32, type.shape))
    exporter.add(
      "CAST",
      inputs: [tensor],
      outputs: [narrow],
      options: (OptionsType.cast, options)
    )
    return narrow
  }

  static func read(_ source: ImportedOperator, into importer: inout TFLiteImporter) throws {
    let updates = try importer.input(1, of: source)
    var type = importer.type(updates)
    type.shape = Shape(try importer.integers(2, of: source))
    let zeros = importer.addConstant("zeros", try ComposedOperators.filled(type, with: [0]))
    try importer.add(
      ScatterND(.add),
      [zeros, try importer.input(0, of: source), updates],
      source
    )
  }
}
