import AssayGraph
import AssayKernels
import AssayTensor

extension MatMul: EvaluatedOperator {
  func step(_ builder: StepBuilder) throws -> () throws -> Void {
    let (a, b) = (try builder.shape(0), try builder.shape(1))
    let (m, k) = transposesA ? (a[-1], a[-2]) : (a[-2], a[-1])
    let n = transposesB ? b[-2] : b[-1]
    let lead = Shape(Array(builder.outputShape.dims.dropLast(2)))
    let aIndex = broadcastIndices(Shape(Array(a.dims.dropLast(2))), to: lead)
    let bIndex = broadcastIndices(Shape(Array(b.dims.dropLast(2))), to: lead)
    let window = Window.dense(
      rows: m,
      inputs: k,
      outputs: n,
      bounds: (-.infinity, .infinity)
    )
    let (left, right, output) = (try builder.input(0), try builder.input(1), builder.output)
    let rowStride = transposesB ? k : 1
    let depthStride = transposesB ? 1 : n
    let zeros = builder.store.zeros(k)
    let context = builder.context
    let turned = transposesA ? FloatBlock(count: m * k) : nil
    let matrices = b.dims.dropLast(2).reduce(1, *)
    let pack: (Int) -> PackedFilter = { index in
      unsafe PackedFilter(
        context.kernels,
        window: window,
        weights: right.base + index * k * n,
        bias: nil,
        rowStride: rowStride,
        depthStride: depthStride
      )
    }
    let known: [PackedFilter]? =
      builder.isConstant(1)
      ? builder.store.prepare(builder.index) { (0..<matrices).map(pack) } : nil
    return {
      var packed: (index: Int, filter: PackedFilter)?
      for item in aIndex.indices {
        var matrix = left.part(aIndex[item] * m * k, m * k)
        if let turned {
          for row in 0..<m {
            for column in 0..<k { turned.buffer[row * k + column] = matrix[column * m + row] }
          }
          matrix = turned.buffer
        }
        let filter: PackedFilter
        if let known {
          filter = known[bIndex[item]]
        } else if let packed, packed.index == bIndex[item] {
          filter = packed.filter
        } else {
          filter = pack(bIndex[item])
          packed = (bIndex[item], filter)
        }
        context.kernels.convolve(
          matrix,
          filter,
          into: output.part(item * m * n, m * n),
          window,
          zeros: zeros,
          pool: context.pool,
          scratch: context.scratch
        )
      }
    }
  }
}
