import AssayBase
import AssayFormat
import AssayGraph
import AssayReference
import AssayTensor

/// Turns an exported program into a Graph: the frame in which the operators' readers work.
///
/// PyTorch's images are NCHW, a Graph's are NHWC; `TwinValues` keeps account of both. Symbolic extents
/// become the ones that the options give, so that every shape is known and what depends on shapes and
/// constants alone is computed here. Floats of other widths become float32, in which a Graph computes.
struct ProgramImporter: TwinImporter {
  var twins: TwinValues
  var notes: [Diagnostic] = []
  /// Numbers by the program's names.
  var scalars: [String: Scalar] = [:]
  /// Tensors that are part of others, for what is written into them.
  var views: [String: TensorView] = [:]
  private let program: ExportedProgram
  private let archive: PT2Archive
  private let options: ImportOptions
  private var declared: [String: ProgramGraph.Declared]
  /// Parts of tensors that were changed since.
  private var stale: Set<String> = []
  private var symbols: [String: Int] = [:]
  private var widened = false
  /// Inside an operator with a graph of its own: what its names stand for.
  private var scopes: [[String: String]] = []
  private var depth = 0

  init(_ program: ExportedProgram, _ archive: PT2Archive, _ options: ImportOptions) {
    self.program = program
    self.archive = archive
    self.options = options
    declared = program.graph.declared
    twins = TwinValues(name: "torch", outputs: Set(program.outputs), codes: "PYT")
  }

  mutating func read() throws -> Graph {
    var faults: [Diagnostic] = []
    for input in program.inputs {
      switch input {
      case .user(let name):
        collect(&faults, "input '\(name)'", [name]) { try $0.addInput(name) }
      case .tensor(let argument, let name, let isPersistent):
        collect(&faults, "tensor '\(name)'", [argument]) { importer in
          let tensor = try importer.archive.tensor(name, isPersistent: isPersistent)
          try importer.twins.declare(argument)
          let id = importer.addConstant(importer.valueName(name), importer.widened(tensor))
          importer.twins.place(argument, plain: id)
        }
      case .constant(let argument, let value): constant(argument, value)
      case .other(let what):
        faults.append(Diagnostic("PYT012", "an input that is \(what) is not supported"))
      }
    }
    readNodes(program.graph, &faults)
    try Diagnostics(faults.merged()).throwIfErrors()
    for name in program.outputs {
      try locating("output '\(name)'") {
        try check(name)
        try twins.addOutput(name)
      }
    }
    if widened {
      notes.append(
        Diagnostic(
          "PYT030",
          "floats of other widths are computed as float32",
          remedy: "choose the width of the written file by a recipe, such as float16",
          severity: .note
        )
      )
    }
    graph = graph.withoutUnusedNodes().withPlainNames(["/turned", "/nhwc", "/nchw"])
    return graph
  }

  // MARK: Inputs

  private mutating func addInput(_ name: String) throws {
    guard let meta = declared[name] else {
      throw Diagnostic("PYT010", "the program does not declare its type")
    }
    let dtype = try dtype(code: meta.dtypeCode)
    try twins.declare(name)
    let dims: [Int]
    if let given = options.shape(of: name) {
      let fits = zip(meta.sizes, given.dims).allSatisfy { $0.extent == nil || $0.extent == $1 }
      guard given.isStatic, given.rank == meta.sizes.count, fits else {
        throw Diagnostic(
          "PYT013",
          "the shape \(given) does not fit: the program was exported for fixed extents",
          remedy: "export it with dynamic_shapes for the axes that are to be chosen later"
        )
      }
      dims = given.dims
    } else {
      dims = try meta.sizes.enumerated().map { axis, size in try extent(axis, size) }
    }
    for (size, extent) in zip(meta.sizes, dims) {
      if let symbol = size.symbol { symbols[symbol] = extent }
    }
    guard let count = Shape(dims).elementCount, count < 1 << 40, dims.allSatisfy({ $0 < 1 << 31 })
    else { throw Diagnostic("PYT009", "an input of \(dims) is too large") }
    let id = graph.addInput(valueName(name), TensorType(dtype, Shape(dims)))
    twins.place(name, plain: id)
  }

