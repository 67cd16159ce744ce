import AssayBase
import AssayGraph
import AssayTensor

extension KerasLayerKind {
  /// Functions of `keras.ops` that arrange elements anew.
  static let shapingOperations: [String: KerasLayerKind] = [
    "Concatenate": KerasLayerKind(emit: { context, _ in
      let operands = try context.promoted(context.operandList("xs"))
      guard operands.count > 1 else { return try context.only(operands) }
      let axis = try context.layer.int("axis", default: 0)
      return try context.node("concat", Concat(axis: axis), operands)
    }),
    "Stack": KerasLayerKind(emit: { context, _ in
      let operands = try context.promoted(context.operandList("x"))
      guard let first = operands.first else { throw Diagnostic("KER006", "nothing is stacked") }
      let rank = context.shape(first).rank + 1
      let given = try context.layer.int("axis", default: 0)
      let axis = given < 0 ? rank + given : given
      guard (0..<rank).contains(axis) else {
        throw context.layer.unsupported("axis", "axis \(given)")
      }
      let parts = try operands.map { operand -> ValueID in
        var dims = context.shape(operand).dims
        dims.insert(1, at: axis)
        return try context.node("expand", Reshape(dims), [operand])
      }
      guard parts.count > 1 else { return parts[0] }
      return try context.node("stack", Concat(axis: axis), parts)
    }),
    "Split": KerasLayerKind(emitAll: { context, _ in
      let x = try context.operand(0, "x")
      let axis = try context.axis(of: x, default: 0)
      let extent = context.shape(x)[axis]
      var sizes: [Int] = []
      if let count = context.layer["indices_or_sections"]?.int {
        guard (1...4096).contains(count), extent % count == 0 else {
          throw context.layer.unsupported("indices_or_sections", "\(count) parts of \(extent)")
        }
        sizes = [Int](repeating: extent / count, count: count)
      } else {
        var start = 0
        for end in try context.layer.ints("indices_or_sections") + [extent] {
          guard (start...extent).contains(end) else {
            throw context.layer.unsupported("indices_or_sections", "a part up to \(end)")
          }
          sizes.append(end - start)
          start = end
        }
      }
      return try context.nodes("split", Split(axis: axis, sizes: sizes), [x])
    }),
    "Unstack": KerasLayerKind(emitAll: { context, _ in
      let x = try context.operand(0, "x")
      let axis = try context.axis(of: x, default: 0)
      let extent = context.shape(x)[axis]
      guard (1...4096).contains(extent) else {
        throw context.layer.unsupported("axis", "\(extent) parts")
      }
      let sizes = [Int](repeating: 1, count: extent)
      let parts = try context.nodes("split", Split(axis: axis, sizes: sizes), [x])
      return try parts.map { try context.squeezed($0, axes: [axis]) }
    }),
    "Reshape": KerasLayerKind(emit: { context, _ in
      let x = try context.operand(0, "x")
      let target = try context.layer.newShape(batch: context.shape(x).dims.first ?? 1)
      return try context.node("reshape", Reshape(target), [x])
    }),
    "Ravel": KerasLayerKind(emit: { context, _ in
      let x = try context.operand(0, "x")
      return try context.node("ravel", Reshape([context.shape(x).count]), [x])
    }),
    "Transpose": KerasLayerKind(emit: { context, _ in
      let x = try context.operand(0, "x")
      let reversed = Array((0..<context.shape(x).rank).reversed())
      let order = try context.layer["axes"] == nil ? reversed : context.axes(of: x, "axes")
      return try context.node("transpose", Transpose(order), [x])
    }),
    "Swapaxes": KerasLayerKind(emit: { context, _ in
      let x = try context.operand(0, "x")
      var order = Array(0..<context.shape(x).rank)
      try order.swapAt(context.axis(of: x, "axis1"), context.axis(of: x, "axis2"))
      return try context.node("swap", Transpose(order), [x])
    }),
    "Moveaxis": KerasLayerKind(emit: { context, _ in
      let x = try context.operand(0, "x")
      let sources = try context.axes(of: x, "source")
      let targets = try context.axes(of: x, "destination")
      guard sources.count == targets.count else {
        throw context.layer.unsupported("source", "axes \(sources) to \(targets)")
      }
      var order = (0..<context.shape(x).rank).filter { !sources.contains($0) }
      for (target, source) in zip(targets, sources).sorted(by: { $0.0 < $1.0 }) {
        order.insert(source, at: target)
      }
      return try context.node("move", Transpose(order), [x])
    }),
    "ExpandDims": KerasLayerKind(emit: { context, _ in
      let x = try context.operand(0, "x")
      var dims = context.shape(x).dims
      let rank = dims.count + (try context.layer.ints("axis").count)
      for given in try context.layer.ints("axis").map({ $0 < 0 ? rank + $0 : $0 }).sorted() {
        guard (0...dims.count).contains(given) else {
          throw context.layer.unsupported("axis", "axis \(given) of \(Shape(dims))")
        }
        dims.insert(1, at: given)
      }
      return try context.node("expand", Reshape(dims), [x])
    }),
    "Squeeze": KerasLayerKind(emit: { context, _ in
      let x = try context.operand(0, "x")
      let shape = context.shape(x)
      let ones = shape.dims.indices.filter { shape[$0] == 1 }
      let axes = try context.layer["axis"] == nil ? ones : context.axes(of: x)
      guard axes.allSatisfy(ones.contains) else {
        throw context.layer.unsupported("axis", "axes \(axes) of \(shape)")
      }
      return try context.squeezed(x, axes: axes)
    }),
    "Flip": KerasLayerKind(emit: { context, _ in
      let x = try context.operand(0, "x")
      return try context.node("flip", Reverse(axes: context.axes(of: x)), [x])
    }),
    "Repeat": KerasLayerKind(emit: { context, _ in
      let x = try context.operand(0, "x")
      guard context.layer["axis"] != nil else {
        throw context.layer.unsupported("axis", "repetitions of all elements")
      }
      let axis = try context.axis(of: x)
      let counts = try context.layer.ints("repeats")
      guard counts.count == 1, (1..<1 << 20).contains(counts[0]) else {
        throw context.layer.unsupported("repeats", "\(counts) repetitions")
      }
      var dims = context.shape(x).dims
      let result = dims[axis]
      dims.insert(1, at: axis + 1)
      let column = try context.node("expand", Reshape(dims), [x])
      var repeats = dims.map { _ in 1 }
      repeats[axis + 1] = counts[0]
      let wide = try context.node("repeat", Tile(repeats), [column])
      dims.remove(at: axis + 1)
      let (extent, overflow) = result.multipliedReportingOverflow(by: counts[0])
      guard !overflow else { throw Diagnostic("KER008", "the tensor is too large") }
      dims[axis] = extent
      return try context.node("join", Reshape(dims), [wide])
    }),
    "Tile": KerasLayerKind(emit: { context, _ in
      let x = try context.operand(0, "x")
      var repeats = try context.layer.ints("repeats")
      var dims = context.shape(x).dims
      while repeats.count < dims.count { repeats.insert(1, at: 0) }
      while dims.count < repeats.count { dims.insert(1, at: 0) }
      let wide = try context.node("expand", Reshape(dims), [x])
      return try context.node("tile", Tile(repeats), [wide])
    }),
    "BroadcastTo": KerasLayerKind(emit: { context, _ in
      let x = try context.operand(0, "x")
      return try context.node("broadcast", BroadcastTo(context.layer.ints("shape")), [x])
    }),
    "Pad": KerasLayerKind(emit: { context, _ in try context.padOperation() }),
    "Roll": KerasLayerKind(emit: { context, _ in
      let x = try context.operand(0, "x")
      guard context.layer["axis"] != nil else {
        throw context.layer.unsupported("axis", "all elements rolled on")
      }
      var y = x
      let shifts = try context.layer.ints("shift")
      let axes = try context.axes(of: x)
      guard shifts.count == axes.count else {
        throw context.layer.unsupported("shift", "\(shifts) along \(axes)")
      }
      for (shift, axis) in zip(shifts, axes) { y = try context.rolled(y, shift, axis) }
      return y
    }),
    "Tril": KerasLayerKind(emit: { context, _ in
      let op = BandPart(lowest: nil, highest: try context.layer.int("k", default: 0))
      return try context.node("tril", op, [context.operand(0, "x")])
    }),
    "Triu": KerasLayerKind(emit: { context, _ in
      let op = BandPart(lowest: try context.layer.int("k", default: 0), highest: nil)
      return try context.node("triu", op, [context.operand(0, "x")])
    }),
    "Take": KerasLayerKind(emit: { context, _ in
      var x = try context.operand(0, "x")
      if context.layer["axis"] == nil {
        x = try context.node("flatten", Reshape([context.shape(x).count]), [x])
      }
      let axis = context.layer["axis"] == nil ? 0 : try context.axis(of: x)
      let places = try context.operand(1, "indices")
      let whole =
        context.type(places).dtype.isInteger ? places : try context.converted(places, to: .int32)
      return try context.node(
        "take",
        Gather(axis: axis),
        [x, context.positive(whole, of: x, axis)]
      )
    }),
    "TakeAlongAxis": KerasLayerKind(emit: { context, _ in
      let x = try context.operand(0, "x")
      let places = try context.operand(1, "indices")
      return try context.node("take", GatherElements(axis: context.axis(of: x)), [x, places])
    }),
    "OneHot": KerasLayerKind(emit: { context, _ in
      let x = try context.operand(0, "x")
      let whole = context.type(x).dtype.isInteger ? x : try context.converted(x, to: .int32)
      let op = OneHot(
        depth: try context.layer.int("num_classes"),
        axis: try context.layer.int("axis", default: -1)
      )
      return try context.node("one_hot", op, [whole, context.scalar(1), context.scalar(0)])
    }),
    "ZerosLike": KerasLayerKind(emit: { context, _ in try context.filled(0) }),
    "OnesLike": KerasLayerKind(emit: { context, _ in try context.filled(1) }),
    "GetItem": KerasLayerKind(emit: { context, _ in try context.item() }),
  ]
}

