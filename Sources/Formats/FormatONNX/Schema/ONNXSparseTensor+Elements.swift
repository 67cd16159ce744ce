import AssayBase
import AssayTensor

extension ONNXSparseTensor {
  /// The constant with its zeros.
  ///
  /// - Throws: `Diagnostic` ONX01x.
  func tensor(externalFile: (String) throws -> ByteView) throws -> Tensor {
    let elements = try values.tensor(externalFile: externalFile)
    let places = try indices.tensor(externalFile: externalFile)
    let shape = try ONNXTensor.shape(dims)
    let type = TensorType(elements.dtype, shape)
    guard let count = shape.elementCount, count <= 1 << 26, elements.shape.rank == 1,
      places.dtype == .int64, elements.dtype.bitWidth >= 8
    else {
      throw Diagnostic("ONX011", "a sparse constant of \(type) cannot be read")
    }
    let given = places.integers()
    var targets = given
    if places.shape.rank == 2, places.shape[1] == shape.rank {
      let strides = shape.strides
      targets = try (0..<elements.count).map { element in
        var target = 0
        for axis in 0..<shape.rank {
          let coordinate = given[element * shape.rank + axis]
          guard (0..<shape.dims[axis]).contains(coordinate) else {
            throw Diagnostic("ONX012", "\(coordinate) is no coordinate of a constant of \(shape)")
          }
          target += coordinate * strides[axis]
        }
        return target
      }
    }
    guard targets.count == elements.count, targets.allSatisfy({ (0..<count).contains($0) }) else {
      throw Diagnostic("ONX012", "the places of a sparse constant do not fit \(shape)")
    }
    let width = elements.dtype.bitWidth / 8
    let source = elements.bytes.array
    var bytes = [UInt8](repeating: 0, count: count * width)
    for (element, target) in targets.enumerated() {
      for byte in 0..<width { bytes[target * width + byte] = source[element * width + byte] }
    }
    return try Tensor(type, bytes: ByteView(bytes))
  }
}
