import AssayGraph
import AssayKernels

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A function of a recurrent cell: a kernel where there is one.
struct CellFunction {
  private let kernel: UnaryKernel?
  private let function: (Float) -> Float

  init(_ function: RecurrentFunction) {
    kernel = function.kernel
    self.function = function.function
  }

  /// Applies it in place.
  func apply(_ x: FloatBuffer, _ kernels: Kernels) {
    if let kernel { return kernels.unary(kernel, x, into: x) }
    for index in 0..<x.count { x[index] = function(x[index]) }
  }
}

extension RecurrentFunction {
  fileprivate var kernel: UnaryKernel? {
    switch kind {
    case .sigmoid: .sigmoid
    case .tanh: .tanh
    case .relu: .clamp(0, .infinity)
    case .relu6: .clamp(0, 6)
    case .reluN1To1: .clamp(-1, 1)
    case .exponential: .exp
    case .leakyReLU: .leaky(alpha)
    case .hardSwish: .hardSwish
    default: nil
    }
  }

  /// The functions that have no kernel.
  fileprivate var function: (Float) -> Float {
    let (a, b) = (alpha, beta)
    let softplus: (Float) -> Float = { max($0, 0) + log1p(exp(-$0.magnitude)) }
    switch kind {
    case .elu: return { $0 < 0 ? a * expm1($0) : $0 }
    case .selu: return { b * ($0 < 0 ? a * expm1($0) : $0) }
    case .thresholdedReLU: return { $0 > a ? $0 : 0 }
    case .scaledTanh: return { a * hyperbolicTangent(b * $0) }
    case .hardSigmoid: return { min(max(a * $0 + b, 0), 1) }
    case .affine: return { a * $0 + b }
    case .softsign: return { $0 / (1 + $0.magnitude) }
    case .softplus: return softplus
    case .gelu: return { 0.5 * $0 * (1 + erf($0 * Float(0.5).squareRoot())) }
    case .geluApproximate:
      return { 0.5 * $0 * (1 + hyperbolicTangent(0.7978845608 * ($0 + 0.044715 * $0 * $0 * $0))) }
    case .silu: return { $0 / (1 + exp(-$0)) }
    case .mish: return { $0 * hyperbolicTangent(softplus($0)) }
    default: return { $0 }
    }
  }
}

/// The platform's function under a name that the static members do not hide.
private func hyperbolicTangent(_ x: Float) -> Float { tanh(x) }
