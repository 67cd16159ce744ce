import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

/// Makes the graph of a model.
final class KerasBuilder {
  private var weights: any KerasWeights
  private let version: KerasVersion
  private let options: ImportOptions
  /// What is worth telling without being an error.
  private(set) var notes: [Diagnostic] = []
  private var faults: [Diagnostic] = []
  /// The layer of the outermost model that is being added.
  private var top: KerasLayer?

  init(weights: any KerasWeights, version: KerasVersion, options: ImportOptions) {
    self.weights = weights
    self.version = version
    self.options = options
  }

  /// The graph.
  ///
  /// - Throws: `Diagnostics` with every layer that cannot be imported.
  func graph(of model: KerasModel) throws -> Graph {
    check(model)
    try Diagnostics(faults).throwIfErrors()
    guard let first = model.layers.first, !model.outputs.isEmpty else {
      throw Diagnostic("KER003", "the model has no layers")
    }
    var context = KerasContext(graph: Graph(name: model.name), layer: first)
    context.read = { [unowned self] name, layer in
      try weights.weight(name, of: layer, in: top ?? layer)
    }
    context.run = { [unowned self] model, inputs, name, context in
      let outer = (context.layer, context.call, context.callName, context.values)
      defer { (context.layer, context.call, context.callName, context.values) = outer }
      return try emit(model, inputs, prefix: name + "/", into: &context) ?? []
    }
    var inputs: [ValueID] = []
    for reference in model.inputs {
      guard let layer = model.layers.first(where: { $0.name == reference.layer }) else {
        throw Diagnostic("KER003", "the input '\(reference.layer)' is no layer")
      }
      inputs.append(try locating(layer.place) { try addInput(layer, to: &context) })
    }
    let outputs = try emit(model, inputs, prefix: "", into: &context)
    guard let outputs, faults.isEmpty else {
      try Diagnostics(faults).throwIfErrors()
      throw Diagnostic("KER003", "the model's outputs are never made")
    }
    try name(outputs, of: model, in: &context)
    context.removeUnreadTransposes()
    notes += context.notes
    return context.graph
  }

  /// Collects what can be told from the configuration alone.
  private func check(_ model: KerasModel) {
    for layer in model.layers {
      guard layer.className != "InputLayer" else { continue }
      check(layer)
    }
  }

  private func check(_ layer: KerasLayer) {
    if let model = layer.model { return check(model) }
    guard let kind = KerasLayerKind.of(layer) else {
      faults.append(unknown(layer).inside(layer.place))
      return
    }
    faults += findings(layer) {
      try checkPrecision(of: layer)
      try kind.check(layer)
      for part in try kind.parts(layer) { check(part) }
    }
  }

  /// Refuses layers that were quantized; notes once that others computed in another precision.
  private func checkPrecision(of layer: KerasLayer) throws {
    guard !layer.isOperation, let policy = layer.precision, policy != "float32" else { return }
    guard ["float64", "float16", "bfloat16", "mixed_float16", "mixed_bfloat16"].contains(policy)
    else {
      throw layer.unsupported(
        "dtype",
        "layers of precision '\(policy)' are not imported",
        remedy: "import the model as it was before it was quantized"
      )
    }
    guard notes.isEmpty else { return }
    notes.append(
      Diagnostic(
        "KER010",
        "the model computes in '\(policy)', the graph in float32",
        at: [layer.place],
        severity: .note
      )
    )
  }

  /// What `body` throws, at the layer.
  private func findings(_ layer: KerasLayer, _ body: () throws -> Void) -> [Diagnostic] {
    do { try locating(layer.place, body) } catch let fault as Diagnostic {
      return [fault]
    } catch let several as Diagnostics {
      return several.all
    } catch {
      return [Diagnostic("KER003", "\(error)", at: [layer.place])]
    }
    return []
  }

