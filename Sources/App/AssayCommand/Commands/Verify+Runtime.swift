import AssayBase
import AssayBench
import AssayCatalog
import AssayEvaluator
import AssayFormat
import AssayGraph
import AssayHost
import AssayRemote
import AssayRuntime
import AssayTensor
import AssayVerify

/// A variant as a runtime executes it, beside the original as we compute it.
///
/// The outputs that are judged are those of the file as it is. To find where a runtime parts from the
/// original, a copy of the network with every value as an output is run too; a runtime that fuses
/// operators computes that copy less fused.
struct RuntimeVerification {
  private let runtime: String
  private let verification: Verification
  private let variant: ImportedModel

  init(_ runtime: String, _ verification: Verification, _ variant: ImportedModel) {
    self.runtime = runtime
    self.verification = verification
    self.variant = variant
  }

  func certificate() throws -> Certificate {
    let scratch = try Scratch()
    defer { scratch.remove() }
    let arguments = verification.arguments
    let session = try deviceSession(arguments, Console())
    defer { session?.close() }
    let options = try sessionOptions(arguments)
    let host = placed(
      try chosenRuntime(
        arguments,
        model: verification.variantPath,
        mustBeHere: session == nil
      ),
      on: session,
      provider: options.provider
    )
    let model = try LoadedModel(path: verification.variantPath, runtime: host, options: options)
    let tapped = try? tappedModel(in: scratch.path, host, options)
    return try Certificate.compare(
      original: verification.original.graph,
      variant: variant.graph,
      probes: verification.probes,
      limits: verification.limits,
      threads: verification.threads
    ) { inputs in
      let outputs = try model.run(inputs)
      var values: [(id: ValueID, tensor: Tensor)] = []
      if let tapped {
        let made = Dictionary(try tapped.model.run(inputs).map { ($0.name, $0.tensor) }) { a, _ in a
        }
        values = tapped.values.compactMap { entry in made[entry.name].map { (entry.id, $0) } }
      }
      return (outputs, values)
    }
  }

  /// The variant with every value as an output, loaded into the runtime.
  private func tappedModel(
    in folder: String,
    _ host: any InferenceRuntime,
    _ options: SessionOptions
  ) throws -> (model: LoadedModel, values: [(id: ValueID, name: String)]) {
    var graph = variant.graph
    var values: [(id: ValueID, name: String)] = []
    var taken = Set(graph.outputs.map { graph.outputName($0) })
    taken.formUnion(graph.inputs.map { graph[$0].name })
    for node in graph.nodes {
      for id in node.outputs {
        if graph.outputs.contains(id) {
          values.append((id, graph.outputName(id)))
        } else if taken.insert(graph[id].name).inserted {
          graph.outputs.append(id)
          values.append((id, graph[id].name))
        }
      }
    }
    let suffix = verification.variantPath.split(separator: ".").last.map { String($0) } ?? "tflite"
    let path = Host.join(folder, "tapped.\(suffix)")
    try exportModel(
      graph,
      to: path,
      options: ExportOptions(description: "assay \(assayVersion) verify")
    )
    return (try LoadedModel(path: path, runtime: host, options: options), values)
  }
}
