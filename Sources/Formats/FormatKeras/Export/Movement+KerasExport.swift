import AssayBase
import AssayGraph
import AssayTensor

/// A list of numbers.
func ints(_ values: [Int]) -> JSON { .array(values.map { JSON($0) }) }

extension Concat: KerasExportable {
  func write(_ node: KerasNode, to model: inout KerasExporter) throws {
    let axis = node.shape(0).normalized(axis: axis) ?? 0
    let hasConstant = node.inputs.indices.contains { model.constant(node, $0) != nil }
    guard axis > 0, !hasConstant, node.inputs.count > 1 else {
      let operands = try node.inputs.indices.map { try model.operand(node, $0) }
      let result = try model.function(
        "Concatenate",
        [.list(operands)],
        [("axis", JSON(axis))],
        for: node
      )
      model.finish(node, result)
      return
    }
    let inputs = try node.inputs.indices.map { try model.input(node, $0) }
    let result = model.add(
      "Concatenate",
      inputs,
      [("axis", JSON(axis))],
      output: node.outputs[0],
      for: node
    )
    model.finish(node, result)
  }
}

extension Reshape: KerasExportable {
  func write(_ node: KerasNode, to model: inout KerasExporter) throws {
    let x = try model.input(node)
    let (before, after) = (node.shape(0), node.outputs[0].shape)
    guard before.rank > 0, after.rank > 0, before[0] == after[0] else {
      let result = try model.function(
        "Reshape",
        [.tensor(x)],
        [("newshape", ints(after.dims))],
        for: node
      )
      model.finish(node, result)
      return
    }
    let result =
      after.rank == 2 && before.rank > 2
      ? model.add("Flatten", [x], output: node.outputs[0], for: node)
      : model.add(
        "Reshape",
        [x],
        [("target_shape", ints(Array(after.dims.dropFirst())))],
        output: node.outputs[0],
        for: node
      )
    model.finish(node, result)
  }
}

extension Transpose: KerasExportable {
  func write(_ node: KerasNode, to model: inout KerasExporter) throws {
    let x = try model.input(node)
    let result =
      permutation.first == 0 && permutation.count > 1
      ? model.add(
        "Permute",
        [x],
        [("dims", ints(Array(permutation.dropFirst())))],
        output: node.outputs[0],
        for: node
      )
      : try model.function("Transpose", [.tensor(x)], [("axes", ints(permutation))], for: node)
    model.finish(node, result)
  }
}

extension Pad: KerasExportable {
  func write(_ node: KerasNode, to model: inout KerasExporter) throws {
    let x = try model.input(node)
    func amounts(_ axis: Int) -> JSON { ints([before[axis], after[axis]]) }
    let rank = before.count
    let isBorder =
      mode == .constant && value == 0 && (3...4).contains(rank)
      && before[0] + after[0] + before[rank - 1] + after[rank - 1] == 0
    if isBorder {
      let padding = rank == 3 ? amounts(1) : [amounts(1), amounts(2)]
      let result = model.add(
        rank == 3 ? "ZeroPadding1D" : "ZeroPadding2D",
        [x],
        [("padding", padding)],
        output: node.outputs[0],
        for: node
      )
      model.finish(node, result)
      return
    }
    let result = try model.function(
      "Pad",
      [.tensor(x)],
      [
        ("pad_width", .array(before.indices.map(amounts))),
        ("mode", .string(mode.rawValue)),
      ],
      named: [("constant_values", mode == .constant ? JSON(Double(value)) : .null)],
      for: node
    )
    model.finish(node, result)
  }
}

extension Slice: KerasExportable {
  func write(_ node: KerasNode, to model: inout KerasExporter) throws {
    let x = try model.input(node)
    let shape = node.shape(0)
    let rank = shape.rank
    func rest(_ axis: Int) -> Int { shape[axis] - begin[axis] - sizes[axis] }
    func isWhole(_ axis: Int) -> Bool { begin[axis] == 0 && rest(axis) == 0 }
    if steps.allSatisfy({ $0 == 1 }), (3...4).contains(rank), isWhole(0), isWhole(rank - 1) {
      func amounts(_ axis: Int) -> JSON { ints([begin[axis], rest(axis)]) }
      let result = model.add(
        rank == 3 ? "Cropping1D" : "Cropping2D",
        [x],
        [("cropping", rank == 3 ? amounts(1) : [amounts(1), amounts(2)])],
        output: node.outputs[0],
        for: node
      )
      model.finish(node, result)
      return
    }
    let parts = begin.indices.map { axis -> JSON in
      let isAll = isWhole(axis) && steps[axis] == 1
      let end = begin[axis] + sizes[axis] * steps[axis]
      return .object([
        "class_name": "__slice__",
        "config": .object([
          "start": isAll ? .null : JSON(begin[axis]),
          "stop": isAll || end < 0 ? .null : JSON(end),
          "step": isAll ? .null : JSON(steps[axis]),
        ]),
      ])
    }
    let result = try model.function(
      "GetItem",
      [.tensor(x), .literal(.array(parts))],
      for: node
    )
    model.finish(node, result)
  }
}

extension Split: KerasExportable {
  func write(_ node: KerasNode, to model: inout KerasExporter) throws {
    var places: [Int] = []
    for size in sizes.dropLast() { places.append((places.last ?? 0) + size) }
    let parts = try model.function(
      "Split",
      [.tensor(try model.input(node))],
      [
        ("indices_or_sections", ints(places)),
        ("axis", JSON(node.shape(0).normalized(axis: axis) ?? 0)),
      ],
      for: node
    )
    for index in sizes.indices {
      model.finish(node, output: index, KerasResult(layer: parts.layer, output: index))
    }
  }
}

extension Gather: KerasExportable {
  func write(_ node: KerasNode, to model: inout KerasExporter) throws {
    let axis = node.shape(0).normalized(axis: axis) ?? 0
    if let table = model.constant(node, 0), axis == 0, table.shape.rank == 2,
      model.constant(node, 1) == nil
    {
      let result = model.add(
        "Embedding",
        [try model.input(node, 1)],
        [("input_dim", JSON(table.shape[0])), ("output_dim", JSON(table.shape[1]))],
        weights: [("embeddings", try model.weight(node, 0))],
        output: node.outputs[0],
        for: node
      )
      model.finish(node, result)
      return
    }
    let operands = [try model.operand(node, 0), try model.operand(node, 1)]
    model.finish(node, try model.function("Take", operands, [("axis", JSON(axis))], for: node))
  }
}

extension Cast: KerasExportable {
  func write(_ node: KerasNode, to model: inout KerasExporter) throws {
    let result = try model.function(
      "Cast",
      in: "core",
      [.tensor(try model.input(node))],
      [("dtype", .string(dtype.rawValue))],
      for: node
    )
    model.finish(node, result)
  }
}