extension KerasLayer {
  /// The target of a reshape that names every axis; an open first one is the batch.
  fileprivate func newShape(batch: Int) throws -> [Int] {
    guard let entries = (self["newshape"] ?? self["new_shape"])?.array, entries.count <= 16 else {
      throw unsupported("newshape", "extents were expected")
    }
    return try entries.enumerated().map { index, entry in
      if entry.isNull { return index == 0 ? batch : -1 }
      guard let dim = entry.int else { throw unsupported("newshape", "extents were expected") }
      return dim
    }
  }
}

extension KerasContext {
  /// Indices that count from the start, where they are known now.
  fileprivate mutating func positive(
    _ indices: ValueID,
    of x: ValueID,
    _ axis: Int
  ) throws -> ValueID {
    guard let tensor = graph[indices].constant else { return indices }
    let extent = shape(x)[axis]
    let numbers = tensor.integers()
    guard extent < 1 << 31, numbers.allSatisfy({ (-extent..<extent).contains($0) }) else {
      throw Diagnostic("KER006", "an index lies outside of \(extent) elements")
    }
    guard numbers.contains(where: { $0 < 0 }) else { return indices }
    let places = numbers.map { Int32($0 < 0 ? extent + $0 : $0) }
    return graph.addConstant(unique(callName + "/places"), Tensor(places, tensor.shape))
  }

