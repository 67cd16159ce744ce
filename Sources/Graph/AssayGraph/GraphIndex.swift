/// Who makes and who reads each value of a graph; made once, looked up often.
public struct GraphIndex: Sendable {
  /// The graph that this is the index of.
  public let graph: Graph
  private let makers: [Int?]
  private let readersOf: [[Int]]
  private let outputs: Set<ValueID>

  /// The index of `graph`.
  public init(_ graph: Graph) {
    self.graph = graph
    var makers = [Int?](repeating: nil, count: graph.values.count)
    var readers = [[Int]](repeating: [], count: graph.values.count)
    for (index, node) in graph.nodes.enumerated() {
      for output in node.outputs { makers[output.index] = index }
      for case let input? in node.inputs { readers[input.index].append(index) }
    }
    self.makers = makers
    readersOf = readers
    outputs = Set(graph.outputs)
  }

  /// The node (by index) that makes a value; `nil` for inputs and Constants.
  public func producer(of id: ValueID) -> Int? { makers[id.index] }

  /// The nodes (by index) that read a value; one that reads it twice stands here twice.
  public func readers(of id: ValueID) -> [Int] { readersOf[id.index] }

  /// Whether the user gets this value.
  public func isOutput(_ id: ValueID) -> Bool { outputs.contains(id) }

  /// Whether the user feeds this value.
  public func isInput(_ id: ValueID) -> Bool { graph.inputs.contains(id) }

  /// The only node that reads a value, when it is read once and does not leave the graph.
  public func soleReader(of id: ValueID) -> Int? {
    readers(of: id).count == 1 && !isOutput(id) ? readers(of: id)[0] : nil
  }
}
