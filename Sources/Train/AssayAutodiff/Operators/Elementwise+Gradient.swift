import AssayBase
import AssayGraph
import AssayKernels
import AssayTensor

/// Elements that one item of parallel work takes.
private let run = 1 << 14

extension ThreadPool {
  /// Calls `body` with the ends of runs that cover `count` elements.
  func forEachRun(_ count: Int, _ body: (_ begin: Int, _ end: Int) -> Void) {
    forEach((count + run - 1) / run) { item, _ in body(item * run, min((item + 1) * run, count)) }
  }
}

extension Unary: DifferentiableOperator {
  var reusesGradient: Bool { true }

  /// Steps have no slope: nothing flows through them.
  func flows(to input: Int) -> Bool {
    switch kind {
    case .floor, .ceil, .round, .sign, .isNaN, .isInfinite, .logicalNot, .bitwiseNot: false
    default: true
    }
  }

  func gradientStep(_ site: GradientSite) throws -> GradientStep {
    guard let slope, let function else {
      if site.isActive { throw Diagnostic("TRN001", "operator '\(name)' has no gradient") }
      return try site.referenceStep()
    }
    let (x, y, dy, dx) = (
      try site.input(0), site.output, site.outputGradient, site.gradient(of: 0)
    )
    let (context, kernel) = (site.context, kernel)
    let bounds = kind.activation?.bounds
    return GradientStep {
      context.pool.forEachRun(y.count) { begin, end in
        if let kernel {
          let count = end - begin
          return context.kernels.unary(kernel, x.part(begin, count), into: y.part(begin, count))
        }
        for index in begin..<end { y[index] = function(x[index]) }
      }
    } backward: {
      guard let dx else { return }
      if let bounds {
        return context.training.mask(dy, y, into: dx, bounds: bounds, pool: context.pool)
      }
      context.pool.forEachRun(dx.count) { begin, end in
        for index in begin..<end { dx[index] = dy[index] * slope(x[index], y[index]) }
      }
    }
  }

  private var kernel: UnaryKernel? {
    switch kind {
    case .relu: .clamp(0, .infinity)
    case .relu6: .clamp(0, 6)
    case .reluN1To1: .clamp(-1, 1)
    case .sigmoid: .sigmoid
    case .tanh: .tanh
    case .exp: .exp
    case .abs: .abs
    case .negative: .negative
    case .square: .square
    case .sqrt: .sqrt
    case .rsqrt: .rsqrt
    case .hardSwish: .hardSwish
    default: nil
    }
  }

  /// The function, where there is no kernel; the identity where there is one.
  private var function: ((Float) -> Float)? {
    switch kind {
    case .log: { logarithm($0) }
    case .sin: { sine($0) }
    case .cos: { cosine($0) }
    case .elu: { $0 < 0 ? exponentialLess1($0) : $0 }
    case .gelu: { 0.5 * $0 * (1 + errorFunction($0 * Float(0.5).squareRoot())) }
    case .geluApproximate:
      { 0.5 * $0 * (1 + hyperbolicTangent(0.7978845608 * ($0 + 0.044715 * $0 * $0 * $0))) }
    case .erf: { errorFunction($0) }
    default: kernel == nil ? nil : { $0 }
    }
  }

  /// Whether the derivative is known.
  var isDifferentiable: Bool { slope != nil }

  /// The derivative at x, where y is the function's value.
  private var slope: ((_ x: Float, _ y: Float) -> Float)? {
    switch kind {
    case .relu, .relu6, .reluN1To1: { _, _ in 1 }
    case .sigmoid: { _, y in y * (1 - y) }
    case .tanh: { _, y in 1 - y * y }
    case .exp: { _, y in y }
    case .log: { x, _ in 1 / x }
    case .sqrt: { _, y in 0.5 / y }
    case .rsqrt: { _, y in -0.5 * y * y * y }
    case .abs: { x, _ in x > 0 ? 1 : x < 0 ? -1 : 0 }
    case .negative: { _, _ in -1 }
    case .square: { x, _ in 2 * x }
    case .sin: { x, _ in cosine(x) }
    case .cos: { x, _ in -sine(x) }
    case .elu: { x, y in x < 0 ? y + 1 : 1 }
    case .hardSwish: { x, _ in x <= -3 ? 0 : x >= 3 ? 1 : (2 * x + 3) / 6 }
    case .gelu:
      { x, _ in
        0.5 * (1 + errorFunction(x * Float(0.5).squareRoot()))
          + x * 0.3989422804 * exponential(-0.5 * x * x)
      }
    case .geluApproximate:
      { x, _ in
        let t = hyperbolicTangent(0.7978845608 * (x + 0.044715 * x * x * x))
        return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * 0.7978845608 * (1 + 3 * 0.044715 * x * x)
      }
    case .erf: { x, _ in 1.1283791671 * exponential(-x * x) }
    default: nil
    }
  }
}

