import AssayBase
import AssayCodec
import AssayFormat
import AssayGraph
import AssayHost
import AssayTensor
import AssayTensorFlow

/// Reads a graph that does not say, or whose user says otherwise, what its inputs and outputs are; its
/// variables come from a checkpoint beside it.
enum GraphFileReader {
  static func read(
    _ meta: TFMetaGraph,
    _ options: ImportOptions,
    checkpoint: ((String) throws -> Tensor?)? = nil
  ) throws -> ImportReport {
    let topology = GraphTopology(meta.graph)
    let outputs =
      options.outputs.isEmpty ? try topology.likelyOutputs() : options.outputs.map { plain($0) }
    for name in outputs + options.inputs where topology.node(of: name) == nil {
      let names = topology.nodes.keys.sorted()
      throw Diagnostic(
        "TFG025",
        "there is no node '\(name)'",
        remedy: nearest(to: name, among: names).map { "did you mean '\($0)'?" }
      )
    }
    let cuts = Set(options.inputs.map { GraphTopology.nodeName($0) })
    let needed = topology.needed(for: outputs, stoppingAt: cuts)
    let inputs =
      options.inputs.isEmpty
      ? topology.likelyInputs(among: needed) : options.inputs.map { plain($0) }
    guard !inputs.isEmpty else {
      throw Diagnostic("TFG026", "the graph has no inputs", remedy: "name its input nodes")
    }
    let inputPorts = try inputs.map { name in
      TFPort(name: name, reference: name, type: try inputType(name, topology, options))
    }
    let hasVariables = needed.contains { topology.nodes[$0].map(GraphTopology.isVariable) ?? false }
    let (graph, notes) = try TensorFlowImporter.network(
      meta.graph,
      name: stem(options.path),
      inputs: inputPorts,
      outputs: outputs.map { TFPort(name: $0, reference: $0) },
      saver: meta.saver,
      checkpoint: try checkpoint ?? (hasVariables ? findCheckpoint(options) : nil)
    )
    return ImportReport(
      graph: graph,
      diagnostics: notes,
      producer: meta.version.isEmpty ? nil : "tensorflow \(meta.version)"
    )
  }

  /// `node` for `node:0`.
  private static func plain(_ name: String) -> String {
    name.hasSuffix(":0") ? String(name.dropLast(2)) : name
  }

  /// A path's last part without its extension.
  private static func stem(_ path: String) -> String {
    let name = Host.name(of: path)
    guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return name }
    return String(name[..<dot])
  }

  private static func inputType(
    _ name: String,
    _ topology: GraphTopology,
    _ options: ImportOptions
  ) throws -> TensorType {
    try locating("input '\(name)'") {
      let node = topology.node(of: name)
      var dtype: DType = .float32
      for key in ["dtype", "DstT", "T"] {
        if case .type(let type) = node?.attributes[key] {
          guard let known = type.dtype, known != .string else {
            throw Diagnostic(
              "TFG018",
              "inputs of type \(type) are not supported",
              remedy: "name a node behind it as input"
            )
          }
          dtype = known
          break
        }
      }
      var shape: Shape?
      if case .shape(let declared) = node?.attributes["shape"] {
        shape = try declared.shape()
        // Before version 24 of graphs, no extents meant that nothing is known.
        if topology.producer < 24, shape?.rank == 0 { shape = nil }
      } else if case .shapes(let declared) = node?.attributes["_output_shapes"] {
        shape = try declared.first?.shape()
      }
      return TensorType(dtype, try SavedModelReader.staticShape(name, shape, options))
    }
  }

  /// The checkpoint that belongs to a graph by its name, by the folder's `checkpoint` file, or because
  /// it is the only one; `nil` when there is none.
  private static func findCheckpoint(
    _ options: ImportOptions
  ) throws -> ((String) throws -> Tensor?)? {
    guard !options.path.isEmpty else { return nil }
    let companions = options.companions
    let stem = stem(options.path)
    var prefixes = [stem, "\(stem).ckpt"]
    if let text = Host.smallText(Host.join(companions.folder, "checkpoint")),
      let line = text.split(separator: "\n").first(where: {
        $0.hasPrefix("model_checkpoint_path:")
      })
    {
      let path = line.split(separator: "\"").dropFirst().first.map(String.init) ?? ""
      prefixes.append(Host.name(of: path))
    }
    let files = try Host.list(companions.folder)
    let indices = files.filter { $0.hasSuffix(".index") }
    if indices.count == 1 { prefixes.append(String(indices[0].dropLast(6))) }
    let old = files.filter { $0.hasSuffix(".ckpt") }
    if old.count == 1 { prefixes.append(old[0]) }
    for prefix in prefixes where !prefix.isEmpty {
      let names = ["\(prefix).index", prefix] + (1...8).map { "\(prefix)-00000-of-0000\($0)" }
      guard names.contains(where: { companions.has($0) && isTable(companions, $0) }) else {
        continue
      }
      return lookup(in: try openCheckpoint(prefix, companions))
    }
    return nil
  }

  private static func isTable(_ companions: Companions, _ name: String) -> Bool {
    (try? companions.open(name)).map { LevelDBTable.isTable($0) } ?? false
  }
}

/// Who reads whom in a TensorFlow graph.
struct GraphTopology {
  let nodes: [String: TFNode]
  let order: [String]
  let producer: Int64

  init(_ graph: TFGraph) {
    nodes = Dictionary(graph.nodes.map { ($0.name, $0) }) { first, _ in first }
    order = graph.nodes.map(\.name)
    producer = graph.producer
  }

  /// The node that a reference such as `^a` or `a:1` names.
  static func nodeName(_ reference: String) -> String {
    let name = reference.hasPrefix("^") ? reference.dropFirst() : reference[...]
    return String(name.split(separator: ":", omittingEmptySubsequences: false).first ?? "")
  }

