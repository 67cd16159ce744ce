import AssayBase
import AssayKernels
import AssayTestSupport
import Testing

@testable import AssayAutodiff

private func block(_ count: Int, _ rng: inout SeededRNG) -> FloatBlock {
  FloatBlock((0..<count).map { _ in rng.normal() })
}

/// The elements, read while their owner is there.
private func floats(_ block: FloatBlock) -> [Float] {
  withExtendedLifetime(block) { block.buffer.array }
}

/// Every set of training kernels against the portable one, and one thread against several.
@Suite struct TrainingKernelTests {
  static let sets = TrainingKernels.all.filter { $0.name != "portable" }

  /// Runs `body` with each set and number of threads and compares what it gives.
  static func compare(
    _ what: String,
    tolerance: Float = 3e-6,
    _ body: (TrainingKernels, ThreadPool) -> [Float]
  ) throws {
    let expected = body(.portable, ThreadPool(threads: 1))
    for kernels in sets {
      let alone = body(kernels, ThreadPool(threads: 1))
      try #require(
        largestDifference(alone, expected).relative < tolerance,
        "\(kernels.name) \(what)"
      )
      try #require(alone == body(kernels, ThreadPool(threads: 3)), "threads change \(what)")
    }
  }

  @Test func theProcessorHasSetsAndThePortableOneIsLast() {
    #expect(TrainingKernels.all.count >= 2)
    #expect(TrainingKernels.all.last?.name == "portable")
    #expect(Self.sets.map(\.name) == Kernels.all.dropLast().map(\.name))
  }

  @Test func products() {
    forAll(count: 60) { rng in
      let isLong = rng.int(0...5) == 0
      let shape = ProductShape(
        m: rng.int(1...(isLong ? 10 : 150)),
        n: rng.int(1...(isLong ? 20 : 90)),
        k: isLong ? rng.int(1500...4000) : rng.int(1...300),
        batch: rng.int(1...2)
      )
      let (turnsA, turnsB, turnsC) = (rng.bool(), rng.bool(), rng.int(0...3) == 0)
      let accumulates = rng.bool()
      let a = block(shape.batch * shape.m * shape.k, &rng)
      let b = block(shape.batch * shape.k * shape.n, &rng)
      let start = block(shape.batch * shape.m * shape.n, &rng)
      let bias = rng.bool() && !accumulates ? block(shape.n, &rng) : nil
      let isBounded = rng.bool() && !accumulates
      func matrix(_ buffer: FloatBuffer, _ rows: Int, _ columns: Int, _ turns: Bool) -> Matrix {
        let step = rows * columns
        return turns
          ? Matrix(buffer, columns: rows, batch: step).transposed
          : Matrix(buffer, columns: columns, batch: step)
      }
      try Self.compare("\(shape)", tolerance: 4e-5) { kernels, pool in
        let c = FloatBlock(start.buffer.array)
        kernels.multiply(
          shape,
          matrix(a.buffer, shape.m, shape.k, turnsA),
          matrix(b.buffer, shape.k, shape.n, turnsB),
          into: matrix(c.buffer, shape.m, shape.n, turnsC),
          bias: bias?.buffer,
          bounds: isBounded ? (-1, 2) : (-.infinity, .infinity),
          accumulates: accumulates,
          pool: pool,
          scratch: Scratch()
        )
        return floats(c)
      }
    }
  }

  @Test func convolutionsAlongTime() {
    forAll(count: 40) { rng in
      let (taps, dilation) = (rng.int(1...7), rng.pick([1, 2, 5]))
      let reach = (taps - 1) * dilation
      let pad = rng.int(0...reach)
      // Long signals are cut into pieces.
      let isLong = rng.int(0...9) == 0
      let length = reach + rng.int(1...70) + (isLong ? 2500 : 0)
      let time = TimeConvolution(
        batch: rng.int(1...3),
        length: length,
        outputLength: length - reach + pad + rng.int(0...(reach - pad)),
        inputs: rng.int(1...(isLong ? 3 : 23)),
        outputs: rng.int(1...(isLong ? 3 : 23)),
        taps: taps,
        dilation: dilation,
        pad: pad
      )
      let x = block(time.batch * length * time.inputs, &rng)
      let w = block(time.outputs * taps * time.inputs, &rng)
      let bias = rng.bool() ? block(time.outputs, &rng) : nil
      let count = time.batch * time.outputLength * time.outputs
      let dy = block(count, &rng)
      let bounds: (Float, Float) = rng.bool() ? (0, .infinity) : (-.infinity, .infinity)
      try Self.compare("\(time)", tolerance: 1e-5) { kernels, pool in
        let y = FloatBlock(count: count)
        kernels.convolve(
          time,
          x.buffer,
          w.buffer,
          bias: bias?.buffer,
          into: y.buffer,
          bounds: bounds,
          pool: pool,
          scratch: Scratch()
        )
        return floats(y)
      }
      for wanted in 0..<3 {
        try Self.compare("gradient \(wanted) of \(time)", tolerance: 2e-5) { kernels, pool in
          let places = [x.buffer.count, w.buffer.count, time.outputs].map { FloatBlock(count: $0) }
          kernels.convolveGradient(
            time,
            x.buffer,
            w.buffer,
            outputGradient: dy.buffer,
            input: wanted == 0 ? places[0].buffer : nil,
            weightGradient: wanted == 1 ? places[1].buffer : nil,
            bias: wanted == 2 ? places[2].buffer : nil,
            pool: pool,
            scratch: Scratch()
          )
          return floats(places[wanted])
        }
      }
    }
  }

  @Test func depthwiseConvolutions() {
    forAll(count: 40) { rng in
      let kernel = (rng.int(1...3), rng.int(1...9))
      let dilation = (rng.int(1...2), rng.int(1...2))
      let output = (rng.int(1...9), rng.int(1...20))
      let pad = (rng.int(0...(kernel.0 - 1)), rng.int(0...(kernel.1 - 1)))
      let input = (
        max(output.0 + (kernel.0 - 1) * dilation.0 - pad.0 - rng.int(0...1), 1),
        max(output.1 + (kernel.1 - 1) * dilation.1 - pad.1 - rng.int(0...1), 1)
      )
      let channels = rng.pick([1, 2, 3, 5, 16, 20, 35])
      let window = Window(
        batch: rng.int(1...3),
        input: (input.0, input.1, channels),
        output: (output.0, output.1, channels),
        window: kernel,
        dilations: dilation,
        padTop: pad.0,
        padLeft: pad.1,
        groups: channels,
        bounds: rng.bool() ? (0, 6) : (-.infinity, .infinity)
      )
      let x = block(window.batch * input.0 * input.1 * channels, &rng)
      let w = block(kernel.0 * kernel.1 * channels, &rng)
      let bias = rng.bool() ? block(channels, &rng) : nil
      let count = window.batch * output.0 * output.1 * channels
      let dy = block(count, &rng)
      try Self.compare("\(window)", tolerance: 1e-5) { kernels, pool in
        let y = FloatBlock(count: count)
        kernels.convolveDepthwise(
          window,
          x.buffer,
          w.buffer,
          bias: bias?.buffer,
          into: y.buffer,
          pool: pool,
          scratch: Scratch()
        )
        return floats(y)
      }
      try Self.compare("gradient of \(window)", tolerance: 2e-5) { kernels, pool in
        let dw = FloatBlock(count: w.buffer.count)
        kernels.depthwiseGradient(
          window,
          x.buffer,
          outputGradient: dy.buffer,
          weightGradient: dw.buffer,
          pool: pool,
          scratch: Scratch()
        )
        return floats(dw)
      }
    }
  }

  @Test func pooling() {
    forAll(count: 30) { rng in
      let window = (rng.int(1...3), rng.int(1...3)), strides = (rng.int(1...3), rng.int(1...3))
      let output = (rng.int(1...5), rng.int(1...6)), channels = rng.pick([1, 3, 16, 20, 33])
      let pad = (rng.int(0...(window.0 - 1)), rng.int(0...(window.1 - 1)))
      let input = (
        max((output.0 - 1) * strides.0 + window.0 - pad.0, 1),
        max((output.1 - 1) * strides.1 + window.1 - pad.1, 1)
      )
      let geometry = Window(
        batch: 2,
        input: (input.0, input.1, channels),
        output: (output.0, output.1, channels),
        window: window,
        strides: strides,
        padTop: pad.0,
        padLeft: pad.1,
        groups: channels
      )
      // Few values: ties are common, and go to the first.
      let x = FloatBlock((0..<2 * input.0 * input.1 * channels).map { _ in Float(rng.int(0...3)) })
      let count = 2 * output.0 * output.1 * channels
      let dy = block(count, &rng)
      for average in [false, true] {
        let y = FloatBlock(count: count)
        Kernels.portable.pool(
          x.buffer,
          into: y.buffer,
          average: average,
          geometry,
          pool: ThreadPool(threads: 1)
        )
        try Self.compare("\(average) \(geometry)") { kernels, pool in
          let dx = FloatBlock(count: x.buffer.count)
          kernels.poolGradient(
            geometry,
            average: average,
            x.buffer,
            y.buffer,
            outputGradient: dy.buffer,
            input: dx.buffer,
            pool: pool
          )
          return floats(dx)
        }
      }
    }
  }

  @Test func rowsAndColumns() {
    forAll(count: 20) { rng in
      let (rows, columns) = (rng.int(1...400), rng.pick([1, 3, 16, 300]))
      let x = block(rows * columns, &rng), other = block(rows * columns, &rng)
      let p = block(columns, &rng), q = block(columns, &rng), r = block(columns, &rng)
      for kind in [TrainingKernels.ColumnSums.plain, .squares, .products(other.buffer)] {
        try Self.compare("sums \(rows) x \(columns)", tolerance: 2e-5) { kernels, pool in
          let (sums, seconds) = kernels.columnSums(kind, x.buffer, columns: columns, pool: pool)
          if case .plain = kind { return sums.map { Float($0) } }
          return (sums + seconds).map { Float($0) }
        }
      }
      try Self.compare("rows") { kernels, pool in
        let out = FloatBlock(count: rows * columns)
        kernels.scaleRows(
          x.buffer,
          scale: p.buffer,
          offset: r.buffer,
          into: out.buffer,
          pool: pool
        )
        kernels.combineRows(
          out.buffer,
          x.buffer,
          p: p.buffer,
          q: q.buffer,
          r: r.buffer,
          into: out.buffer,
          pool: pool
        )
        kernels.add(other.buffer, to: out.buffer, pool: pool)
        kernels.combineRows(
          out.buffer,
          other.buffer,
          p: q.buffer,
          q: p.buffer,
          r: r.buffer,
          into: out.buffer,
          bounds: (-1, 0.75),
          pool: pool
        )
        kernels.mask(
          out.buffer,
          x.buffer,
          into: out.buffer,
          bounds: (-0.5, 1),
          pool: pool
        )
        kernels.sum(
          out.buffer,
          other.buffer,
          into: out.buffer,
          bounds: (-1, 1),
          pool: pool
        )
        return floats(out)
      }
    }
  }

  @Test func optimizers() {
    forAll(count: 20) { rng in
      let count = rng.pick([1, 15, 16, 33, 40_000])
      let start = block(count, &rng), gradient = block(count, &rng)
      let isAMSGrad = rng.bool()
      let step = AdamStep(
        rate: 0.01,
        beta1: 0.9,
        beta2: 0.99,
        epsilon: 1e-7,
        gradientScale: 0.5,
        decay: 0.01
      )
      try Self.compare("adam of \(count)", tolerance: 1e-5) { kernels, pool in
        let value = FloatBlock(start.buffer.array)
        let slots = (0..<3).map { _ in FloatBlock(count: count) }
        for _ in 0..<3 {
          kernels.adam(
            step,
            value: value.buffer,
            gradient: gradient.buffer,
            mean: slots[0].buffer,
            square: slots[1].buffer,
            greatest: isAMSGrad ? slots[2].buffer : nil,
            pool: pool
          )
        }
        return floats(value) + slots.flatMap(floats)
      }
      try Self.compare("descent of \(count)", tolerance: 1e-5) { kernels, pool in
        let value = FloatBlock(start.buffer.array), velocity = FloatBlock(count: count)
        for isNesterov in [false, true] {
          kernels.descend(
            rate: 0.1,
            momentum: 0.9,
            isNesterov: isNesterov,
            gradientScale: 0.5,
            decay: 0.01,
            value: value.buffer,
            gradient: gradient.buffer,
            velocity: velocity.buffer,
            pool: pool
          )
        }
        return withExtendedLifetime(velocity) { floats(value) }
      }
    }
  }
}
