import AssayBase
import AssayGraph
import AssayModels
import AssayTensor

extension Network {
  /// The network with the weights that were found; others stay as they are.
  public func with(_ match: WeightMatch) -> Network {
    var network = self
    var graph = network.graph
    for index in graph.values.indices {
      let id = ValueID(index)
      guard let tensor = match.tensors[graph[id].name] else { continue }
      graph[id].constant = tensor
      graph[id].type = tensor.type
    }
    network.graph = graph
    return network
  }
}

extension WeightMatch {
  /// What does not fit, for people: each fault with the names it is about.
  ///
  /// - Parameter allowsMissing: whether weights that the file does not have may keep what they are.
  public func findings(allowsMissing: Bool) -> [Diagnostic] {
    var findings: [Diagnostic] = []
    if tensors.isEmpty {
      findings.append(
        Diagnostic(
          "WGT010",
          "no tensor of the file is a weight of the network",
          remedy:
            "the network wants \(WeightMatch.list(missing + misfits.map(\.name))); the file has "
            + WeightMatch.list(unexpected + misfits.map(\.source))
        )
      )
      return findings
    }
    if !misfits.isEmpty {
      let lines = misfits.prefix(8).map {
        "\($0.name) is [\($0.wanted)], in the file [\($0.found.map { "\($0)" } ?? "?")]"
      }
      findings.append(
        Diagnostic(
          "WGT011",
          "\(WeightMatch.counted(misfits.count, "weight")) of other extents: "
            + lines.joined(separator: "; ") + (misfits.count > 8 ? "; …" : ""),
          remedy: "build the network as the file's was: its --classes, --alpha and --size"
        )
      )
    }
    if !missing.isEmpty {
      findings.append(
        Diagnostic(
          "WGT012",
          "the file does not have \(WeightMatch.counted(missing.count, "weight")) of the network: "
            + WeightMatch.list(missing),
          remedy: allowsMissing
            ? nil : "--no-top leaves the last layers out; --partial keeps random ones there",
          severity: allowsMissing ? .warning : .error
        )
      )
    }
    if !unexpected.isEmpty {
      findings.append(
        Diagnostic(
          "WGT013",
          "the network has no place for \(WeightMatch.counted(unexpected.count, "tensor")) of the file: "
            + WeightMatch.list(unexpected),
          severity: .warning
        )
      )
    }
    if !broken.isEmpty {
      findings.append(
        Diagnostic(
          "WGT014",
          "\(WeightMatch.counted(broken.count, "tensor")) with elements that are no numbers: "
            + WeightMatch.list(broken),
          remedy: "the training diverged or the file is damaged"
        )
      )
    }
    if isByOrder {
      findings.append(
        Diagnostic(
          "WGT015",
          "the file does not tell the layers' names: they were matched by order",
          remedy: "check a known picture, or save the weights again with a current Keras",
          severity: .warning
        )
      )
    }
    return findings
  }

  private static func counted(_ count: Int, _ word: String) -> String {
    "\(count) \(word)\(count == 1 ? "" : "s")"
  }

  private static func list(_ names: [String]) -> String {
    names.prefix(6).joined(separator: ", ")
      + (names.count > 6 ? " and \(names.count - 6) more" : "")
  }
}
