import AssayKernels
import CTrain

/// What one step of Adam needs beside the buffers.
public struct AdamStep: Sendable {
  /// The step, with the corrections for the first steps.
  public var rate: Float
  /// The decay of the gradient's mean and of its square.
  public var beta1: Float, beta2: Float
  /// Added to the square's root.
  public var epsilon: Float
  /// What gradients are multiplied with first (clipping).
  public var gradientScale: Float
  /// The part of the value that is taken away first.
  public var decay: Float

  /// Makes a step.
  public init(
    rate: Float,
    beta1: Float,
    beta2: Float,
    epsilon: Float,
    gradientScale: Float,
    decay: Float
  ) {
    self.rate = rate
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.gradientScale = gradientScale
    self.decay = decay
  }
}

extension TrainingKernels {
  /// `to += from`.
  public func add(_ from: FloatBuffer, to: FloatBuffer, pool: ThreadPool) {
    guard let table = unsafe table else {
      for index in 0..<to.count { to[index] += from[index] }
      return
    }
    unsafe table.pointee.add(to.base, from.base, Int64(min(to.count, from.count)), pool.handle)
  }

  /// `a + b`, clamped.
  func sum(
    _ a: FloatBuffer,
    _ b: FloatBuffer,
    into output: FloatBuffer,
    bounds: (low: Float, high: Float),
    pool: ThreadPool
  ) {
    guard let table = unsafe table else {
      for index in 0..<output.count {
        output[index] = PortableTraining.clamp(a[index] + b[index], bounds)
      }
      return
    }
    unsafe table.pointee.sum(
      a.base,
      b.base,
      output.base,
      Int64(output.count),
      bounds.low,
      bounds.high,
      pool.handle
    )
  }

  /// The gradient where `y` lies between the bounds, otherwise 0.
  func mask(
    _ gradient: FloatBuffer,
    _ y: FloatBuffer,
    into output: FloatBuffer,
    bounds: (low: Float, high: Float),
    pool: ThreadPool
  ) {
    guard let table = unsafe table else {
      for index in 0..<output.count {
        let passes = y[index] > bounds.low && y[index] < bounds.high
        output[index] = passes ? gradient[index] : 0
      }
      return
    }
    unsafe table.pointee.mask(
      gradient.base,
      y.base,
      output.base,
      Int64(output.count),
      bounds.low,
      bounds.high,
      pool.handle
    )
  }

  /// What is summed over the rows of a matrix.
  enum ColumnSums {
    /// x.
    case plain
    /// x less its first row, and the square of that.
    case squares
    /// x, and x times (another matrix less its first row).
    case products(FloatBuffer)
  }

  /// Sums over the rows of `x` (`columns` wide), in double precision.
  func columnSums(
    _ kind: ColumnSums,
    _ x: FloatBuffer,
    columns: Int,
    pool: ThreadPool
  ) -> (sums: [Double], seconds: [Double]) {
    guard columns > 0 else { return ([], []) }
    guard let table = unsafe table else {
      return PortableTraining.columnSums(kind, x, columns: columns)
    }
    var sums = [Double](repeating: 0, count: columns)
    var seconds = sums
    var partial = [Double](repeating: 0, count: 64 * 3 * columns)
    let rows = Int64(x.count / columns)
    let width = Int64(columns)
    switch kind {
    case .plain:
      unsafe table.pointee.column_sums(
        x.base,
        nil,
        rows,
        width,
        &sums,
        nil,
        nil,
        &partial,
        pool.handle
      )
    case .squares:
      unsafe table.pointee.column_sums(
        x.base,
        nil,
        rows,
        width,
        &sums,
        &seconds,
        nil,
        &partial,
        pool.handle
      )
    case .products(let other):
      unsafe table.pointee.column_sums(
        x.base,
        other.base,
        rows,
        width,
        &sums,
        nil,
        &seconds,
        &partial,
        pool.handle
      )
    }
    return (sums, seconds)
  }

  /// `x * scale + offset` on each row.
  func scaleRows(
    _ x: FloatBuffer,
    scale: FloatBuffer,
    offset: FloatBuffer,
    into output: FloatBuffer,
    pool: ThreadPool
  ) {
    guard let table = unsafe table else {
      for index in 0..<output.count {
        let column = index % scale.count
        output[index] = x[index] * scale[column] + offset[column]
      }
      return
    }
    unsafe table.pointee.scale_rows(
      x.base,
      scale.base,
      offset.base,
      output.base,
      Int64(output.count / scale.count),
      Int64(scale.count),
      pool.handle
    )
  }

  /// `gradient * p + x * q + r` on each row; with `bounds`, 0 where x does not lie between them.
  func combineRows(
    _ gradient: FloatBuffer,
    _ x: FloatBuffer,
    p: FloatBuffer,
    q: FloatBuffer,
    r: FloatBuffer,
    into output: FloatBuffer,
    bounds: (low: Float, high: Float)? = nil,
    pool: ThreadPool
  ) {
    guard let table = unsafe table else {
      for index in 0..<output.count {
        let column = index % p.count
        let sum = gradient[index] * p[column] + x[index] * q[column] + r[column]
        let isInside = bounds.map { x[index] > $0.low && x[index] < $0.high } ?? true
        output[index] = isInside ? sum : 0
      }
      return
    }
    let limits = bounds.map { [$0.low, $0.high] }
    unsafe table.pointee.combine_rows(
      gradient.base,
      x.base,
      p.base,
      q.base,
      r.base,
      output.base,
      Int64(output.count / p.count),
      Int64(p.count),
      limits,
      pool.handle
    )
  }

  /// One step of Adam; of AMSGrad where `greatest` is given.
  public func adam(
    _ step: AdamStep,
    value: FloatBuffer,
    gradient: FloatBuffer,
    mean: FloatBuffer,
    square: FloatBuffer,
    greatest: FloatBuffer?,
    pool: ThreadPool
  ) {
    guard let table = unsafe table else {
      return PortableTraining.adam(
        step,
        value: value,
        gradient: gradient,
        mean: mean,
        square: square,
        greatest: greatest
      )
    }
    var a = unsafe ct_adam(
      value: value.base,
      gradient: gradient.base,
      mean: mean.base,
      square: square.base,
      greatest: greatest?.base,
      count: Int64(value.count),
      rate: step.rate,
      beta1: step.beta1,
      beta2: step.beta2,
      epsilon: step.epsilon,
      gradient_scale: step.gradientScale,
      decay: step.decay
    )
    unsafe table.pointee.adam(&a, pool.handle)
  }

  /// One step of gradient descent; with momentum where a velocity is given.
  public func descend(
    rate: Float,
    momentum: Float,
    isNesterov: Bool,
    gradientScale: Float,
    decay: Float,
    value: FloatBuffer,
    gradient: FloatBuffer,
    velocity: FloatBuffer?,
    pool: ThreadPool
  ) {
    guard let table = unsafe table else {
      for index in 0..<value.count {
        let g = gradient[index] * gradientScale * rate
        guard let velocity else {
          value[index] = value[index] * (1 - decay) - g
          continue
        }
        let v = velocity[index] * momentum - g
        velocity[index] = v
        value[index] = value[index] * (1 - decay) + (isNesterov ? momentum * v - g : v)
      }
      return
    }
    var a = unsafe ct_sgd(
      value: value.base,
      gradient: gradient.base,
      velocity: velocity?.base,
      count: Int64(value.count),
      rate: rate,
      momentum: momentum,
      nesterov: isNesterov ? 1 : 0,
      gradient_scale: gradientScale,
      decay: decay
    )
    unsafe table.pointee.sgd(&a, pool.handle)
  }
}
