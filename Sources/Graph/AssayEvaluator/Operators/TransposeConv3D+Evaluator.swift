import AssayGraph
import AssayKernels
import AssayTensor

extension TransposeConv3D: EvaluatedOperator {
  /// As `TransposeConv2D`: one dense product spreads every voxel over its window.
  func step(_ builder: StepBuilder) throws -> () throws -> Void {
    let (volume, filter) = (try builder.shape(0), try builder.shape(1))
    let shape = builder.outputShape
    let outputs = filter[0]
    let size = Size3D(filter[1], filter[2], filter[3])
    let start = padding.start(shape, window: size, strides: strides, dilations: dilations)
    let voxels = volume[0] * volume[1] * volume[2] * volume[3]
    let taps = size.depth * size.height * size.width
    let spread = outputs * taps
    // So many voxels at once that their products stay in the cache.
    let block = max(1, min(voxels, (1 << 18) / max(spread, 1)))
    let window = Window.dense(
      rows: block,
      inputs: volume[4],
      outputs: spread,
      bounds: (-.infinity, .infinity)
    )
    let packed = try builder.packedFilter(window, usesBias: false)
    let products = FloatBlock(count: block * spread)
    let zeros = builder.store.zeros(volume[4])
    let (input, output) = (try builder.input(0), builder.output)
    let bias = builder.optional(2)
    let (context, bounds) = (builder.context, activation.bounds)
    let (strides, dilations) = (strides, dilations)

    /// Adds the products of one voxel to the output.
    func add(_ voxel: Int, _ from: FloatBuffer) {
      let n = voxel / (volume[1] * volume[2] * volume[3])
      let d = voxel / (volume[2] * volume[3]) % volume[1] * strides.depth - start.depth
      let y = voxel / volume[3] % volume[2] * strides.height - start.height
      let x = voxel % volume[3] * strides.width - start.width
      for kd in 0..<size.depth {
        let plane = d + kd * dilations.depth
        guard (0..<shape[1]).contains(plane) else { continue }
        for ky in 0..<size.height {
          let row = y + ky * dilations.height
          guard (0..<shape[2]).contains(row) else { continue }
          for kx in 0..<size.width {
            let column = x + kx * dilations.width
            guard (0..<shape[3]).contains(column) else { continue }
            let place = ((n * shape[1] + plane) * shape[2] + row) * shape[3] + column
            let tap = (kd * size.height + ky) * size.width + kx
            for o in 0..<outputs { output[place * outputs + o] += from[o * taps + tap] }
          }
        }
      }
    }

    return {
      for place in 0..<output.count / max(outputs, 1) {
        let row = output.part(place * outputs, outputs)
        if let bias { row.copy(bias) } else { row.fill(0) }
      }
      let filter = packed()
      for first in stride(from: 0, to: voxels, by: block) {
        let count = min(block, voxels - first)
        var rows = window
        (rows.inputWidth, rows.outputWidth) = (count, count)
        context.kernels.convolve(
          input.part(first * volume[4], count * volume[4]),
          filter,
          into: products.buffer.part(0, count * spread),
          rows,
          zeros: zeros,
          pool: context.pool,
          scratch: context.scratch
        )
        for index in 0..<count { add(first + index, products.buffer.part(index * spread, spread)) }
      }
      context.kernels.unary(.clamp(bounds.low, bounds.high), output, into: output)
    }
  }
}
