import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

let denseReaders: [String: ATenReader] = [
  "linear": { call, into in
    let input = try into.plain(call.tensor("input"))
    let weight = try into.plain(call.tensor("weight"))
    let bias = try into.optional(call, "bias")
    try into.define(call, FullyConnected(), [input, weight, bias])
  },
  "addmm": { call, into in
    let beta = try call.double("beta", default: 1)
    let alpha = try call.double("alpha", default: 1)
    let bias = try call.tensor("self")
    let matrix = try call.tensor("mat2")
    let input = try into.plain(call.tensor("mat1"))
    if beta == 1, alpha == 1, try into.type(bias).shape.rank == 1, into.constant(matrix) != nil {
      let weight = try into.parameter(matrix, [1, 0], call)
      try into.define(call, FullyConnected(), [input, weight, try into.plain(bias)])
      return
    }
    let product = try into.step(call, "product", MatMul(), [input, into.plain(matrix)])
    try into.addScaled(call, product, alpha, try into.plain(bias), beta)
  },
  "baddbmm": { call, into in
    let inputs = [try into.plain(call.tensor("batch1")), try into.plain(call.tensor("batch2"))]
    let product = try into.step(call, "product", MatMul(), inputs)
    try into.addScaled(
      call,
      product,
      call.double("alpha", default: 1),
      try into.plain(call.tensor("self")),
      call.double("beta", default: 1)
    )
  },
  "mm": { try readProduct($0, second: "mat2", &$1) },
  "bmm": { try readProduct($0, second: "mat2", &$1) },
  "matmul": { try readProduct($0, second: "other", &$1) },
  "mv": { try readProduct($0, second: "vec", &$1) },
  "dot": { try readProduct($0, second: "tensor", &$1) },
  "scaled_dot_product_attention": readAttention,
  "einsum": readEinsum,
]

extension ProgramImporter {
  fileprivate mutating func addScaled(
    _ call: ATenCall,
    _ product: ValueID,
    _ alpha: Double,
    _ other: ValueID,
    _ beta: Double
  ) throws {
    var (first, second) = (product, other)
    if alpha != 1 {
      first = try step(call, "alpha", Binary(.multiply), [first, addConstant(Float(alpha))])
    }
    if beta != 1 {
      second = try step(call, "beta", Binary(.multiply), [second, addConstant(Float(beta))])
    }
    try define(call, Binary(.add), [first, second])
  }
}

/// A product of matrices; vectors are matrices of one row or column.
private func readProduct(
  _ call: ATenCall,
  second: String,
  _ into: inout ProgramImporter
) throws {
  let (first, second) = (try call.tensor("self"), try call.tensor(second))
  let (a, b) = (try into.type(first).shape, try into.type(second).shape)
  var (x, y) = (try into.plain(first), try into.plain(second))
  guard a.rank >= 1, b.rank >= 1 else { throw call.unsupported("\(a) by \(b)") }
  if a.rank == 1 { x = try into.step(call, "row", Reshape([1, a[0]]), [x]) }
  if b.rank == 1 { y = try into.step(call, "column", Reshape([b[0], 1]), [y]) }
  guard a.rank == 1 || b.rank == 1 else {
    try into.define(call, MatMul(), [x, y])
    return
  }
  let product = try into.step(call, "product", MatMul(), [x, y])
  var dims = into.graph[product].type.shape.dims
  if b.rank == 1 { dims.removeLast() }
  if a.rank == 1 { dims.remove(at: dims.count - (b.rank == 1 ? 1 : 2)) }
  try into.define(call, Reshape(dims), [product])
}

/// `softmax(q k^T / sqrt(d) + mask) v` (Vaswani et al., 2017).
private func readAttention(_ call: ATenCall, _ into: inout ProgramImporter) throws {
  guard try call.double("dropout_p", default: 0) == 0 else { throw call.unsupported("dropout_p") }
  let query = try into.plain(call.tensor("query"))
  var key = try into.plain(call.tensor("key"))
  var value = try into.plain(call.tensor("value"))
  let shape = into.graph[query].type.shape
  guard shape.rank >= 2 else { throw call.unsupported("a query \(shape)") }
  if try call.bool("enable_gqa") {
    key = try into.repeatedHeads(call, key, shape)
    value = try into.repeatedHeads(call, value, shape)
  }
  let scale = try call.double("scale", default: 1 / Double(shape[-1]).squareRoot())
  let factor = into.addConstant(Float(scale))
  let scaled = try into.step(call, "scaled", Binary(.multiply), [query, factor])
  var scores = try into.step(call, "scores", MatMul(transposesB: true), [scaled, key])
  let extents = into.graph[scores].type.shape
  if try call.bool("is_causal") {
    var mask = [Float](repeating: 0, count: extents[-2] * extents[-1])
    for row in 0..<extents[-2] {
      for column in 0..<extents[-1] where column > row {
        mask[row * extents[-1] + column] = -.infinity
      }
    }
    let name = into.valueName("\(call.output)/causal")
    let constant = into.addConstant(name, Tensor(mask, [extents[-2], extents[-1]]))
    scores = try into.step(call, "masked", Binary(.add), [scores, constant])
  }
  if let mask = try into.optional(call, "attn_mask") {
    if into.graph[mask].type.dtype == .bool {
      let low = into.addConstant(-Float.infinity)
      scores = try into.step(call, "masked", Select(), [mask, scores, low])
    } else {
      scores = try into.step(call, "masked", Binary(.add), [scores, mask])
    }
  }
  let weights = try into.step(call, "weights", Softmax(), [scores])
  try into.define(call, MatMul(), [weights, value])
}

