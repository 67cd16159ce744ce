import CKernels

/// A set of kernels for one instruction set, or the portable one in Swift that the others are tested
/// against.
@safe public struct Kernels: @unchecked Sendable {
  // Safe because: the C table is a constant.
  let table: UnsafePointer<ck_kernels>?

  /// The sets that this processor can run, best first; the portable one is last.
  public static let all: [Kernels] = {
    var sets: [Kernels] = []
    while let table = unsafe ck_kernels_at(Int32(sets.count)) {
      unsafe sets.append(Kernels(table: table))
    }
    return sets + [portable]
  }()

  /// The best set.
  public static let best = all[0]

  /// Plain Swift.
  public static let portable = unsafe Kernels(table: nil)

  /// The name of the instruction set: `avx512`, `avx2`, `neon`, `baseline` or `portable`.
  public var name: String {
    unsafe table.map { unsafe String(cString: $0.pointee.name) } ?? "portable"
  }
}

/// A convolution's filter and bias in the order in which one kernel set reads them.
public struct PackedFilter: Sendable {
  let block: FloatBlock
  let hasBias: Bool

  /// Packs the filters of `window.groups` groups.
  ///
  /// Weight k of output channel o is `weights[o * rowStride + k * depthStride]`; k runs over the
  /// window's taps, then the channels.
  public init(
    _ kernels: Kernels,
    window: Window,
    weights: UnsafePointer<Float>,
    bias: UnsafePointer<Float>?,
    rowStride: Int? = nil,
    depthStride: Int = 1
  ) {
    let depth = window.depth
    let rowStride = rowStride ?? depth
    let outputs = window.outputChannels / window.groups
    unsafe hasBias = bias != nil
    guard let table = unsafe kernels.table else {
      let count = window.outputChannels * depth
      block = FloatBlock(count: count + window.outputChannels)
      for output in 0..<window.outputChannels {
        for k in 0..<depth {
          unsafe block.buffer[output * depth + k] = weights[output * rowStride + k * depthStride]
        }
        if let bias = unsafe bias { unsafe block.buffer[count + output] = bias[output] }
      }
      return
    }
    let count = unsafe Int(table.pointee.packed_count(Int64(outputs), Int64(depth)))
    block = FloatBlock(count: count * window.groups)
    for group in 0..<window.groups {
      unsafe table.pointee.pack(
        block.buffer.base + group * count,
        weights + group * outputs * rowStride,
        bias.map { unsafe $0 + group * outputs },
        Int64(outputs),
        Int64(depth),
        Int64(rowStride),
        Int64(depthStride)
      )
    }
  }
}

extension Kernels {
  /// A convolution, or a dense layer as `Window.dense`.
  ///
  /// - Parameter zeros: at least as many zeros as the image has channels.
  public func convolve(
    _ input: FloatBuffer,
    _ filter: PackedFilter,
    into output: FloatBuffer,
    _ window: Window,
    zeros: FloatBuffer,
    pool: ThreadPool,
    scratch: Scratch
  ) {
    guard let table = unsafe table else {
      return PortableKernels.convolve(input, filter, into: output, window)
    }
    var c = unsafe ck_conv(
      input: input.base,
      packed: filter.block.buffer.base,
      output: output.base,
      zeros: zeros.base,
      scratch: nil,
      batch: Int64(window.batch),
      input_height: Int64(window.inputHeight),
      input_width: Int64(window.inputWidth),
      input_channels: Int64(window.inputChannels),
      output_height: Int64(window.outputHeight),
      output_width: Int64(window.outputWidth),
      output_channels: Int64(window.outputChannels),
      groups: Int64(window.groups),
      kernel_height: Int64(window.height),
      kernel_width: Int64(window.width),
      stride_height: Int64(window.strideHeight),
      stride_width: Int64(window.strideWidth),
      dilation_height: Int64(window.dilationHeight),
      dilation_width: Int64(window.dilationWidth),
      pad_top: Int64(window.padTop),
      pad_left: Int64(window.padLeft),
      low: window.low,
      high: window.high
    )
    unsafe scratch.reserve(Int(table.pointee.conv_scratch(&c)) * pool.threads)
    unsafe c.scratch = scratch.address
    unsafe table.pointee.conv(&c, pool.handle)
  }

  /// A depthwise convolution with one filter a channel; `weights` are `[height * width, channels]`.
  public func convolveDepthwise(
    _ input: FloatBuffer,
    _ weights: FloatBuffer,
    bias: FloatBuffer?,
    into output: FloatBuffer,
    _ window: Window,
    zeros: FloatBuffer,
    pool: ThreadPool,
    scratch: Scratch
  ) {
    guard let table = unsafe table else {
      return PortableKernels.convolveDepthwise(input, weights, bias: bias, into: output, window)
    }
    var c = unsafe ck_depthwise(
      input: input.base,
      weights: weights.base,
      bias: bias.map { unsafe UnsafePointer($0.base) },
      output: output.base,
      zeros: zeros.base,
      scratch: nil,
      batch: Int64(window.batch),
      input_height: Int64(window.inputHeight),
      input_width: Int64(window.inputWidth),
      channels: Int64(window.inputChannels),
      output_height: Int64(window.outputHeight),
      output_width: Int64(window.outputWidth),
      kernel_height: Int64(window.height),
      kernel_width: Int64(window.width),
      stride_height: Int64(window.strideHeight),
      stride_width: Int64(window.strideWidth),
      dilation_height: Int64(window.dilationHeight),
      dilation_width: Int64(window.dilationWidth),
      pad_top: Int64(window.padTop),
      pad_left: Int64(window.padLeft),
      low: window.low,
      high: window.high
    )
    unsafe scratch.reserve(Int(table.pointee.depthwise_scratch(&c)) * pool.threads)
    unsafe c.scratch = scratch.address
    unsafe table.pointee.depthwise(&c, pool.handle)
  }

  /// The maximum or average over windows; elements outside the image take no part.
  public func pool(
    _ input: FloatBuffer,
    into output: FloatBuffer,
    average: Bool,
    _ window: Window,
    pool: ThreadPool
  ) {
    guard let table = unsafe table else {
      return PortableKernels.pool(input, into: output, average: average, window)
    }
    var c = unsafe ck_pool2d(
      input: input.base,
      output: output.base,
      batch: Int64(window.batch),
      input_height: Int64(window.inputHeight),
      input_width: Int64(window.inputWidth),
      channels: Int64(window.inputChannels),
      output_height: Int64(window.outputHeight),
      output_width: Int64(window.outputWidth),
      window_height: Int64(window.height),
      window_width: Int64(window.width),
      stride_height: Int64(window.strideHeight),
      stride_width: Int64(window.strideWidth),
      pad_top: Int64(window.padTop),
      pad_left: Int64(window.padLeft),
      average: average ? 1 : 0,
      low: window.low,
      high: window.high
    )
    unsafe table.pointee.pool2d(&c, pool.handle)
  }
}
