import AssayBase
import AssayTensor

/// Where the weights of a network that is being built come from.
enum WeightSource: Sendable {
  /// What each layer's initializer draws: the beginning of a training.
  case initializers
  /// Random ones of about the right size for a network that is never trained; `Network.settled`
  /// finds the right sizes.
  case lively
  /// None: only names and shapes are wanted. The graph can be counted, not run.
  case structure
  /// Those of another network by their names; what is missing is drawn as `lively`.
  case given([String: Tensor])

  /// The weight's elements; `nil` where there are none.
  func tensor(
    _ name: String,
    _ part: String,
    _ shape: Shape,
    _ initializer: Initializer,
    fans: Initializer.Fans,
    seed: UInt64
  ) -> Tensor? {
    switch self {
    case .initializers:
      var rng = SeededRNG(seed: seed)
      return initializer.tensor(shape, fans: fans, using: &rng)
    case .lively:
      return Self.lively(part, shape, initializer, fans, seed)
    case .structure:
      return nil
    case .given(let tensors):
      if let tensor = tensors[name], tensor.shape == shape { return tensor }
      return Self.lively(part, shape, initializer, fans, seed)
    }
  }

  private static func lively(
    _ part: String,
    _ shape: Shape,
    _ initializer: Initializer,
    _ fans: Initializer.Fans,
    _ seed: UInt64
  ) -> Tensor {
    var rng = SeededRNG(seed: seed)
    if part.hasSuffix("gamma") {
      // A branch that begins at almost nothing is at a part of its trunk when it is trained.
      if initializer != .ones {
        return Tensor((0..<shape.count).map { _ in rng.uniform(0.2, 0.4) }, shape)
      }
      return Tensor((0..<shape.count).map { _ in rng.uniform(0.7, 1.3) }, shape)
    }
    if part.hasSuffix("beta") { return normal(shape, deviation: 0.1, &rng) }
    // Statistics, biases and whatever else begins at a number.
    if case .constant = initializer { return initializer.tensor(shape, fans: fans, using: &rng) }
    if case .truncatedNormal(let deviation) = initializer {
      return normal(shape, deviation: deviation, &rng)
    }
    return normal(shape, deviation: (2 / Float(max(fans.input, 1))).squareRoot(), &rng)
  }

  /// Nearly normal numbers: each the sum of four uniform ones.
  ///
  /// They are 16 of a draw's 64 bits each: a network may have a hundred million weights, so one draw
  /// has to do for each.
  static func normal(_ shape: Shape, deviation: Float, _ rng: inout SeededRNG) -> Tensor {
    // A uniform number of 16 bits has the variance 2^32 / 12.
    let scale = deviation * Float(3).squareRoot() / 65_536
    var local = rng
    defer { rng = local }
    return unsafe Tensor(TensorType(.float32, shape), as: Float.self) { target in
      for index in 0..<target.count {
        let bits = local.next()
        let pairs = (bits & 0xFFFF_0000_FFFF) &+ (bits >> 16 & 0xFFFF_0000_FFFF)
        let sum = Int32(truncatingIfNeeded: (pairs &+ (pairs >> 32)) & 0xFFFF_FFFF)
        unsafe target[index] = Float(sum &- 131_070) * scale
      }
    }
  }
}
