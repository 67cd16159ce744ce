import AssayFormat
import AssayGraph
import AssayTensor

extension Resize2D: OpenVINOExportable {
  var keepsQuantizedElements: Bool { kind == .nearest }

  func write(_ node: NodeView, to file: inout IRExporter) throws {
    let image = node.input(0).shape
    let grid =
      alignsCorners ? "align_corners" : usesHalfPixels ? "half_pixel" : "asymmetric"
    // With corners or centres aligned the nearest pixel is taken, otherwise the one before.
    let isRounded = alignsCorners || usesHalfPixels
    let scales = [
      Float(size.height) / Float(max(image[1], 1)), Float(size.width) / Float(max(image[2], 1)),
    ]
    let result = file.result(
      "Interpolate",
      set: 4,
      [
        file.real(node, 0), file.constant(ints: [size.height, size.width]),
        file.constant(Tensor(scales, [2]), hint: "const/scales"), file.constant(ints: [2, 3]),
      ],
      [
        ("mode", kind == .nearest ? "nearest" : "linear_onnx"),
        ("shape_calculation_mode", "sizes"),
        ("coordinate_transformation_mode", grid),
        ("nearest_mode", isRounded ? "round_prefer_ceil" : "floor"),
        ("antialias", "false"), ("pads_begin", "0, 0, 0, 0"), ("pads_end", "0, 0, 0, 0"),
        ("cube_coeff", "-0.75"),
      ],
      for: node
    )
    file.finish(node, result)
  }
}
