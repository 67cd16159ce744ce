import AssayTensor

/// The sum, product, maximum or minimum of all slices that have the same number (TensorFlow's
/// UnsortedSegmentSum and its kin).
///
/// Inputs: data `[I…, D…]` and integers `[I…]`. Output: `[count, D…]`. Slices with a negative number
/// are left out; a number that no slice has gives 0, 1, or the least or greatest element of the type.
public struct SegmentReduce: Operator {
  /// What is taken.
  public enum Kind: String, Sendable { case sum, product, max, min }

  /// What is taken.
  public var kind: Kind
  /// How many numbers there are.
  public var count: Int

  /// Makes a reduction.
  public init(_ kind: Kind, count: Int) {
    self.kind = kind
    self.count = count
  }

  public var name: String {
    switch kind {
    case .sum: "SegmentSum"
    case .product: "SegmentProduct"
    case .max: "SegmentMax"
    case .min: "SegmentMin"
    }
  }
  public var tolerance: Tolerance { kind == .max || kind == .min ? .exact : .rounding }
  public var attributes: [(name: String, value: String)] { [("count", "\(count)")] }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let types = try required(inputs, 2, of: name)
    let (data, numbers) = (types[0].shape, types[1].shape)
    guard types[1].dtype.isInteger, numbers.rank <= data.rank, (0..<1 << 31).contains(count),
      Array(data.dims.prefix(numbers.rank)) == numbers.dims
    else { throw shapeFault(name, "numbers \(numbers) of \(data)") }
    return [TensorType(types[0].dtype, Shape([count] + data.dims.dropFirst(numbers.rank)))]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType]) -> Cost {
    Cost(elementwise: inputs[0]?.shape.count ?? 0)
  }
}
