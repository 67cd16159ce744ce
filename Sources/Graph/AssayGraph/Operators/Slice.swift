import AssayTensor

/// Every `steps`-th element of a box: axis i runs from `begin[i]`, `sizes[i]` elements.
///
/// Squeezing axes (TFLite's shrink mask) is a `Reshape` after it.
public struct Slice: Operator {
  /// The first element of each axis.
  public var begin: [Int]
  /// The number of elements of each axis.
  public var sizes: [Int]
  /// The step of each axis; negative ones run backwards.
  public var steps: [Int]

  /// Makes a slice.
  public init(begin: [Int], sizes: [Int], steps: [Int]? = nil) {
    self.begin = begin
    self.sizes = sizes
    self.steps = steps ?? begin.map { _ in 1 }
  }

  public var name: String { "Slice" }
  public var attributes: [(name: String, value: String)] {
    [
      ("begin", begin.map(String.init).joined(separator: ",")),
      ("sizes", sizes.map(String.init).joined(separator: ",")),
      ("steps", steps.map(String.init).joined(separator: ",")),
    ]
  }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let x = try required(inputs, 1, of: name)[0]
    guard begin.count == x.shape.rank, sizes.count == begin.count, steps.count == begin.count else {
      throw shapeFault(name, "it has not the rank of \(x.shape)")
    }
    for (axis, dim) in x.shape.dims.enumerated() {
      let (reach, overflow) = (sizes[axis] &- 1).multipliedReportingOverflow(by: steps[axis])
      let (last, overflow2) = begin[axis].addingReportingOverflow(reach)
      guard sizes[axis] >= 0, steps[axis] != 0, !overflow, !overflow2,
        sizes[axis] == 0 || (0..<dim).contains(begin[axis]) && (0..<dim).contains(last)
      else { throw shapeFault(name, "axis \(axis) leaves \(x.shape)") }
    }
    return [TensorType(x.dtype, Shape(sizes))]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType]) -> Cost { Cost() }
}

/// A tensor cut into parts along an axis.
public struct Split: Operator {
  /// The axis; negative ones count from the end.
  public var axis: Int
  /// The extents of the parts.
  public var sizes: [Int]

  /// Makes a split.
  public init(axis: Int, sizes: [Int]) {
    self.axis = axis
    self.sizes = sizes
  }

  public var name: String { "Split" }
  public var attributes: [(name: String, value: String)] {
    [("axis", "\(axis)"), ("sizes", sizes.map(String.init).joined(separator: ","))]
  }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let x = try required(inputs, 1, of: name)[0]
    guard let axis = x.shape.normalized(axis: axis), sizes.allSatisfy({ $0 >= 0 }),
      sizes.reduce(0, &+) == x.shape[axis]
    else { throw shapeFault(name, "\(sizes) of \(x.shape)") }
    return sizes.map { size in
      var dims = x.shape.dims
      dims[axis] = size
      return TensorType(x.dtype, Shape(dims))
    }
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType]) -> Cost { Cost() }
}
