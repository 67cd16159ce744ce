import AssayTensor

/// Images sampled at the points of a grid.
///
/// Inputs: image `[N, S1, …, Sd, C]`; grid `[N, G1, …, Gd, d]` whose last axis holds coordinates from -1
/// to 1, the last spatial axis first (x, y; x, y, z). Output: `[N, G1, …, Gd, C]`.
public struct GridSample: Operator {
  /// How an element between pixels is made.
  public enum Kind: String, Sendable { case nearest, linear, cubic }
  /// What lies outside of the image.
  public enum Border: String, Sendable { case zeros, edge, reflection }

  /// How an element between pixels is made (cubic: two spatial axes only).
  public var kind: Kind
  /// What lies outside of the image.
  public var border: Border
  /// Whether -1 and 1 are the centers of the outermost pixels, otherwise their outer edges.
  public var alignsCorners: Bool

  /// Makes a sampling.
  public init(_ kind: Kind = .linear, border: Border = .zeros, alignsCorners: Bool = false) {
    self.kind = kind
    self.border = border
    self.alignsCorners = alignsCorners
  }

  public var name: String { "GridSample" }
  public var tolerance: Tolerance { .approximate }
  public var attributes: [(name: String, value: String)] {
    [
      ("kind", kind.rawValue), ("border", border.rawValue), ("alignsCorners", "\(alignsCorners)"),
    ]
  }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let types = try required(inputs, 2, of: name)
    let (image, grid) = (types[0].shape, types[1].shape)
    let axes = image.rank - 2
    guard (1...3).contains(axes), grid.rank == image.rank, grid[-1] == axes, grid[0] == image[0],
      kind != .cubic || axes == 2, image.dims.allSatisfy({ $0 > 0 && $0 < 1 << 24 })
    else { throw shapeFault(name, "\(image) at \(grid)") }
    return [TensorType(types[0].dtype, Shape(grid.dims.dropLast() + [image[-1]]))]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType]) -> Cost {
    Cost(elementwise: outputs[0].shape.count &* (kind == .cubic ? 16 : 8))
  }
}
