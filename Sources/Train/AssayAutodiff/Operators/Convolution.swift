import AssayGraph
import AssayKernels
import AssayTensor

/// A convolution of images in its three products: forward, gradient of the image, of the filter.
///
/// The filter is `[outputs, height, width, inputs / groups]`. A convolution along one axis runs with
/// time in the lanes, one of single pixels as a product of matrices, any other over gathered taps.
struct Convolution {
  let window: Window
  let context: TrainingContext
  private let path: Path
  /// The filter with its axes changed over, for the gradient of the image.
  private let flipped: FloatBlock
  /// The output's gradient with zeros between the steps.
  private let spread: FloatBlock?
  private let parts: Int
  private let partial: FloatBlock?

  private enum Path {
    case time(TimeConvolution)
    case pixels
    case taps
  }

  init(_ window: Window, _ context: TrainingContext) {
    self.window = window
    self.context = context
    let w = window
    let isPlain =
      w.groups == 1 && w.strideHeight == 1 && w.strideWidth == 1 && w.height * w.width > 1
    let isPixels =
      w.groups == 1 && w.strideHeight == 1 && w.strideWidth == 1 && w.height * w.width == 1
      && w.padTop == 0 && w.padLeft == 0 && w.outputHeight == w.inputHeight
      && w.outputWidth == w.inputWidth
    if isPlain, w.inputHeight == 1, w.height == 1, w.outputHeight == 1, w.outputWidth >= 16 {
      path = .time(
        TimeConvolution(
          batch: w.batch,
          length: w.inputWidth,
          outputLength: w.outputWidth,
          inputs: w.inputChannels,
          outputs: w.outputChannels,
          taps: w.width,
          dilation: w.dilationWidth,
          pad: w.padLeft
        )
      )
    } else if isPlain, w.inputWidth == 1, w.width == 1, w.outputWidth == 1, w.outputHeight >= 16 {
      path = .time(
        TimeConvolution(
          batch: w.batch,
          length: w.inputHeight,
          outputLength: w.outputHeight,
          inputs: w.inputChannels,
          outputs: w.outputChannels,
          taps: w.height,
          dilation: w.dilationHeight,
          pad: w.padTop
        )
      )
    } else {
      path = isPixels ? .pixels : .taps
    }
    guard case .taps = path else {
      flipped = FloatBlock(count: 0)
      (spread, partial, parts) = (nil, nil, 0)
      return
    }
    flipped = FloatBlock(count: w.outputChannels * w.depth)
    let hasSteps = w.strideHeight > 1 || w.strideWidth > 1
    spread =
      hasSteps
      ? FloatBlock(
        count: w.batch * ((w.outputHeight - 1) * w.strideHeight + 1)
          * ((w.outputWidth - 1) * w.strideWidth + 1) * w.outputChannels
      ) : nil
    let weights = w.outputChannels * w.depth
    parts = min(w.batch * w.outputHeight, weights > 1 << 20 ? 4 : 16)
    partial = FloatBlock(count: parts * weights)
  }

  private var pixels: Int { window.batch * window.outputHeight * window.outputWidth }

  // MARK: Forward

  /// `y = clamp(convolution + bias)`; the bounds are the window's.
  func forward(_ x: FloatBuffer, _ filter: FloatBuffer, bias: FloatBuffer?, into y: FloatBuffer) {
    let bounds = (low: window.low, high: window.high)
    switch path {
    case .time(let time):
      context.training.convolve(
        time,
        x,
        filter,
        bias: bias,
        into: y,
        bounds: bounds,
        pool: context.pool,
        scratch: context.scratch
      )
    case .pixels:
      context.training.multiply(
        ProductShape(m: pixels, n: window.outputChannels, k: window.inputChannels),
        Matrix(x, columns: window.inputChannels),
        Matrix(filter, columns: window.inputChannels).transposed,
        into: Matrix(y, columns: window.outputChannels),
        bias: bias,
        bounds: bounds,
        pool: context.pool,
        scratch: context.scratch
      )
    case .taps: convolve(x, filter, bias: bias, into: y, window)
    }
  }

  private func convolve(
    _ x: FloatBuffer,
    _ filter: FloatBuffer,
    bias: FloatBuffer?,
    into y: FloatBuffer,
    _ window: Window
  ) {
    let packed = unsafe PackedFilter(
      context.kernels,
      window: window,
      weights: UnsafePointer(filter.base),
      bias: bias.map { unsafe UnsafePointer($0.base) }
    )
    context.kernels.convolve(
      x,
      packed,
      into: y,
      window,
      zeros: context.zeros(window.inputChannels),
      pool: context.pool,
      scratch: context.scratch
    )
  }