  func node(of reference: String) -> TFNode? { nodes[Self.nodeName(reference)] }

  /// Whether a node holds a variable.
  static func isVariable(_ node: TFNode) -> Bool {
    ["VariableV2", "Variable", "VarHandleOp", "AutoReloadVariable"].contains(node.op)
  }

  /// All nodes whose values these need.
  func needed(for references: [String], stoppingAt cuts: Set<String> = []) -> Set<String> {
    var waiting = references.map { Self.nodeName($0) }
    var found = Set(waiting)
    while let name = waiting.popLast() {
      guard let node = nodes[name], !cuts.contains(name) else { continue }
      for input in node.dataInputs where found.insert(Self.nodeName(input)).inserted {
        waiting.append(Self.nodeName(input))
      }
    }
    return found
  }

  // MARK: - Inputs

  /// The placeholders among some nodes, in the file's order; a truth value only says whether the
  /// network is being trained.
  func likelyInputs(among names: Set<String>) -> [String] {
    let placeholders = order.filter { name in
      guard names.contains(name), let node = nodes[name] else { return false }
      return Self.isPlaceholder(node)
    }
    if !placeholders.isEmpty { return placeholders }
    return order.filter { name in
      guard names.contains(name), let node = nodes[name], node.op == "PlaceholderWithDefault",
        case .shape(let shape) = node.attributes["shape"]
      else { return false }
      return shape.dims.map { !$0.isEmpty } ?? false
    }
  }

  private static func isPlaceholder(_ node: TFNode) -> Bool {
    guard ["Placeholder", "PlaceholderV2"].contains(node.op) else { return false }
    guard case .type(let type) = node.attributes["dtype"] else { return true }
    return type != .bool && type != .string
  }

  // MARK: - Outputs

  private static let losses: Set<String> = [
    "SoftmaxCrossEntropyWithLogits", "SparseSoftmaxCrossEntropyWithLogits", "CTCLoss", "L2Loss",
  ]

  /// Whether a node only serves training, saving or watching.
  private static func isAuxiliary(_ node: TFNode) -> Bool {
    let scope = node.name.split(separator: "/").first ?? ""
    if scope.hasPrefix("gradients") || ["save", "report_uninitialized_variables"].contains(scope) {
      return true
    }
    let beginnings = [
      "Apply", "ResourceApply", "SparseApply", "ResourceSparseApply", "Assign", "Save", "Restore",
      "MergeV2", "Sharded",
    ]
    return beginnings.contains { node.op.hasPrefix($0) } || node.op.hasSuffix("Summary")
      || node.op.hasSuffix("SummaryV2") || losses.contains(node.op)
      || ["NoOp", "Assert", "Print", "PrintV2", "Const", "IsVariableInitialized"].contains(node.op)
      || isVariable(node)
  }

  /// The values that nothing reads, once all that serves training is put aside.
  ///
  /// - Throws: `Diagnostic` TFG027 when a network that is being trained leaves several.
  func likelyOutputs() throws -> [String] {
    var readers: [String: [String]] = [:]
    for name in order {
      for input in nodes[name]?.dataInputs ?? [] {
        readers[Self.nodeName(input), default: []].append(name)
      }
    }
    // Whatever follows from what only training has, and from what losses compare with, is put aside.
    var aside = Set(order.filter { nodes[$0].map(Self.isAuxiliary) ?? false })
    let losses = order.filter { nodes[$0].map { Self.losses.contains($0.op) } ?? false }
    let labels = losses.compactMap { nodes[$0]?.dataInputs.dropFirst().first }
    let targets = needed(for: labels).subtracting(
      needed(for: losses.compactMap { nodes[$0]?.dataInputs.first })
    )
    let isSource = { (name: String) in
      ["Const", "VariableV2", "VarHandleOp", "Variable"].contains(nodes[name]?.op ?? "")
    }
    var waiting =
      aside.filter { !isSource($0) } + targets.filter { nodes[$0].map(Self.isPlaceholder) ?? false }
    aside.formUnion(waiting)
    while let name = waiting.popLast() {
      for reader in readers[name] ?? [] where aside.insert(reader).inserted {
        waiting.append(reader)
      }
    }
    let fed = Set(
      order.filter { name in
        nodes[name].map { Self.isPlaceholder($0) } ?? false
      }
    ).union(likelyInputs(among: Set(order)))
    var ends: [String] = []
    while true {
      ends = order.filter { name in
        guard !aside.contains(name), !fed.contains(name) else { return false }
        guard (readers[name] ?? []).allSatisfy({ aside.contains($0) }) else { return false }
        return !needed(for: [name]).isDisjoint(with: fed)
      }
      // A decision that is only compared with labels measures; the network's output is before it.
      let measures = ends.filter {
        ["ArgMax", "TopKV2", "Cast"].contains(nodes[$0]?.op ?? "") && !(readers[$0] ?? []).isEmpty
      }
      if measures.isEmpty { break }
      aside.formUnion(measures)
    }
    guard !ends.isEmpty else {
      throw Diagnostic("TFG027", "the graph has no outputs", remedy: "name its output nodes")
    }
    if ends.count > 1, !losses.isEmpty {
      let probabilities = ends.filter { ["Softmax", "Sigmoid"].contains(nodes[$0]?.op ?? "") }
      if probabilities.count == 1 { return probabilities }
    }
    if ends.count > 8 || ends.count > 1 && !losses.isEmpty {
      let list = ends.prefix(20).map { "'\($0)'" }.joined(separator: ", ")
      throw Diagnostic(
        "TFG027",
        "the graph does not tell its outputs",
        remedy: "name them; nothing reads \(list)"
      )
    }
    return ends
  }
}
