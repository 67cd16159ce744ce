import AssayBase
import AssayGraph
import AssayTensor

let matMulReaders: [String: TFReader] = [
  "MatMul": { try readMatMul($0, &$1, "transpose_a", "transpose_b") },
  "BatchMatMul": { try readMatMul($0, &$1, "adj_x", "adj_y") },
  "BatchMatMulV2": { try readMatMul($0, &$1, "adj_x", "adj_y") },
  "BatchMatMulV3": { try readMatMul($0, &$1, "adj_x", "adj_y") },
  "_FusedMatMul": readFusedMatMul,
  "Einsum": readEinsum,
]

private func readMatMul(
  _ call: TFCall,
  _ into: inout TensorFlowImporter,
  _ first: String,
  _ second: String
) throws -> [TFValue] {
  let op = MatMul(transposesA: call.bool(first), transposesB: call.bool(second))
  return try into.emit(call, op, [try into.tensor(call, 0), try into.tensor(call, 1)])
}

/// What TensorFlow's own optimizer makes of a product, its bias and an activation.
private func readFusedMatMul(
  _ call: TFCall,
  _ into: inout TensorFlowImporter
) throws -> [TFValue] {
  guard case .strings(let parts) = call.node.attributes["fused_ops"], parts.first == "BiasAdd",
    parts.count <= 2
  else { throw call.unsupported("this fusion") }
  let op = MatMul(transposesA: call.bool("transpose_a"), transposesB: call.bool("transpose_b"))
  let operands = [try into.tensor(call, 0), try into.tensor(call, 1)]
  let product = try into.step(call, "product", op, operands)
  let activations: [String: Activation] = ["": .none, "Relu": .relu, "Relu6": .relu6]
  guard let activation = activations[parts.count == 2 ? parts[1] : ""] else {
    throw call.unsupported("a fusion of \(parts.joined(separator: " and "))")
  }
  return try into.emit(
    call,
    Binary(.add, activation: activation),
    [product, try into.tensor(call, 2)]
  )
}

// MARK: - Einsum

/// The letters of an Einsum's operands and result; an ellipsis becomes digits, the last axis `0`.
private struct EinsumEquation {
  var operands: [[Character]]
  var result: [Character]

  init(_ text: String, ranks: [Int], _ call: TFCall) throws {
    let sides = text.filter { $0 != " " }.components(separatedBy: "->")
    let given = sides[0].split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    guard sides.count == 2, given.count == ranks.count else {
      throw call.unsupported("the equation '\(text)'")
    }
    var widest = 0
    operands = try zip(given, ranks).map { term, rank in
      let letters = term.filter { $0 != "." }.count
      guard term.contains("...") ? letters <= rank : letters == rank else {
        throw call.unsupported("the equation '\(text)' for \(rank) axes")
      }
      widest = max(widest, rank - letters)
      return Self.expanded(term, rank - letters)
    }
    guard widest < 10 else { throw call.unsupported("the equation '\(text)'") }
    result = Self.expanded(sides[1], widest)
    for labels in operands + [result] where Set(labels).count != labels.count {
      throw call.unsupported("the equation '\(text)', which takes a diagonal,")
    }
    guard result.allSatisfy({ label in operands.contains { $0.contains(label) } }) else {
      throw call.unsupported("the equation '\(text)'")
    }
  }

  private static func expanded(_ term: String, _ hidden: Int) -> [Character] {
    let parts = term.components(separatedBy: "...")
    guard parts.count == 2 else { return Array(term) }
    let digits = (0..<max(hidden, 0)).reversed().map { Character("\($0)") }
    return Array(parts[0]) + digits + Array(parts[1])
  }
}

extension String {
  fileprivate func components(separatedBy separator: String) -> [String] {
    var parts: [String] = []
    var rest = self[...]
    while let range = rest.firstRange(of: separator) {
      parts.append(String(rest[..<range.lowerBound]))
      rest = rest[range.upperBound...]
    }
    return parts + [String(rest)]
  }
}