  private mutating func extent(
    _ axis: Int,
    _ size: (extent: Int?, symbol: String?, hint: Int?)
  ) throws -> Int {
    if let extent = size.extent {
      guard extent >= 0 else { throw Diagnostic("PYT010", "extent \(axis) is \(extent)") }
      return extent
    }
    if let symbol = size.symbol, let known = symbols[symbol] { return known }
    if axis == 0 { return options.batch }
    guard let hint = size.hint, hint > 0 else {
      throw Diagnostic("PYT013", "extent \(axis) is open", remedy: "give the input's shape")
    }
    notes.append(
      Diagnostic(
        "PYT031",
        "extent \(axis) is open and taken as \(hint), as the program was exported with",
        remedy: "give the input's shape to choose it",
        severity: .note
      )
    )
    return hint
  }

  private mutating func constant(_ name: String, _ value: JSON) {
    if let number = value["as_int"]?.int {
      scalars[name] = .int(number)
    } else if let number = value["as_float"]?.double {
      scalars[name] = .float(number)
    } else if let flag = value["as_bool"]?.bool {
      scalars[name] = .bool(flag)
    }
  }

  // MARK: Types

  /// The graph's type for a type of the program.
  mutating func dtype(code: Int) throws -> DType {
    guard let dtype = DType(torch: code) else {
      throw Diagnostic("PYT014", "elements of PyTorch's type \(code) are not supported")
    }
    guard dtype.isFloat, dtype != .float32 else { return dtype }
    widened = true
    return .float32
  }

  private mutating func widened(_ tensor: Tensor) -> Tensor {
    guard tensor.dtype.isFloat, tensor.dtype != .float32 else { return tensor }
    widened = true
    return Tensor(tensor.floats(), tensor.shape)
  }

  /// The type that the program declares for a value, with the graph's element type.
  mutating func declaredType(_ name: String) throws -> DType? {
    guard let meta = declared[resolved(name)] else { return nil }
    return try dtype(code: meta.dtypeCode)
  }

  /// Throws unless a value has the extents that the program declares, as far as they are fixed.
  private func checkShape(_ name: String) throws {
    guard let meta = declared[name] else { return }
    let shape = try type(name).shape
    let fits = zip(meta.sizes, shape.dims).allSatisfy { size, extent in
      let wanted = size.extent ?? size.symbol.flatMap { symbols[$0] }
      return wanted == nil || wanted == extent
    }
    guard shape.rank == meta.sizes.count, fits else {
      let wanted = meta.sizes.map { $0.extent.map(String.init) ?? "?" }.joined(separator: "x")
      throw Diagnostic(
        "PYT015",
        "'\(name)' comes out as \(shape), the program says \(wanted)",
        remedy: "export it with fixed extents, or report this with the file"
      )
    }
  }

  // MARK: Nodes

  private func resolved(_ name: String) -> String { scopes.last?[name] ?? name }

  private mutating func readNodes(_ body: ProgramGraph, _ faults: inout [Diagnostic]) {
    for (index, node) in body.nodes.enumerated() {
      let target = node["target"]?.string ?? ""
      let name = node["name"]?.string ?? "\(index)"
      let outputs = Self.outputs(node)
      let made = outputs.names.map { scopes.isEmpty ? $0 : scoped($0) }
      let reads = Self.reads(node).map { resolved($0) }
      if reads.contains(where: { missing.contains($0) }) {
        missing.formUnion(made)
        continue
      }
      collect(&faults, "node '\(name)' (\(target))", made) { importer in
        try importer.read(node, target, made, makesList: outputs.isList)
      }
    }
  }

  private mutating func scoped(_ name: String) -> String {
    let inner = "\(name)/\(scopes.count)_\(depth)"
    scopes[scopes.count - 1][name] = inner
    return inner
  }

  private static func outputs(_ node: JSON) -> (names: [String], isList: Bool) {
    var names: [String] = []
    var isList = false
    for output in node["outputs"]?.array ?? [] {
      for kind in ["as_tensor", "as_sym_int", "as_sym_float", "as_sym_bool"] {
        guard let item = output[kind] else { continue }
        if let name = item["name"]?.string ?? item["as_name"]?.string { names.append(name) }
      }
      if let list = output["as_tensors"]?.array {
        names += list.compactMap { $0["name"]?.string }
        isList = true
      }
      if output["as_none"] != nil { names.append("") }
    }
    return (names, isList)
  }

