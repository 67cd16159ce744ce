import AssayBase
import AssayGraph
import AssayTensor

extension KerasLayerKind {
  /// EinsumDense.
  static let einsum: [String: KerasLayerKind] = [
    "EinsumDense": KerasLayerKind(
      weights: { layer in
        KerasWeightNames(trained: ["kernel"] + (layer["bias_axes"] == nil ? [] : ["bias"]))
      },
      check: { layer in
        _ = try Einsum(layer.string("equation", default: ""))
        try layer.checkActivation()
        try layer.require("lora_rank", toBe: .null)
        try layer.require("quantization_mode", toBe: .null)
      },
      emit: { context, inputs in
        let x = try context.image(inputs)
        let kernel = try context.weight("kernel")
        let sums = try Einsum(context.layer.string("equation", default: ""))
        var y = try context.einsum(sums, [x, kernel])
        if context.layer["bias_axes"] != nil {
          y = try context.node("bias", Binary(.add), [y, context.weight("bias")])
        }
        return try context.activated(y, isFused: false)
      }
    )
  ]

  /// Dot.
  static let dots: [String: KerasLayerKind] = [
    "Dot": KerasLayerKind(emit: { context, inputs in
      guard inputs.count == 2 else { throw Diagnostic("KER006", "the layer takes two tensors") }
      let ranks = inputs.map { context.shape($0).rank }
      let given = try context.layer.ints("axes")
      let pair = given.count == 1 ? [given[0], given[0]] : given
      guard pair.count == 2 else { throw context.layer.unsupported("axes", "axes \(given)") }
      var operands: [ValueID] = []
      var letters: [[Character]] = []
      for (index, input) in inputs.enumerated() {
        let axis = pair[index] < 0 ? ranks[index] + pair[index] : pair[index]
        guard (1..<max(ranks[index], 1)).contains(axis), ranks[index] <= 8 else {
          throw context.layer.unsupported("axes", "axes \(given)")
        }
        var x = try context.float(input)
        if try context.layer.bool("normalize", default: false) {
          x = try context.unitNormalized(x, axes: [axis], epsilon: 1e-12)
        }
        operands.append(x)
        let own: [Character] = Array(index == 0 ? "bcdefghi" : "mnopqrst")
        var names: [Character] = ["a"] + own.prefix(ranks[index] - 1)
        names[axis] = "z"
        letters.append(names)
      }
      let output = letters[0].filter { $0 != "z" } + letters[1].dropFirst().filter { $0 != "z" }
      let y = try context.einsum(Einsum(letters.map { $0 }, output), operands)
      guard context.shape(y).rank == 1 else { return y }
      return try context.node("column", Reshape([context.shape(y)[0], 1]), [y])
    })
  ]
}

/// A sum of products in Einstein's notation: `abc,cd->abd`.
struct Einsum {
  /// A letter for each axis of each operand.
  var operands: [[Character]]
  /// The letters of the result.
  var output: [Character]

  init(_ operands: [[Character]], _ output: [Character]) {
    (self.operands, self.output) = (operands, output)
  }

  /// Reads an equation; `...` stands for the axes that the others leave.
  init(_ equation: String) throws {
    let compact = equation.filter { $0 != " " }.split(separator: ">").map(String.init)
    guard compact.count == 2, compact[0].hasSuffix("-"), compact[0].utf8.count < 64,
      compact[1].utf8.count < 64
    else { throw Self.fault(equation) }
    func letters(_ text: Substring) throws -> [Character] {
      var letters: [Character] = []
      var rest = text
      while let first = rest.first {
        if rest.hasPrefix("...") {
          letters.append(".")
          rest = rest.dropFirst(3)
        } else {
          guard first.isLetter else { throw Self.fault(equation) }
          letters.append(first)
          rest = rest.dropFirst()
        }
      }
      guard Set(letters).count == letters.count else { throw Self.fault(equation) }
      return letters
    }
    operands = try compact[0].dropLast().split(separator: ",", omittingEmptySubsequences: false)
      .map(letters)
    output = try letters(compact[1][...])
    let known = Set(operands.joined())
    guard (1...2).contains(operands.count), output.allSatisfy(known.contains) else {
      throw Self.fault(equation)
    }
  }

  static func fault(_ equation: String) -> Diagnostic {
    Diagnostic("KER007", "the equation '\(equation)' is not imported")
  }

