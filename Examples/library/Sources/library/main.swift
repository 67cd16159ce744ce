import AssayCatalog

// Reads a network in any format, says what it costs, and writes it as TFLite.
for path in CommandLine.arguments.dropFirst() {
  do {
    let model = try importModel(path: path)
    print("\(path): \(model.graph.parameterCount) parameters, \(model.graph.cost)")
    try exportModel(model.graph, to: path + ".tflite", description: "Examples/library")
  } catch {
    print(error)
  }
}