  /// The tensors that a node reads.
  private static func reads(_ node: JSON) -> [String] {
    (node["inputs"]?.array ?? []).flatMap { input -> [String] in
      guard let argument = input["arg"] else { return [] }
      if let name = argument["as_tensor"]?["name"]?.string { return [name] }
      let list = argument["as_tensors"]?.array ?? []
      let optional = (argument["as_optional_tensors"]?.array ?? []).compactMap { $0["as_tensor"] }
      return (list + optional).compactMap { $0["name"]?.string }
    }
  }

  private mutating func read(
    _ node: JSON,
    _ target: String,
    _ outputs: [String],
    makesList: Bool
  ) throws {
    let parts = target.split(separator: ".").map(String.init)
    let arguments = try (node["inputs"]?.array ?? []).enumerated().map { index, input in
      (
        input["name"]?.string.flatMap { $0.isEmpty ? nil : $0 } ?? "\(index)",
        try argument(input["arg"] ?? .null)
      )
    }
    func call(_ name: String, _ overload: String) -> ATenCall {
      ATenCall(
        name: name,
        overload: overload,
        outputs: outputs,
        makesList: makesList,
        arguments: arguments
      )
    }
    let isATen = parts.count == 5 && parts.prefix(3) == ["torch", "ops", "aten"]
    if parts.prefix(3) == ["torch", "ops", "higher_order"], let name = parts.last {
      try readGraphCall(call(name, ""))
      return
    }
    if !target.hasPrefix("torch.ops."), let last = parts.last,
      let value = try foldedNumber(call(last, ""))
    {
      if let output = outputs.first { scalars[output] = value }
      return
    }
    guard isATen else { throw Self.unknown(target) }
    let name = parts[3]
    if name.hasPrefix("_assert") { return }
    if name.hasPrefix("sym_") {
      guard let value = try foldedNumber(call(name, parts[4])), let output = outputs.first else {
        throw Self.unknown(target)
      }
      scalars[output] = value
      return
    }
    try readATen(call(name, parts[4]), target)
  }

  private mutating func readATen(_ call: ATenCall, _ target: String) throws {
    // PyTorch writes an operator that changes its first argument with an underscore behind it.
    let isInPlace = call.name.hasSuffix("_") && !call.name.hasPrefix("_")
    let name = isInPlace ? String(call.name.dropLast()) : call.name
    guard let reader = atenReaders[name] else { throw Self.unknown(target) }
    for output in call.outputs where !output.isEmpty { try twins.declare(output) }
    try reader(call.renamed(name), &self)
    for output in call.outputs where !output.isEmpty {
      // Some operators make values for training that nobody reads in inference.
      guard twins.stands(output) else {
        missing.insert(output)
        continue
      }
      try checkShape(output)
    }
    if isInPlace, case .tensor(let changed)? = call.arguments.first {
      try write(call.output, over: changed)
    }
  }

  static func unknown(_ target: String) -> Diagnostic {
    Diagnostic(
      "PYT021",
      "operator \(target) is not supported",
      remedy: "export the program after program.run_decompositions(), or replace the operator"
    )
  }

  // MARK: Arguments

