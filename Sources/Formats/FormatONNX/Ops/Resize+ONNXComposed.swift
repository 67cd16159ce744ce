import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

// Resizes that `Resize2D` does not cover: of any axes, with every grid, rounding and kernel of ONNX. A
// resize works on each axis for itself: nearest elements are gathered, others are a product with a
// matrix of weights that depends on the extents alone.

/// How one axis is resized.
struct ResizeAxis {
  var input: Int
  var output: Int
  /// Output elements for each input element, as the grid uses it.
  var scale: Double
  /// Begin and end of the region of `tf_crop_and_resize`, as parts of the axis.
  var region: (start: Double, end: Double) = (0, 1)

  /// The place on the input's axis of an output element.
  func position(_ index: Int, _ grid: String) -> Double {
    let x = Double(index)
    switch grid {
    case "align_corners":
      // ONNX counts the output's extent before it is cut to a whole number.
      let length = scale * Double(input)
      return output == 1 || length == 1 ? 0 : x * Double(input - 1) / (length - 1)
    case "asymmetric": return x / scale
    case "pytorch_half_pixel": return output > 1 ? (x + 0.5) / scale - 0.5 : 0
    case "tf_half_pixel_for_nn": return (x + 0.5) / scale
    case "half_pixel_symmetric":
      let adjustment = Double(output) / (scale * Double(input))
      let center = Double(input) / 2
      return center * (1 - adjustment) + (x + 0.5) / scale - 0.5
    case "tf_crop_and_resize":
      let (start, end) = region
      return output > 1
        ? start * Double(input - 1) + x * (end - start) * Double(input - 1) / Double(output - 1)
        : 0.5 * (start + end) * Double(input - 1)
    default: return (x + 0.5) / scale - 0.5
    }
  }

  /// The nearest input element of each output element.
  func nearest(_ grid: String, _ rounding: String) -> [Int] {
    (0..<output).map { index in
      // Whole numbers are not missed by the last bit.
      let place = position(index, grid)
      let exact = (place * 0x1p20).rounded() / 0x1p20
      let rounded: Double =
        switch rounding {
        case "floor": exact.rounded(.down)
        case "ceil": exact.rounded(.up)
        case "round_prefer_ceil": (exact + 0.5).rounded(.down)
        default: (exact - 0.5).rounded(.up)
        }
      return min(max(Int(min(max(rounded, -1e9), 1e9)), 0), input - 1)
    }
  }

  /// The weight of each input element in each output element, row by row; and for each row whether its
  /// place lies outside of the input.
  func weights(
    _ grid: String,
    isCubic: Bool,
    coefficient a: Double,
    antialiases: Bool,
    excludesOutside: Bool
  ) -> [[Double]] {
    let support: Double = isCubic ? 2 : 1
    let stretch = antialiases ? max(1 / scale, 1) : 1
    func kernel(_ distance: Double) -> Double {
      let x = distance.magnitude
      guard isCubic else { return max(1 - x, 0) }
      if x <= 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
      return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0
    }
    return (0..<output).map { index in
      let place = position(index, grid)
      var row = [Double](repeating: 0, count: input)
      let low = Int((place - support * stretch).rounded(.down)) - 1
      let high = Int((place + support * stretch).rounded(.up)) + 1
      var sum = 0.0
      for tap in low...high {
        let weight = kernel((Double(tap) - place) / stretch)
        if weight == 0 { continue }
        if excludesOutside, !(0..<input).contains(tap) { continue }
        sum += weight
        row[min(max(tap, 0), input - 1)] += weight
      }
      guard antialiases || excludesOutside, sum != 0 else { return row }
      return row.map { $0 / sum }
    }
  }
}

