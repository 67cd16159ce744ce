import AssayBase
import AssayGraph
import AssayReference
import AssayTensor

/// Spectra. Complex numbers are a pair of values while a file is read; a transform is a product with
/// the matrix of its definition, which every runtime computes.
extension ComposedOperators {
  static let signals: [BuiltinOperator: Reader] = [
    "RFFT2D": { try realTransform($0, &$1) },
    "REAL": { op, importer in
      let parts = try complexInput(op, importer)
      try importer.bind(parts.real, of: op)
    },
    "IMAG": { op, importer in
      let parts = try complexInput(op, importer)
      try importer.bind(parts.imaginary, of: op)
    },
    "COMPLEX_ABS": { op, importer in
      let parts = try complexInput(op, importer)
      let a = try importer.intermediate(Unary(.square), [parts.real], op)
      let b = try importer.intermediate(Unary(.square), [parts.imaginary], op)
      let sum = try importer.intermediate(Binary(.add), [a, b], op)
      try importer.add(Unary(.sqrt), [sum], op)
    },
  ]

  private static func complexInput(
    _ op: ImportedOperator,
    _ importer: TFLiteImporter
  ) throws -> (real: ValueID, imaginary: ValueID) {
    guard let index = importer.tensorIndex(0, of: op), let parts = importer.frame.complex[index]
    else { throw fault("its input is no result of RFFT2D") }
    return parts
  }

  /// Cosines and negated sines of `2 pi row column / length`.
  private static func waves(
    rows: Int,
    columns: Int,
    length: Int
  ) throws -> (cosines: Tensor, sines: Tensor) {
    // Each angle of a whole turn once, in double precision: large products lose nothing.
    let angles = (0..<length).map { 2 * Double.pi * Double($0) / Double(length) }
    let turn = Tensor(angles, [length], dtype: .float64)
    func table(_ kind: Unary.Kind, sign: Double) throws -> Tensor {
      let values = try ReferenceEvaluator.evaluate(Unary(kind), [turn])[0].elements(as: Double.self)
      var elements: [Float] = []
      elements.reserveCapacity(rows * columns)
      for row in 0..<rows {
        for column in 0..<columns { elements.append(Float(sign * values[row * column % length])) }
      }
      return Tensor(elements, [rows, columns])
    }
    return (try table(.cos, sign: 1), try table(.sin, sign: -1))
  }

  /// The transform of the last two axes, of which the last keeps the frequencies up to one half.
  private static func realTransform(
    _ op: ImportedOperator,
    _ importer: inout TFLiteImporter
  ) throws {
    var x = try importer.input(0, of: op)
    let lengths = try importer.integers(1, of: op)
    let type = importer.type(x)
    guard type.dtype == .float32, type.shape.rank >= 2, lengths.count == 2,
      (1...512).contains(lengths[0]), (1...4096).contains(lengths[1]),
      let output = op.record.outputs.first
    else { throw fault("a transform of \(type) of length \(lengths)") }
    let rank = type.shape.rank
    var dims = type.shape.dims
    let kept = [min(dims[rank - 2], lengths[0]), min(dims[rank - 1], lengths[1])]
    dims.replaceSubrange((rank - 2)..., with: kept)
    if dims != type.shape.dims {
      x = try importer.intermediate(Slice(begin: dims.map { _ in 0 }, sizes: dims), [x], op)
    }
    if kept != lengths {
      var after = dims.map { _ in 0 }
      after[rank - 2] = lengths[0] - kept[0]
      after[rank - 1] = lengths[1] - kept[1]
      x = try importer.intermediate(Pad(before: dims.map { _ in 0 }, after: after), [x], op)
    }
    let along = try waves(rows: lengths[1], columns: lengths[1] / 2 + 1, length: lengths[1])
    let cosines = importer.addConstant("cosines", along.cosines)
    let sines = importer.addConstant("sines", along.sines)
    var real = try importer.intermediate(MatMul(), [x, cosines], op)
    var imaginary = try importer.intermediate(MatMul(), [x, sines], op)
    if lengths[0] > 1 {
      let across = try waves(rows: lengths[0], columns: lengths[0], length: lengths[0])
      let c = importer.addConstant("cosines", across.cosines)
      let s = importer.addConstant("sines", across.sines)
      let parts = (
        try importer.intermediate(MatMul(), [c, real], op),
        try importer.intermediate(MatMul(), [s, imaginary], op),
        try importer.intermediate(MatMul(), [c, imaginary], op),
        try importer.intermediate(MatMul(), [s, real], op)
      )
      real = try importer.intermediate(Binary(.subtract), [parts.0, parts.1], op)
      imaginary = try importer.intermediate(Binary(.add), [parts.2, parts.3], op)
    }
    importer.frame.complex[Int(output)] = (real, imaginary)
  }
}
