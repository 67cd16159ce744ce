import AssayTensor

/// Zeros around the spatial axes, then each place within a block becomes an image of its own
/// (TensorFlow's SpaceToBatchND).
///
/// Input: `[N, S1, …, SM, …]` with one block extent for each of the M axes behind the first. Output:
/// `[N * block, (before + S + after) / block, …]`; the image of an offset within a block comes before
/// the images of the batch. A convolution between this and `BatchToSpace` is a dilated one.
public struct SpaceToBatch: Operator {
  /// Extents of a block, one for each spatial axis.
  public var block: [Int]
  /// Zeros before each spatial axis.
  public var before: [Int]
  /// Zeros after each spatial axis.
  public var after: [Int]

  /// Makes the operator.
  public init(block: [Int], before: [Int], after: [Int]) {
    self.block = block
    self.before = before
    self.after = after
  }

  public var name: String { "SpaceToBatch" }
  public var attributes: [(name: String, value: String)] {
    blockAttributes(block) + [("before", listed(before)), ("after", listed(after))]
  }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let x = try required(inputs, 1, of: name)[0]
    let images = try blockVolume(block, before, after, rank: x.shape.rank, of: name)
    var dims = x.shape.dims
    for axis in block.indices where dims[axis + 1] >= 0 {
      let padded = dims[axis + 1] + before[axis] + after[axis]
      guard padded % block[axis] == 0 else {
        throw shapeFault(name, "\(padded) elements in blocks of \(block[axis])")
      }
      dims[axis + 1] = padded / block[axis]
    }
    if dims[0] >= 0 { dims[0] = dims[0] &* images }
    return [TensorType(x.dtype, Shape(dims))]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType]) -> Cost { Cost() }
}

/// Images become places within blocks, then borders are cut off (TensorFlow's BatchToSpaceND); the
/// inverse of `SpaceToBatch`.
public struct BatchToSpace: Operator {
  /// Extents of a block, one for each spatial axis.
  public var block: [Int]
  /// Elements cut off before each spatial axis.
  public var before: [Int]
  /// Elements cut off after each spatial axis.
  public var after: [Int]

  /// Makes the operator.
  public init(block: [Int], before: [Int], after: [Int]) {
    self.block = block
    self.before = before
    self.after = after
  }

  public var name: String { "BatchToSpace" }
  public var attributes: [(name: String, value: String)] {
    blockAttributes(block) + [("before", listed(before)), ("after", listed(after))]
  }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let x = try required(inputs, 1, of: name)[0]
    let images = try blockVolume(block, before, after, rank: x.shape.rank, of: name)
    var dims = x.shape.dims
    if dims[0] >= 0 {
      guard dims[0] % images == 0 else {
        throw shapeFault(name, "\(dims[0]) images in blocks of \(images)")
      }
      dims[0] /= images
    }
    for axis in block.indices where dims[axis + 1] >= 0 {
      let whole = dims[axis + 1] &* block[axis]
      dims[axis + 1] = whole - before[axis] - after[axis]
      guard dims[axis + 1] >= 0 else {
        throw shapeFault(name, "\(before[axis] + after[axis]) of \(whole) elements are cut off")
      }
    }
    return [TensorType(x.dtype, Shape(dims))]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType]) -> Cost { Cost() }
}

private func listed(_ values: [Int]) -> String {
  values.map(String.init).joined(separator: ",")
}

private func blockAttributes(_ block: [Int]) -> [(name: String, value: String)] {
  [("block", listed(block))]
}

/// The number of places in a block.
private func blockVolume(
  _ block: [Int],
  _ before: [Int],
  _ after: [Int],
  rank: Int,
  of name: String
) throws -> Int {
  guard !block.isEmpty, block.count <= 4, rank > block.count, before.count == block.count,
    after.count == block.count, block.allSatisfy({ $0 >= 1 && $0 < 1 << 14 }),
    (before + after).allSatisfy({ $0 >= 0 && $0 < 1 << 30 })
  else { throw shapeFault(name, "blocks \(block) with \(before), \(after) of \(rank) axes") }
  return block.reduce(1, *)
}

extension SpaceToBatch: DecomposableOperator {
  /// A Pad, a Reshape that splits the axes, a Transpose and a Reshape that joins them.
  public func decompose(_ node: Node, into graph: inout Decomposition) throws {
    var x = try graph.input(0, of: node)
    let rank = graph.type(x).shape.rank
    _ = try blockVolume(block, before, after, rank: rank, of: name)
    let tail = [Int](repeating: 0, count: rank - block.count - 1)
    if (before + after).contains(where: { $0 > 0 }) {
      x = try graph.add(Pad(before: [0] + before + tail, after: [0] + after + tail), [x])
    }
    let dims = graph.type(x).shape.dims
    let rest = dims[(block.count + 1)...]
    var split = [dims[0]]
    var joined = [block.reduce(dims[0], &*)]
    for (axis, extent) in block.enumerated() {
      split += [dims[axis + 1] / extent, extent]
      joined.append(dims[axis + 1] / extent)
    }
    let order =
      block.indices.map { 2 * $0 + 2 } + [0] + block.indices.map { 2 * $0 + 1 }
      + rest.indices.map { $0 + block.count }
    x = try graph.add(Reshape(split + rest), [x])
    x = try graph.add(Transpose(order), [x])
    try graph.finish(Reshape(joined + rest), [x], node)
  }
}

extension BatchToSpace: DecomposableOperator {
  /// A Reshape that splits the images, a Transpose, a Reshape that joins the axes and a Slice.
  public func decompose(_ node: Node, into graph: inout Decomposition) throws {
    var x = try graph.input(0, of: node)
    let dims = graph.type(x).shape.dims
    let images = try blockVolume(block, before, after, rank: dims.count, of: name)
    let rest = dims[(block.count + 1)...]
    var order = [block.count]
    var joined = [dims[0] / images]
    for (axis, extent) in block.enumerated() {
      order += [block.count + 1 + axis, axis]
      joined.append(dims[axis + 1] &* extent)
    }
    order += rest.indices.map { $0 + block.count }
    joined += rest
    x = try graph.add(Reshape(block + [dims[0] / images] + dims[1...]), [x])
    x = try graph.add(Transpose(order), [x])
    guard (before + after).contains(where: { $0 > 0 }) else {
      return try graph.finish(Reshape(joined), [x], node)
    }
    x = try graph.add(Reshape(joined), [x])
    var crop = Slice(begin: joined.map { _ in 0 }, sizes: joined)
    for axis in block.indices {
      crop.begin[axis + 1] = before[axis]
      crop.sizes[axis + 1] -= before[axis] + after[axis]
    }
    try graph.finish(crop, [x], node)
  }
}
