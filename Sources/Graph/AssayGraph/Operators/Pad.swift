import AssayTensor

/// Elements added around a tensor.
public struct Pad: Operator {
  /// What the new elements are.
  public enum Mode: String, Sendable { case constant, reflect, symmetric, edge }

  /// Elements before and after each axis.
  public var amounts: [(before: Int, after: Int)] {
    zip(before, after).map { ($0, $1) }
  }
  /// Elements before each axis.
  public var before: [Int]
  /// Elements after each axis.
  public var after: [Int]
  /// What the new elements are.
  public var mode: Mode
  /// The new elements of mode `constant` (a real number).
  public var value: Float

  /// Makes a padding.
  public init(before: [Int], after: [Int], mode: Mode = .constant, value: Float = 0) {
    self.before = before
    self.after = after
    self.mode = mode
    self.value = value
  }

  public var name: String { "Pad" }
  public var attributes: [(name: String, value: String)] {
    [
      ("before", before.map(String.init).joined(separator: ",")),
      ("after", after.map(String.init).joined(separator: ",")),
      ("mode", mode.rawValue), ("value", "\(value)"),
    ]
  }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let x = try required(inputs, 1, of: name)[0]
    guard before.count == x.shape.rank, after.count == x.shape.rank,
      (before + after).allSatisfy({ $0 >= 0 && $0 < 1 << 30 })
    else { throw shapeFault(name, "\(before) and \(after) around \(x.shape)") }
    if mode == .reflect || mode == .symmetric {
      let limit = mode == .reflect ? 1 : 0
      for (axis, dim) in x.shape.dims.enumerated()
      where max(before[axis], after[axis]) > dim - limit {
        throw shapeFault(name, "axis \(axis) of \(x.shape) is too short to mirror")
      }
    }
    return [
      TensorType(
        x.dtype,
        Shape(x.shape.dims.enumerated().map { $1 + before[$0] + after[$0] })
      )
    ]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType]) -> Cost { Cost() }
}