  private func unknown(_ layer: KerasLayer) -> Diagnostic {
    if layer.className == "Lambda" {
      return Diagnostic(
        "KER006",
        "a Lambda layer is Python code, which is not run",
        remedy: "replace it by layers of Keras"
      )
    }
    let what = layer.isOperation ? "operations" : "layers"
    let guess = nearest(to: layer.className, among: KerasLayerKind.layerClasses)
    return Diagnostic(
      "KER006",
      "\(what) of class '\(layer.className)' are not imported",
      remedy: guess.map { "did you mean '\($0)'?" }
        ?? "replace it by layers that are imported, or convert the model to TFLite with TensorFlow"
    )
  }

  // MARK: - Inputs and outputs

  private func addInput(_ layer: KerasLayer, to context: inout KerasContext) throws -> ValueID {
    let shape = (layer["batch_input_shape"] ?? layer["batch_shape"])?.array
    guard let shape, !shape.isEmpty, shape.count <= 8 else {
      throw Diagnostic(
        "KER009",
        "the shape of the input is not in the file",
        remedy: "build the model with an Input layer, or call it once, before it is saved"
      )
    }
    var dims = try shape.map { json -> Int in
      if json.isNull { return -1 }
      guard let dim = json.int, dim > 0, dim < 1 << 31 else {
        throw Diagnostic("KER003", "the input has extent \(json.text())")
      }
      return dim
    }
    if let given = options.shape(of: layer.name)?.dims, given.count == dims.count {
      for index in dims.indices where dims[index] < 0 && given[index] > 0 {
        dims[index] = given[index]
      }
    }
    if dims[0] < 0 { dims[0] = options.batch }
    guard dims.allSatisfy({ $0 > 0 && $0 < 1 << 31 }), let count = Shape(dims).elementCount,
      count < 1 << 40
    else {
      throw Diagnostic(
        "KER009",
        "the input '\(layer.name)' has extents \(Shape(dims)), some of which are open",
        remedy: "give the extents of the input, such as --shape \(layer.name)=1x224x224x3"
      )
    }
    let name = context.unique(layer.name)
    return context.graph.addInput(name, TensorType(try dtype(of: layer), Shape(dims)))
  }

  private func dtype(of layer: KerasLayer) throws -> DType {
    // Keras 3 may write a policy instead of a name; inputs of mixed precision are float32.
    guard let text = layer["dtype"]?.string else { return .float32 }
    if ["float64", "float16", "bfloat16"].contains(text) { return .float32 }
    guard let dtype = DType(rawValue: text), dtype != .string else {
      throw layer.unsupported("dtype", "inputs of '\(text)' are not imported")
    }
    return dtype
  }

  /// Gives outputs the names of the layers that make them, once each.
  private func name(
    _ outputs: [ValueID],
    of model: KerasModel,
    in context: inout KerasContext
  ) throws {
    var names = UniqueNames()
    for (reference, value) in zip(model.outputs, outputs) {
      let name = names.unique(reference.layer)
      var id = value
      // An output is a value of its own: inputs, constants and second uses are passed on by a node.
      let graph = context.graph
      if graph.inputs.contains(id) || graph.outputs.contains(id) || graph[id].constant != nil {
        context.callName = name
        let copy = context.unique(name + "/copy")
        let shape = context.shape(id).dims
        id = try context.graph.addNode(copy, Reshape(shape), [id])[0]
      }
      if context.graph[id].name != name { context.graph.outputNames[id] = name }
      context.graph.outputs.append(id)
    }
  }

  // MARK: - Models

