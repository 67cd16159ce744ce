import AssayCatalog
import AssayGraph

// Reads networks in any format and says what they cost.
for path in CommandLine.arguments.dropFirst() {
  do {
    let graph = try importModel(path: path).graph
    print("\(path): \(graph.parameterCount) parameters, \(graph.cost.macs) multiply-accumulates")
  } catch {
    print(error)
  }
}
