import AssayBase
import AssayGraph
import AssayTensor

let resizeReaders: [String: TFReader] = [
  "ResizeBilinear": { try readResize($0, &$1, .bilinear) },
  "ResizeNearestNeighbor": { try readResize($0, &$1, .nearest) },
]

private func readResize(
  _ call: TFCall,
  _ into: inout TensorFlowImporter,
  _ kind: Resize2D.Kind
) throws -> [TFValue] {
  let size = try into.integers(call, 1)
  guard size.count == 2 else { throw call.unsupported("a size of \(size)") }
  let op = Resize2D(
    kind,
    size: Size2D(size[0], size[1]),
    alignsCorners: call.bool("align_corners"),
    usesHalfPixels: call.bool("half_pixel_centers")
  )
  return try into.emit(call, op, [try into.tensor(call, 0)])
}
