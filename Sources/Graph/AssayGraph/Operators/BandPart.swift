import AssayTensor

/// The matrices in the last two axes with zeros outside of a band around the diagonal.
///
/// An element in row i and column j stays when `lowest <= j - i <= highest`; `nil` is no bound.
public struct BandPart: Operator {
  /// The least `j - i` that stays.
  public var lowest: Int?
  /// The greatest `j - i` that stays.
  public var highest: Int?

  /// Makes a selection.
  public init(lowest: Int?, highest: Int?) {
    self.lowest = lowest
    self.highest = highest
  }

  public var name: String { "BandPart" }
  public var attributes: [(name: String, value: String)] {
    [
      ("lowest", lowest.map { "\($0)" } ?? "none"), ("highest", highest.map { "\($0)" } ?? "none"),
    ]
  }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let x = try required(inputs, 1, of: name)[0]
    guard x.shape.rank >= 2 else { throw shapeFault(name, "\(x.shape) holds no matrix") }
    return [TensorType(x.dtype, x.shape)]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType]) -> Cost { Cost() }
}
