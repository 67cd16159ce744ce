/// Finds weights in a file that only names tensors: PyTorch's, safetensors, TensorFlow's checkpoints.
struct NamedLookup {
  private let convention: WeightFile.Convention
  private let names: [String]
  private let entries: [String: Int]

  init(_ file: WeightFile) {
    convention = file.convention
    var entries: [String: Int] = [:]
    var averages: [(String, Int)] = []
    for (index, entry) in file.entries.enumerated() {
      let name = WeightNames.plain(entry.name)
      if name.hasSuffix(WeightNames.average) {
        averages.append((String(name.dropLast(WeightNames.average.count)), index))
      } else {
        entries[name] = index
      }
    }
    // The running mean of a weight is what its trainers evaluate with.
    for (name, index) in averages { entries[name] = index }
    self.entries = entries
    names = entries.keys.sorted()
  }

  /// The tensor of each weight that has one, by the weight's name.
  ///
  /// - Parameter network: the network's name, whose other names are tried.
  func sources(
    _ targets: [WeightMatch.Target],
    network: String
  ) -> [String: WeightMatch.Source] {
    let aliases = WeightAliases(network: network)
    var best: [String: WeightMatch.Source] = [:]
    for prefix in WeightNames.prefixes(of: names) {
      var found: [String: WeightMatch.Source] = [:]
      for target in targets {
        if let source = source(of: target.name, prefix, aliases) { found[target.name] = source }
      }
      if found.count > best.count { best = found }
      if best.count == targets.count { break }
    }
    return best
  }

  private func source(
    of name: String,
    _ prefix: String,
    _ aliases: WeightAliases
  ) -> WeightMatch.Source? {
    let plain = WeightNames.plain(name)
    for candidate in [WeightAliases.Candidate(name: plain)] + aliases.candidates(for: plain) {
      let (layer, part) = WeightNames.split(candidate.name)
      // The only weight of a layer may bear the layer's own name: PyTorch's parameters of a module.
      let words = WeightNames.words(for: part, convention) + (part == "weight" ? [""] : [])
      for word in words {
        let path = layer.isEmpty ? word : word.isEmpty ? layer : layer + "/" + word
        if let entry = entries[prefix + path] {
          return WeightMatch.Source(entry, part: candidate.part)
        }
      }
    }
    return nil
  }
}
