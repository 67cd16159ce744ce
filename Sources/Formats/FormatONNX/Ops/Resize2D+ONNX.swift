import AssayFormat
import AssayGraph
import AssayTensor

extension Resize2D: ONNXExportable {
  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    let sizes = file.outputLayout(node).arrange(node.outputs[0].shape.dims)
    let grid =
      alignsCorners ? "align_corners" : usesHalfPixels ? "half_pixel" : "asymmetric"
    var attributes: [ONNXAttribute] = [
      .string("coordinate_transformation_mode", grid),
      .string("mode", kind == .nearest ? "nearest" : "linear"),
    ]
    if kind == .nearest {
      // With corners or centres aligned the nearest pixel is taken, otherwise the one before.
      let isRounded = alignsCorners || usesHalfPixels
      attributes.append(.string("nearest_mode", isRounded ? "round_prefer_ceil" : "floor"))
    }
    file.finish(
      node,
      "Resize",
      [file.real(node, 0), "", "", file.constant(ints: sizes)],
      attributes
    )
  }
}

// MARK: - Import

let resizeReaders: [String: ONNXReader] = ["Resize": readResize, "Upsample": readResize]

/// Resize of an image as `Resize2D` does it; other forms are composed.
private func readResize(_ call: OperatorCall, _ into: inout GraphImporter) throws {
  guard let op = try resize2D(call, &into) else {
    try readComposedResize(call, &into)
    return
  }
  try into.defineImage(call, op, [try into.image(call.input(0))])
}

/// The operator that does a call's work, or `nil` when there is none.
private func resize2D(_ call: OperatorCall, _ into: inout GraphImporter) throws -> Resize2D? {
  let shape = try into.type(call.input(0)).shape
  guard shape.rank == 4, call.ints("axes") == nil, call.int("antialias", default: 0) == 0,
    call.string("keep_aspect_ratio_policy", default: "stretch") == "stretch"
  else { return nil }
  let isUpsample = call.node.opType == "Upsample"
  let isOld = isUpsample || call.opset < 11
  var factors: [Float] = []
  var sizes: [Int] = []
  if isUpsample, call.opset < 9 {
    factors = call.floats("scales") ?? []
  } else if !isOld, call.has(3) {
    sizes = try into.integers(call.input(3), call)
  } else {
    factors = try into.known(call.input(isOld ? 1 : 2), call).floats()
  }
  if sizes.isEmpty, factors.count == 4 {
    let wanted = zip(shape.dims, factors).map { Float($0) * $1 }
    // A remainder would shift the grid, which a size alone does not tell.
    guard wanted.allSatisfy({ $0 > 0 && $0 < 0x1p20 && $0 == $0.rounded() }) else { return nil }
    sizes = wanted.map { Int($0) }
  }
  guard sizes.count == 4, sizes[0] == shape[0], sizes[1] == shape[1],
    sizes.allSatisfy({ (1..<1 << 20).contains($0) })
  else { return nil }
  let grid =
    isOld
    ? "asymmetric" : call.string("coordinate_transformation_mode", default: "half_pixel")
  let kind: Resize2D.Kind
  switch call.string("mode", default: "nearest") {
  case "nearest": kind = .nearest
  case "linear", "bilinear": kind = .bilinear
  default: return nil
  }
  guard ["asymmetric", "half_pixel", "pytorch_half_pixel", "align_corners"].contains(grid),
    grid != "pytorch_half_pixel" || sizes[2] > 1 && sizes[3] > 1
  else { return nil }
  if kind == .nearest {
    let rounding = isOld ? "floor" : call.string("nearest_mode", default: "round_prefer_floor")
    let factors = [(sizes[2], shape[2]), (sizes[3], shape[3])].map { size, extent in
      extent > 0 && size % extent == 0 ? size / extent : 0
    }
    // With whole factors no grid point of centres lies between two pixels, and of the plain grid
    // with factor 2 the point in the middle is rounded down.
    let isSame =
      switch (grid == "asymmetric", rounding) {
      case (true, "floor"): true
      case (true, "round_prefer_floor"): factors.allSatisfy { $0 == 1 || $0 == 2 }
      case (true, _): factors == [1, 1]
      case (false, "round_prefer_ceil"): true
      case (false, "round_prefer_floor"):
        grid != "align_corners" && factors.allSatisfy { $0 >= 1 }
      default: factors == [1, 1]
      }
    guard isSame else { return nil }
  }
  return Resize2D(
    kind,
    size: Size2D(sizes[2], sizes[3]),
    alignsCorners: grid == "align_corners",
    usesHalfPixels: grid.hasSuffix("half_pixel")
  )
}
