import AssayGraph
import AssayTensor

extension GatherND: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let (data, indices) = (try arguments.input(0), try arguments.input(1))
    let blocks = try BlockPositions(data.shape, indices, batchAxes: batchAxes)
    let sources = blocks.starts.flatMap { start in start..<start + blocks.length }
    return [try select(data, sources, arguments.output)]
  }
}

/// Where the blocks that a tensor of coordinates names begin in a tensor, and how long they are.
struct BlockPositions {
  /// The position of each block's first element.
  var starts: [Int] = []
  /// Elements of a block.
  var length: Int

  /// The blocks at the coordinates in the last axis of `indices`.
  ///
  /// - Throws: `Diagnostic` EVL015 for a coordinate outside of the tensor.
  init(_ shape: Shape, _ indices: Tensor, batchAxes: Int = 0) throws {
    let depth = indices.shape[-1]
    let strides = shape.strides
    length = shape.dims.dropFirst(batchAxes + depth).reduce(1, *)
    let batches = shape.dims.prefix(batchAxes).reduce(1, *)
    let batchLength = shape.dims.dropFirst(batchAxes).reduce(1, *)
    let tuples = indices.shape.dims.dropLast().reduce(1, *)
    let coordinates = indices.with(quantization: nil).integers()
    for tuple in 0..<tuples {
      var start = tuples == 0 ? 0 : tuple / max(tuples / max(batches, 1), 1) * batchLength
      for position in 0..<depth {
        let axis = batchAxes + position
        let coordinate = coordinates[tuple * depth + position]
        start += try checkedCoordinate(coordinate, shape.dims[axis]) * strides[axis]
      }
      starts.append(start)
    }
  }
}
