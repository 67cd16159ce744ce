import AssayKernels

/// The training kernels in plain Swift: what the C ones are tested against.
enum PortableTraining {
  static func clamp(_ x: Float, _ bounds: (low: Float, high: Float)) -> Float {
    let raised = x < bounds.low ? bounds.low : x
    return raised > bounds.high ? bounds.high : raised
  }

  static func multiply(
    _ shape: ProductShape,
    _ a: Matrix,
    _ b: Matrix,
    into c: Matrix,
    bias: FloatBuffer?,
    bounds: (low: Float, high: Float),
    accumulates: Bool
  ) {
    for batch in 0..<shape.batch {
      for i in 0..<shape.m {
        for j in 0..<shape.n {
          var sum: Double = 0
          for p in 0..<shape.k {
            sum +=
              Double(a.buffer[batch * a.batch + i * a.row + p * a.column])
              * Double(b.buffer[batch * b.batch + p * b.row + j * b.column])
          }
          let place = batch * c.batch + i * c.row + j * c.column
          let start = accumulates ? c.buffer[place] : bias?[j] ?? 0
          c.buffer[place] = clamp(start + Float(sum), bounds)
        }
      }
    }
  }

  /// Calls `body` with every product of a convolution: the places in y, x and w.
  private static func forEachProduct(
    _ t: TimeConvolution,
    _ body: (_ y: Int, _ x: Int, _ w: Int) -> Void
  ) {
    for n in 0..<t.batch {
      for moment in 0..<t.outputLength {
        for k in 0..<t.taps {
          let from = moment - t.pad + k * t.dilation
          guard (0..<t.length).contains(from) else { continue }
          for o in 0..<t.outputs {
            for i in 0..<t.inputs {
              body(
                (n * t.outputLength + moment) * t.outputs + o,
                (n * t.length + from) * t.inputs + i,
                (o * t.taps + k) * t.inputs + i
              )
            }
          }
        }
      }
    }
  }

  static func convolve(
    _ time: TimeConvolution,
    _ x: FloatBuffer,
    _ weights: FloatBuffer,
    bias: FloatBuffer?,
    into y: FloatBuffer,
    bounds: (low: Float, high: Float)
  ) {
    for index in 0..<y.count { y[index] = bias?[index % time.outputs] ?? 0 }
    forEachProduct(time) { to, from, weight in y[to] += x[from] * weights[weight] }
    for index in 0..<y.count { y[index] = clamp(y[index], bounds) }
  }

  static func convolveGradient(
    _ time: TimeConvolution,
    _ x: FloatBuffer,
    _ weights: FloatBuffer,
    outputGradient: FloatBuffer,
    input: FloatBuffer?,
    weightGradient: FloatBuffer?,
    bias: FloatBuffer?
  ) {
    input?.fill(0)
    weightGradient?.fill(0)
    forEachProduct(time) { to, from, weight in
      if let input { input[from] += outputGradient[to] * weights[weight] }
      if let weightGradient { weightGradient[weight] += outputGradient[to] * x[from] }
    }
    guard let bias else { return }
    bias.fill(0)
    for index in 0..<outputGradient.count { bias[index % time.outputs] += outputGradient[index] }
  }

  /// Calls `body` with every pair of an output pixel and an input pixel that a tap joins.
  private static func forEachTap(
    _ w: Window,
    _ body: (_ output: Int, _ input: Int, _ tap: Int) -> Void
  ) {
    for n in 0..<w.batch {
      for y in 0..<w.outputHeight {
        for x in 0..<w.outputWidth {
          let output = (n * w.outputHeight + y) * w.outputWidth + x
          for ky in 0..<w.height {
            let iy = y * w.strideHeight - w.padTop + ky * w.dilationHeight
            guard (0..<w.inputHeight).contains(iy) else { continue }
            for kx in 0..<w.width {
              let ix = x * w.strideWidth - w.padLeft + kx * w.dilationWidth
              guard (0..<w.inputWidth).contains(ix) else { continue }
              body(output, (n * w.inputHeight + iy) * w.inputWidth + ix, ky * w.width + kx)
            }
          }
        }
      }
    }
  }

  static func convolveDepthwise(
    _ window: Window,
    _ x: FloatBuffer,
    _ weights: FloatBuffer,
    bias: FloatBuffer?,
    into y: FloatBuffer
  ) {
    let channels = window.inputChannels
    for index in 0..<y.count { y[index] = bias?[index % channels] ?? 0 }
    forEachTap(window) { output, input, tap in
      for c in 0..<channels {
        y[output * channels + c] += x[input * channels + c] * weights[tap * channels + c]
      }
    }
    for index in 0..<y.count { y[index] = clamp(y[index], (window.low, window.high)) }
  }

  static func depthwiseGradient(
    _ window: Window,
    _ x: FloatBuffer,
    outputGradient: FloatBuffer,
    weightGradient: FloatBuffer
  ) {
    let channels = window.inputChannels
    weightGradient.fill(0)
    forEachTap(window) { output, input, tap in
      for c in 0..<channels {
        weightGradient[tap * channels + c] +=
          outputGradient[output * channels + c] * x[input * channels + c]
      }
    }
  }

  static func poolGradient(
    _ window: Window,
    average: Bool,
    _ x: FloatBuffer,
    _ y: FloatBuffer,
    outputGradient: FloatBuffer,
    input: FloatBuffer
  ) {
    let channels = window.inputChannels
    input.fill(0)
    let pixels = window.batch * window.outputHeight * window.outputWidth
    var counts = [Float](repeating: 0, count: pixels)
    forEachTap(window) { output, _, _ in counts[output] += 1 }
    var isTaken = [Bool](repeating: false, count: pixels * channels)
    forEachTap(window) { output, from, _ in
      for c in 0..<channels {
        let (out, place) = (output * channels + c, from * channels + c)
        if average {
          input[place] += outputGradient[out] / counts[output]
        } else if !isTaken[out], x[place] == y[out] {
          isTaken[out] = true
          input[place] += outputGradient[out]
        }
      }
    }
  }

  static func columnSums(
    _ kind: TrainingKernels.ColumnSums,
    _ x: FloatBuffer,
    columns: Int
  ) -> (sums: [Double], seconds: [Double]) {
    var sums = [Double](repeating: 0, count: columns)
    var seconds = sums
    for index in 0..<x.count {
      let column = index % columns
      switch kind {
      case .plain: sums[column] += Double(x[index])
      case .squares:
        let difference = Double(x[index]) - Double(x[column])
        sums[column] += difference
        seconds[column] += difference * difference
      case .products(let other):
        sums[column] += Double(x[index])
        seconds[column] += Double(x[index]) * (Double(other[index]) - Double(other[column]))
      }
    }
    return (sums, seconds)
  }

  static func adam(
    _ step: AdamStep,
    value: FloatBuffer,
    gradient: FloatBuffer,
    mean: FloatBuffer,
    square: FloatBuffer,
    greatest: FloatBuffer?
  ) {
    for index in 0..<value.count {
      let g = gradient[index] * step.gradientScale
      mean[index] += (g - mean[index]) * (1 - step.beta1)
      square[index] += (g * g - square[index]) * (1 - step.beta2)
      var second = square[index]
      if let greatest {
        second = max(greatest[index], second)
        greatest[index] = second
      }
      value[index] =
        value[index] * (1 - step.decay)
        - step.rate * mean[index] / (second.squareRoot() + step.epsilon)
    }
  }
}
