import AssayBase
import AssayGraph
import AssayKernels
import AssayTensor

extension Conv3D: EvaluatedOperator {
  /// Each slice of the output is a convolution of an image whose channels are those of the slices
  /// under the window.
  func step(_ builder: StepBuilder) throws -> () throws -> Void {
    let (volume, filter) = (try builder.shape(0), try builder.shape(1))
    let shape = builder.outputShape
    let taps = filter[4]
    let groups = taps > 0 ? max(volume[4] / taps, 1) : 1
    let size = Size3D(filter[1], filter[2], filter[3])
    let start = padding.start(volume, window: size, strides: strides, dilations: dilations)
    let window = Window(
      batch: 1,
      input: (volume[2], volume[3], volume[4] * size.depth),
      output: (shape[2], shape[3], shape[4]),
      window: (size.height, size.width),
      strides: (strides.height, strides.width),
      dilations: (dilations.height, dilations.width),
      padTop: start.height,
      padLeft: start.width,
      groups: groups,
      bounds: activation.bounds
    )
    let packed = try builder.packedVolumeFilter(window, filter)
    let (input, output) = (try builder.input(0), builder.output)
    let slice = volume[2] * volume[3]
    let image = FloatBlock(count: slice * window.inputChannels)
    let context = builder.context
    let zeros = builder.store.zeros(window.inputChannels)
    let (strideOfDepth, dilationOfDepth) = (strides.depth, dilations.depth)
    let outputCount = shape[2] * shape[3] * shape[4]
    return {
      let filter = packed()
      let target = image.buffer
      for n in 0..<shape[0] {
        for d in 0..<shape[1] {
          for tap in 0..<size.depth {
            let plane = d * strideOfDepth + tap * dilationOfDepth - start.depth
            let isInside = (0..<volume[1]).contains(plane)
            let from = (n * volume[1] + plane) * slice * volume[4]
            for pixel in 0..<slice {
              for group in 0..<groups {
                let place = ((pixel * groups + group) * size.depth + tap) * taps
                let run = target.part(place, taps)
                if isInside {
                  run.copy(input.part(from + pixel * volume[4] + group * taps, taps))
                } else {
                  run.fill(0)
                }
              }
            }
          }
          context.kernels.convolve(
            target,
            filter,
            into: output.part((n * shape[1] + d) * outputCount, outputCount),
            window,
            zeros: zeros,
            pool: context.pool,
            scratch: context.scratch
          )
        }
      }
    }
  }
}

extension StepBuilder {
  /// The filter (input 1, `[O, KD, KH, KW, C]`) with its depth among the channels, packed.
  fileprivate func packedVolumeFilter(
    _ window: Window,
    _ shape: Shape
  ) throws -> () -> PackedFilter {
    guard shape.rank == 5, let weights = node.inputs[1] else {
      throw Diagnostic("EVL013", "the filter is absent")
    }
    let (kernels, store) = (kernels, store)
    let bias = optional(2)
    func pack(_ source: UnsafePointer<Float>) -> PackedFilter {
      let block = FloatBlock(count: shape.count)
      let (depth, area, taps) = (shape[1], shape[2] * shape[3], shape[4])
      for o in 0..<shape[0] {
        for d in 0..<depth {
          for place in 0..<area {
            let from = ((o * depth + d) * area + place) * taps
            let to = ((o * area + place) * depth + d) * taps
            for c in 0..<taps { block.buffer[to + c] = unsafe source[from + c] }
          }
        }
      }
      return unsafe PackedFilter(
        kernels,
        window: window,
        weights: UnsafePointer(block.buffer.base),
        bias: bias.map { unsafe UnsafePointer($0.base) }
      )
    }
    if isConstant(1), isConstant(2) {
      let packed = store.prepare(index) { unsafe store.withFloats(weights) { unsafe pack($0) } }
      return { packed }
    }
    let place = place
    return { unsafe pack(UnsafePointer(place(weights).base)) }
  }
}
