import AssayBase
import AssayTensor

/// The source positions along one axis of a result, and what one step costs in the source.
struct AxisSelection {
  /// For each coordinate of the result the coordinate in the source; negative ones have none.
  var coordinates: [Int]
  /// Elements of the source from one coordinate to the next.
  var stride: Int
}

/// For each element of a result, in row-major order, its position in the source, or -1.
///
/// Every data movement is one of these: an order of axes, a box, a border, a repetition.
func positions(_ axes: [AxisSelection]) -> [Int] {
  var result = [0]
  for axis in axes {
    var next: [Int] = []
    next.reserveCapacity(result.count * axis.coordinates.count)
    for base in result {
      for coordinate in axis.coordinates {
        next.append(base < 0 || coordinate < 0 ? -1 : base + coordinate * axis.stride)
      }
    }
    result = next
  }
  return result
}

/// For each element of `target` the element of `source` that is broadcast to it (NumPy's rule).
func broadcastPositions(from source: Shape, to target: Shape) -> [Int] {
  let lead = target.rank - source.rank
  let strides = source.strides
  return positions(
    target.dims.enumerated().map { axis, extent in
      let own = axis - lead
      let isRepeated = own < 0 || source.dims[own] == 1
      return AxisSelection(
        coordinates: Array(0..<extent),
        stride: isRepeated ? 0 : strides[own]
      )
    }
  )
}

/// The elements of `x` at `positions`, bit for bit, and `fill`'s only element where there is none;
/// brought to the quantization of `type`.
func select(
  _ x: Tensor,
  _ positions: [Int],
  _ type: TensorType,
  fill: Tensor? = nil
) throws -> Tensor {
  func copy<T: BitwiseCopyable & ExpressibleByIntegerLiteral>(_ element: T.Type) -> Tensor {
    let source = x.elements(as: element)
    let blank: T = fill?.elements(as: element).first ?? 0
    return Tensor(
      positions.map { $0 < 0 ? blank : source[$0] },
      type.shape,
      dtype: x.dtype,
      quantization: x.quantization
    )
  }
  let moved: Tensor
  switch x.dtype.bitWidth {
  case 8: moved = copy(UInt8.self)
  case 16: moved = copy(UInt16.self)
  case 32: moved = copy(UInt32.self)
  case 64: moved = copy(UInt64.self)
  default: throw Diagnostic("EVL014", "elements of type \(x.dtype.rawValue) cannot be moved")
  }
  return try requantized(moved, to: type)
}
