import AssayKernels
import CTrain

/// A set of training kernels for one instruction set, or the portable one in Swift that the others are
/// tested against.
@safe public struct TrainingKernels: @unchecked Sendable {
  // Safe because: the C table is a constant.
  let table: UnsafePointer<ct_kernels>?

  /// The sets that this processor can run, best first; the portable one is last.
  public static let all: [TrainingKernels] = {
    var sets: [TrainingKernels] = []
    while let table = unsafe ct_kernels_at(Int32(sets.count)) {
      unsafe sets.append(TrainingKernels(table: table))
    }
    return sets + [portable]
  }()

  /// The best set.
  public static let best = all[0]

  /// Plain Swift.
  public static let portable = unsafe TrainingKernels(table: nil)

  /// The name of the instruction set: `avx512`, `avx2`, `neon`, `baseline` or `portable`.
  public var name: String {
    unsafe table.map { unsafe String(cString: $0.pointee.name) } ?? "portable"
  }
}

/// A matrix inside a run of floats: where it begins and how far apart its elements lie.
struct Matrix {
  var buffer: FloatBuffer
  /// Elements from one row, and from one column, to the next.
  var row: Int, column: Int
  /// Elements from one matrix of a batch to the next.
  var batch = 0

  /// Dense rows of `columns` elements.
  init(_ buffer: FloatBuffer, columns: Int, batch: Int = 0) {
    self.buffer = buffer
    row = columns
    column = 1
    self.batch = batch
  }

  /// The same elements with rows and columns changed over.
  var transposed: Matrix {
    var result = self
    (result.row, result.column) = (column, row)
    return result
  }
}

/// The extents of a product: `c [m, n] = a [m, k] x b [k, n]`.
struct ProductShape {
  var m: Int, n: Int, k: Int
  var batch = 1
}

extension TrainingKernels {
  /// `c = clamp(bias + a b)`, or `c += a b` with `accumulates`.
  func multiply(
    _ shape: ProductShape,
    _ a: Matrix,
    _ b: Matrix,
    into c: Matrix,
    bias: FloatBuffer? = nil,
    bounds: (low: Float, high: Float) = (-.infinity, .infinity),
    accumulates: Bool = false,
    pool: ThreadPool?,
    scratch: Scratch
  ) {
    guard let table = unsafe table else {
      return PortableTraining.multiply(
        shape,
        a,
        b,
        into: c,
        bias: bias,
        bounds: bounds,
        accumulates: accumulates
      )
    }
    var g = unsafe ct_gemm(
      batch: Int64(shape.batch),
      m: Int64(shape.m),
      n: Int64(shape.n),
      k: Int64(shape.k),
      a: a.buffer.base,
      a_batch: Int64(a.batch),
      a_row: Int64(a.row),
      a_depth: Int64(a.column),
      b: b.buffer.base,
      b_batch: Int64(b.batch),
      b_depth: Int64(b.row),
      b_column: Int64(b.column),
      c: c.buffer.base,
      c_batch: Int64(c.batch),
      c_row: Int64(c.row),
      c_column: Int64(c.column),
      bias: bias.map { unsafe UnsafePointer($0.base) },
      low: bounds.low,
      high: bounds.high,
      accumulates: accumulates ? 1 : 0,
      scratch: nil
    )
    unsafe scratch.reserve(Int(table.pointee.gemm_scratch(&g, Int32(pool?.threads ?? 1))))
    unsafe g.scratch = scratch.address
    unsafe table.pointee.gemm(&g, pool?.handle)
  }

  /// A convolution along time.
  func convolve(
    _ time: TimeConvolution,
    _ x: FloatBuffer,
    _ weights: FloatBuffer,
    bias: FloatBuffer?,
    into y: FloatBuffer,
    bounds: (low: Float, high: Float),
    pool: ThreadPool,
    scratch: Scratch
  ) {
    guard let table = unsafe table else {
      return PortableTraining.convolve(time, x, weights, bias: bias, into: y, bounds: bounds)
    }
    var c = unsafe time.arguments(x, weights, y)
    unsafe c.bias = bias.map { unsafe UnsafePointer($0.base) }
    unsafe (c.low, c.high) = bounds
    unsafe c.has_bounds = bounds.low > -.infinity || bounds.high < .infinity ? 1 : 0
    unsafe scratch.reserve(Int(table.pointee.conv1d_scratch(&c, Int32(pool.threads))))
    unsafe c.scratch = scratch.address
    unsafe table.pointee.conv1d(&c, pool.handle)
  }

  /// The gradients of a convolution along time; each is set where a place for it is given.
  func convolveGradient(
    _ time: TimeConvolution,
    _ x: FloatBuffer,
    _ weights: FloatBuffer,
    outputGradient: FloatBuffer,
    input: FloatBuffer?,
    weightGradient: FloatBuffer?,
    bias: FloatBuffer?,
    pool: ThreadPool,
    scratch: Scratch
  ) {
    guard let table = unsafe table else {
      return PortableTraining.convolveGradient(
        time,
        x,
        weights,
        outputGradient: outputGradient,
        input: input,
        weightGradient: weightGradient,
        bias: bias
      )
    }
    var c = unsafe time.arguments(x, weights, outputGradient)
    unsafe c.y_gradient = UnsafePointer(outputGradient.base)
    unsafe c.x_gradient = input?.base
    unsafe c.w_gradient = weightGradient?.base
    unsafe c.bias_gradient = bias?.base
    unsafe scratch.reserve(Int(table.pointee.conv1d_scratch(&c, Int32(pool.threads))))
    unsafe c.scratch = scratch.address
    unsafe table.pointee.conv1d_gradient(&c, pool.handle)
  }

