#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The kernels in plain Swift: what the C ones are tested against, and what runs without them.
enum PortableKernels {
  static func clamp(_ x: Float, _ low: Float, _ high: Float) -> Float {
    let raised = x < low ? low : x
    return raised > high ? high : raised
  }

  static func convolve(
    _ input: FloatBuffer,
    _ filter: PackedFilter,
    into output: FloatBuffer,
    _ w: Window
  ) {
    let channels = w.inputChannels / w.groups
    let outputs = w.outputChannels / w.groups
    let weights = filter.block.buffer
    let biasOffset = w.outputChannels * w.depth
    forEachPixel(w) { n, y, x, pixel in
      for o in 0..<w.outputChannels {
        var sum = filter.hasBias ? weights[biasOffset + o] : 0
        forEachTap(w, y, x) { tap, iy, ix in
          let from =
            ((n * w.inputHeight + iy) * w.inputWidth + ix) * w.inputChannels
            + o / outputs * channels
          let row = o * w.depth + tap * channels
          for c in 0..<channels { sum += input[from + c] * weights[row + c] }
        }
        output[pixel * w.outputChannels + o] = clamp(sum, w.low, w.high)
      }
    }
  }

  static func convolveDepthwise(
    _ input: FloatBuffer,
    _ weights: FloatBuffer,
    bias: FloatBuffer?,
    into output: FloatBuffer,
    _ w: Window
  ) {
    let channels = w.inputChannels
    forEachPixel(w) { n, y, x, pixel in
      for c in 0..<channels {
        var sum = bias.map { $0[c] } ?? 0
        forEachTap(w, y, x) { tap, iy, ix in
          let from = ((n * w.inputHeight + iy) * w.inputWidth + ix) * channels
          sum += weights[tap * channels + c] * input[from + c]
        }
        output[pixel * channels + c] = clamp(sum, w.low, w.high)
      }
    }
  }

  static func pool(
    _ input: FloatBuffer,
    into output: FloatBuffer,
    average: Bool,
    _ w: Window
  ) {
    let channels = w.inputChannels
    forEachPixel(w) { n, y, x, pixel in
      for c in 0..<channels {
        var result: Float = average ? 0 : -.infinity
        var count: Float = 0
        forEachTap(w, y, x) { _, iy, ix in
          let value = input[((n * w.inputHeight + iy) * w.inputWidth + ix) * channels + c]
          result = average ? result + value : value > result ? value : result
          count += 1
        }
        if average { result /= max(count, 1) }
        output[pixel * channels + c] = clamp(result, w.low, w.high)
      }
    }
  }

  private static func forEachPixel(
    _ w: Window,
    _ body: (_ n: Int, _ y: Int, _ x: Int, _ pixel: Int) -> Void
  ) {
    for n in 0..<w.batch {
      for y in 0..<w.outputHeight {
        for x in 0..<w.outputWidth {
          body(n, y, x, (n * w.outputHeight + y) * w.outputWidth + x)
        }
      }
    }
  }

  /// The taps of one window that lie inside the image.
  private static func forEachTap(
    _ w: Window,
    _ y: Int,
    _ x: Int,
    _ body: (_ tap: Int, _ iy: Int, _ ix: Int) -> Void
  ) {
    for ky in 0..<w.height {
      let iy = y * w.strideHeight - w.padTop + ky * w.dilationHeight
      guard (0..<w.inputHeight).contains(iy) else { continue }
      for kx in 0..<w.width {
        let ix = x * w.strideWidth - w.padLeft + kx * w.dilationWidth
        if (0..<w.inputWidth).contains(ix) { body(ky * w.width + kx, iy, ix) }
      }
    }
  }

  static func binary(
    _ kind: BinaryKernel,
    _ a: FloatBuffer,
    _ b: FloatBuffer,
    into output: FloatBuffer,
    low: Float,
    high: Float
  ) {
    let (aStep, bStep) = (a.count == 1 ? 0 : 1, b.count == 1 ? 0 : 1)
    for index in 0..<output.count {
      let (x, y) = (a[index * aStep], b[index * bStep])
      let result: Float =
        switch kind {
        case .add: x + y
        case .subtract: x - y
        case .multiply: x * y
        case .divide: x / y
        case .maximum: x > y ? x : y
        case .minimum: x < y ? x : y
        case .squaredDifference: (x - y) * (x - y)
        }
      output[index] = clamp(result, low, high)
    }
  }

  static func unary(_ kind: UnaryKernel, _ input: FloatBuffer, into output: FloatBuffer) {
    for index in 0..<output.count {
      let x = input[index]
      output[index] =
        switch kind {
        case .clamp(let low, let high): clamp(x, low, high)
        case .sigmoid: 1 / (1 + exp(-x))
        case .tanh: tanh(x)
        case .exp: exp(x)
        case .abs: abs(x)
        case .negative: -x
        case .square: x * x
        case .sqrt: x.squareRoot()
        case .rsqrt: 1 / x.squareRoot()
        case .leaky(let alpha): x < 0 ? alpha * x : x
        case .hardSwish: x * clamp(x + 3, 0, 6) / 6
        }
    }
  }

  static func softmax(_ input: FloatBuffer, into output: FloatBuffer, extent: Int, beta: Float) {
    for row in 0..<output.count / extent {
      let from = input.part(row * extent, extent)
      let to = output.part(row * extent, extent)
      var most = -Float.infinity
      for index in 0..<extent where from[index] > most { most = from[index] }
      var sum: Float = 0
      for index in 0..<extent {
        to[index] = exp(beta * (from[index] - most))
        sum += to[index]
      }
      for index in 0..<extent { to[index] /= sum }
    }
  }

  static func range(_ input: FloatBuffer) -> FloatRange {
    var result = FloatRange(low: .infinity, high: -.infinity, faults: 0)
    for index in 0..<input.count {
      let x = input[index]
      if x < result.low { result.low = x }
      if x > result.high { result.high = x }
      if !x.isFinite { result.faults += 1 }
    }
    return result
  }

  static func roundTrip(
    _ input: FloatBuffer,
    into output: FloatBuffer,
    scale: Float,
    zeroPoint: Int32,
    low: Int32,
    high: Int32
  ) {
    let (least, most) = (Float(low - zeroPoint), Float(high - zeroPoint))
    for index in 0..<output.count {
      let x = input[index] / scale
      let bounded = clamp(x.isNaN ? 0 : x, least, most)
      output[index] = bounded.rounded(.toNearestOrAwayFromZero) * scale
    }
  }
}
