/// A function of one number that a recurrent cell applies to its gates or its state.
public struct RecurrentFunction: Sendable, Hashable {
  /// The functions of Keras, ONNX and TFLite.
  public enum Kind: String, Sendable, CaseIterable {
    case linear, sigmoid, tanh, relu, relu6, reluN1To1
    /// `x` where positive, `alpha * (exp(x) - 1)` elsewhere.
    case elu
    /// `beta * elu(x)`, with elu's `alpha`.
    case selu
    /// `x` where positive, `alpha * x` elsewhere.
    case leakyReLU
    /// `x` where greater than `alpha`, 0 elsewhere.
    case thresholdedReLU
    /// `alpha * tanh(beta * x)`.
    case scaledTanh
    /// `alpha * x + beta`, clamped to [0, 1].
    case hardSigmoid
    /// `alpha * x + beta`.
    case affine
    case softsign, softplus, exponential, gelu, geluApproximate, silu, hardSwish, mish
  }

  /// Which function.
  public var kind: Kind
  /// Its first parameter, where it has one.
  public var alpha: Float
  /// Its second parameter, where it has one.
  public var beta: Float

  /// Makes a function; parameters that it does not have are ignored.
  public init(_ kind: Kind, alpha: Float = 0, beta: Float = 0) {
    self.kind = kind
    self.alpha = alpha
    self.beta = beta
  }

  /// The name, with the parameters where they matter.
  public var text: String {
    switch kind {
    case .elu, .leakyReLU, .thresholdedReLU: "\(kind.rawValue)(\(alpha))"
    case .selu, .scaledTanh, .hardSigmoid, .affine: "\(kind.rawValue)(\(alpha),\(beta))"
    default: kind.rawValue
    }
  }

  /// The hyperbolic tangent.
  public static let tanh = RecurrentFunction(.tanh)
  /// The logistic function.
  public static let sigmoid = RecurrentFunction(.sigmoid)
}