extension LeakyReLU: DifferentiableOperator {
  var reusesGradient: Bool { true }

  func gradientStep(_ site: GradientSite) throws -> GradientStep {
    let (x, y, dy, dx) = (
      try site.input(0), site.output, site.outputGradient, site.gradient(of: 0)
    )
    let (context, alpha) = (site.context, alpha)
    return GradientStep {
      context.pool.forEachRun(y.count) { begin, end in
        let count = end - begin
        context.kernels.unary(.leaky(alpha), x.part(begin, count), into: y.part(begin, count))
      }
    } backward: {
      guard let dx else { return }
      context.pool.forEachRun(dx.count) { begin, end in
        for index in begin..<end { dx[index] = x[index] < 0 ? alpha * dy[index] : dy[index] }
      }
    }
  }
}

/// How the elements of an operand meet those of a broadcast result.
enum Spread {
  /// One for one.
  case same
  /// One for all.
  case one
  /// The operand is a row of the result's last axes.
  case row(Int)
  /// Any other way: the operand's element for each of the result's.
  case indices([Int32])

  init(_ shape: Shape, to target: Shape) {
    let count = shape.count
    if shape.count == target.count {
      self = .same
    } else if count == 1 {
      self = .one
    } else if target.dims.suffix(shape.rank).elementsEqual(shape.dims)
      || Self.isTail(shape, of: target)
    {
      self = .row(count)
    } else {
      self = .indices(IndexMap.broadcast(shape, to: target))
    }
  }

  /// Whether only leading extents are 1.
  private static func isTail(_ shape: Shape, of target: Shape) -> Bool {
    let dims = Array(shape.dims.drop { $0 == 1 })
    return target.dims.suffix(dims.count).elementsEqual(dims)
  }

  @inline(__always) func callAsFunction(_ index: Int) -> Int {
    switch self {
    case .same: index
    case .one: 0
    case .row(let length): index % length
    case .indices(let places): Int(places[index])
    }
  }

  /// Sums what belongs to each of the operand's elements.
  func collect(_ gradients: FloatBuffer, into target: FloatBuffer, _ context: TrainingContext) {
    switch self {
    case .same: target.copy(gradients)
    case .one:
      let columns = [64, 16, 4, 1].first { gradients.count % $0 == 0 } ?? 1
      let sums = context.training.columnSums(
        .plain,
        gradients,
        columns: columns,
        pool: context.pool
      ).sums
      target[0] = Float(sums.reduce(0, +))
    case .row(let length):
      let sums = context.training.columnSums(
        .plain,
        gradients,
        columns: length,
        pool: context.pool
      ).sums
      for index in sums.indices { target[index] = Float(sums[index]) }
    case .indices(let places):
      target.fill(0)
      for index in 0..<gradients.count { target[Int(places[index])] += gradients[index] }
    }
  }
}

extension Binary: DifferentiableOperator {
  /// Constants that shift or scale inside the network: positions, scales.
  var parameterInputs: [Int: Parameter.Role] {
    switch kind {
    case .add, .subtract: [0: .bias, 1: .bias]
    case .multiply, .divide: [0: .scale, 1: .scale]
    default: [:]
    }
  }

  var reusesGradient: Bool { kind == .add || kind == .subtract }

  func flows(to input: Int) -> Bool {
    switch kind {
    case .add, .subtract, .multiply, .divide, .maximum, .minimum, .power, .squaredDifference: true
    default: false
    }
  }

