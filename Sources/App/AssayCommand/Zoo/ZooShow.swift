import AssayBase
import AssayCodec
import AssayGraph
import AssayModels
import AssayTensor

let zooShowCommand = CommandSpec(
  name: "zoo show",
  summary: "what a network of the zoo is made of",
  discussion: """
    Shows what a network costs and what it is made of, without building its weights. --yaml writes the
    description of one that a text describes, to be changed and built again.
    """,
  operands: [ZooArguments.operand],
  options: [ZooArguments.seed] + ZooArguments.shaping + [
    Option("--layers", .flag, "every layer with its shape and its parameters"),
    Option("--yaml", .flag, "the description of a network that is described, and nothing else"),
  ],
  examples: [
    ("assay zoo show MobileNetV2", "its size, its cost and its kinds of layers"),
    ("assay zoo show MobileNetV2 --alpha 0.5 --size 96", "as it would be built so"),
    ("assay zoo show alexnet_wd8 --yaml", "a description to begin with"),
  ]
) { arguments, console in
  let entry = try ZooArguments.entry(arguments.operands[0])
  let options = try ZooArguments.options(arguments)
  if arguments.has("--yaml") {
    guard let description = entry.description(seed: options.seed) else {
      throw Diagnostic(
        "ZOO004",
        "'\(entry.name)' is not described by a text",
        remedy: "'assay zoo list --source MobileAccelerator' shows those that are"
      )
    }
    console.output(description.yaml)
    return .done
  }
  let outline = try entry.outline(options)
  let graph = outline.graph
  let kinds = Dictionary(grouping: outline.layers.filter { $0.kind != "Input" }, by: \.kind)
    .mapValues { (count: $0.count, parameters: $0.reduce(0) { $0 + $1.parameterCount }) }
    .sorted {
      ($0.value.parameters, $0.value.count, $1.key) > ($1.value.parameters, $1.value.count, $0.key)
    }
  func port(_ id: ValueID) -> String { "\(graph.outputName(id)) \(graph[id].type)" }
  var text = """
    \(entry.name): \(Text.count(outline.parameterCount)) parameters \
    (\(Text.count(outline.trainableCount)) trainable), \(Text.count(outline.cost.macs)) \
    multiply-accumulates

    task     \(entry.task.rawValue), as in \(entry.source)
    family   \(entry.family): \(siblings(entry))
    input    \(graph.inputs.map(port).joined(separator: ", ")): \(entry.input.meaning)
    output   \(graph.outputs.map(port).joined(separator: ", "))
    options  \(changes(entry))


    """
  text += Text.table(
    ["kind of layer", "layers", "parameters"],
    kinds.map {
      [
        $0.key, "\($0.value.count)",
        $0.value.parameters == 0 ? "" : Text.count($0.value.parameters),
      ]
    },
    numeric: [1, 2]
  )
  if arguments.has("--layers") {
    text += "\n"
    text += Text.table(
      ["layer", "kind", "output", "parameters"],
      outline.layers.map {
        [$0.name, $0.kind, "\($0.output)", $0.parameterCount == 0 ? "" : "\($0.parameterCount)"]
      },
      numeric: [3]
    )
  }
  try console.result(json(entry, outline), text: text)
  return .done
}

/// The other networks of an entry's family.
private func siblings(_ entry: ZooEntry) -> String {
  let names = Zoo.entries.filter { $0.family == entry.family && $0.name != entry.name }.map(\.name)
  return names.isEmpty ? "alone" : "beside " + names.joined(separator: ", ")
}

/// What of an entry can be changed.
private func changes(_ entry: ZooEntry) -> String {
  let words = [
    "--seed", entry.isResizable ? "--size" : nil, entry.classes == nil ? nil : "--classes",
    entry.alpha == nil ? nil : "--alpha", entry.hasTop ? "--no-top" : nil,
  ]
  return words.compactMap { $0 }.joined(separator: " ")
}

private func json(_ entry: ZooEntry, _ outline: Network) -> JSON {
  let graph = outline.graph
  func ports(_ ids: [ValueID]) -> JSON {
    .array(
      ids.map {
        .object([
          "name": .string(graph.outputName($0)), "type": .string(graph[$0].type.dtype.rawValue),
          "shape": .array(graph[$0].type.shape.dims.map { JSON($0) }),
        ])
      }
    )
  }
  return .object([
    "schema": "assay.zoo-network/1", "name": .string(entry.name), "family": .string(entry.family),
    "task": .string(entry.task.rawValue), "source": .string(entry.source),
    "pixels": .string(entry.input.meaning), "parameters": JSON(outline.parameterCount),
    "trainable": JSON(outline.trainableCount), "macs": JSON(outline.cost.macs),
    "inputs": ports(graph.inputs), "outputs": ports(graph.outputs),
    "layers": .array(
      outline.layers.map {
        .object([
          "name": .string($0.name), "kind": .string($0.kind),
          "output": .array($0.output.dims.map { JSON($0) }),
          "parameters": JSON($0.parameterCount),
        ])
      }
    ),
  ])
}
