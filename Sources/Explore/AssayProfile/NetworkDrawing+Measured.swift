import AssayBase
import AssayRecord
import AssayReport

extension NetworkDrawing {
  /// Puts the times and the placement of a record's profile on the boxes.
  ///
  /// Runtimes name operators after nodes, after values, by their number in the file, or only by kind
  /// (`AssayRecord.Record.operators`). What is found by name is put there; the rest is put in order on
  /// boxes of the same kind.
  ///
  /// - Returns: the part of the profile's time that found its box.
  @discardableResult
  public mutating func add(_ record: Record) -> Double {
    let entries = (record.operators.array ?? []).compactMap { entry -> Entry? in
      guard let ns = entry["ns"]?.double, ns.isFinite, ns >= 0 else { return nil }
      return Entry(kind: entry["kind"]?.string ?? "", node: entry["node"]?.string ?? "", ns: ns)
    }
    let total = entries.reduce(0) { $0 + $1.ns }
    guard total > 0 else { return 0 }
    let provider = record.placement["provider"]?.string ?? record.runtime
    let operators = boxes.indices.filter { boxes[$0].kind != .input && boxes[$0].kind != .output }
    var byName: [String: Int] = [:]
    for index in operators {
      byName[boxes[index].name] = index
      for port in boxes[index].outputs { byName[port.name] = index }
    }
    var placed = 0.0
    func put(_ entry: Entry, _ index: Int) {
      boxes[index].nanoseconds = (boxes[index].nanoseconds ?? 0) + entry.ns
      boxes[index].placement = entry.isDelegated ? provider : record.runtime
      placed += entry.ns
    }
    var left: [Entry] = []
    var feeder: [Int: Int] = [:]
    for edge in edges where feeder[edge.to] == nil { feeder[edge.to] = edge.from }
    for entry in entries {
      if let index = entry.names.lazy.compactMap({ byName[$0] }).first {
        put(entry, source(of: entry, index, feeder))
      } else if let number = entry.number, operators.indices.contains(number),
        entries.count <= operators.count
      {
        put(entry, operators[number])
      } else {
        left.append(entry)
      }
    }
    // A runtime's own plan keeps the order of the network; kinds keep the two in step.
    let free = operators.filter { boxes[$0].nanoseconds == nil }
    let pairs = Self.aligned(left, free.map { boxes[$0] })
    for pair in pairs { put(left[pair.0], free[pair.1]) }
    let found = Set(pairs.map(\.0))
    unplaced = left.indices.filter { !found.contains($0) }.map {
      (left[$0].kind, left[$0].node, left[$0].ns)
    }
    let name = record.runtime + (record.version.isEmpty ? "" : " \(record.version)")
    timing =
      "\(name), \(record.threads) thread\(record.threads == 1 ? "" : "s"): "
      + "\(Words.percent(placed / total, 0)) of \(Words.time(total)) placed"
    share(record.mainEnergy, total)
    return placed / total
  }

  /// Shares the energy of an inference out among the boxes by their part of the profile's time.
  ///
  /// No meter tells operators apart: what each gets is an estimate, whatever the whole is.
  private mutating func share(_ energy: Record.Energy?, _ total: Double) {
    guard let energy, case .value(let quantity) = energy.perInference, quantity.value > 0 else {
      return
    }
    for index in boxes.indices {
      boxes[index].joules = boxes[index].nanoseconds.map { quantity.value * $0 / total }
    }
    self.energy =
      "\(energyText(quantity, energy.provenance)) an inference (\(energy.driver)); what each operator "
      + "has of it is an estimate by its part of the time"
  }

  /// The box that an entry is of, where it was found under the name of one that it makes too: a runtime
  /// that fuses an activation into a convolution calls both by what leaves them.
  private func source(of entry: Entry, _ found: Int, _ feeder: [Int: Int]) -> Int {
    guard !entry.resembles(boxes[found]) else { return found }
    var index = found
    for _ in 0..<3 {
      guard let before = feeder[index] else { break }
      // A name tells more than a kind: some runtimes call a depthwise convolution Conv.
      let isConvolution =
        boxes[before].kind == .convolution && entry.kind.lowercased().contains("conv")
      if boxes[before].nanoseconds == nil,
        isConvolution || boxes[before].kind == .dense && entry.resembles(boxes[before])
      {
        return before
      }
      index = before
    }
    return found
  }

