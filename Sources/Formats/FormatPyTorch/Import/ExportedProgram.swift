import AssayBase
import AssayTensor

/// An exported program as its JSON has it (PyTorch's export schema, versions 3 to 8).
struct ExportedProgram {
  /// What an input of the graph is.
  enum Input {
    case user(String)
    case tensor(argument: String, name: String, isPersistent: Bool)
    /// A value that the program was exported for.
    case constant(argument: String, JSON)
    /// What no graph has: tokens, custom objects.
    case other(String)
  }

  let graph: ProgramGraph
  let inputs: [Input]
  /// The values that the user gets, in order.
  let outputs: [String]
  let torchVersion: String?

  init(_ json: JSON) throws {
    guard let module = json["graph_module"], let body = module["graph"] else {
      throw Diagnostic("PYT010", "the program has no graph")
    }
    let major = json["schema_version"]?["major"]?.int ?? json["schema_version"]?.int ?? 0
    guard (3...8).contains(major) else {
      throw Diagnostic(
        "PYT011",
        "schema version \(major) of exported programs is not read",
        remedy: "export with PyTorch 2.3 or later"
      )
    }
    torchVersion = json["torch_version"]?.string
    graph = try ProgramGraph(body)
    inputs = try (module["signature"]?["input_specs"]?.array ?? []).map(Self.input)
    outputs = try (module["signature"]?["output_specs"]?.array ?? []).compactMap(Self.output)
  }

  private static func input(_ spec: JSON) throws -> Input {
    if let argument = spec["user_input"]?["arg"] {
      if let name = argument["as_tensor"]?["name"]?.string { return .user(name) }
      return .other("a user input that is no tensor")
    }
    if let item = spec["constant_input"], let name = item["name"]?.string {
      return .constant(argument: name, item["value"] ?? .null)
    }
    let kinds = [
      ("parameter", "parameter_name"), ("buffer", "buffer_name"),
      ("tensor_constant", "tensor_constant_name"),
    ]
    for (kind, key) in kinds {
      guard let item = spec[kind] else { continue }
      guard let argument = item["arg"]?["name"]?.string, let name = item[key]?.string else {
        throw Diagnostic("PYT010", "a \(kind) has no name")
      }
      let isPersistent =
        kind == "parameter" || kind == "buffer" && item["persistent"]?.bool != false
      return .tensor(argument: argument, name: name, isPersistent: isPersistent)
    }
    return .other(spec.pairs?.first?.key ?? "an input")
  }

  private static func output(_ spec: JSON) throws -> String? {
    // Changes of buffers and tokens have no place in inference.
    guard let argument = spec["user_output"]?["arg"] else { return nil }
    if argument["as_none"] != nil { return nil }
    guard let name = argument["as_tensor"]?["name"]?.string else {
      throw Diagnostic("PYT012", "an output that is no tensor is not supported")
    }
    return name
  }
}

/// A graph of the program, or one inside an operator.
struct ProgramGraph {
  /// A tensor's type as the file declares it.
  struct Declared {
    var dtypeCode: Int
    /// The extents; `nil` where one is symbolic, with the extent that the program was traced with.
    var sizes: [(extent: Int?, symbol: String?, hint: Int?)]
  }

  let inputs: [String]
  let outputs: [JSON]
  let nodes: [JSON]
  let declared: [String: Declared]

  init(_ json: JSON) throws {
    guard let nodes = json["nodes"]?.array, let inputs = json["inputs"]?.array,
      let outputs = json["outputs"]?.array
    else { throw Diagnostic("PYT010", "the program's graph has no nodes") }
    self.nodes = nodes
    self.outputs = outputs
    self.inputs = inputs.map { $0["as_tensor"]?["name"]?.string ?? "" }
    var declared: [String: Declared] = [:]
    for (name, meta) in json["tensor_values"]?.pairs ?? [] {
      guard let code = meta["dtype"]?.int else { continue }
      let sizes = (meta["sizes"]?.array ?? []).map { size in
        let expression = size["as_expr"]
        return (
          extent: size["as_int"]?.int, symbol: expression?["expr_str"]?.string,
          hint: expression?["hint"]?["as_int"]?.int
        )
      }
      declared[name] = Declared(dtypeCode: code, sizes: sizes)
    }
    self.declared = declared
  }
}
