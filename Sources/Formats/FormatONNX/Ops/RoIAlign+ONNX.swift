import AssayFormat
import AssayGraph
import AssayTensor

extension RoIAlign: ONNXExportable {
  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    let inputs = [file.real(node, 0), file.real(node, 1), file.coordinates(node, 2)]
    file.finish(
      node,
      "RoiAlign",
      inputs,
      [
        .string("mode", kind == .max ? "max" : "avg"), .int("output_height", size.height),
        .int("output_width", size.width), .int("sampling_ratio", samples),
        .float("spatial_scale", scale),
        .string(
          "coordinate_transformation_mode",
          usesHalfPixels ? "half_pixel" : "output_half_pixel"
        ),
      ]
    )
  }
}

// MARK: - Import

let roiAlignReaders: [String: ONNXReader] = [
  "RoiAlign": { call, into in
    // Pixels have had their center at one half since operator set 16.
    let grid = call.string(
      "coordinate_transformation_mode",
      default: call.opset >= 16 ? "half_pixel" : "output_half_pixel"
    )
    let op = RoIAlign(
      call.string("mode", default: "avg") == "max" ? .max : .average,
      size: Size2D(call.int("output_height", default: 1), call.int("output_width", default: 1)),
      scale: call.float("spatial_scale") ?? 1,
      samples: call.int("sampling_ratio", default: 0),
      usesHalfPixels: grid == "half_pixel"
    )
    let ids = [try into.plain(call.input(1)), try into.plain(call.input(2))]
    try into.defineImage(call, op, [try into.image(call.input(0))] + ids)
  }
]
