import AssayBase
import AssayTensor

extension Graph {
  /// Checks that the graph is whole: every value is made before it is read and only once, shapes are
  /// those that operators infer, constants fit their types.
  ///
  /// - Returns: every fault found (GRF01x).
  public func validate() -> [Diagnostic] {
    var faults: [Diagnostic] = []
    var known = Set(inputs)
    for (index, value) in values.enumerated() where value.constant != nil {
      known.insert(ValueID(index))
      if value.constant?.shape != value.type.shape || value.constant?.dtype != value.type.dtype {
        faults.append(
          Diagnostic("GRF010", "the constant does not fit its type", at: ["value '\(value.name)'"])
        )
      }
    }
    for node in nodes {
      let place = "node '\(node.name)' (\(node.op.name))"
      for case let input? in node.inputs where !known.contains(input) {
        faults.append(
          Diagnostic("GRF011", "'\(self[input].name)' is read before it is made", at: [place])
        )
      }
      do {
        let types = try node.op.inferTypes(node.inputs.map { $0.map { self[$0].type } })
        if types.map(\.shape) != node.outputs.map({ self[$0].type.shape }) {
          faults.append(Diagnostic("GRF012", "the shapes of its outputs are wrong", at: [place]))
        }
      } catch let fault as Diagnostic {
        faults.append(fault.inside(place))
      } catch {
        faults.append(Diagnostic("GRF013", "\(error)", at: [place]))
      }
      for output in node.outputs where !known.insert(output).inserted {
        faults.append(
          Diagnostic("GRF014", "'\(self[output].name)' is made more than once", at: [place])
        )
      }
    }
    for output in outputs where !known.contains(output) {
      faults.append(Diagnostic("GRF015", "output '\(self[output].name)' is never made"))
    }
    return faults
  }

  /// The cost of one run: the sum over all nodes.
  public var cost: Cost {
    nodes.reduce(Cost()) { sum, node in
      sum
        + node.op.cost(
          inputs: node.inputs.map { $0.map { self[$0].type } },
          outputs: node.outputs.map { self[$0].type }
        )
    }
  }

  /// The graph without values that nothing uses; IDs change, names and order stay.
  public func compacted() -> Graph {
    var result = Graph(name: name)
    var map: [ValueID: ValueID] = [:]
    func move(_ id: ValueID) -> ValueID {
      if let moved = map[id] { return moved }
      let moved = result.add(self[id])
      map[id] = moved
      return moved
    }
    result.inputs = inputs.map(move)
    for node in nodes {
      let moved = node.inputs.map { $0.map(move) }
      result.nodes.append(
        Node(name: node.name, op: node.op, inputs: moved, outputs: node.outputs.map(move))
      )
    }
    result.outputs = outputs.map(move)
    result.attachments = attachments
    for (id, name) in outputNames { if let moved = map[id] { result.outputNames[moved] = name } }
    return result
  }
}
