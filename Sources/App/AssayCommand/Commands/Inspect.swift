import AssayBase
import AssayCatalog
import AssayFormat
import AssayGraph
import AssayHost
import AssayProfile
import AssayRecord
import AssayReport
import AssayRewrite
import AssayStore
import AssayTensor
import AssayVerify

let inspectCommand = CommandSpec(
  name: "inspect",
  summary: "operators, shapes, parameters, multiply-accumulates and memory of a model",
  discussion: """
    Reads a model and describes it: what goes in and out, what it costs, and every operator with its
    shape, parameters and multiply-accumulates. Nothing is executed. --html writes the graph as one page
    that opens offline: zoom, search, operators with their attributes and constants, colored by what
    they cost and, where a record in the store or a certificate says so, by time, placement and error.
    """,
  operands: [Operand(word: "MODEL", help: "a .h5, .keras, .tflite or .onnx file")],
  options: [
    Option("--canonical", .flag, "as `convert` sees it: normalization folded, activations fused"),
    Option("--dump", .flag, "the graph as text, one line an operator, and nothing else"),
    Option("--html", .value("FILE"), "write the graph as a page"),
    Option("--group", .value("N"), "page: draw operators as one box whose names share N parts"),
    Option("--certificate", .value("FILE"), "page: the JSON of assay verify with this model"),
    Option(
      "--record",
      .value("FILE"),
      "page: a record's JSON (default: the store's newest profile)"
    ),
    Shared.store,
  ] + Shared.importing,
  examples: [
    ("assay inspect model.h5", "what is in it"),
    ("assay inspect model.tflite --json - | jq .macs", "one figure for a script"),
    ("assay inspect model.tflite --html model.html", "the graph, to look at"),
  ]
) { arguments, console in
  let path = arguments.operands[0]
  let model = try Shared.model(path, arguments, console)
  let graph = arguments.has("--canonical") ? try canonicalized(model.graph) : model.graph
  if arguments.has("--dump") {
    console.output(graph.dump())
    return .done
  }
  if let page = arguments.value("--html") {
    let drawing = try drawing(graph, model, path, arguments)
    let group = try arguments.integer("--group", minimum: 0) ?? 0
    try AtomicFile.write(renderNetwork(drawing, group: group), to: page)
    try console.result(
      Inspection(graph, model, path).json,
      text: "\(page): \(graph.nodes.count) operators\n"
        + [drawing.timing, drawing.certificate].compactMap { $0 }.map { "  \($0)\n" }.joined()
    )
    return .done
  }
  try console.result(
    Inspection(graph, model, path).json,
    text: Inspection(graph, model, path).text
  )
  return .done
}

/// The graph as the page draws it, with what was measured and compared.
private func drawing(
  _ graph: Graph,
  _ model: ImportedModel,
  _ path: String,
  _ arguments: Arguments
) throws -> NetworkDrawing {
  var drawing = NetworkDrawing(graph, title: Host.name(of: path), version: assayVersion)
  drawing.facts += [
    "file \(Text.bytes(model.bytes.count))", model.producer ?? model.format,
  ]
  if let record = try profiledRecord(model, arguments) { drawing.add(record) }
  if let file = arguments.value("--certificate") {
    let certificate = try readJSON(file)
    guard certificate["schema"]?.string == certificateSchema else {
      throw Diagnostic(
        "CLI012",
        "this is no certificate",
        at: [file],
        remedy: "write one with assay verify ORIGINAL \(path) --json FILE"
      )
    }
    if drawing.add(certificate: certificate) == 0 {
      throw Diagnostic(
        "CLI012",
        "the certificate speaks of no operator of this model",
        at: [file],
        remedy: "give the certificate whose VARIANT is this file"
      )
    }
  }
  return drawing
}

/// The record whose profile is drawn: the one given, or the newest of this file in the store.
private func profiledRecord(_ model: ImportedModel, _ arguments: Arguments) throws -> Record? {
  if let file = arguments.value("--record") {
    return try read(json: file, Record.init(json:))
  }
  let url = storeURL(arguments)
  if arguments.value("--store") == nil, Host.kind(of: String(url.dropFirst("sqlite:".count))) == nil
  {
    return nil
  }
  let query = RecordQuery(modelSHA256: sha256(model.bytes))
  return try openStore(url).records(query).last { $0.operators.array?.isEmpty == false }
}

/// What `inspect` says of a graph.
private struct Inspection {
  let graph: Graph
  let model: ImportedModel
  let path: String

  init(_ graph: Graph, _ model: ImportedModel, _ path: String) {
    self.graph = graph
    self.model = model
    self.path = path
  }

  func types(_ node: Node) -> (inputs: [TensorType?], outputs: [TensorType]) {
    (node.inputs.map { $0.map { graph[$0].type } }, node.outputs.map { graph[$0].type })
  }

  func cost(_ node: Node) -> Cost {
    let types = types(node)
    return node.op.cost(inputs: types.inputs, outputs: types.outputs)
  }

