import AssayBase
import AssayGraph
import AssayTensor

extension TFLiteImporter {
  /// Subgraphs within one another: a bound on files that call in a circle.
  private static let deepest = 16

  /// Reads another subgraph in the place of an operator.
  ///
  /// - Parameter inputs: the values that its inputs stand for, in order.
  /// - Returns: the values of its outputs.
  mutating func inlined(_ index: Int, _ inputs: [ValueID]) throws -> [ValueID] {
    guard model.subgraphs.indices.contains(index) else {
      throw Diagnostic("TFL003", "subgraph \(index) is not there")
    }
    let subgraph = model.subgraphs[index]
    guard subgraph.inputs.count == inputs.count else {
      throw Diagnostic("TFL012", "subgraph \(index) takes \(subgraph.inputs.count) inputs")
    }
    guard depth < Self.deepest else {
      throw Diagnostic("TFL024", "subgraphs call one another more than \(Self.deepest) deep")
    }
    // A loop of empty subgraphs counts too.
    readCount += 1
    let outer = frame
    depth += 1
    defer {
      frame = outer
      depth -= 1
    }
    frame = Frame(index: index, subgraph: subgraph)
    for (tensor, id) in zip(subgraph.inputs, inputs) { frame.valueOfTensor[Int(tensor)] = id }
    // Findings within are the caller's, so that it fails as a whole.
    let before = diagnostics.count
    readOperators()
    let found = Array(diagnostics[before...])
    diagnostics.removeLast(diagnostics.count - before)
    try locating("subgraph \(index)") { try Diagnostics(found).throwIfErrors() }
    diagnostics += found
    return try subgraph.outputs.map { tensor in
      guard let id = try value(Int(tensor)) else {
        throw Diagnostic("TFL012", "an output of subgraph \(index) is absent")
      }
      return id
    }
  }

  private mutating func bindAll(_ values: [ValueID], of op: ImportedOperator) throws {
    guard values.count == op.record.outputs.count else {
      throw Diagnostic("TFL012", "\(values.count) results for \(op.record.outputs.count) outputs")
    }
    for (index, id) in values.enumerated() { try bind(id, output: index, of: op) }
  }

  /// A truth value that is known before the network runs; `nil` when it is computed.
  private func truth(_ id: ValueID) -> Bool? {
    constant(id).flatMap { $0.count == 1 ? $0.floats().first.map { $0 != 0 } : nil }
  }

  /// A choice between two subgraphs, of which one is taken when the file is read.
  mutating func choose(_ op: ImportedOperator) throws {
    let condition = try input(0, of: op)
    guard let isTrue = truth(condition) else {
      throw Diagnostic(
        "TFL026",
        "its condition is computed while the network runs",
        remedy: "convert the model with the branch resolved"
      )
    }
    let subgraph = try op.options.int(isTrue ? 0 : 1)
    let rest = try op.record.inputs.indices.dropFirst().map { try input($0, of: op) }
    try bindAll(try inlined(subgraph, rest), of: op)
  }

  /// A loop whose condition is known before each turn.
  mutating func loop(_ op: ImportedOperator, _ options: ImportedOptions) throws {
    let (condition, body) = (try options.int(0), try options.int(1))
    var state = try inputs(op)
    while true {
      guard let result = try inlined(condition, state).first, let goesOn = truth(result) else {
        throw Diagnostic(
          "TFL026",
          "how often it runs is known only while the network runs",
          remedy: "convert the model with the loop unrolled or as one recurrent operator"
        )
      }
      guard goesOn else { break }
      guard readCount < 100_000 else {
        throw Diagnostic("TFL024", "the loop comes to no end")
      }
      state = try inlined(body, state)
    }
    try bindAll(state, of: op)
  }

  /// One of several subgraphs by number.
  mutating func choiceByNumber(_ op: ImportedOperator) throws {
    let branches = try op.secondOptions.ints(0)
    guard let number = try knownInteger(0, of: op) else {
      throw Diagnostic("TFL026", "its condition is computed while the network runs")
    }
    // A number outside selects the last branch.
    let index = branches.indices.contains(number) ? number : branches.count - 1
    guard branches.indices.contains(index) else { throw Diagnostic("TFL012", "it has no branches") }
    let rest = try op.record.inputs.indices.dropFirst().map { try input($0, of: op) }
    try bindAll(try inlined(branches[index], rest), of: op)
  }

  private func knownInteger(_ input: Int, of op: ImportedOperator) throws -> Int? {
    guard let index = tensorIndex(input, of: op) else { return nil }
    return try knownIntegers(index)?.integers().first
  }

  /// A named group of operators, whose definition the file carries as a subgraph.
  mutating func composite(_ op: ImportedOperator) throws {
    let name = try op.secondOptions.string(0)
    let subgraph = try op.secondOptions.int(1)
    guard subgraph > 0 else {
      throw Diagnostic("TFL026", "the file does not say how '\(name)' is computed")
    }
    try locating("composite '\(name)'") {
      try bindAll(try inlined(subgraph, try inputs(op)), of: op)
    }
  }

  /// What is run once when a model is loaded: it may set variables to constants.
  mutating func callOnce(_ op: ImportedOperator) throws {
    _ = try inlined(try op.options.int(0), [])
  }

  /// Names the variable that a handle is of.
  mutating func variableHandle(_ op: ImportedOperator) throws {
    guard let output = op.record.outputs.first else {
      throw Diagnostic("TFL012", "output 0 is missing")
    }
    let name = "\(try op.options.string(0))/\(try op.options.string(1))"
    frame.handles[Int(output)] = name
  }

  private func variableName(_ op: ImportedOperator) throws -> String {
    guard let index = tensorIndex(0, of: op), let name = frame.handles[index] else {
      throw Diagnostic("TFL012", "input 0 is no variable of this subgraph")
    }
    return name
  }

  /// Sets a variable, which only CALL_ONCE may do.
  mutating func assignVariable(_ op: ImportedOperator) throws {
    let name = try variableName(op)
    let id = try input(1, of: op)
    guard depth > 0, constant(id) != nil else {
      throw Diagnostic(
        "TFL026",
        "variable '\(name)' keeps a state from one run to the next",
        remedy: "convert the model with its state as an input and an output"
      )
    }
    variables[name] = id
  }

  /// Reads a variable that CALL_ONCE set.
  mutating func readVariable(_ op: ImportedOperator) throws {
    let name = try variableName(op)
    guard let id = variables[name] else {
      throw Diagnostic("TFL026", "variable '\(name)' is never set")
    }
    try bind(id, of: op)
  }
}
