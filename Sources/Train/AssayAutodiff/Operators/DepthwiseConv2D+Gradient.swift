import AssayBase
import AssayGraph
import AssayKernels
import AssayTensor

extension DepthwiseConv2D: DifferentiableOperator {
  var parameterInputs: [Int: Parameter.Role] { [1: .weight, 2: .bias] }
  var outputBounds: Activation? { activation }

  func gradientStep(_ site: GradientSite) throws -> GradientStep {
    let (image, filter) = (try site.shape(0), try site.shape(1))
    var window = try site.window(
      filter: Size2D(filter[1], filter[2]),
      strides: strides,
      dilations: dilations,
      padding: padding,
      groups: filter[3],
      activation: site.bounds
    )
    window.inputChannels = window.outputChannels
    let multiplier = filter[3] / image[3]
    let context = site.context
    let (source, weights, bias) = (try site.input(0), try site.input(1), site.optional(2))
    // With several filters a channel, each channel is repeated as often.
    let repeated = multiplier == 1 ? nil : FloatBlock(count: source.count * multiplier)
    let x = repeated?.buffer ?? source
    let (y, dy) = (site.output, site.outputGradient)
    let (dx, dw, db) = (site.gradient(of: 0), site.gradient(of: 1), site.gradient(of: 2))
    let unclamp = site.unclamped(site.bounds)
    let hasSteps = window.strideHeight > 1 || window.strideWidth > 1
    let dense = DenseDepthwise(window)
    let spread = hasSteps && site.isActive ? FloatBlock(count: dense.count) : nil
    let flipped = FloatBlock(count: weights.count)
    let wide = dx != nil && multiplier > 1 ? FloatBlock(count: x.count) : nil
    let (w, channels) = (window, filter[3])
    return GradientStep {
      if let repeated {
        for index in 0..<source.count {
          for m in 0..<multiplier { repeated.buffer[index * multiplier + m] = source[index] }
        }
      }
      if hasSteps {
        context.kernels.convolveDepthwise(
          x,
          weights,
          bias: bias,
          into: y,
          w,
          zeros: context.zeros(channels),
          pool: context.pool,
          scratch: context.scratch
        )
      } else {
        context.training.convolveDepthwise(
          w,
          x,
          weights,
          bias: bias,
          into: y,
          pool: context.pool,
          scratch: context.scratch
        )
      }
    } backward: {
      unclamp()
      if let db {
        let sums = context.training.columnSums(.plain, dy, columns: channels, pool: context.pool)
        for index in sums.sums.indices { db[index] = Float(sums.sums[index]) }
      }
      var gradient = dy
      if let spread {
        spread.buffer.fill(0)
        w.insertZeros(dy, into: spread.buffer)
        gradient = spread.buffer
      }
      if let dw {
        context.training.depthwiseGradient(
          dense.forward,
          x,
          outputGradient: gradient,
          weightGradient: dw,
          pool: context.pool,
          scratch: context.scratch
        )
      }
      guard let dx else { return }
      let taps = weights.count / channels
      for tap in 0..<taps {
        flipped.buffer.part(tap * channels, channels)
          .copy(weights.part((taps - 1 - tap) * channels, channels))
      }
      context.training.convolveDepthwise(
        dense.backward,
        gradient,
        flipped.buffer,
        bias: nil,
        into: wide?.buffer ?? dx,
        pool: context.pool,
        scratch: context.scratch
      )
      if let wide {
        for index in 0..<dx.count {
          var sum: Float = 0
          for m in 0..<multiplier { sum += wide.buffer[index * multiplier + m] }
          dx[index] = sum
        }
      }
    }
  }
}

/// A depthwise convolution with its steps filled up with zeros, so that both gradients are
/// convolutions with a step of 1.
private struct DenseDepthwise {
  /// From the image to the filled-up output.
  let forward: Window
  /// From the filled-up output's gradient to the image's.
  let backward: Window
  /// Floats of the filled-up output.
  let count: Int

  init(_ w: Window) {
    var forward = w
    (forward.strideHeight, forward.strideWidth) = (1, 1)
    forward.outputHeight = (w.outputHeight - 1) * w.strideHeight + 1
    forward.outputWidth = (w.outputWidth - 1) * w.strideWidth + 1
    (forward.low, forward.high) = (-.infinity, .infinity)
    self.forward = forward
    count = w.batch * forward.outputHeight * forward.outputWidth * w.outputChannels
    var backward = forward
    (backward.inputHeight, backward.inputWidth) = (forward.outputHeight, forward.outputWidth)
    (backward.outputHeight, backward.outputWidth) = (w.inputHeight, w.inputWidth)
    backward.padTop = (w.height - 1) * w.dilationHeight - w.padTop
    backward.padLeft = (w.width - 1) * w.dilationWidth - w.padLeft
    self.backward = backward
  }
}