  /// A depthwise convolution with a step of 1; `weights` are `[taps, channels]`.
  func convolveDepthwise(
    _ window: Window,
    _ x: FloatBuffer,
    _ weights: FloatBuffer,
    bias: FloatBuffer?,
    into y: FloatBuffer,
    pool: ThreadPool,
    scratch: Scratch
  ) {
    guard let table = unsafe table else {
      return PortableTraining.convolveDepthwise(window, x, weights, bias: bias, into: y)
    }
    var c = unsafe window.arguments(x, weights)
    unsafe c.bias = bias.map { unsafe UnsafePointer($0.base) }
    unsafe c.y = y.base
    unsafe scratch.reserve(Int(table.pointee.depthwise_scratch(&c, Int32(pool.threads))))
    unsafe c.scratch = scratch.address
    unsafe table.pointee.depthwise(&c, pool.handle)
  }

  /// The weights' gradient of a depthwise convolution with a step of 1.
  func depthwiseGradient(
    _ window: Window,
    _ x: FloatBuffer,
    outputGradient: FloatBuffer,
    weightGradient: FloatBuffer,
    pool: ThreadPool,
    scratch: Scratch
  ) {
    guard let table = unsafe table else {
      return PortableTraining.depthwiseGradient(
        window,
        x,
        outputGradient: outputGradient,
        weightGradient: weightGradient
      )
    }
    var c = unsafe window.arguments(x, weightGradient)
    unsafe c.y_gradient = UnsafePointer(outputGradient.base)
    unsafe c.w_gradient = weightGradient.base
    unsafe scratch.reserve(Int(table.pointee.depthwise_scratch(&c, Int32(pool.threads))))
    unsafe c.scratch = scratch.address
    unsafe table.pointee.depthwise_gradient(&c, pool.handle)
  }

  /// The gradient of a pooling's input: an average's is spread, a maximum's goes to the first of the
  /// greatest elements.
  func poolGradient(
    _ window: Window,
    average: Bool,
    _ x: FloatBuffer,
    _ y: FloatBuffer,
    outputGradient: FloatBuffer,
    input: FloatBuffer,
    pool: ThreadPool
  ) {
    guard let table = unsafe table else {
      return PortableTraining.poolGradient(
        window,
        average: average,
        x,
        y,
        outputGradient: outputGradient,
        input: input
      )
    }
    var c = unsafe ct_pool_gradient(
      x: x.base,
      y: y.base,
      y_gradient: outputGradient.base,
      x_gradient: input.base,
      batch: Int64(window.batch),
      height: Int64(window.inputHeight),
      width: Int64(window.inputWidth),
      channels: Int64(window.inputChannels),
      output_height: Int64(window.outputHeight),
      output_width: Int64(window.outputWidth),
      window_height: Int64(window.height),
      window_width: Int64(window.width),
      stride_height: Int64(window.strideHeight),
      stride_width: Int64(window.strideWidth),
      pad_top: Int64(window.padTop),
      pad_left: Int64(window.padLeft),
      average: average ? 1 : 0
    )
    unsafe table.pointee.pool_gradient(&c, pool.handle)
  }
}

/// The geometry of a convolution along time with a step of 1.
struct TimeConvolution {
  var batch: Int
  var length: Int, outputLength: Int
  var inputs: Int, outputs: Int
  var taps: Int, dilation: Int
  /// Zeros before the first moment.
  var pad: Int

  fileprivate func arguments(_ x: FloatBuffer, _ w: FloatBuffer, _ y: FloatBuffer) -> ct_conv1d {
    unsafe ct_conv1d(
      batch: Int64(batch),
      length: Int64(length),
      output_length: Int64(outputLength),
      inputs: Int64(inputs),
      outputs: Int64(outputs),
      taps: Int64(taps),
      dilation: Int64(dilation),
      pad: Int64(pad),
      x: x.base,
      w: w.base,
      bias: nil,
      y: y.base,
      y_gradient: nil,
      x_gradient: nil,
      w_gradient: nil,
      bias_gradient: nil,
      low: -.infinity,
      high: .infinity,
      has_bounds: 0,
      scratch: nil
    )
  }
}

extension Window {
  fileprivate func arguments(_ x: FloatBuffer, _ w: FloatBuffer) -> ct_depthwise {
    unsafe ct_depthwise(
      batch: Int64(batch),
      height: Int64(inputHeight),
      width: Int64(inputWidth),
      channels: Int64(inputChannels),
      output_height: Int64(outputHeight),
      output_width: Int64(outputWidth),
      kernel_height: Int64(height),
      kernel_width: Int64(width),
      dilation_height: Int64(dilationHeight),
      dilation_width: Int64(dilationWidth),
      pad_top: Int64(padTop),
      pad_left: Int64(padLeft),
      x: x.base,
      w: w.base,
      bias: nil,
      y: nil,
      y_gradient: nil,
      w_gradient: nil,
      low: low,
      high: high,
      scratch: nil
    )
  }
}