  fileprivate mutating func filled(_ number: Int32) throws -> ValueID {
    let x = try operand(0, "x")
    let name = layer["dtype"]?.string ?? type(x).dtype.rawValue
    let isFloat = name.contains("float")
    guard let dtype = isFloat ? .float32 : DType(rawValue: name), shape(x).count < 1 << 26,
      let tensor = Tensor([Int32](repeating: number, count: shape(x).count), shape(x))
        .converted(to: dtype)
    else { throw layer.unsupported("dtype", "elements of type '\(name)'") }
    return graph.addConstant(unique(callName + "/filled"), tensor)
  }

  fileprivate mutating func padOperation() throws -> ValueID {
    let x = try operand(0, "x")
    let rank = shape(x).rank
    let modes: [String: Pad.Mode] = [
      "constant": .constant, "reflect": .reflect, "symmetric": .symmetric, "edge": .edge,
    ]
    let name = try layer.string("mode", default: "constant")
    guard let mode = modes[name] else { throw layer.unsupported("mode", "'\(name)'") }
    let pairs: [(before: Int, after: Int)]
    if let lists = layer["pad_width"]?.array, lists.count == 1, let one = lists[0].ints,
      one.count == 2
    {
      pairs = [(Int, Int)](repeating: (one[0], one[1]), count: rank)
    } else {
      pairs = try layer.pairs("pad_width", axes: rank)
    }
    var value: Float = 0
    if let given = argument(1, "constant_values"), case .value(let json) = given {
      guard let number = json.double else {
        throw layer.unsupported("constant_values", "a number was expected")
      }
      value = Float(number)
    }
    let op = Pad(before: pairs.map(\.before), after: pairs.map(\.after), mode: mode, value: value)
    return try node("pad", op, [x])
  }

