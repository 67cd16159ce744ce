import AssayTensor

/// Three extents: depth (or time) first, then height and width.
public struct Size3D: Sendable, Hashable {
  /// Along the first spatial axis.
  public var depth: Int
  /// Along the vertical axis.
  public var height: Int
  /// Along the horizontal axis.
  public var width: Int
  /// Makes a triple.
  public init(_ depth: Int, _ height: Int, _ width: Int) {
    self.depth = depth
    self.height = height
    self.width = width
  }
  /// One in every direction.
  public static let one = Size3D(1, 1, 1)
  /// The three in the order of the axes.
  public var all: [Int] { [depth, height, width] }
  /// The triple as `3x3x3`.
  public var text: String { "\(depth)x\(height)x\(width)" }
}

/// How a window over three axes treats the border of its input.
public enum Padding3D: Sendable, Hashable {
  /// The output is ceil(input / stride) long; the odd element of padding comes last.
  case same
  /// No padding.
  case valid
  /// Zeros before and after depth, height and width.
  case explicit(before: Size3D, after: Size3D)

  /// The padding of one spatial axis (0 to 2), as a padding of images has it for both of its axes.
  private func along(_ axis: Int) -> Padding {
    switch self {
    case .same: return .same
    case .valid: return .valid
    case .explicit(let before, let after):
      let (b, a) = (before.all[axis], after.all[axis])
      return .explicit(top: b, bottom: a, left: b, right: a)
    }
  }

  /// Elements of padding before and after a spatial axis (0 to 2) of `extent`.
  public func amounts(
    axis: Int,
    extent: Int,
    window: Int,
    stride: Int,
    dilation: Int
  ) -> (before: Int, after: Int) {
    along(axis).amounts(
      extent: extent,
      window: window,
      stride: stride,
      dilation: dilation,
      isHeight: true
    )
  }

  /// Elements of padding before each spatial axis of an input `[N, D, H, W, C]`.
  public func start(_ input: Shape, window: Size3D, strides: Size3D, dilations: Size3D) -> Size3D {
    func before(_ axis: Int) -> Int {
      amounts(
        axis: axis,
        extent: input[axis + 1],
        window: window.all[axis],
        stride: strides.all[axis],
        dilation: dilations.all[axis]
      ).before
    }
    return Size3D(before(0), before(1), before(2))
  }

  /// `same`, `valid` or the amounts before and after.
  public var text: String {
    switch self {
    case .same: "same"
    case .valid: "valid"
    case .explicit(let before, let after): "\(before.text),\(after.text)"
    }
  }

  /// The spatial extents of the output of a window over `input`, `[N, D, H, W, C]`.
  ///
  /// - Throws: `Diagnostic` GRF002 when the window does not fit.
  func output(
    _ input: Shape,
    window: Size3D,
    strides: Size3D,
    dilations: Size3D,
    of name: String
  ) throws -> [Int] {
    try (0..<3).map { axis in
      let extent = along(axis).outputExtent(
        input[axis + 1],
        window: window.all[axis],
        stride: strides.all[axis],
        dilation: dilations.all[axis],
        isHeight: true
      )
      guard let extent else {
        throw shapeFault(name, "a window of \(window.text) does not fit \(input)")
      }
      return extent
    }
  }
}

/// The attributes that windows over three axes share.
func windowAttributes(
  _ strides: Size3D,
  _ dilations: Size3D,
  _ padding: Padding3D,
  _ activation: Activation
) -> [(name: String, value: String)] {
  [
    ("strides", strides.text), ("dilations", dilations.text), ("padding", padding.text),
    ("activation", activation.rawValue),
  ]
}
