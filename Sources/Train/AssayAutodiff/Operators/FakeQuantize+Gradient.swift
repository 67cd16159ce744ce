import AssayGraph
import AssayKernels
import AssayTensor

extension FakeQuantize: DifferentiableOperator {
  var parameterInputs: [Int: Parameter.Role] { [0: .weight, 1: .range, 2: .range] }
  func flows(to input: Int) -> Bool { input == 0 || range == .learned }

  func gradientStep(_ site: GradientSite) throws -> GradientStep {
    let shape = try site.shape(0)
    let rows = axis.flatMap { shape.normalized(axis: $0) }.map { AxisRows(shape.dims, axis: $0) }
    let (inner, extent) = (rows?.inner ?? max(shape.count, 1), rows?.extent ?? 1)
    let (x, low, high) = (try site.input(0), try site.input(1), try site.input(2))
    let (y, dy, dx) = (site.output, site.outputGradient, site.gradient(of: 0))
    let (dLow, dHigh) = (site.gradient(of: 1), site.gradient(of: 2))
    let (context, kernels) = (site.context, site.kernels)
    let op = self
    let blocks = x.count / inner
    /// The ends of what is not cut off, for each slice.
    let ends = context.keep(2 * extent)
    return GradientStep {
      op.observe(x, low, high, inner: inner, context)
      for slice in 0..<extent {
        let (scale, zero) = op.scheme(low: low[slice], high: high[slice])
        ends[2 * slice] = Float(op.integers.lowerBound - Int(zero)) * scale
        ends[2 * slice + 1] = Float(op.integers.upperBound - Int(zero)) * scale
      }
      func round(_ begin: Int, _ count: Int, _ slice: Int) {
        let (scale, zero) = op.scheme(low: low[slice], high: high[slice])
        kernels.roundTrip(
          x.part(begin, count),
          into: y.part(begin, count),
          scale: scale,
          zeroPoint: zero,
          low: Int32(op.integers.lowerBound),
          high: Int32(op.integers.upperBound)
        )
      }
      if extent == 1 {
        context.pool.forEachRun(x.count) { begin, end in round(begin, end - begin, 0) }
      } else if inner == 1 {
        let schemes = (0..<extent).map { op.scheme(low: low[$0], high: high[$0]) }
        let (least, most) = (Float(op.integers.lowerBound), Float(op.integers.upperBound))
        context.pool.forEachRun(x.count) { begin, end in
          for index in begin..<end {
            let (scale, zero) = schemes[index % extent]
            let scaled = (x[index] / scale).rounded(.toNearestOrAwayFromZero)
            let bounded = min(max(scaled, least - Float(zero)), most - Float(zero))
            y[index] = bounded * scale
          }
        }
      } else {
        context.pool.forEach(blocks) { block, _ in round(block * inner, inner, block % extent) }
      }
    } backward: {
      if let dLow, let dHigh {
        var (lows, highs) = (
          [Double](repeating: 0, count: extent), [Double](repeating: 0, count: extent)
        )
        for row in 0..<x.count / max(inner * extent, 1) {
          Self.forEachSlice(row, extent: extent, inner: inner) { slice, places in
            let (least, most) = (ends[2 * slice], ends[2 * slice + 1])
            var (below, above) = (0.0, 0.0)
            for index in places {
              if x[index] < least { below += Double(dy[index]) }
              if x[index] > most { above += Double(dy[index]) }
            }
            lows[slice] += below
            highs[slice] += above
          }
        }
        for slice in 0..<extent {
          if op.isSymmetric {
            // One number rules both ends: they move apart or together by the same amount.
            let along = Float((highs[slice] - lows[slice]) / 2)
            dHigh[slice] = along
            dLow[slice] = -along
          } else {
            dLow[slice] = Float(lows[slice])
            dHigh[slice] = Float(highs[slice])
          }
        }
      }
      guard let dx else { return }
      if extent == 1 {
        // The kernel leaves its bounds themselves out.
        let bounds = (low: ends[0].nextDown, high: ends[1].nextUp)
        context.training.mask(dy, x, into: dx, bounds: bounds, pool: context.pool)
      } else {
        // A slice an item where slices are long, a row of them where they are single elements.
        let width = inner == 1 ? extent : 1
        context.pool.forEach(blocks / max(width, 1)) { item, _ in
          for block in item * width..<(item + 1) * width {
            let slice = block % extent
            let (least, most) = (ends[2 * slice], ends[2 * slice + 1])
            for index in block * inner..<(block + 1) * inner {
              dx[index] = x[index] >= least && x[index] <= most ? dy[index] : 0
            }
          }
        }
      }
    }
  }

  /// Moves the ends of the range to where the elements of x say.
  private func observe(
    _ x: FloatBuffer,
    _ low: FloatBuffer,
    _ high: FloatBuffer,
    inner: Int,
    _ context: TrainingContext
  ) {
    guard !context.freezesRanges, x.count > 0 else { return }
    var momentum: Float = 0
    switch range {
    case .fixed, .learned: return
    case .current: momentum = 0
    case .movingAverage(let part):
      guard context.isTraining else { return }
      momentum = part
    }
    let extent = low.count
    var least = [Float](repeating: .infinity, count: extent)
    var most = [Float](repeating: -.infinity, count: extent)
    if extent == 1 {
      let seen = Self.span(x, context)
      (least[0], most[0]) = (seen.low, seen.high)
    } else {
      for row in 0..<x.count / max(inner * extent, 1) {
        Self.forEachSlice(row, extent: extent, inner: inner) { slice, places in
          if inner >= 16 {
            let seen = context.kernels.range(x.part(places.lowerBound, places.count))
            least[slice] = min(least[slice], seen.low)
            most[slice] = max(most[slice], seen.high)
          } else {
            for index in places {
              least[slice] = min(least[slice], x[index])
              most[slice] = max(most[slice], x[index])
            }
          }
        }
      }
    }
    for slice in 0..<extent where least[slice] <= most[slice] {
      let isEmpty = low[slice] == high[slice]
      let part = isEmpty ? 0 : momentum
      low[slice] = low[slice] * part + least[slice] * (1 - part)
      high[slice] = high[slice] * part + most[slice] * (1 - part)
    }
  }

  /// Shows the places of each slice in a row of all slices.
  @inline(__always)
  private static func forEachSlice(
    _ row: Int,
    extent: Int,
    inner: Int,
    _ body: (_ slice: Int, _ places: Swift.Range<Int>) -> Void
  ) {
    for slice in 0..<extent {
      let begin = (row * extent + slice) * inner
      body(slice, begin..<begin + inner)
    }
  }

  /// The least and the greatest element, by all workers.
  private static func span(_ x: FloatBuffer, _ context: TrainingContext) -> FloatRange {
    let part = 1 << 16
    let count = (x.count + part - 1) / part
    guard count > 1 else { return context.kernels.range(x) }
    let ends = FloatBlock(count: 2 * count)
    return withExtendedLifetime(ends) {
      let buffer = ends.buffer
      context.pool.forEach(count) { index, _ in
        let begin = index * part
        let seen = context.kernels.range(x.part(begin, min(part, x.count - begin)))
        buffer[2 * index] = seen.low
        buffer[2 * index + 1] = seen.high
      }
      var result = FloatRange(low: .infinity, high: -.infinity, faults: 0)
      for index in 0..<count {
        result.low = min(result.low, buffer[2 * index])
        result.high = max(result.high, buffer[2 * index + 1])
      }
      return result
    }
  }
}
