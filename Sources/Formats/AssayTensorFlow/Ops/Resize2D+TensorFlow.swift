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

// MARK: - Export

extension Resize2D: TensorFlowExportable {
  func write(_ node: TFNodeView, to file: inout TensorFlowExporter) throws -> [String] {
    let names: [Resize2D.Kind: String] = [
      .nearest: "ResizeNearestNeighbor", .bilinear: "ResizeBilinear",
    ]
    guard let name = names[kind] else { throw node.unsupported("mode \(kind.rawValue)") }
    let attributes: [String: TFAttribute] = [
      "T": node.type, "align_corners": .bool(alignsCorners),
      "half_pixel_centers": .bool(usesHalfPixels),
    ]
    let inputs = [file.input(node, 0), file.integers([size.height, size.width])]
    // TensorFlow makes float32 of every type.
    guard kind == .bilinear, node.outputs[0].dtype != .float32 else {
      return [file.add(name, node.name, inputs, attributes)]
    }
    let wide = file.step(node, "wide", name, inputs, attributes)
    return [
      file.add("Cast", node.name, [wide], ["SrcT": .type(.float), "DstT": node.type])
    ]
  }
}
