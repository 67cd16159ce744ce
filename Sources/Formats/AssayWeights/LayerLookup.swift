import AssayModels
import AssayTensor

/// Finds weights in a file that lists them by layer, as Keras does: by the layer's name, then by the
/// weight's place in the layer.
struct LayerLookup {
  private(set) var sources: [String: WeightMatch.Source] = [:]
  private(set) var isByOrder = false

  /// The layers of a network, each with its weights in order.
  private struct Wanted {
    var name: String
    /// Its class, as Keras counts layers.
    var stem: String
    var targets: [WeightMatch.Target]
  }

  /// - Parameter kinds: the classes of the network's layers, by their names.
  init(_ file: WeightFile, _ targets: [WeightMatch.Target], kinds: [String: String]) {
    var wanted: [Wanted] = []
    var places: [String: Int] = [:]
    for target in targets {
      let layer = WeightNames.split(target.name).layer
      if let place = places[layer] {
        wanted[place].targets.append(target)
      } else {
        places[layer] = wanted.count
        let stem = NetworkBuilder.snake(kinds[layer] ?? "")
        wanted.append(Wanted(name: layer, stem: stem, targets: [target]))
      }
    }
    let pairs = LayerLookup.pairs(wanted, file)
    isByOrder = pairs.isByOrder
    for (place, layer) in pairs.pairs {
      // Keras's own order is what training changes first; the definitions keep it.
      for (target, entry) in zip(wanted[place].targets, file.layers[layer].entries) {
        sources[target.name] = WeightMatch.Source(entry)
      }
    }
  }

  private static func pairs(
    _ wanted: [Wanted],
    _ file: WeightFile
  ) -> (pairs: [(Int, Int)], isByOrder: Bool) {
    var byName: [String: Int] = [:]
    for (index, layer) in file.layers.enumerated() where !layer.isNumbered {
      byName[layer.name] = index
      // A layer within a layer or a model: its own name does too.
      let last = WeightNames.split(layer.name).part
      if byName[last] == nil { byName[last] = index }
    }
    var pairs: [(Int, Int)] = []
    var open: [Int] = []
    let shifted = automatic(wanted, file, &pairs)
    for (place, layer) in wanted.enumerated() where !shifted.contains(place) {
      let last = WeightNames.split(layer.name).part
      if let index = byName[layer.name] ?? byName[last] {
        pairs.append((place, index))
      } else {
        open.append(place)
      }
    }
    if !pairs.isEmpty { return (pairs, false) }
    return (byOrder(open, wanted, file), true)
  }

  /// Layers that Keras named by itself, such as `conv2d_7`: the numbers go on from one network of a
  /// program to the next, so that only their order tells.
  private static func automatic(
    _ wanted: [Wanted],
    _ file: WeightFile,
    _ pairs: inout [(Int, Int)]
  ) -> Set<Int> {
    var ours: [String: [(number: Int, place: Int)]] = [:]
    for (place, layer) in wanted.enumerated() {
      guard let name = WeightNames.automatic(layer.name) else { continue }
      ours[name.stem, default: []].append((name.number, place))
    }
    var theirs: [String: [(number: Int, place: Int)]] = [:]
    for (place, layer) in file.layers.enumerated() where !layer.isNumbered {
      guard let name = WeightNames.automatic(layer.name) else { continue }
      theirs[name.stem, default: []].append((name.number, place))
    }
    var matched: Set<Int> = []
    for (stem, mine) in ours {
      guard let other = theirs[stem], other.count == mine.count else { continue }
      for (a, b) in zip(
        mine.sorted { $0.number < $1.number },
        other.sorted { $0.number < $1.number }
      ) {
        pairs.append((a.place, b.place))
        matched.insert(a.place)
      }
    }
    return matched
  }

  /// The layers one after the other, where a file tells no names: of each class of its own in a file of
  /// Keras 3, all in one row otherwise.
  private static func byOrder(
    _ open: [Int],
    _ wanted: [Wanted],
    _ file: WeightFile
  ) -> [(Int, Int)] {
    if file.layers.allSatisfy(\.isNumbered) {
      var pairs: [(Int, Int)] = []
      var queues: [String: [Int]] = [:]
      for place in open.reversed() { queues[wanted[place].stem, default: []].append(place) }
      for (index, layer) in file.layers.enumerated() {
        let stem = WeightNames.unnumbered(layer.name)
        guard let place = queues[stem]?.popLast() else { continue }
        pairs.append((place, index))
      }
      return pairs
    }
    guard open.count == file.layers.count else { return [] }
    return Array(zip(open, file.layers.indices))
  }
}
