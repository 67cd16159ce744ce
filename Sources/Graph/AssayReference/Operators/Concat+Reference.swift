import AssayBase
import AssayGraph
import AssayTensor

extension Concat: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let type = arguments.output
    let axis = type.shape.normalized(axis: axis) ?? 0
    var bytes: [UInt8] = []
    let parts = try arguments.inputs.indices.map { index in
      let part = try requantized(try arguments.input(index), to: type)
      guard part.dtype.bitWidth % 8 == 0 else {
        throw Diagnostic("EVL014", "elements of type \(part.dtype.rawValue) cannot be moved")
      }
      // Bytes of everything that one step of the axes before `axis` holds.
      let inner = part.shape.dims[axis...].reduce(part.dtype.bitWidth / 8, *)
      return (bytes: part.bytes.array, inner: inner)
    }
    for outer in 0..<type.shape.dims[..<axis].reduce(1, *) {
      for part in parts {
        bytes += part.bytes[outer * part.inner..<(outer + 1) * part.inner]
      }
    }
    return [try Tensor(type, bytes: ByteView(bytes))]
  }
}