  func gradientStep(_ site: GradientSite) throws -> GradientStep {
    guard flows(to: 0), try site.type(0).dtype == .float32 else { return try site.referenceStep() }
    let shape = site.outputShape
    let spreads = [Spread(try site.shape(0), to: shape), Spread(try site.shape(1), to: shape)]
    let (a, b) = (try site.input(0), try site.input(1))
    let (y, dy) = (site.output, site.outputGradient)
    let targets = [site.gradient(of: 0), site.gradient(of: 1)]
    let (context, kind) = (site.context, kind)
    let unclamp = site.unclamped(activation)
    let partials = [slope(0), slope(1)]
    let products =
      kind == .multiply
      ? [(b, spreads[1]), (a, spreads[0])].map { Self.product(dy, $0.0, $0.1, context) }
      : [nil, nil]
    let forward = try self.forward(a, b, y, spreads, context)
    return GradientStep(forward: forward) {
      unclamp()
      // Input 0 last: its gradient may lie where the output's does.
      for input in [1, 0] {
        guard let target = targets[input] else { continue }
        let spread = spreads[input]
        if kind == .add || kind == .subtract && input == 0 {
          if case .same = spread {
            if !target.isSame(as: dy) { target.copy(dy) }
          } else {
            spread.collect(dy, into: target, context)
          }
          continue
        }
        let partial = partials[input]
        var place = target
        if case .same = spread {} else { place = context.workspace(y.count) }
        let (sa, sb) = (spreads[0], spreads[1])
        if let multiply = products[input] {
          multiply(place)
        } else {
          context.pool.forEachRun(y.count) { begin, end in
            for index in begin..<end {
              place[index] = dy[index] * partial(a[sa(index)], b[sb(index)], y[index])
            }
          }
        }
        if case .same = spread {} else { spread.collect(place, into: target, context) }
      }
    }
  }

  /// What writes `x` times an operand that lies as `spread` says; `nil` where no kernel does that.
  private static func product(
    _ x: FloatBuffer,
    _ operand: FloatBuffer,
    _ spread: Spread,
    _ context: TrainingContext
  ) -> ((FloatBuffer) -> Void)? {
    switch spread {
    case .same:
      return { result in
        context.pool.forEachRun(x.count) { begin, end in
          context.kernels.binary(
            .multiply,
            x.part(begin, end - begin),
            operand.part(begin, end - begin),
            into: result.part(begin, end - begin),
            low: -.infinity,
            high: .infinity
          )
        }
      }
    case .row(let length):
      return { result in
        context.training.scaleRows(
          x,
          scale: operand,
          offset: context.zeros(length),
          into: result,
          pool: context.pool
        )
      }
    case .one, .indices: return nil
    }
  }

  private func forward(
    _ a: FloatBuffer,
    _ b: FloatBuffer,
    _ y: FloatBuffer,
    _ spreads: [Spread],
    _ context: TrainingContext
  ) throws -> () -> Void {
    let (sa, sb, bounds) = (spreads[0], spreads[1], activation.bounds)
    if kind == .add, case .same = sa, case .same = sb {
      return { context.training.sum(a, b, into: y, bounds: bounds, pool: context.pool) }
    }
    let kernel: BinaryKernel? =
      switch kind {
      case .add: .add
      case .subtract: .subtract
      case .multiply: .multiply
      case .divide: .divide
      case .maximum: .maximum
      case .minimum: .minimum
      case .squaredDifference: .squaredDifference
      default: nil
      }
    if kind == .multiply || kind == .add, activation == .none, case .same = sa,
      case .row(let length) = sb
    {
      let other = context.keep(length)
      other.fill(kind == .add ? 1 : 0)
      let isSum = kind == .add
      return {
        context.training.scaleRows(
          a,
          scale: isSum ? other : b,
          offset: isSum ? b : other,
          into: y,
          pool: context.pool
        )
      }
    }
    if let kernel {
      let kernels = context.kernels
      switch (sa, sb) {
      case (.same, .same), (.same, .one), (.one, .same):
        return {
          context.pool.forEachRun(y.count) { begin, end in
            let count = end - begin
            kernels.binary(
              kernel,
              a.count == 1 ? a : a.part(begin, count),
              b.count == 1 ? b : b.part(begin, count),
              into: y.part(begin, count),
              low: bounds.low,
              high: bounds.high
            )
          }
        }
      case (.same, .row(let length)) where length >= 8:
        return {
          context.pool.forEach(y.count / length) { row, _ in
            kernels.binary(
              kernel,
              a.part(row * length, length),
              b,
              into: y.part(row * length, length),
              low: bounds.low,
              high: bounds.high
            )
          }
        }
      default: break
      }
    }
    let function = function
    return {
      context.pool.forEachRun(y.count) { begin, end in
        for index in begin..<end {
          let value = function(a[sa(index)], b[sb(index)])
          y[index] = min(max(value, bounds.low), bounds.high)
        }
      }
    }
  }

