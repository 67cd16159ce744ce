import AssayBase

extension GraphDiff {
  /// The answer in one sentence.
  public var sentence: String {
    if isEmpty { return "no difference: \(operators.after) operators, \(comparedWeights) weights" }
    var parts: [String] = []
    if isSameStructure {
      parts.append("same structure")
    } else {
      let counts = [
        (added.count, "added"), (removed.count, "removed"), (changed.count, "changed"),
      ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
      if !counts.isEmpty { parts.append("operators: \(counts.joined(separator: ", "))") }
      if !ports.isEmpty { parts.append("\(ports.count) inputs or outputs differ") }
    }
    let numbers = weights.filter { $0.changed > 0 }
    if numbers.isEmpty {
      parts.append(
        weights.isEmpty
          ? "all \(comparedWeights) weights equal" : "\(weights.count) weights in another type"
      )
    } else {
      let worst = numbers.map(\.metrics.maxAbs).max() ?? 0
      let ratio = numbers.map(\.metrics.relative).max() ?? 0
      parts.append(
        "\(numbers.count) of \(comparedWeights) weights differ by at most "
          + "\(Words.significant(worst)) (\(Words.significant(ratio)) of the largest)"
      )
    }
    return parts.joined(separator: "; ")
  }

  /// The difference as the terminal shows it, the answer first.
  ///
  /// - Parameter limit: lines of each part at most; what is left out is counted.
  public func text(limit: Int = 40) -> String {
    var lines = [sentence]
    func part(_ title: String, _ items: [String]) {
      guard !items.isEmpty else { return }
      lines += ["", title]
      lines += items.prefix(limit).map { "  \($0)" }
      if items.count > limit { lines.append("  … and \(items.count - limit) more") }
    }
    part("inputs and outputs", ports.map { "\($0.what): \($0.before) -> \($0.after)" })
    part("removed", removed.map { "- \($0.op) '\($0.node)' \($0.result)" })
    part("added", added.map { "+ \($0.op) '\($0.node)' \($0.result)" })
    part(
      "changed",
      changed.map { item in
        let changes = item.changes.map { "\($0.what) \($0.before) -> \($0.after)" }
        return "\(item.op) '\(item.node)': \(changes.joined(separator: ", "))"
      }
    )
    part("weights, largest difference first", ordered.map(\.text))
    return lines.joined(separator: "\n") + "\n"
  }

  /// The weights, largest relative difference first.
  private var ordered: [Weights] {
    weights.enumerated().sorted { a, b in
      let (x, y) = (a.element.metrics.relative, b.element.metrics.relative)
      return x == y ? a.offset < b.offset : x > y
    }.map(\.element)
  }

  /// The difference as `assay.diff/1`.
  public var json: JSON {
    .object([
      "schema": "assay.diff/1", "equal": .bool(isEmpty), "sameStructure": .bool(isSameStructure),
      "operators": .object(["before": JSON(operators.before), "after": JSON(operators.after)]),
      "ports": .array(ports.map(\.json)),
      "removed": .array(removed.map(\.json)),
      "added": .array(added.map(\.json)),
      "changed": .array(
        changed.map {
          .object([
            "node": .string($0.node), "operator": .string($0.op),
            "changes": .array($0.changes.map(\.json)),
          ])
        }
      ),
      "comparedWeights": JSON(comparedWeights),
      "weights": .array(weights.map(\.json)),
    ])
  }
}

extension GraphDiff.Change {
  var json: JSON {
    .object(["what": .string(what), "before": .string(before), "after": .string(after)])
  }
}

extension GraphDiff.Lone {
  var json: JSON {
    .object(["node": .string(node), "operator": .string(op), "result": .string(result)])
  }
}

extension GraphDiff.Weights {
  var json: JSON {
    var members = JSON.object([
      "node": .string(node), "operator": .string(op), "name": .string(name), "slot": JSON(slot),
      "count": JSON(count), "changed": JSON(changed),
    ])
    for (key, value) in metrics.members { members[key] = value }
    if let steps { members["maxSteps"] = JSON(steps) }
    if let types { members["type"] = types.json }
    return members
  }

  /// The constant and its figures in words.
  var text: String {
    var parts = ["\(op) '\(node)' input \(slot)"]
    if let types { parts.append("\(types.before) -> \(types.after)") }
    if changed > 0, metrics.count == 0 {
      parts.append("not comparable")
    } else if changed > 0 {
      let unit = steps.map { ", \(Words.significant($0)) steps" } ?? ""
      parts.append(
        "\(changed) of \(count) elements, max|a-b| \(Float(metrics.maxAbs))\(unit), relative "
          + "\(Float(metrics.relative)), \(metrics.ratioText)"
      )
    } else {
      parts.append("the same numbers")
    }
    return parts.joined(separator: ": ")
  }
}
