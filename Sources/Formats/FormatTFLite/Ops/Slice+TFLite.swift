import AssayBase
import AssayCodec
import AssayGraph
import AssayTensor

extension Slice: TFLiteOperator {
  static var builtins: [BuiltinOperator] { ["SLICE", "STRIDED_SLICE"] }

  func write(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws {
    try exporter.addSlice(
      self,
      name: node.name,
      of: node.type(0),
      from: exporter.tensor(node.input(0)),
      to: exporter.tensor(node.outputs.first)
    )
  }

  static func read(_ source: ImportedOperator, into importer: inout TFLiteImporter) throws {
    let x = try importer.input(0, of: source)
    let shape = importer.type(x).shape
    if source.builtin == "STRIDED_SLICE" {
      let strided = try StridedSlice(source, of: shape, importer)
      guard let reshaped = strided.reshaped else {
        return try importer.add(strided.slice, [x], source)
      }
      let like = try importer.declaredType(0, of: source)
      let sliced = try importer.intermediate(strided.slice, [x], source, like: like)
      return try importer.add(Reshape(reshaped), [sliced], source)
    }
    let begin = try importer.integers(1, of: source)
    let given = try importer.integers(2, of: source)
    guard begin.count == shape.rank, given.count == shape.rank else {
      throw Diagnostic("TFL017", "\(begin.count) begins for \(shape)")
    }
    // A size of -1 reaches to the end of the axis.
    let sizes = given.enumerated().map { $1 == -1 ? shape.dims[$0] &- begin[$0] : $1 }
    try importer.add(Slice(begin: begin, sizes: sizes), [x], source)
  }
}

/// STRIDED_SLICE with its masks worked out for a shape.
struct StridedSlice {
  /// The slice itself, which keeps every axis.
  var slice: Slice
  /// The result's shape when axes are dropped or added.
  var reshaped: [Int]?

  /// - Throws: `Diagnostic` TFL017 when ranks or masks do not fit, TFL013 for computed bounds.
  init(_ source: ImportedOperator, of shape: Shape, _ importer: TFLiteImporter) throws {
    let begin = try importer.integers(1, of: source)
    let end = try importer.integers(2, of: source)
    let steps = try importer.integers(3, of: source)
    let (beginMask, endMask) = (try source.options.int(0), try source.options.int(1))
    let (ellipsis, newAxes) = (try source.options.int(2), try source.options.int(3))
    let shrink = try source.options.int(4)
    let isOffset = try source.options.bool(5)
    guard begin.count <= 16, end.count == begin.count, steps.count == begin.count,
      shape.isStatic, ellipsis & (ellipsis &- 1) == 0
    else { throw Diagnostic("TFL017", "bounds of \(begin.count) axes for \(shape)") }
    let added = begin.indices.count { newAxes & (1 << $0) != 0 && ellipsis & (1 << $0) == 0 }
    let skipped = begin.indices.contains { ellipsis & (1 << $0) != 0 } ? 1 : 0
    let spanned = shape.rank - (begin.count - added - skipped)
    guard spanned >= 0 else { throw Diagnostic("TFL017", "\(begin.count) bounds for \(shape)") }

    var first: [Int] = []
    var sizes: [Int] = []
    var strides: [Int] = []
    var result: [Int] = []
    func keep(_ count: Int) {
      for _ in 0..<count {
        let extent = shape.dims[first.count]
        first.append(0)
        sizes.append(extent)
        strides.append(1)
        result.append(extent)
      }
    }
    for index in begin.indices {
      let bit = 1 << index
      if ellipsis & bit != 0 {
        keep(spanned)
        continue
      }
      if newAxes & bit != 0 {
        result.append(1)
        continue
      }
      let extent = shape.dims[first.count]
      let step = steps[index]
      guard step != 0, step > -1 << 31 else { throw Diagnostic("TFL017", "a step of \(step)") }
      if shrink & bit != 0 {
        let start = begin[index] < 0 ? begin[index] &+ extent : begin[index]
        guard start >= 0, start < extent else {
          throw Diagnostic("TFL017", "element \(begin[index]) of an axis of \(extent)")
        }
        first.append(start)
        sizes.append(1)
        strides.append(1)
        continue
      }
      func clamped(_ bound: Int) -> Int {
        let bound = bound < 0 ? bound &+ extent : bound
        return step > 0 ? min(max(bound, 0), extent) : min(max(bound, -1), extent - 1)
      }
      let start = beginMask & bit != 0 ? (step > 0 ? 0 : extent - 1) : clamped(begin[index])
      let stop =
        endMask & bit != 0
        ? (step > 0 ? extent : -1)
        : isOffset ? clamped(start &+ end[index]) : clamped(end[index])
      let span = step > 0 ? stop - start : start - stop
      let size = span <= 0 ? 0 : (span - 1) / abs(step) + 1
      first.append(size == 0 ? 0 : start)
      sizes.append(size)
      strides.append(size <= 1 ? 1 : step)
      result.append(size)
    }
    keep(shape.rank - first.count)
    slice = Slice(begin: first, sizes: sizes, steps: strides)
    reshaped = result == sizes ? nil : result
  }
}

extension TFLiteExporter {
  /// Adds a slice of the tensor `input`.
  mutating func addSlice(
    _ slice: Slice,
    name: String,
    of type: TensorType,
    from input: Int32,
    to output: Int32
  ) throws {
    let begin = try constant("\(name)/begin", slice.begin)
    let rank = slice.begin.count
    if slice.steps.allSatisfy({ $0 == 1 }) {
      let sizes = try constant("\(name)/size", slice.sizes)
      add(
        "SLICE",
        version: rank > 4 ? 5 : integerVersion(of: type, int16: 4),
        inputs: [input, begin, sizes],
        outputs: [output]
      )
      return
    }
    var endMask: Int32 = 0
    var end: [Int] = []
    for axis in slice.begin.indices {
      let last = slice.begin[axis] + (slice.sizes[axis] - 1) * slice.steps[axis]
      let bound = slice.steps[axis] > 0 ? last + 1 : last - 1
      // An end before the first element cannot be written as a number: -1 means the last one.
      if bound < 0, axis < 31 { endMask |= 1 << Int32(axis) }
      end.append(slice.sizes[axis] == 0 ? slice.begin[axis] : max(bound, 0))
    }
    var options = FlatObject()
    options.set(1, endMask)
    let version = type.dtype == .bool ? 3 : rank > 4 ? 4 : integerVersion(of: type)
    let bounds = try constant("\(name)/end", end)
    let steps = try constant("\(name)/strides", slice.steps)
    add(
      "STRIDED_SLICE",
      version: version,
      inputs: [input, begin, bounds, steps],
      outputs: [output],
      options: (OptionsType.stridedSlice, options)
    )
  }
}
