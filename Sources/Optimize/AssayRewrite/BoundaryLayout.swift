import AssayGraph
import AssayTensor

/// The order of the axes of images where they enter and leave a network.
public enum BoundaryLayout: String, Sendable, CaseIterable {
  /// As the file has it.
  case keep
  /// Channels last.
  case nhwc
  /// Channels first.
  case nchw
}

extension Graph {
  /// The network with its images entering and leaving in `layout`; Transposes stand where that is
  /// another one than the network's, until the canonical form takes them in.
  ///
  /// An input of four axes is channels first where the network only ever turns it to channels last, an
  /// output where it is turned to channels first last of all; all others are channels last. Names and
  /// order stay, extents move with their axes.
  public func withImages(_ layout: BoundaryLayout) -> Graph {
    guard layout != .keep else { return self }
    var result = self
    let index = GraphIndex(self)
    let (toLast, toFirst) = ([0, 2, 3, 1], [0, 3, 1, 2])
    // From what enters to what the network reads, and from what it makes to what leaves.
    let inward = layout == .nhwc ? toFirst : toLast
    let outward = layout == .nhwc ? toLast : toFirst
    var first: [Node] = []
    for (place, id) in inputs.enumerated() where isImage(id) {
      let readers = index.readers(of: id).map { nodes[$0].op as? Transpose }
      let isFirst = !readers.isEmpty && readers.allSatisfy { $0?.permutation == toLast }
      guard isFirst == (layout == .nhwc), !outputs.contains(id) else { continue }
      var type = self[id].type
      type.shape = Shape(outward.map { self[id].type.shape[$0] })
      let input = result.add(Value(name: self[id].name, type: type))
      result[id].name += "/turned"
      result.inputs[place] = input
      first.append(
        Node(name: result[id].name, op: Transpose(inward), inputs: [input], outputs: [id])
      )
    }
    var last: [Node] = []
    for (place, id) in outputs.enumerated() where isImage(id) && !inputs.contains(id) {
      let maker = index.producer(of: id).flatMap { nodes[$0].op as? Transpose }
      let isFirst = maker?.permutation == toFirst
      guard isFirst == (layout == .nhwc), result[id].constant == nil else { continue }
      var type = self[id].type
      type.shape = Shape(outward.map { self[id].type.shape[$0] })
      let name = outputName(id)
      let output = result.add(Value(name: name, type: type))
      result[id].name += "/turned"
      result.outputNames[id] = nil
      result.outputs[place] = output
      last.append(
        Node(name: "\(name)/layout", op: Transpose(outward), inputs: [id], outputs: [output])
      )
    }
    guard !first.isEmpty || !last.isEmpty else { return self }
    result.nodes = first + result.nodes + last
    return result
  }

  private func isImage(_ id: ValueID) -> Bool {
    self[id].type.shape.rank == 4 && self[id].type.shape.isStatic
  }
}