  fileprivate mutating func rolled(_ x: ValueID, _ shift: Int, _ axis: Int) throws -> ValueID {
    let dims = shape(x).dims
    guard dims[axis] > 1 else { return x }
    let first = ((shift % dims[axis]) + dims[axis]) % dims[axis]
    guard first > 0 else { return x }
    let parts = try nodes("split", Split(axis: axis, sizes: [dims[axis] - first, first]), [x])
    return try node("roll", Concat(axis: axis), [parts[1], parts[0]])
  }

  /// `x[…]` with numbers, slices, `...` and `None`.
  fileprivate mutating func item() throws -> ValueID {
    let x = try operand(0, "x")
    guard case .value(let key)? = argument(1, "key") else {
      throw Diagnostic("KER006", "an index that is a tensor is not imported")
    }
    let dims = shape(x).dims
    var entries = key.array ?? [key]
    func name(_ entry: JSON) -> String? { entry["class_name"]?.string }
    let used = entries.filter { !$0.isNull && name($0) != "__ellipsis__" }.count
    guard used <= dims.count, entries.count < 32 else {
      throw Diagnostic("KER006", "\(used) indices into \(Shape(dims))")
    }
    let all = JSON.object(["class_name": "__slice__", "config": .emptyObject])
    let rest = [JSON](repeating: all, count: dims.count - used)
    if let place = entries.firstIndex(where: { name($0) == "__ellipsis__" }) {
      entries.replaceSubrange(place...place, with: rest)
    } else {
      entries += rest
    }
    var (begin, sizes, steps, target): ([Int], [Int], [Int], [Int]) = ([], [], [], [])
    for entry in entries {
      if entry.isNull {
        target.append(1)
        continue
      }
      let extent = dims[begin.count]
      if let index = entry.int {
        guard (-extent..<extent).contains(index) else {
          throw Diagnostic("KER006", "the index \(index) lies outside of \(extent) elements")
        }
        begin.append(index < 0 ? extent + index : index)
        (sizes, steps) = (sizes + [1], steps + [1])
        continue
      }
      guard name(entry) == "__slice__", let config = entry["config"] else {
        throw Diagnostic("KER006", "the index \(entry.text()) is not imported")
      }
      let range = try slice(config, extent)
      begin.append(range.begin)
      (sizes, steps) = (sizes + [range.count], steps + [range.step])
      target.append(range.count)
    }
    let isAll = sizes == dims && steps.allSatisfy { $0 == 1 }
    let part =
      isAll ? x : try node("slice", Slice(begin: begin, sizes: sizes, steps: steps), [x])
    return target == shape(part).dims ? part : try node("item", Reshape(target), [part])
  }

  /// Python's slice of an axis.
  private func slice(_ config: JSON, _ extent: Int) throws -> (begin: Int, count: Int, step: Int) {
    func bound(_ key: String) throws -> Int? {
      guard let value = config[key], !value.isNull else { return nil }
      guard let number = value.int, number.magnitude < 1 << 31 else {
        throw Diagnostic("KER006", "the bound \(value.text()) of a slice is not imported")
      }
      return number
    }
    let step = try bound("step") ?? 1
    guard step != 0 else { throw Diagnostic("KER006", "a slice has the step 0") }
    func place(_ number: Int?, _ absent: Int) -> Int {
      guard let number else { return absent }
      let index = number < 0 ? extent + number : number
      return step > 0 ? min(max(index, 0), extent) : min(max(index, -1), extent - 1)
    }
    let start = place(try bound("start"), step > 0 ? 0 : extent - 1)
    let stop = place(try bound("stop"), step > 0 ? extent : -1)
    let span = step > 0 ? stop - start : start - stop
    let count = span > 0 ? (span - 1) / Int(step.magnitude) + 1 : 0
    return (count > 0 ? start : 0, count, count > 0 ? step : 1)
  }
}
