import AssayBase
import AssayGraph
import AssayKernels
import AssayTensor

extension TransposeConv2D: DifferentiableOperator {
  var parameterInputs: [Int: Parameter.Role] { [1: .weight, 2: .bias] }
  var outputBounds: Activation? { activation }

  func gradientStep(_ site: GradientSite) throws -> GradientStep {
    let (image, filter, output) = (try site.shape(0), try site.shape(1), site.outputShape)
    let top = padding.amounts(
      extent: output[1],
      window: filter[1],
      stride: strides.height,
      dilation: 1,
      isHeight: true
    ).before
    let left = padding.amounts(
      extent: output[2],
      window: filter[2],
      stride: strides.width,
      dilation: 1,
      isHeight: false
    ).before
    // The convolution whose image gradient this is: from the output to the input.
    let convolution = Convolution(
      Window(
        batch: image[0],
        input: (output[1], output[2], output[3]),
        output: (image[1], image[2], image[3]),
        window: (filter[1], filter[2]),
        strides: (strides.height, strides.width),
        padTop: top,
        padLeft: left
      ),
      site.context
    )
    let (x, weights, bias) = (try site.input(0), try site.input(1), site.optional(2))
    let (dy, dx, dw, db) = (
      site.outputGradient, site.gradient(of: 0), site.gradient(of: 1), site.gradient(of: 2)
    )
    // That convolution's filter is this one with its channels changed over.
    let (outputs, taps, inputs) = (filter[0], filter[1] * filter[2], filter[3])
    let turned = FloatBlock(count: weights.count)
    let turnedGradient = FloatBlock(count: dw == nil ? 0 : weights.count)
    let context = site.context
    let (y, low, high) = (site.output, site.bounds.bounds.low, site.bounds.bounds.high)
    let unclamp = site.unclamped(site.bounds)
    return GradientStep {
      Self.turn(weights, outputs, taps, inputs, into: turned.buffer)
      convolution.backward(
        y,
        turned.buffer,
        outputGradient: x,
        image: y,
        filterGradient: nil,
        bias: nil
      )
      context.pool.forEach(image[0]) { sample, _ in
        let part = y.part(sample * (y.count / image[0]), y.count / image[0])
        var channel = 0
        for index in 0..<part.count {
          let sum = part[index] + (bias?[channel] ?? 0)
          part[index] = min(max(sum, low), high)
          channel = channel + 1 == outputs ? 0 : channel + 1
        }
      }
    } backward: {
      unclamp()
      if let db {
        let sums = context.training.columnSums(.plain, dy, columns: outputs, pool: context.pool)
          .sums
        for index in sums.indices { db[index] = Float(sums[index]) }
      }
      if let dw {
        convolution.backward(
          dy,
          turned.buffer,
          outputGradient: x,
          image: nil,
          filterGradient: turnedGradient.buffer,
          bias: nil
        )
        Self.turn(turnedGradient.buffer, inputs, taps, outputs, into: dw)
      }
      if let dx { convolution.forward(dy, turned.buffer, bias: nil, into: dx) }
    }
  }

  /// `[a, taps, b]` as `[b, taps, a]`.
  private static func turn(
    _ from: FloatBuffer,
    _ a: Int,
    _ taps: Int,
    _ b: Int,
    into to: FloatBuffer
  ) {
    for i in 0..<a {
      for tap in 0..<taps {
        for j in 0..<b { to[(j * taps + tap) * a + i] = from[(i * taps + tap) * b + j] }
      }
    }
  }
}