  func parameters(_ node: Node) -> Int {
    node.inputs.reduce(0) { $0 + ($1.flatMap { graph[$0].constant?.count } ?? 0) }
  }

  /// The largest sum of activations that live at once, executing nodes in order (bytes).
  var peakActivationBytes: Int {
    var lastUse: [ValueID: Int] = [:]
    for (index, node) in graph.nodes.enumerated() {
      for case let input? in node.inputs { lastUse[input] = index }
    }
    for output in graph.outputs { lastUse[output] = graph.nodes.count }
    func bytes(_ id: ValueID) -> Int {
      graph[id].constant == nil ? graph[id].type.byteCount ?? 0 : 0
    }
    var live = graph.inputs.reduce(0) { $0 + bytes($1) }
    var peak = live
    for (index, node) in graph.nodes.enumerated() {
      live += node.outputs.reduce(0) { $0 + bytes($1) }
      peak = max(peak, live)
      let dying = Set(node.inputs.compactMap { $0 } + node.outputs).filter {
        (lastUse[$0] ?? index) <= index
      }
      live -= dying.reduce(0) { $0 + bytes($1) }
    }
    return peak
  }

  var constantBytes: Int {
    var seen: Set<ValueID> = []
    for node in graph.nodes { for case let input? in node.inputs { seen.insert(input) } }
    return seen.reduce(0) { $0 + (graph[$1].constant?.bytes.count ?? 0) }
  }

  func port(_ id: ValueID, _ name: String) -> JSON {
    let type = graph[id].type
    var json = JSON.object([
      "name": .string(name), "dtype": .string(type.dtype.rawValue),
      "shape": .array(type.shape.dims.map { JSON($0) }),
    ])
    if let quantization = type.quantization {
      json["scale"] = JSON(Double(quantization.scale))
      json["zeroPoint"] = JSON(Int(quantization.zeroPoint))
    }
    return json
  }

  var json: JSON {
    .object([
      "schema": "assay.inspect/1",
      "model": .object([
        "path": .string(path), "sha256": .string(sha256(model.bytes)),
        "bytes": JSON(model.bytes.count), "format": .string(model.format),
        "producer": JSON(model.producer),
      ]),
      "name": .string(graph.name),
      "inputs": .array(graph.inputs.map { port($0, graph[$0].name) }),
      "outputs": .array(graph.outputs.map { port($0, graph.outputName($0)) }),
      "facts": .array(
        model.facts.map { .object(["name": .string($0.name), "value": .string($0.value)]) }
      ),
      "parameters": JSON(graph.parameterCount),
      "macs": JSON(graph.cost.macs),
      "constantBytes": JSON(constantBytes),
      "peakActivationBytes": JSON(peakActivationBytes),
      "operators": .array(
        graph.nodes.map { node in
          .object([
            "name": .string(node.name), "operator": .string(node.op.name),
            "outputs": .array(node.outputs.map { port($0, graph[$0].name) }),
            "attributes": node.op.attributes.reduce(into: .emptyObject) {
              $0[$1.name] = .string($1.value)
            },
            "parameters": JSON(parameters(node)), "macs": JSON(cost(node).macs),
          ])
        }
      ),
    ])
  }

  var text: String {
    var kinds: [String: (count: Int, macs: Int)] = [:]
    for node in graph.nodes {
      kinds[node.op.name, default: (0, 0)].count += 1
      kinds[node.op.name, default: (0, 0)].macs += cost(node).macs
    }
    var text = """
      \(path): \(graph.nodes.count) operators, \(Text.count(graph.parameterCount)) parameters, \
      \(Text.count(graph.cost.macs)) multiply-accumulates
      \(model.producer ?? model.format), file \(Text.bytes(model.bytes.count)), weights \
      \(Text.bytes(constantBytes)), activations at most \(Text.bytes(peakActivationBytes)) at once

      """
    for id in graph.inputs { text += "input   \(graph[id].name)  \(graph[id].type)\n" }
    for id in graph.outputs { text += "output  \(graph.outputName(id))  \(graph[id].type)\n" }
    if !model.facts.isEmpty {
      text += "\n"
      for fact in model.facts { text += "\(fact.name): \(fact.value)\n" }
    }
    text += "\n"
    text += Text.table(
      ["operator", "count", "MACs"],
      kinds.sorted { ($1.value.macs, $0.key) < ($0.value.macs, $1.key) }
        .map { [$0.key, "\($0.value.count)", Text.count($0.value.macs)] },
      numeric: [1, 2]
    )
    text += "\n"
    text += Text.table(
      ["#", "node", "operator", "output", "parameters", "MACs"],
      graph.nodes.enumerated().map { index, node in
        [
          "\(index)", node.name, node.op.name,
          node.outputs.map { "\(graph[$0].type)" }.joined(separator: " "),
          Text.count(parameters(node)), Text.count(cost(node).macs),
        ]
      },
      numeric: [0, 4, 5]
    )
    return text
  }
}
