import AssayBase
import AssayGraph
import AssayTensor

// Operators for which Keras 3 has functions.

extension ArgReduce: KerasExportable {
  func write(_ node: KerasNode, to model: inout KerasExporter) throws {
    guard !selectsLast else {
      throw Diagnostic("KER114", "Keras finds the first of equal elements only")
    }
    let shape = node.outputs[0].shape
    var result = try model.function(
      kind == .max ? "Argmax" : "Argmin",
      [.tensor(try model.input(node))],
      [("axis", JSON(node.shape(0).normalized(axis: axis) ?? 0)), ("keepdims", .bool(keepsAxis))],
      outputs: [TensorType(.int32, shape)],
      for: node
    )
    if dtype != .int32 {
      result = try model.function(
        "Cast",
        in: "core",
        [.tensor(result)],
        [("dtype", .string(dtype.rawValue))],
        for: node
      )
    }
    model.finish(node, result)
  }
}

extension GatherElements: KerasExportable {
  func write(_ node: KerasNode, to model: inout KerasExporter) throws {
    let operands = [try model.operand(node, 0), try model.operand(node, 1)]
    let axis = JSON(node.shape(0).normalized(axis: axis) ?? 0)
    model.finish(node, try model.function("TakeAlongAxis", operands, [("axis", axis)], for: node))
  }
}

extension CumulativeSum: KerasExportable {
  func write(_ node: KerasNode, to model: inout KerasExporter) throws {
    guard !isExclusive, !isReversed else {
      throw Diagnostic("KER115", "Keras sums forwards and takes the element itself")
    }
    let axis = JSON(node.shape(0).normalized(axis: axis) ?? 0)
    let x = KerasOperand.tensor(try model.input(node))
    model.finish(node, try model.function("Cumsum", [x], [("axis", axis)], for: node))
  }
}

extension OneHot: KerasExportable {
  func write(_ node: KerasNode, to model: inout KerasExporter) throws {
    let dtype = node.outputs[0].dtype
    guard model.constant(node, 1)?.floats() == [1], model.constant(node, 2)?.floats() == [0] else {
      throw Diagnostic("KER116", "Keras writes rows of ones and zeros")
    }
    let result = try model.function(
      "OneHot",
      in: "nn",
      [.tensor(try model.input(node))],
      [
        ("num_classes", JSON(depth)), ("axis", JSON(axis)), ("dtype", .string(dtype.rawValue)),
        ("sparse", false),
      ],
      for: node
    )
    model.finish(node, result)
  }
}

extension Tile: KerasExportable {
  func write(_ node: KerasNode, to model: inout KerasExporter) throws {
    let x = KerasOperand.tensor(try model.input(node))
    model.finish(node, try model.function("Tile", [x], [("repeats", ints(repeats))], for: node))
  }
}

extension BroadcastTo: KerasExportable {
  func write(_ node: KerasNode, to model: inout KerasExporter) throws {
    let x = KerasOperand.tensor(try model.input(node))
    model.finish(node, try model.function("BroadcastTo", [x], [("shape", ints(shape))], for: node))
  }
}

extension Reverse: KerasExportable {
  func write(_ node: KerasNode, to model: inout KerasExporter) throws {
    let x = KerasOperand.tensor(try model.input(node))
    let axes = axes.compactMap { node.shape(0).normalized(axis: $0) }
    model.finish(node, try model.function("Flip", [x], [("axis", ints(axes))], for: node))
  }
}

extension TopK: KerasExportable {
  func write(_ node: KerasNode, to model: inout KerasExporter) throws {
    let rank = node.shape(0).rank
    guard takesLargest, node.shape(0).normalized(axis: axis) == rank - 1 else {
      throw Diagnostic("KER117", "Keras takes the greatest elements of the last axis")
    }
    let found = try model.function(
      "TopK",
      in: "math",
      [.tensor(try model.input(node))],
      [("k", JSON(count)), ("sorted", true)],
      outputs: [node.outputs[0], TensorType(.int32, node.outputs[1].shape)],
      for: node
    )
    model.finish(node, output: 0, found)
    var positions = KerasResult(layer: found.layer, output: 1)
    if dtype != .int32 {
      positions = try model.function(
        "Cast",
        in: "core",
        [.tensor(positions)],
        [("dtype", .string(dtype.rawValue))],
        outputs: [node.outputs[1]],
        for: node
      )
    }
    model.finish(node, output: 1, positions)
  }
}

extension LogSoftmax: KerasExportable {
  func write(_ node: KerasNode, to model: inout KerasExporter) throws {
    let x = try model.input(node)
    let axis = node.shape(0).normalized(axis: axis) ?? 0
    let result =
      axis == node.shape(0).rank - 1
      ? model.add("Activation", [x], [("activation", "log_softmax")], for: node)
      : try model.function(
        "LogSoftmax",
        in: "nn",
        [.tensor(x)],
        [("axis", JSON(axis))],
        for: node
      )
    model.finish(node, result)
  }
}