/// Resize in all its forms.
func readComposedResize(_ call: OperatorCall, _ into: inout GraphImporter) throws {
  var x = try into.plain(call.input(0))
  let shape = into.shape(x)
  let axes = try resizeAxes(call, shape, &into)
  let grid =
    call.opset < 11
    ? "asymmetric" : call.string("coordinate_transformation_mode", default: "half_pixel")
  let mode = call.string("mode", default: "nearest")
  let rounding =
    call.opset < 11 ? "floor" : call.string("nearest_mode", default: "round_prefer_floor")
  let outside = Double(call.float("extrapolation_value") ?? 0)
  guard shape.rank == axes.count, ["nearest", "linear", "bilinear", "cubic"].contains(mode) else {
    throw call.unsupported("mode \(mode)")
  }
  var isOutside = [Bool](repeating: false, count: 1)
  var resizesAny = false
  for (axis, plan) in axes.enumerated() {
    let isIdentity =
      plan.input == plan.output && plan.scale == 1 && plan.region == (0, 1)
    let marks = (0..<plan.output).map { index in
      let place = plan.position(index, grid)
      return grid == "tf_crop_and_resize" && (place < 0 || place > Double(plan.input - 1))
    }
    isOutside = isOutside.flatMap { first in marks.map { first || $0 } }
    if isIdentity { continue }
    resizesAny = true
    if mode == "nearest" {
      x = try into.gathered(call, x, axis: axis, plan.nearest(grid, rounding))
      continue
    }
    let rows = plan.weights(
      grid,
      isCubic: mode == "cubic",
      coefficient: Double(call.float("cubic_coeff_a") ?? -0.75),
      antialiases: call.int("antialias", default: 0) != 0,
      excludesOutside: call.int("exclude_outside", default: 0) != 0
    )
    // The axis last, times the weights, and back.
    let size: Shape = [plan.output, plan.input]
    let table = into.constant(call, rows.flatMap { $0 }, size, into.dtype(x))
    var order = Array(0..<shape.rank)
    order.swapAt(axis, shape.rank - 1)
    let last = try into.turned(call, x, order)
    let scaled = try into.step(call, "resized", FullyConnected(), [last, table, nil])
    x = try into.turned(call, scaled, order)
  }
  if isOutside.contains(true) {
    let output = Shape(axes.map(\.output))
    let marks = Tensor(isOutside.map { UInt8($0 ? 1 : 0) }, output, dtype: .bool)
    let mask = into.addConstant(into.valueName("\(call.output)/outside"), marks)
    let value = into.scalar(outside, into.dtype(x))
    x = try into.choice(call, mask, value, x)
  }
  guard resizesAny || isOutside.contains(true) else {
    try into.alias(call, to: call.input(0))
    return
  }
  into.conclude(call, x)
}

/// The plan of each axis, from sizes or factors.
private func resizeAxes(
  _ call: OperatorCall,
  _ shape: Shape,
  _ into: inout GraphImporter
) throws -> [ResizeAxis] {
  let isUpsample = call.node.opType == "Upsample"
  let isOld = isUpsample || call.opset < 11
  let named =
    try call.ints("axes")?.map { given in
      guard let axis = shape.normalized(axis: given) else {
        throw call.unsupported("axis \(given)")
      }
      return axis
    } ?? Array(0..<shape.rank)
  var factors: [Double] = []
  var sizes: [Int] = []
  if isUpsample, call.opset < 9 {
    factors = (call.floats("scales") ?? []).map { Double($0) }
  } else if !isOld, call.has(3) {
    sizes = try into.integers(call.input(3), call)
  } else {
    factors = try into.known(call.input(isOld ? 1 : 2), call).floats().map { Double($0) }
  }
  guard sizes.count == named.count || factors.count == named.count, !named.isEmpty else {
    throw call.unsupported("\(max(sizes.count, factors.count)) sizes for \(shape)")
  }
  guard shape.dims.allSatisfy({ (1..<1 << 24).contains($0) }) else {
    throw call.unsupported("\(shape)")
  }
  let policy = call.string("keep_aspect_ratio_policy", default: "stretch")
  if !sizes.isEmpty, policy != "stretch" {
    let ratios = zip(sizes, named).map { Double($0) / Double(shape[$1]) }
    let ratio = (policy == "not_larger" ? ratios.min() : ratios.max()) ?? 1
    factors = named.map { _ in ratio }
    sizes = named.map { Int((ratio * Double(shape[$0])).rounded(.toNearestOrAwayFromZero)) }
  }
  let regions: [Double] =
    call.string("coordinate_transformation_mode", default: "") == "tf_crop_and_resize"
    ? try into.known(call.input(1), call).floats().map { Double($0) } : []
  var plans = shape.dims.map { ResizeAxis(input: $0, output: $0, scale: 1) }
  for (index, axis) in named.enumerated() {
    let extent = shape[axis]
    if factors.indices.contains(index) {
      let factor = factors[index]
      guard factor > 0, factor * Double(extent) < 0x1p24 else {
        throw call.unsupported("the factor \(factor)")
      }
      plans[axis].scale = factor
      plans[axis].output = sizes.isEmpty ? Int(factor * Double(extent)) : sizes[index]
    } else {
      plans[axis].scale = Double(sizes[index]) / Double(extent)
      plans[axis].output = sizes[index]
    }
    guard (1..<1 << 24).contains(plans[axis].output) else {
      throw call.unsupported("\(plans[axis].output) elements")
    }
    if regions.count == 2 * named.count {
      let (start, end) = (regions[index], regions[index + named.count])
      guard start.isFinite, end.isFinite, abs(start) < 1e6, abs(end) < 1e6 else {
        throw call.unsupported("the region \(start)...\(end)")
      }
      plans[axis].region = (start, end)
    }
    guard plans[axis].input * plans[axis].output <= 1 << 26 else {
      throw call.unsupported("\(shape) to \(plans[axis].output)")
    }
  }
  return plans
}
