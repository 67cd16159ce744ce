import AssayBase
import AssayTensor

extension TFLiteImporter {
  /// The elements of a sparse constant with the zeros that it leaves out.
  ///
  /// The axes are walked in the traversal order; a dense one goes through all its indices, a sparse
  /// one through those of the segment that its place in the axis before selects. An axis of a block
  /// counts elements within one step of the tensor's axis.
  func densified(
    _ bytes: ByteView,
    _ sparsity: SparsityRecord,
    _ type: TensorType
  ) throws -> ByteView {
    func fault(_ what: String) -> Diagnostic {
      Diagnostic(
        "TFL014",
        "the sparse constant is not understood: \(what)",
        remedy: "convert the model without sparsity"
      )
    }
    let rank = type.shape.rank
    let order = sparsity.traversalOrder
    let width = type.dtype.bitWidth / 8
    guard width > 0, let total = type.byteCount else { throw fault("elements below a byte") }
    guard rank <= 8, order.count == rank + sparsity.blockMap.count, order.count <= 16,
      order.sorted() == Array(0..<order.count), sparsity.dimensions.count == order.count,
      sparsity.blockMap.allSatisfy({ (0..<rank).contains($0) })
    else { throw fault("the order of its axes") }
    guard total / 4096 <= bytes.count + 256 else { throw fault("\(total) bytes of zeros") }

    // Elements of the tensor that one step along each walked axis is, and the axes' extents.
    var blocks = [Int](repeating: 1, count: rank)
    for (position, axis) in order.enumerated() where axis >= rank {
      guard case .dense(let extent) = sparsity.dimensions[position], extent > 0, extent < 1 << 20
      else { throw fault("a sparse block") }
      let axis = sparsity.blockMap[axis - rank]
      blocks[axis] *= extent
      guard blocks[axis] < 1 << 20 else { throw fault("a large block") }
    }
    let strides = type.shape.strides
    var steps: [Int] = []
    for axis in order {
      if axis < rank {
        steps.append(strides[axis] * blocks[axis])
      } else {
        steps.append(strides[sparsity.blockMap[axis - rank]])
      }
    }
    var target = [UInt8](repeating: 0, count: total)
    let source = bytes.array
    var next = 0
    // Segments may be listed many times without an element in them.
    var visits = 16 * (total / width + bytes.count + 64)

    func walk(_ level: Int, _ place: Int, _ offset: Int) throws {
      visits -= 1
      guard visits >= 0 else { throw fault("more indices than elements") }
      guard level < order.count else {
        guard next + width <= source.count, offset >= 0, offset + 1 <= total / width else {
          throw fault("its indices leave it")
        }
        for byte in 0..<width { target[offset * width + byte] = source[next + byte] }
        next += width
        return
      }
      switch sparsity.dimensions[level] {
      case .dense(let extent):
        guard extent >= 0, extent <= total else { throw fault("an extent of \(extent)") }
        for index in 0..<extent {
          try walk(level + 1, place &* extent &+ index, offset &+ index &* steps[level])
        }
      case .sparse(let segments, let indices):
        guard segments.indices.contains(place), segments.indices.contains(place + 1),
          segments[place] >= 0, segments[place + 1] >= segments[place],
          segments[place + 1] <= indices.count
        else { throw fault("its segments") }
        for position in segments[place]..<segments[place + 1] {
          let index = indices[position]
          guard index >= 0, index < total else { throw fault("its indices") }
          try walk(level + 1, position, offset &+ index &* steps[level])
        }
      }
    }
    // Each element of the buffer is used once, and dense axes alone give no more than the elements
    // that the tensor has.
    var product = 1
    for case .dense(let extent) in sparsity.dimensions {
      product = product.multipliedReportingOverflow(by: max(extent, 1)).partialValue
      guard product > 0, product <= total else { throw fault("more elements than it has") }
    }
    try walk(0, 0, 0)
    return ByteView(target)
  }
}
