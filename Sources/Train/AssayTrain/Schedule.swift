#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The learning rate as a function of the step: a rise, then one of several ways down.
public struct Schedule: Sendable, Hashable {
  /// How the rate goes on after the warm-up.
  public enum Decay: Sendable, Hashable {
    /// It stays.
    case constant
    /// Half a cosine, down to `end` times the peak at the last step (Loshchilov and Hutter, 2017).
    case cosine(end: Float)
    /// Multiplied with `factor` every `steps` steps.
    case steps(every: Int, factor: Float)
    /// `((1 - progress) ^ power)` between the peak and `end` times the peak at the last step.
    case polynomial(power: Float, end: Float)
  }

  /// The greatest rate.
  public var peak: Float
  /// Steps in which the rate rises in a straight line from nearly 0 to the peak.
  public var warmUp: Int
  /// What comes then.
  public var decay: Decay

  /// Makes a schedule.
  public init(_ peak: Float, warmUp: Int = 0, decay: Decay = .constant) {
    self.peak = peak
    self.warmUp = warmUp
    self.decay = decay
  }

  /// The rate of a step (the first is 0) of `steps`.
  public func rate(at step: Int, of steps: Int) -> Float {
    if step < warmUp { return peak * Float(step + 1) / Float(warmUp) }
    let length = max(steps - warmUp, 1)
    let progress = min(Float(step - warmUp) / Float(length), 1)
    switch decay {
    case .constant: return peak
    case .cosine(let end):
      return peak * (end + (1 - end) * 0.5 * (1 + cos(Float.pi * progress)))
    case .steps(let every, let factor):
      return peak * pow(factor, Float((step - warmUp) / max(every, 1)))
    case .polynomial(let power, let end):
      return peak * (end + (1 - end) * pow(1 - progress, power))
    }
  }
}