extension ProgramImporter {
  /// Keys or values of grouped queries, each repeated for the heads of its group.
  fileprivate mutating func repeatedHeads(
    _ call: ATenCall,
    _ id: ValueID,
    _ query: Shape
  ) throws -> ValueID {
    let dims = graph[id].type.shape.dims
    guard query.rank == 4, dims.count == 4, dims[1] > 0, query[1] % dims[1] == 0 else {
      throw call.unsupported("enable_gqa of \(query)")
    }
    let times = query[1] / dims[1]
    if times == 1 { return id }
    let apart = try step(call, "apart", Reshape([dims[0] * dims[1], 1, dims[2], dims[3]]), [id])
    let copies = try step(call, "copies", Tile([1, times, 1, 1]), [apart])
    return try step(call, "heads", Reshape([dims[0], query[1], dims[2], dims[3]]), [copies])
  }
}

/// Sums of products along named axes, of one or two tensors: permutations, a batched product of
/// matrices, and a permutation.
private func readEinsum(_ call: ATenCall, _ into: inout ProgramImporter) throws {
  let text = (call.string("equation") ?? "").filter { $0 != " " }
  let sides = text.split(separator: "-", omittingEmptySubsequences: false)
  let names = try call.tensors("tensors")
  let terms = sides[0].split(separator: ",", omittingEmptySubsequences: false).map(Array.init)
  guard sides.count == 2, sides[1].first == ">", terms.count == names.count, names.count <= 2,
    text.allSatisfy({ $0.isLetter || ",->".contains($0) }),
    terms.allSatisfy({ Set($0).count == $0.count })
  else { throw call.unsupported("equation '\(text)'") }
  let result = Array(sides[1].dropFirst())
  var extents: [Character: Int] = [:]
  for (term, name) in zip(terms, names) {
    let shape = try into.type(name).shape
    guard shape.rank == term.count else { throw call.unsupported("equation '\(text)'") }
    for (axis, letter) in term.enumerated() {
      guard extents[letter].map({ $0 == shape[axis] }) ?? true else {
        throw call.unsupported("equation '\(text)' of these shapes")
      }
      extents[letter] = shape[axis]
    }
  }
  guard Set(result).count == result.count, result.allSatisfy({ extents[$0] != nil }) else {
    throw call.unsupported("equation '\(text)'")
  }
  func extent(_ letters: [Character]) -> Int { Shape(letters.map { extents[$0] ?? 1 }).count }
  // Letters of one term alone that the result does not have are summed first.
  var ids: [ValueID] = []
  var kept: [[Character]] = []
  for (index, (term, name)) in zip(terms, names).enumerated() {
    let others = Set(terms.enumerated().filter { $0.offset != index }.flatMap(\.element))
    let summed = term.indices.filter { !others.contains(term[$0]) && !result.contains(term[$0]) }
    var id = try into.plain(name)
    if !summed.isEmpty {
      id = try into.step(call, "sum\(index)", Reduce(.sum, axes: summed, keepsAxes: false), [id])
    }
    ids.append(id)
    kept.append(term.indices.filter { !summed.contains($0) }.map { term[$0] })
  }
  if kept.count == 1 {
    let order = result.compactMap { letter in kept[0].firstIndex(of: letter) }
    try into.define(call, Transpose(order), ids)
    return
  }
  let (a, b) = (kept[0], kept[1])
  let batch = a.filter { b.contains($0) && result.contains($0) }
  let inner = a.filter { b.contains($0) && !result.contains($0) }
  let rows = a.filter { !b.contains($0) }
  let columns = b.filter { !a.contains($0) }
  func arranged(
    _ index: Int,
    _ letters: [Character],
    _ order: [Character],
    _ dims: [Int]
  ) throws -> ValueID {
    let permutation = order.compactMap { letter in letters.firstIndex(of: letter) }
    var id = ids[index]
    if permutation != Array(permutation.indices) {
      id = try into.step(call, "turned\(index)", Transpose(permutation), [id])
    }
    return try into.step(call, "matrix\(index)", Reshape(dims), [id])
  }
  let lead = batch.map { extents[$0] ?? 1 }
  let left = try arranged(0, a, batch + rows + inner, lead + [extent(rows), extent(inner)])
  let right = try arranged(1, b, batch + inner + columns, lead + [extent(inner), extent(columns)])
  let product = try into.step(call, "product", MatMul(), [left, right])
  let made = batch + rows + columns
  let apart = Reshape(made.map { extents[$0] ?? 1 })
  let order = result.compactMap { letter in made.firstIndex(of: letter) }
  if order == Array(order.indices) {
    try into.define(call, apart, [product])
  } else {
    let tensor = try into.step(call, "tensor", apart, [product])
    try into.define(call, Transpose(order), [tensor])
  }
}