  /// The same sum with a letter for each axis that dots stand for.
  func expanded(_ ranks: [Int]) throws -> Einsum {
    var result = self
    var dots: [Character] = []
    for (index, letters) in operands.enumerated() {
      guard letters.contains(".") else {
        guard letters.count == ranks[index] else { throw Self.fault(text) }
        continue
      }
      let count = ranks[index] - letters.count + 1
      guard (0...8).contains(count), dots.isEmpty || dots.count == count else {
        throw Self.fault(text)
      }
      dots = Array("01234567".prefix(count))
    }
    func filled(_ letters: [Character]) -> [Character] {
      letters.flatMap { $0 == "." ? dots : [$0] }
    }
    result.operands = operands.map(filled)
    result.output = filled(output)
    return result
  }

  var text: String {
    operands.map { String($0) }.joined(separator: ",") + "->" + String(output)
  }
}

extension KerasContext {
  /// The nodes of a sum of products.
  mutating func einsum(_ given: Einsum, _ inputs: [ValueID]) throws -> ValueID {
    guard given.operands.count == inputs.count else { throw Einsum.fault(given.text) }
    let sum = try given.expanded(inputs.map { shape($0).rank })
    var extents: [Character: Int] = [:]
    for (letters, input) in zip(sum.operands, inputs) {
      for (letter, extent) in zip(letters, shape(input).dims) {
        guard extents[letter] == nil || extents[letter] == extent else {
          throw Einsum.fault(given.text)
        }
        extents[letter] = extent
      }
    }
    func extent(_ letters: [Character]) -> Int { letters.reduce(1) { $0 &* (extents[$1] ?? 1) } }
    // Letters that only one operand has are summed first.
    var operands: [(value: ValueID, letters: [Character])] = []
    for (index, letters) in sum.operands.enumerated() {
      let others = Set(sum.operands.enumerated().filter { $0.offset != index }.flatMap(\.element))
      let needed = { (letter: Character) in others.contains(letter) || sum.output.contains(letter) }
      let lone = letters.indices.filter { !needed(letters[$0]) }
      var value = inputs[index]
      if !lone.isEmpty {
        value = try node("sum", Reduce(.sum, axes: lone, keepsAxes: false), [value])
      }
      operands.append((value, letters.filter(needed)))
    }
    guard operands.count == 2 else {
      return try ordered(operands[0].value, operands[0].letters, sum.output)
    }
    let (a, b) = (operands[0], operands[1])
    let shared = a.letters.filter(b.letters.contains)
    let batch = shared.filter(sum.output.contains)
    let inner = shared.filter { !sum.output.contains($0) }
    let rows = a.letters.filter { !shared.contains($0) }
    let columns = b.letters.filter { !shared.contains($0) }
    let left = try ordered(a.value, a.letters, batch + rows + inner)
    let y: ValueID
    if batch.isEmpty, let kernel = graph[b.value].constant, kernel.dtype == .float32 {
      // A dense layer over the letters that are summed.
      let matrix = try node(
        "rows",
        Reshape(rows.map { extents[$0] ?? 1 } + [extent(inner)]),
        [left]
      )
      let order = (columns + inner).map { b.letters.firstIndex(of: $0) ?? 0 }
      let weights = try constant("kernel/" + given.text + "/\(b.value.index)") {
        try kernel.permutedWeight(order).reshapedWeight([extent(columns), extent(inner)])
      }
      y = try node("matmul", FullyConnected(), [matrix, weights])
    } else {
      let right = try ordered(b.value, b.letters, batch + inner + columns)
      let lead = batch.map { extents[$0] ?? 1 }
      let first = try node("left", Reshape(lead + [extent(rows), extent(inner)]), [left])
      let second = try node("right", Reshape(lead + [extent(inner), extent(columns)]), [right])
      y = try node("matmul", MatMul(), [first, second])
    }
    let letters = batch + rows + columns
    let parted = try node("axes", Reshape(letters.map { extents[$0] ?? 1 }), [y])
    return try ordered(parted, letters, sum.output)
  }

  /// A tensor with its axes in the order of other letters.
  private mutating func ordered(
    _ x: ValueID,
    _ letters: [Character],
    _ target: [Character]
  ) throws -> ValueID {
    guard letters != target else { return x }
    let order = target.compactMap { letters.firstIndex(of: $0) }
    guard order.count == letters.count else { throw Einsum.fault(String(target)) }
    return try node("order", Transpose(order), [x])
  }
}
