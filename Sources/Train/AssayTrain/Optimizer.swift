import AssayAutodiff
import AssayKernels

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// How gradients change parameters.
public struct Optimizer: Sendable, Hashable {
  /// The rule.
  public enum Rule: Sendable, Hashable {
    /// Gradient descent: `v = momentum v - rate g; w += v` (Nesterov: `w += momentum v - rate g`).
    case descent(momentum: Float = 0, isNesterov: Bool = false)
    /// Adam (Kingma and Ba, 2015); AMSGrad never forgets the greatest square (Reddi et al., 2018).
    case adam(
      beta1: Float = 0.9,
      beta2: Float = 0.999,
      epsilon: Float = 1e-7,
      isAMSGrad: Bool = false
    )
  }

  /// How gradients are limited before they are used.
  public enum Clipping: Sendable, Hashable {
    /// All together, to this Euclidean norm.
    case norm(Float)
    /// Each element, to this magnitude.
    case value(Float)
  }

  /// The rule.
  public var rule: Rule
  /// The part of a weight that is taken away in each step, times the rate (Loshchilov and Hutter, 2019);
  /// biases, scales and offsets are left out.
  public var weightDecay: Float
  /// How gradients are limited.
  public var clipping: Clipping?

  /// Makes an optimizer.
  public init(_ rule: Rule, weightDecay: Float = 0, clipping: Clipping? = nil) {
    self.rule = rule
    self.weightDecay = weightDecay
    self.clipping = clipping
  }

  /// Adam as Keras has it.
  public static let adam = Optimizer(.adam())
}

/// An optimizer at work on a graph's parameters.
final class OptimizerState {
  let optimizer: Optimizer
  private let model: TrainableGraph
  /// What the rule remembers of each parameter that has a gradient.
  private(set) var slots: [[FloatBlock]]
  private let trained: [Parameter]

  init(_ optimizer: Optimizer, _ model: TrainableGraph) {
    self.optimizer = optimizer
    self.model = model
    trained = model.parameters.filter { $0.gradient != nil }
    let count =
      switch optimizer.rule {
      case .descent(let momentum, _): momentum > 0 ? 1 : 0
      case .adam(_, _, _, let isAMSGrad): isAMSGrad ? 3 : 2
      }
    slots = trained.map { parameter in
      (0..<count).map { _ in FloatBlock(count: parameter.count) }
    }
  }

  /// The Euclidean norm of all gradients; not finite when one of them is not.
  func norm() -> Double {
    var sum: Double = 0
    for parameter in trained where parameter.isTrainable {
      guard let gradient = parameter.gradient else { continue }
      // Four sums in turn: one alone would wait for each addition.
      var sums: (Double, Double, Double, Double) = (0, 0, 0, 0)
      let count = gradient.count
      var index = 0
      while index + 4 <= count {
        let (a, b) = (Double(gradient[index]), Double(gradient[index + 1]))
        let (c, d) = (Double(gradient[index + 2]), Double(gradient[index + 3]))
        sums.0 += a * a
        sums.1 += b * b
        sums.2 += c * c
        sums.3 += d * d
        index += 4
      }
      while index < count {
        sums.0 += Double(gradient[index]) * Double(gradient[index])
        index += 1
      }
      sum += sums.0 + sums.1 + sums.2 + sums.3
    }
    return sum.squareRoot()
  }

  /// Changes the parameters.
  ///
  /// - Parameters:
  ///   - step: the first is 0.
  ///   - norm: that of all gradients, if it is known.
  func apply(step: Int, rate: Float, norm: Double?) {
    var scale: Float = 1
    switch optimizer.clipping {
    case .norm(let limit):
      let norm = norm ?? self.norm()
      if norm > Double(limit) { scale = Float(Double(limit) / norm) }
    case .value(let limit):
      for parameter in trained where parameter.isTrainable {
        guard let gradient = parameter.gradient else { continue }
        for index in 0..<gradient.count {
          gradient[index] = min(max(gradient[index], -limit), limit)
        }
      }
    case nil: break
    }
    for (index, parameter) in trained.enumerated() where parameter.isTrainable {
      guard let gradient = parameter.gradient else { continue }
      let decay = parameter.role == .weight ? optimizer.weightDecay * rate : 0
      switch optimizer.rule {
      case .descent(let momentum, let isNesterov):
        model.kernels.descend(
          rate: rate,
          momentum: momentum,
          isNesterov: isNesterov,
          gradientScale: scale,
          decay: decay,
          value: parameter.value,
          gradient: gradient,
          velocity: slots[index].first?.buffer,
          pool: model.pool
        )
      case .adam(let beta1, let beta2, let epsilon, let isAMSGrad):
        let t = Double(step + 1)
        let correction =
          (1 - pow(Double(beta2), t)).squareRoot() / (1 - pow(Double(beta1), t))
        model.kernels.adam(
          AdamStep(
            rate: rate * Float(correction),
            beta1: beta1,
            beta2: beta2,
            epsilon: epsilon,
            gradientScale: scale,
            decay: decay
          ),
          value: parameter.value,
          gradient: gradient,
          mean: slots[index][0].buffer,
          square: slots[index][1].buffer,
          greatest: isAMSGrad ? slots[index][2].buffer : nil,
          pool: model.pool
        )
      }
    }
  }
}