  // MARK: Backward

  /// The gradients that are wanted, from that of the output before its bounds.
  func backward(
    _ x: FloatBuffer,
    _ filter: FloatBuffer,
    outputGradient: FloatBuffer,
    image: FloatBuffer?,
    filterGradient: FloatBuffer?,
    bias: FloatBuffer?
  ) {
    if case .time(let time) = path {
      context.training.convolveGradient(
        time,
        x,
        filter,
        outputGradient: outputGradient,
        input: image,
        weightGradient: filterGradient,
        bias: bias,
        pool: context.pool,
        scratch: context.scratch
      )
      return
    }
    if let bias {
      let sums = context.training.columnSums(
        .plain,
        outputGradient,
        columns: window.outputChannels,
        pool: context.pool
      ).sums
      for index in sums.indices { bias[index] = Float(sums[index]) }
    }
    if let filterGradient { weigh(x, outputGradient, into: filterGradient) }
    if let image { spreadBack(outputGradient, filter, into: image) }
  }

  /// The gradient of the filter.
  private func weigh(_ x: FloatBuffer, _ dy: FloatBuffer, into dw: FloatBuffer) {
    let w = window
    if case .pixels = path {
      // The wider of the two matrices fills the lanes.
      let (o, i) = (w.outputChannels, w.inputChannels)
      let (gradients, inputs) = (Matrix(dy, columns: o), Matrix(x, columns: i))
      let result = Matrix(dw, columns: i)
      let isWide = i >= o
      context.training.multiply(
        isWide ? ProductShape(m: o, n: i, k: pixels) : ProductShape(m: i, n: o, k: pixels),
        isWide ? gradients.transposed : inputs.transposed,
        isWide ? inputs : gradients,
        into: isWide ? result : result.transposed,
        pool: context.pool,
        scratch: context.scratch
      )
      return
    }
    guard let partial = partial?.buffer else { return }
    let (rows, depth) = (w.batch * w.outputHeight, w.depth)
    let (outputs, groups) = (w.outputChannels / w.groups, w.groups)
    let weights = w.outputChannels * depth
    let taken = w.outputWidth * depth
    let columns = context.workspace(taken * context.pool.threads)
    let scratches = (0..<context.pool.threads).map { _ in Scratch() }
    context.pool.forEach(parts) { part, worker in
      let sums = partial.part(part * weights, weights)
      sums.fill(0)
      let gathered = columns.part(worker * taken, taken)
      for row in rows * part / parts..<rows * (part + 1) / parts {
        for group in 0..<groups {
          gather(x, row: row, group: group, into: gathered)
          let gradients = dy.part(
            row * w.outputWidth * w.outputChannels + group * outputs,
            w.outputWidth * w.outputChannels - group * outputs
          )
          context.training.multiply(
            ProductShape(m: outputs, n: depth, k: w.outputWidth),
            Matrix(gradients, columns: w.outputChannels).transposed,
            Matrix(gathered, columns: depth),
            into: Matrix(sums.part(group * outputs * depth, outputs * depth), columns: depth),
            accumulates: true,
            pool: nil,
            scratch: scratches[worker]
          )
        }
      }
    }
    let step = (weights + 15) / 16
    context.pool.forEach(16) { block, _ in
      for index in min(block * step, weights)..<min((block + 1) * step, weights) {
        var sum: Float = 0
        for part in 0..<parts { sum += partial[part * weights + index] }
        dw[index] = sum
      }
    }
  }

  /// What one row of output pixels sees of one group of channels: a row for each pixel.
  private func gather(_ x: FloatBuffer, row: Int, group: Int, into columns: FloatBuffer) {
    let w = window
    let channels = w.inputChannels / w.groups
    let (n, y) = (row / w.outputHeight, row % w.outputHeight)
    for ky in 0..<w.height {
      let iy = y * w.strideHeight - w.padTop + ky * w.dilationHeight
      let isInside = (0..<w.inputHeight).contains(iy)
      for ox in 0..<w.outputWidth {
        for kx in 0..<w.width {
          let ix = ox * w.strideWidth - w.padLeft + kx * w.dilationWidth
          let place = ox * w.depth + (ky * w.width + kx) * channels
          let target = columns.part(place, channels)
          if isInside, ix >= 0, ix < w.inputWidth {
            let from = ((n * w.inputHeight + iy) * w.inputWidth + ix) * w.inputChannels
            target.copy(x.part(from + group * channels, channels))
          } else {
            target.fill(0)
          }
        }
      }
    }
  }