/// Einsum of one or two operands, as sums, transposes and one product of matrices.
private func readEinsum(_ call: TFCall, _ into: inout TensorFlowImporter) throws -> [TFValue] {
  var ids = try into.tensors(call)
  guard (1...2).contains(ids.count) else { throw call.unsupported("\(ids.count) operands") }
  let equation = try EinsumEquation(
    call.string("equation"),
    ranks: ids.map { into.graph[$0].type.shape.rank },
    call
  )
  var labels = equation.operands
  // Letters that only one operand has, and the result has not, are summed first.
  for side in ids.indices {
    let others = labels.enumerated().filter { $0.offset != side }.flatMap(\.element)
    let alone = labels[side].indices.filter {
      !others.contains(labels[side][$0]) && !equation.result.contains(labels[side][$0])
    }
    guard !alone.isEmpty else { continue }
    ids[side] = try into.step(
      call,
      "sum\(side)",
      Reduce(.sum, axes: alone, keepsAxes: false),
      [ids[side]]
    )
    labels[side] = labels[side].indices.filter { !alone.contains($0) }.map { labels[side][$0] }
  }
  guard ids.count == 2 else {
    let order = equation.result.compactMap { labels[0].firstIndex(of: $0) }
    return [.tensor(try into.transposed(call, ids[0], order))]
  }
  let (a, b) = (labels[0], labels[1])
  let batch = equation.result.filter { a.contains($0) && b.contains($0) }
  let summed = a.filter { b.contains($0) && !equation.result.contains($0) }
  let rows = equation.result.filter { a.contains($0) && !b.contains($0) }
  let columns = equation.result.filter { b.contains($0) && !a.contains($0) }
  func extents(_ list: [Character], _ side: Int) -> [Int] {
    let dims = into.graph[ids[side]].type.shape.dims
    return list.compactMap { labels[side].firstIndex(of: $0).map { dims[$0] } }
  }
  func product(_ dims: [Int]) -> Int { dims.reduce(1, &*) }
  let (rowDims, columnDims) = (extents(rows, 0), extents(columns, 1))
  let (batchA, batchB) = (extents(batch, 0), extents(batch, 1))
  let depth = product(extents(summed, 0))
  guard extents(summed, 0) == extents(summed, 1) else {
    throw call.unsupported("operands whose extents differ")
  }
  func order(_ list: [Character], _ side: Int) -> [Int] {
    list.compactMap { labels[side].firstIndex(of: $0) }
  }
  let left = try into.transposed(call, ids[0], order(batch + rows + summed, 0), as: "left")
  let right = try into.transposed(call, ids[1], order(batch + summed + columns, 1), as: "right")
  // One matrix on the right and nothing to batch over: all rows of the left stay as they are.
  if batch.isEmpty, summed.count == 1, !rows.isEmpty {
    let matrix = try into.reshaped(call, right, to: [depth, product(columnDims)], as: "columns")
    if equation.result == rows + columns, columns.count == 1, rows.count > 1 {
      return try into.emit(call, MatMul(), [left, matrix])
    }
  }
  let leftMatrix = batchA + [product(rowDims), depth]
  let rightMatrix = batchB + [depth, product(columnDims)]
  let result = try into.step(
    call,
    "product",
    MatMul(),
    [
      try into.reshaped(call, left, to: leftMatrix, as: "rows"),
      try into.reshaped(call, right, to: rightMatrix, as: "columns"),
    ]
  )
  let lead = into.graph[result].type.shape.dims.dropLast(2)
  let made = batch + rows + columns
  let final = equation.result.compactMap { made.firstIndex(of: $0) }
  let isOrdered = final == Array(final.indices)
  let split = try into.reshaped(
    call,
    result,
    to: lead + rowDims + columnDims,
    as: isOrdered ? nil : "split"
  )
  return [.tensor(try into.transposed(call, split, final))]
}

// MARK: - Export

extension MatMul: TensorFlowExportable {
  func write(_ node: TFNodeView, to file: inout TensorFlowExporter) throws -> [String] {
    let inputs = [file.input(node, 0), file.input(node, 1)]
    if node.input(0).shape.rank == 2, node.input(1).shape.rank == 2 {
      return file.finish(
        node,
        "MatMul",
        inputs,
        [
          "T": node.type, "transpose_a": .bool(transposesA), "transpose_b": .bool(transposesB),
        ]
      )
    }
    return file.finish(
      node,
      "BatchMatMulV2",
      inputs,
      ["T": node.type, "adj_x": .bool(transposesA), "adj_y": .bool(transposesB)]
    )
  }
}