  private var function: (Float, Float) -> Float {
    switch kind {
    case .add: { $0 + $1 }
    case .subtract: { $0 - $1 }
    case .multiply: { $0 * $1 }
    case .divide: { $0 / $1 }
    case .maximum: { $0 > $1 ? $0 : $1 }
    case .minimum: { $0 < $1 ? $0 : $1 }
    case .squaredDifference: { ($0 - $1) * ($0 - $1) }
    default: { power($0, $1) }
    }
  }

  /// The partial derivative with respect to an operand.
  ///
  /// Where two operands of a maximum are equal, each gets half.
  private func slope(_ input: Int) -> (_ a: Float, _ b: Float, _ y: Float) -> Float {
    let isFirst = input == 0
    return switch kind {
    case .subtract: { _, _, _ in isFirst ? 1 : -1 }
    case .multiply: isFirst ? { _, b, _ in b } : { a, _, _ in a }
    case .divide: isFirst ? { _, b, _ in 1 / b } : { a, b, _ in -a / (b * b) }
    case .maximum:
      { a, b, _ in a == b ? 0.5 : (a > b) == isFirst ? 1 : 0 }
    case .minimum:
      { a, b, _ in a == b ? 0.5 : (a < b) == isFirst ? 1 : 0 }
    case .squaredDifference: { a, b, _ in isFirst ? 2 * (a - b) : 2 * (b - a) }
    case .power:
      isFirst
        ? { a, b, _ in b == 0 ? 0 : b * power(a, b - 1) }
        : { a, _, y in a > 0 ? y * logarithm(a) : 0 }
    default: { _, _, _ in 1 }
    }
  }
}

extension PReLU: DifferentiableOperator {
  var parameterInputs: [Int: Parameter.Role] { [1: .scale] }

  func gradientStep(_ site: GradientSite) throws -> GradientStep {
    let (x, slopes) = (try site.input(0), try site.input(1))
    let spread = Spread(try site.shape(1), to: site.outputShape)
    let (y, dy, dx, dSlopes) = (
      site.output, site.outputGradient, site.gradient(of: 0), site.gradient(of: 1)
    )
    let context = site.context
    return GradientStep {
      context.pool.forEachRun(y.count) { begin, end in
        for index in begin..<end {
          y[index] = x[index] < 0 ? slopes[spread(index)] * x[index] : x[index]
        }
      }
    } backward: {
      if let dSlopes {
        let parts = context.workspace(y.count)
        for index in 0..<y.count { parts[index] = x[index] < 0 ? dy[index] * x[index] : 0 }
        spread.collect(parts, into: dSlopes, context)
      }
      guard let dx else { return }
      context.pool.forEachRun(dx.count) { begin, end in
        for index in begin..<end {
          dx[index] = x[index] < 0 ? dy[index] * slopes[spread(index)] : dy[index]
        }
      }
    }
  }
}

extension Select: DifferentiableOperator {
  func flows(to input: Int) -> Bool { input > 0 }

  func gradientStep(_ site: GradientSite) throws -> GradientStep {
    let shape = site.outputShape
    let spreads = try (0..<3).map { Spread(try site.shape($0), to: shape) }
    let inputs = try (0..<3).map { try site.input($0) }
    let (y, dy, context) = (site.output, site.outputGradient, site.context)
    let targets = (0..<3).map { site.gradient(of: $0) }
    return GradientStep {
      for index in 0..<y.count {
        let choice = inputs[0][spreads[0](index)] != 0 ? 1 : 2
        y[index] = inputs[choice][spreads[choice](index)]
      }
    } backward: {
      for choice in 1...2 {
        guard let target = targets[choice] else { continue }
        let parts = context.workspace(dy.count)
        for index in 0..<dy.count {
          parts[index] = (inputs[0][spreads[0](index)] != 0) == (choice == 1) ? dy[index] : 0
        }
        spreads[choice].collect(parts, into: target, context)
      }
    }
  }
}

extension Cast: DifferentiableOperator {
  var reusesGradient: Bool { true }

  /// Between floats a cast is the identity here; to integers it is a step.
  func flows(to input: Int) -> Bool { [.float32, .float16, .float64].contains(dtype) }

  func gradientStep(_ site: GradientSite) throws -> GradientStep {
    guard flows(to: 0) else { return try site.referenceStep() }
    let (x, y, dy, dx) = (
      try site.input(0), site.output, site.outputGradient, site.gradient(of: 0)
    )
    return GradientStep {
      y.copy(x)
    } backward: {
      if let dx, !dx.isSame(as: dy) { dx.copy(dy) }
    }
  }
}
