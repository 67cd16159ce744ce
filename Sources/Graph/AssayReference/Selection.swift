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
  case 4:
    let (source, blank) = (x.codes(), fill?.codes().first ?? 0)
    let codes = positions.map { $0 < 0 ? blank : source[$0] }
    moved = Tensor(
      codes: codes,
      TensorType(x.dtype, type.shape, quantization: x.quantization)
    )
  case 8: moved = copy(UInt8.self)
  case 16: moved = copy(UInt16.self)
  case 32: moved = copy(UInt32.self)
  case 64: moved = copy(UInt64.self)
  default: throw Diagnostic("EVL014", "elements of type \(x.dtype.rawValue) cannot be moved")
  }
  return try requantized(moved, to: type)
}

/// The rows of a tensor along one axis: where each begins, how long it is and how far its elements are
/// apart.
struct AxisRows {
  /// The position of each row's first element, in row-major order of the other axes.
  var starts: [Int]
  /// Elements of a row.
  var length: Int
  /// Positions from one element to the next.
  var stride: Int

  /// The rows along `axis`, which must exist.
  init(_ shape: Shape, _ axis: Int) {
    let normalized = shape.normalized(axis: axis) ?? 0
    let strides = shape.strides
    length = shape[normalized]
    stride = shape.rank == 0 ? 1 : strides[normalized]
    starts = positions(
      shape.dims.enumerated().map { position, extent in
        AxisSelection(
          coordinates: position == normalized ? [0] : Array(0..<extent),
          stride: strides[position]
        )
      }
    )
    if length == 0 { starts = [] }
  }
}

/// A coordinate on an axis of `extent`, where a negative one counts from the end.
///
/// - Throws: `Diagnostic` EVL015 when it is outside.
func checkedCoordinate(_ index: Int, _ extent: Int) throws -> Int {
  guard (-extent..<max(extent, 0)).contains(index) else {
    throw Diagnostic("EVL015", "index \(index) is outside of an axis of \(extent)")
  }
  return index < 0 ? index + extent : index
}