  /// The gradient of the image: the flipped filter over the output's gradient.
  private func spreadBack(_ dy: FloatBuffer, _ filter: FloatBuffer, into dx: FloatBuffer) {
    let w = window
    if case .pixels = path {
      context.training.multiply(
        ProductShape(m: pixels, n: w.inputChannels, k: w.outputChannels),
        Matrix(dy, columns: w.outputChannels),
        Matrix(filter, columns: w.inputChannels),
        into: Matrix(dx, columns: w.inputChannels),
        pool: context.pool,
        scratch: context.scratch
      )
      return
    }
    let (inputs, outputs) = (w.inputChannels / w.groups, w.outputChannels / w.groups)
    let taps = w.height * w.width
    let turned = flipped.buffer
    for group in 0..<w.groups {
      for o in 0..<outputs {
        for tap in 0..<taps {
          let from = ((group * outputs + o) * taps + taps - 1 - tap) * inputs
          for i in 0..<inputs {
            turned[((group * inputs + i) * taps + tap) * outputs + o] = filter[from + i]
          }
        }
      }
    }
    var source = dy
    let height = (w.outputHeight - 1) * w.strideHeight + 1
    let width = (w.outputWidth - 1) * w.strideWidth + 1
    if let spread {
      spread.buffer.fill(0)
      w.insertZeros(dy, into: spread.buffer)
      source = spread.buffer
    }
    let back = Window(
      batch: w.batch,
      input: (height, width, w.outputChannels),
      output: (w.inputHeight, w.inputWidth, w.inputChannels),
      window: (w.height, w.width),
      dilations: (w.dilationHeight, w.dilationWidth),
      padTop: (w.height - 1) * w.dilationHeight - w.padTop,
      padLeft: (w.width - 1) * w.dilationWidth - w.padLeft,
      groups: w.groups
    )
    convolve(source, turned, bias: nil, into: dx, back)
  }
}

extension Window {
  /// The output's pixels with the steps' zeros between them; `target` is zeroed.
  func insertZeros(_ y: FloatBuffer, into target: FloatBuffer) {
    let channels = outputChannels
    let height = (outputHeight - 1) * strideHeight + 1
    let width = (outputWidth - 1) * strideWidth + 1
    for n in 0..<batch {
      for row in 0..<outputHeight {
        for column in 0..<outputWidth {
          let from = ((n * outputHeight + row) * outputWidth + column) * channels
          let to = ((n * height + row * strideHeight) * width + column * strideWidth) * channels
          target.part(to, channels).copy(y.part(from, channels))
        }
      }
    }
  }
}

extension GradientSite {
  /// Takes the bounds of an activation back: the output's gradient, changed in place.
  func unclamped(_ activation: Activation) -> () -> Void {
    guard activation != .none, !isTakenBack else { return {} }
    let (context, gradient, output) = (context, outputGradient, output)
    return {
      context.training.mask(
        gradient,
        output,
        into: gradient,
        bounds: activation.bounds,
        pool: context.pool
      )
    }
  }

  /// The geometry of a window operator over the image in input 0.
  func window(
    filter: Size2D,
    strides: Size2D,
    dilations: Size2D = .one,
    padding: Padding,
    groups: Int = 1,
    activation: Activation = .none
  ) throws -> Window {
    let image = try shape(0)
    let top = padding.amounts(
      extent: image[1],
      window: filter.height,
      stride: strides.height,
      dilation: dilations.height,
      isHeight: true
    ).before
    let left = padding.amounts(
      extent: image[2],
      window: filter.width,
      stride: strides.width,
      dilation: dilations.width,
      isHeight: false
    ).before
    return Window(
      batch: image[0],
      input: (image[1], image[2], image[3]),
      output: (outputShape[1], outputShape[2], outputShape[3]),
      window: (filter.height, filter.width),
      strides: (strides.height, strides.width),
      dilations: (dilations.height, dilations.width),
      padTop: top,
      padLeft: left,
      groups: groups,
      bounds: activation.bounds
    )
  }
}
