import AssayTensor

/// Channels of NHWC images laid out as blocks of pixels: `[N, H, W, B*B*C]` to `[N, H*B, W*B, C]`.
///
/// Pixel (y, x) of a block is channel group `y*B + x` (TensorFlow's order, ONNX's mode DCR).
public struct DepthToSpace: Operator {
  /// The extent of a block, B.
  public var blockSize: Int

  /// Makes a rearrangement.
  public init(blockSize: Int) { self.blockSize = blockSize }

  public var name: String { "DepthToSpace" }
  public var attributes: [(name: String, value: String)] { [("blockSize", "\(blockSize)")] }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let x = try required(inputs, 1, of: name)[0]
    let image = x.shape
    guard image.rank == 4, (1..<1 << 15).contains(blockSize),
      image[3] % (blockSize * blockSize) == 0, image.dims.allSatisfy({ $0 < 1 << 31 })
    else { throw shapeFault(name, "\(image) in blocks of \(blockSize)") }
    return [
      TensorType(
        x.dtype,
        [image[0], image[1] * blockSize, image[2] * blockSize, image[3] / (blockSize * blockSize)]
      )
    ]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType]) -> Cost { Cost() }
}

/// Blocks of pixels of NHWC images as channels: `[N, H*B, W*B, C]` to `[N, H, W, B*B*C]`.
///
/// The reverse of `DepthToSpace`.
public struct SpaceToDepth: Operator {
  /// The extent of a block, B.
  public var blockSize: Int

  /// Makes a rearrangement.
  public init(blockSize: Int) { self.blockSize = blockSize }

  public var name: String { "SpaceToDepth" }
  public var attributes: [(name: String, value: String)] { [("blockSize", "\(blockSize)")] }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let x = try required(inputs, 1, of: name)[0]
    let image = x.shape
    guard image.rank == 4, (1..<1 << 15).contains(blockSize), image[1] % blockSize == 0,
      image[2] % blockSize == 0, image[3] < 1 << 31
    else { throw shapeFault(name, "\(image) in blocks of \(blockSize)") }
    return [
      TensorType(
        x.dtype,
        [image[0], image[1] / blockSize, image[2] / blockSize, image[3] * blockSize * blockSize]
      )
    ]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType]) -> Cost { Cost() }
}
