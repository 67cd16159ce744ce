import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

/// Einsum, as diagonals, products of matrices and sums.
let einsumReaders: [String: ONNXReader] = ["Einsum": readEinsum]

/// An operand with a letter for each axis; axes of the ellipsis are capital Greek letters' places.
private struct LetteredValue {
  var id: ValueID
  var letters: [Character]
}

private func readEinsum(_ call: OperatorCall, _ into: inout GraphImporter) throws {
  let equation = call.string("equation", default: "").filter { $0 != " " }
  let sides = equation.split(separator: ">", omittingEmptySubsequences: false)
  let left = sides[0].hasSuffix("-") ? String(sides[0].dropLast()) : String(sides[0])
  let terms = left.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
  guard terms.count == call.node.inputs.count, sides.count <= 2, equation.utf8.count < 256 else {
    throw call.unsupported("the equation '\(equation)'")
  }
  // The letters that stand for the ellipsis, right-aligned.
  let hidden = Array("\u{E000}\u{E001}\u{E002}\u{E003}\u{E004}\u{E005}\u{E006}\u{E007}")
  func expanded(_ term: String, _ count: Int) -> [Character] {
    guard let dots = term.firstRange(of: "...") else { return Array(term) }
    return Array(term[..<dots.lowerBound]) + hidden.suffix(count)
      + Array(term[dots.upperBound...])
  }
  var operands: [LetteredValue] = []
  var longest = 0
  for (index, term) in terms.enumerated() {
    let id = try into.plain(call.input(index))
    let named = term.filter { $0 != "." }.count
    let rest = term.contains("...") ? into.shape(id).rank - named : 0
    guard rest >= 0, rest <= hidden.count else { throw call.unsupported("'\(term)'") }
    longest = max(longest, rest)
    let letters = expanded(term, rest)
    guard letters.count == into.shape(id).rank, !letters.contains(".") else {
      throw call.unsupported("'\(term)' for \(into.shape(id))")
    }
    operands.append(LetteredValue(id: id, letters: letters))
  }
  var counts: [Character: Int] = [:]
  for letter in operands.flatMap(\.letters) { counts[letter, default: 0] += 1 }
  let result: [Character] =
    sides.count == 2
    ? expanded(String(sides[1]), longest)
    : hidden.suffix(longest)
      + counts.filter { $0.value == 1 && !hidden.contains($0.key) }.keys.sorted()
  guard Set(result).count == result.count, result.allSatisfy({ counts[$0] != nil }) else {
    throw call.unsupported("the equation '\(equation)'")
  }
  for index in operands.indices { try into.takeDiagonals(call, &operands[index]) }
  while operands.count > 1 {
    let (a, b) = (operands.removeFirst(), operands.removeFirst())
    let wanted = Set(result).union(operands.flatMap(\.letters))
    operands.insert(try into.contract(call, a, b, keeping: wanted), at: 0)
  }
  var last = operands[0]
  try into.sum(call, &last, keeping: Set(result))
  let order = result.compactMap { last.letters.firstIndex(of: $0) }
  into.conclude(call, try into.turned(call, last.id, order))
}

extension GraphImporter {
  /// Lets a letter that stands twice stand once, for the diagonal.
  fileprivate mutating func takeDiagonals(
    _ call: OperatorCall,
    _ value: inout LetteredValue
  ) throws {
    while let letter = value.letters.first(where: { letter in
      value.letters.filter { $0 == letter }.count > 1
    }) {
      let places = value.letters.indices.filter { value.letters[$0] == letter }
      let (first, second) = (places[0], places[1])
      let shape = shape(value.id)
      guard shape[first] == shape[second] else { throw call.unsupported("\(shape)") }
      // Both axes last, as one of which every (n + 1)-th element is on the diagonal.
      let rest = shape.dims.indices.filter { $0 != first && $0 != second }
      var id = try turned(call, value.id, rest + [first, second])
      let extent = shape[first]
      let dims = rest.map { shape[$0] }
      id = try reshaped(call, id, dims + [extent * extent])
      id = try sliced(call, id, axis: dims.count, 0..<extent * extent, step: extent + 1)
      value = LetteredValue(id: id, letters: rest.map { value.letters[$0] } + [letter])
    }
  }

  /// Sums the axes whose letters are not wanted.
  fileprivate mutating func sum(
    _ call: OperatorCall,
    _ value: inout LetteredValue,
    keeping wanted: Set<Character>
  ) throws {
    let axes = value.letters.indices.filter { !wanted.contains(value.letters[$0]) }
    guard !axes.isEmpty else { return }
    value.id = try reduced(call, .sum, value.id, axes, keeps: false)
    value.letters = value.letters.filter { wanted.contains($0) }
  }

  /// The product of two operands, summed over the letters that nobody else wants.
  fileprivate mutating func contract(
    _ call: OperatorCall,
    _ first: LetteredValue,
    _ second: LetteredValue,
    keeping wanted: Set<Character>
  ) throws -> LetteredValue {
    var (a, b) = (first, second)
    try sum(call, &a, keeping: wanted.union(b.letters))
    try sum(call, &b, keeping: wanted.union(a.letters))
    let (ofA, ofB) = (Set(a.letters), Set(b.letters))
    let shared = a.letters.filter { ofB.contains($0) }
    var extents: [Character: Int] = [:]
    for (value, letters) in [(a.id, a.letters), (b.id, b.letters)] {
      for (axis, letter) in letters.enumerated() {
        let extent = shape(value)[axis]
        let known = extents[letter] ?? 1
        guard known == 1 || extent == 1 || known == extent else {
          throw call.unsupported("extents \(known) and \(extent) of one letter")
        }
        extents[letter] = max(known, extent)
      }
    }
    let batch = shared.filter { wanted.contains($0) }
    let summed = shared.filter { !wanted.contains($0) }
    let rows = a.letters.filter { !ofB.contains($0) }
    let columns = b.letters.filter { !ofA.contains($0) }
    func extent(_ letters: [Character]) -> Int { letters.reduce(1) { $0 * (extents[$1] ?? 1) } }
    func matrix(_ value: LetteredValue, _ parts: [[Character]]) throws -> ValueID {
      let letters = parts.flatMap { $0 }
      var id = try turned(call, value.id, letters.compactMap { value.letters.firstIndex(of: $0) })
      let dims = letters.map { extents[$0] ?? 1 }
      if shape(id).dims != dims { id = try step(call, "spread", BroadcastTo(dims), [id]) }
      return try reshaped(call, id, parts.map(extent))
    }
    let left = try matrix(a, [batch, rows, summed])
    let right = try matrix(b, [batch, summed, columns])
    let product = try product(call, left, right)
    let letters = batch + rows + columns
    let id = try reshaped(call, product, letters.map { extents[$0] ?? 1 })
    return LetteredValue(id: id, letters: letters)
  }
}
