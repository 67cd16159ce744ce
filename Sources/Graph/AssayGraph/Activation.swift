/// An activation that an operator applies to its result before it leaves (TFLite's set).
public enum Activation: String, Sendable, Hashable, CaseIterable {
  case none
  case relu
  case relu6
  /// Clamped to [-1, 1].
  case reluN1To1

  /// The range that results are clamped to.
  public var bounds: (low: Float, high: Float) {
    switch self {
    case .none: (-.infinity, .infinity)
    case .relu: (0, .infinity)
    case .relu6: (0, 6)
    case .reluN1To1: (-1, 1)
    }
  }
}

/// How a window operator treats the border of its input.
public enum Padding: Sendable, Hashable {
  /// The output is ceil(input / stride) long; the odd element of padding comes last.
  case same
  /// No padding.
  case valid
  /// Zeros before and after each spatial axis (height, width).
  case explicit(top: Int, bottom: Int, left: Int, right: Int)

  /// Elements of padding before and after one axis of an input of `extent`.
  public func amounts(
    extent: Int,
    window: Int,
    stride: Int,
    dilation: Int,
    isHeight: Bool
  ) -> (before: Int, after: Int) {
    switch self {
    case .valid: return (0, 0)
    case .explicit(let top, let bottom, let left, let right):
      return isHeight ? (top, bottom) : (left, right)
    case .same:
      let reach = (window - 1) * dilation + 1
      let output = (extent + stride - 1) / stride
      let total = max(0, (output - 1) * stride + reach - extent)
      return (total / 2, total - total / 2)
    }
  }

  /// The length of the output along one axis; `nil` when the window does not fit.
  public func outputExtent(
    _ extent: Int,
    window: Int,
    stride: Int,
    dilation: Int,
    isHeight: Bool
  ) -> Int? {
    guard extent >= 0 else { return -1 }
    guard window > 0, stride > 0, dilation > 0, extent < 1 << 31, window < 1 << 20,
      stride < 1 << 20, dilation < 1 << 20
    else { return nil }
    let (before, after) = amounts(
      extent: extent,
      window: window,
      stride: stride,
      dilation: dilation,
      isHeight: isHeight
    )
    guard before >= 0, after >= 0, before < 1 << 30, after < 1 << 30 else { return nil }
    let span = extent + before + after - (window - 1) * dilation - 1
    return span < 0 ? nil : span / stride + 1
  }

  /// `same`, `valid` or the four numbers.
  public var text: String {
    switch self {
    case .same: "same"
    case .valid: "valid"
    case .explicit(let top, let bottom, let left, let right): "\(top),\(bottom),\(left),\(right)"
    }
  }
}

/// A pair of extents, height first.
public struct Size2D: Sendable, Hashable {
  /// Along the vertical axis.
  public var height: Int
  /// Along the horizontal axis.
  public var width: Int
  /// Makes a pair.
  public init(_ height: Int, _ width: Int) {
    self.height = height
    self.width = width
  }
  /// One in both directions.
  public static let one = Size2D(1, 1)
  /// The pair as `3x3`.
  public var text: String { "\(height)x\(width)" }
}

/// An operator that can apply an Activation to its result.
public protocol ActivatingOperator: Operator {
  /// Applied to the result.
  var activation: Activation { get set }
  /// Whether an activation may be set; some functions of an operator take none.
  var takesActivation: Bool { get }
}

extension ActivatingOperator {
  /// Activations are taken.
  public var takesActivation: Bool { true }
}

extension Conv2D: ActivatingOperator {}
extension DepthwiseConv2D: ActivatingOperator {}
extension TransposeConv2D: ActivatingOperator {}
extension FullyConnected: ActivatingOperator {}
extension Pool2D: ActivatingOperator {}
extension Binary: ActivatingOperator {
  public var takesActivation: Bool { [.add, .subtract, .multiply, .divide].contains(kind) }
}

extension Activation {
  /// The one activation that equals this one followed by `next`; `nil` when there is none.
  public func followed(by next: Activation) -> Activation? {
    let low = max(bounds.low, next.bounds.low)
    let high = min(max(bounds.high, next.bounds.low), next.bounds.high)
    return Activation.allCases.first { $0.bounds == (low, high) }
  }
}

extension Activation {
  /// The function that computes it alone; `nil` for none.
  public var function: Unary.Kind? {
    switch self {
    case .none: nil
    case .relu: .relu
    case .relu6: .relu6
    case .reluN1To1: .reluN1To1
    }
  }
}

extension Unary.Kind {
  /// The activation that computes this function, if it is one.
  public var activation: Activation? {
    switch self {
    case .relu: .relu
    case .relu6: .relu6
    case .reluN1To1: .reluN1To1
    default: nil
    }
  }
}