  private mutating func argument(_ json: JSON) throws -> Argument {
    guard let (kind, value) = json.pairs?.first else { return .none }
    func number(_ json: JSON) throws -> Scalar {
      if let name = json["as_name"]?.string {
        guard let known = scalars[resolved(name)] else {
          throw Diagnostic("PYT016", "'\(name)' depends on the data that flow through the network")
        }
        return known
      }
      switch json {
      case .integer(let value): return .int(Int(value))
      case .number(let value): return .float(value)
      case .bool(let flag): return .bool(flag)
      case .string(let text): return .float(Double(text) ?? .nan)
      default: break
      }
      for key in ["as_int", "as_float", "as_bool"] {
        if let inner = json[key] { return try number(inner) }
      }
      throw Diagnostic("PYT010", "an argument is no number")
    }
    switch kind {
    case "as_none": return .none
    case "as_tensor", "as_optional_tensor":
      let item = value["as_tensor"] ?? value
      guard let name = item["name"]?.string else { return .none }
      return .tensor(try read(name))
    case "as_tensors", "as_optional_tensors":
      return .tensors(
        try (value.array ?? []).map { item in
          try ((item["as_tensor"] ?? item)["name"]?.string).map { try read($0) }
        }
      )
    case "as_int", "as_float", "as_bool", "as_sym_int", "as_sym_float", "as_sym_bool":
      return .scalar(try number(value))
    case "as_ints", "as_floats", "as_bools", "as_sym_ints", "as_sym_floats", "as_sym_bools":
      return .scalars(try (value.array ?? []).map(number))
    case "as_string": return .string(value.string ?? "")
    case "as_scalar_type": return .dtype(value.int ?? 0)
    case "as_graph":
      guard let graph = value["graph"] else { return .none }
      return .graph(try ProgramGraph(graph))
    default: return .other(kind)
    }
  }

  private func read(_ name: String) throws -> String {
    let name = resolved(name)
    try check(name)
    return name
  }

  private func check(_ name: String) throws {
    guard !stale.contains(name) else {
      throw Diagnostic(
        "PYT017",
        "'\(name)' is part of a tensor that is changed in place before it is read",
        remedy: "write the network without changing tensors in place"
      )
    }
  }

  /// Lets readers of a tensor, and of those that it is a part of, see what was written over it.
  private mutating func write(_ result: String, over changed: String) throws {
    // What else shows the changed elements shows them as they were.
    stale.formUnion(views.filter { $0.value.base == changed && $0.key != result }.keys)
    let view = views[changed]
    try twins.alias(changed, to: result)
    guard let view else { return }
    let whole = try written(changed, into: view)
    views[changed] = nil
    try write(whole, over: view.base)
  }

  // MARK: Graphs inside operators

  /// Operators that compute a graph of their own as it stands: scopes without gradients, autocasts.
  private mutating func readGraphCall(_ call: ATenCall) throws {
    guard ["wrap_with_set_grad_enabled", "wrap_with_autocast"].contains(call.name),
      let index = call.arguments.firstIndex(where: { if case .graph = $0 { true } else { false } }),
      case .graph(let body) = call.arguments[index], scopes.count < 16
    else { throw Self.unknown("torch.ops.higher_order.\(call.name)") }
    let operands = call.arguments[(index + 1)...].map { argument -> String in
      if case .tensor(let name) = argument { name } else { "" }
    }
    guard operands.count == body.inputs.count else {
      throw call.unsupported("a graph of \(body.inputs.count) inputs")
    }
    depth += 1
    scopes.append(Dictionary(zip(body.inputs, operands)) { first, _ in first })
    defer { scopes.removeLast() }
    for (name, meta) in body.declared { declared["\(name)/\(scopes.count)_\(depth)"] = meta }
    var faults: [Diagnostic] = []
    readNodes(body, &faults)
    try Diagnostics(faults).throwIfErrors()
    let results = body.outputs.flatMap { output -> [String] in
      if let name = output["as_tensor"]?["name"]?.string { return [name] }
      return (output["as_tensors"]?.array ?? []).compactMap { $0["name"]?.string }
    }
    guard results.count == call.outputs.count else {
      throw call.unsupported("a graph of \(results.count) outputs")
    }
    for (output, result) in zip(call.outputs, results) {
      try twins.declare(output)
      try twins.alias(output, to: resolved(result))
    }
  }
}

extension [Diagnostic] {
  /// The findings with those of one cause as one: the operators that are not supported, each once with
  /// the number of its nodes.
  fileprivate func merged() -> [Diagnostic] {
    var counts: [String: Int] = [:]
    for fault in self where fault.code == "PYT021" { counts[fault.summary, default: 0] += 1 }
    var seen: Set<String> = []
    return compactMap { fault in
      guard fault.code == "PYT021" else { return fault }
      guard seen.insert(fault.summary).inserted else { return nil }
      var one = fault
      if let count = counts[fault.summary], count > 1 { one.summary += " (\(count) nodes)" }
      return one
    }
  }
}
