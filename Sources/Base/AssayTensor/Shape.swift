/// The extents of a tensor, outermost first.
///
/// -1 stands for an extent that is not known yet.
public struct Shape: Sendable, Hashable, ExpressibleByArrayLiteral {
  /// The extents.
  public var dims: [Int]

  /// A shape of these extents.
  public init(_ dims: [Int]) { self.dims = dims }

  /// A shape of these extents.
  public init(arrayLiteral elements: Int...) { dims = elements }

  /// The number of axes.
  public var rank: Int { dims.count }

  /// Whether every extent is known.
  public var isStatic: Bool { dims.allSatisfy { $0 >= 0 } }

  /// The number of elements; `nil` when an extent is unknown or the number overflows.
  public var elementCount: Int? {
    var count = 1
    for dim in dims {
      guard dim >= 0 else { return nil }
      let (product, overflow) = count.multipliedReportingOverflow(by: dim)
      guard !overflow else { return nil }
      count = product
    }
    return count
  }

  /// The number of elements of a shape that is known to be static; 0 otherwise.
  public var count: Int { elementCount ?? 0 }

  /// The extent of one axis; a negative axis counts from the end, one that does not exist is 1.
  public subscript(axis: Int) -> Int {
    let index = axis < 0 ? dims.count + axis : axis
    return dims.indices.contains(index) ? dims[index] : 1
  }

  /// Elements to step for one step along each axis, in row-major order.
  public var strides: [Int] {
    var result = [Int](repeating: 1, count: rank)
    for axis in stride(from: rank - 2, through: 0, by: -1) {
      result[axis] = result[axis + 1] &* max(dims[axis + 1], 0)
    }
    return result
  }

  /// The shape that two operands broadcast to (NumPy's rule); `nil` when they do not.
  public func broadcast(with other: Shape) -> Shape? {
    let rank = max(self.rank, other.rank)
    var result: [Int] = []
    for offset in stride(from: rank, to: 0, by: -1) {
      let a = offset <= self.rank ? dims[self.rank - offset] : 1
      let b = offset <= other.rank ? other.dims[other.rank - offset] : 1
      if a == b || b == 1 {
        result.append(a)
      } else if a == 1 {
        result.append(b)
      } else {
        return nil
      }
    }
    return Shape(result)
  }

  /// `axis` counted from the front, or `nil` when there is no such axis.
  public func normalized(axis: Int) -> Int? {
    let index = axis < 0 ? rank + axis : axis
    return index >= 0 && index < rank ? index : nil
  }
}

extension Shape: CustomStringConvertible {
  /// The extents as `1x28x28x3`; a scalar is `scalar`, an unknown extent `?`.
  public var description: String {
    dims.isEmpty ? "scalar" : dims.map { $0 < 0 ? "?" : String($0) }.joined(separator: "x")
  }
}