  /// Adds the nodes of a model that is called with `inputs`; returns its outputs, `nil` when a layer
  /// failed.
  private func emit(
    _ model: KerasModel,
    _ inputs: [ValueID],
    prefix: String,
    into context: inout KerasContext
  ) throws -> [ValueID]? {
    guard model.inputs.count == inputs.count else {
      throw Diagnostic(
        "KER006",
        "the model takes \(model.inputs.count) tensors, it is called with \(inputs.count)"
      )
    }
    let offsets = callOffsets(model)
    var values: [KerasReference: ValueID] = [:]
    for (reference, input) in zip(model.inputs, inputs) { values[reference] = input }
    var pending: [(layer: Int, call: Int)] = []
    for (index, layer) in model.layers.enumerated() {
      for call in layer.calls.indices { pending.append((index, call)) }
    }
    while !pending.isEmpty {
      var waiting: [(layer: Int, call: Int)] = []
      for (index, call) in pending {
        let layer = model.layers[index]
        let needed =
          layer.calls[call].arguments.flatMap(\.tensors)
          + layer.calls[call].named.flatMap(\.value.tensors)
        guard needed.allSatisfy({ values[$0] != nil }) else {
          waiting.append((index, call))
          continue
        }
        // What depends on a layer that failed is never called; the others are, for their faults.
        var results: [ValueID] = []
        do {
          results = try self.call(
            layer,
            layer.calls[call],
            values,
            prefix: prefix,
            into: &context
          )
        } catch {
          faults += findings(layer) { throw error }
        }
        for (tensor, id) in results.enumerated() {
          let number = call + offsets[index]
          values[KerasReference(layer: layer.name, call: number, tensor: tensor)] = id
        }
      }
      guard waiting.count < pending.count else {
        guard faults.isEmpty else { return nil }
        let layer = model.layers[waiting[0].layer]
        throw Diagnostic(
          "KER003",
          "the layer waits for a tensor that is never made",
          at: [layer.place]
        )
      }
      pending = waiting
    }
    guard faults.isEmpty else { return nil }
    return try model.outputs.map { reference in
      guard let id = values[reference] else {
        throw Diagnostic("KER003", "the output '\(reference.layer)' is never made")
      }
      return id
    }
  }

  /// Keras 2 counts the calls of a model from 1, because the model's own graph is its call 0.
  private func callOffsets(_ model: KerasModel) -> [Int] {
    var used: [String: Set<Int>] = [:]
    for reference in model.outputs { used[reference.layer, default: []].insert(reference.call) }
    for call in model.layers.flatMap(\.calls) {
      let references = call.arguments.flatMap(\.tensors) + call.named.flatMap(\.value.tensors)
      for reference in references { used[reference.layer, default: []].insert(reference.call) }
    }
    return model.layers.map { layer in
      guard layer.model != nil, let calls = used[layer.name], !calls.contains(0) else { return 0 }
      return calls.contains(layer.calls.count) || version.major < 3 ? 1 : 0
    }
  }

  private func call(
    _ layer: KerasLayer,
    _ call: KerasCall,
    _ values: [KerasReference: ValueID],
    prefix: String,
    into context: inout KerasContext
  ) throws -> [ValueID] {
    let inputs = call.arguments.flatMap(\.tensors).compactMap { values[$0] }
    let name = context.unique(prefix + layer.name)
    let isOutermost = top == nil
    if isOutermost { top = layer }
    defer { if isOutermost { top = nil } }
    if let model = layer.model {
      return try emit(model, inputs, prefix: name + "/", into: &context) ?? []
    }
    guard let kind = KerasLayerKind.of(layer) else { throw unknown(layer) }
    if let function = KerasLayerKind.activation(of: layer) {
      guard try !weights.holdsWeights(of: layer, in: top ?? layer) else { throw unknown(layer) }
      notes.append(
        Diagnostic(
          "KER012",
          "'\(layer.className)' is no class of Keras's; it is taken for the function '\(function)'",
          at: [layer.place],
          severity: .note
        )
      )
    }
    context.layer = layer
    context.call = call
    context.callName = name
    context.values = values
    let results = try kind.emit(&context, inputs)
    context.nameResults(results)
    context.pass(inputs, results, kind)
    return results
  }
}