  /// The longest sequence of pairs of entries and boxes that resemble one another, in order of both.
  private static func aligned(_ entries: [Entry], _ boxes: [Box]) -> [(Int, Int)] {
    let width = boxes.count + 1
    guard entries.count * width <= 1 << 24 else { return [] }
    var best = [Int32](repeating: 0, count: (entries.count + 1) * width)
    for i in entries.indices.reversed() {
      for j in boxes.indices.reversed() {
        let here = i * width + j
        best[here] = max(best[here + width], best[here + 1])
        if entries[i].resembles(boxes[j]) {
          best[here] = max(best[here], best[here + width + 1] + 1)
        }
      }
    }
    var pairs: [(Int, Int)] = []
    var (i, j) = (0, 0)
    while i < entries.count, j < boxes.count {
      let here = i * width + j
      if entries[i].resembles(boxes[j]), best[here] == best[here + width + 1] + 1 {
        pairs.append((i, j))
        i += 1
        j += 1
      } else if best[here + width] >= best[here + 1] {
        i += 1
      } else {
        j += 1
      }
    }
    return pairs
  }

  /// One line of a profile.
  private struct Entry {
    var kind: String
    var node: String
    var ns: Double

    /// `#3` is the third place of a delegate's plan.
    var isDelegated: Bool { node.hasPrefix("#") }

    /// `0:12` is operator 12 of the first subgraph.
    var number: Int? {
      let parts = node.split(separator: ":")
      return parts.count == 2 && parts[0] == "0" ? Int(parts[1]) : nil
    }

    /// The node's name, and what it was before a runtime put something behind it.
    var names: [String] {
      var names = [node]
      for suffix in ["_nchwc", "_nchw", "_quant"] where node.hasSuffix(suffix) {
        names.append(String(node.dropLast(suffix.count)))
      }
      var parts = node.split(separator: "/", omittingEmptySubsequences: false)
      for _ in 0..<2 where parts.count > 1 {
        parts.removeLast()
        names.append(parts.joined(separator: "/"))
      }
      return names
    }

    func resembles(_ box: Box) -> Bool {
      let text = kind.lowercased().filter(\.isLetter)
      let title = box.title.lowercased()
      switch box.kind {
      case .convolution:
        let isDepthwise = ["depthwise", "dwconv", "groupconv"].contains { text.contains($0) }
        if title.contains("depthwise") || isDepthwise {
          return title.contains("depthwise") && isDepthwise
        }
        // A window of one element is a product of matrices.
        return ["conv", "fullyconnected", "gemm"].contains { text.contains($0) }
      case .dense:
        return ["fullyconnected", "gemm", "matmul", "dense"].contains { text.contains($0) }
      case .pooling:
        return ["pool", "mean", "reduce", "sum"].contains { text.contains($0) }
      default: return text.contains(title.filter(\.isLetter))
      }
    }
  }

  /// Puts what a certificate (`assay.certificate/1`) says of operators on the boxes.
  ///
  /// - Returns: how many boxes it speaks of.
  @discardableResult
  public mutating func add(certificate: JSON) -> Int {
    var byName: [String: Int] = [:]
    for index in boxes.indices where boxes[index].kind != .input && boxes[index].kind != .output {
      byName[boxes[index].name] = index
      for port in boxes[index].outputs where byName[port.name] == nil { byName[port.name] = index }
    }
    var count = 0
    for entry in certificate["operators"]?.array ?? [] {
      guard
        let index = entry["node"]?.string.flatMap({ byName[$0] })
          ?? entry["value"]?.string.flatMap({ byName[$0] })
      else { continue }
      count += 1
      let alone = entry["alone"]
      let source = alone.flatMap { $0.isNull ? nil : $0 } ?? entry
      // No ratio and no difference: identical.
      let isExact = source["snrDb"]?.isNull ?? true && source["maxAbs"]?.double == 0
      boxes[index].snrDb = source["snrDb"]?.double ?? (isExact ? 200 : nil)
      let within = alone?["within"]?.bool
      boxes[index].isSuspect = within == false
      let place = entry["snrDb"]?.double.map { "\(Words.fixed($0, 1)) dB in place" } ?? ""
      let steps = entry["maxSteps"]?.double.map { "at most \(Words.significant($0)) steps off" }
      let words = within == false ? "computes something else than the original" : nil
      boxes[index].finding = [words, place.isEmpty ? nil : place, steps].compactMap { $0 }
        .joined(separator: ", ")
      if boxes[index].finding == "" { boxes[index].finding = nil }
    }
    if count > 0 {
      let verdict = certificate["equal"]?.bool == true ? "equal" : "NOT equal"
      let original = certificate["original"]?["path"]?.string ?? "the original"
      self.certificate = "\(verdict) to \(original); \(count) operators compared"
    }
    return count
  }
}
