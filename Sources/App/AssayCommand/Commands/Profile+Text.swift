import AssayBase
import AssayMachine
import AssayProfile
import AssayRecord
import AssayReport

/// What `profile` says: operators under the machine's roofs, and what the sums do not explain.
struct OperatorProfileResult {
  let record: Record
  let drawing: RooflineDrawing
  /// The limits of the machine that measured; `nil` on a device, whose limits nobody measured.
  let roofline: Roofline?
  /// What the profile tells of that is no operator of the network.
  let unplaced: [(kind: String, node: String, nanoseconds: Double)]
  /// Multiply-adds of one inference.
  let macs: Int

  init(_ record: Record, _ network: NetworkDrawing, _ roofline: Roofline?, _ macs: Int) {
    self.record = record
    self.roofline = roofline
    self.macs = macs
    unplaced = network.unplaced
    let limits = roofline?.limits(threads: record.threads)
    drawing = RooflineDrawing(
      title: "\(network.title) on \(record.runtime) \(record.version), \(record.threads) "
        + "thread\(record.threads == 1 ? "" : "s")"
        + (record.device == "local" ? "" : ", \(record.device)"),
      points: network.points,
      roofs: RooflineDrawing.Roofs(
        multiplyAdds32: limits?.multiplyAdds32 ?? 0,
        multiplyAdds8: limits?.multiplyAdds8,
        memoryBytes: limits?.memoryBytes ?? 1,
        cacheBytes: limits?.cacheBytes ?? 1,
        source: roofline.map { OperatorProfileResult.source($0, limits?.threads ?? 1) } ?? ""
      )
    )
  }

  /// Where the limits are from, in words.
  private static func source(_ roofline: Roofline, _ threads: Int) -> String {
    let day = Words.moment(roofline.measuredAt).prefix(10)
    let instructions = roofline.instructions.joined(separator: " and ")
    return "measured here on \(day) by short loops (\(instructions)) with "
      + "\(threads) thread\(threads == 1 ? "" : "s")"
      + (roofline.isDisturbed
        ? ", while others kept \(Words.significant(roofline.othersBusy ?? 0, 2)) processors busy: "
          + "they may be too low, and are measured again next time" : "")
  }

  /// Sum of all times that the profiler told, nanoseconds.
  var profiled: Double {
    drawing.points.reduce(0) { $0 + $1.nanoseconds }
      + unplaced.reduce(0) { $0 + $1.nanoseconds }
  }

  private var isInteger: Bool {
    let time = drawing.points.filter(\.isInteger).reduce(0) { $0 + $1.nanoseconds }
    return time * 2 > profiled
  }

  /// Where the time goes, and how good it is, in one sentence.
  var answer: String {
    let sorted = drawing.points.sorted { $0.nanoseconds > $1.nanoseconds }
    var sum = 0.0
    var count = 0
    while sum < profiled / 2, count < sorted.count {
      sum += sorted[count].nanoseconds
      count += 1
    }
    let peak = drawing.roofs.peak(isInteger: isInteger)
    let median = record.summary.p50.value.map { Double($0.value) } ?? profiled
    let rate = median > 0 ? Double(macs) / median * 1e9 : 0
    let part = peak > 0 ? Words.percent(rate / peak, 0) : "-"
    let begin =
      "\(count) of \(sorted.count) operators take half of the time; the network computes "
      + "\(Words.significant(rate / 1e9)) GMAC/s"
    guard roofline != nil else { return begin }
    return begin + ", \(part) of what this machine can do"
      + (isInteger ? " on 8-bit integers" : "")
  }

  /// What the clock, the profiler and the counters say of one inference, and what lies between.
  var facts: [String] {
    let median = record.summary.p50.value.map { Double($0.value) }
    var facts: [String] = []
    if let median {
      // What the profiler told is part of a run that it slowed down; without it that run's time is not
      // known, and the undisturbed one stands for it.
      let wall = record.environment["profiledNs"]?.double ?? median
      let cost = wall / median - 1
      var fact = "one inference: \(Words.time(median)) by the clock"
      if abs(cost) >= 0.005 {
        fact +=
          ", \(Words.time(wall)) with the profiler on "
          + "(\(Words.percent(abs(cost), 0)) \(cost < 0 ? "less" : "more"))"
      }
      let rest = wall - profiled
      fact += "; the operators add up to \(Words.time(profiled)), "
      fact +=
        rest >= 0
        ? "\(Words.time(rest)) (\(Words.percent(rest / wall, 0))) are the call itself and what the "
          + "profiler does not see"
        : "\(Words.time(-rest)) more than that: they overlap, or their runs were disturbed"
      facts.append(fact)
      if profiled < median / 2 {
        facts.append("the runtime's profiler is too coarse for this model: it saw less than half")
      }
    }
    let strange = unplaced.reduce(0) { $0 + $1.nanoseconds }
    if strange > 0 {
      let names = Set(unplaced.map(\.kind)).sorted().prefix(4).joined(separator: ", ")
      facts.append(
        "\(Words.time(strange)) (\(Words.percent(strange / profiled))) belong to no operator of the "
          + "network: \(names)"
      )
    }
    if let counters = record.counters {
      let each = Double(counters.processor) / Double(counters.runs)
      facts.append(
        "the processors worked \(Words.time(each)) for each inference, "
          + "\(Words.fixed(counters.utilization, 2)) of them at once"
          + (counters.events["cycles"]?.missingReason.map { "; cycles are not counted: \($0)" }
            ?? "")
      )
    }
    return facts
  }

  func text(top: Int) -> String {
    let roofs = drawing.roofs
    var text = "\(record.verdict.rawValue): \(drawing.title)\n\(answer)\n\n"
    text += facts.map { $0 + "\n" }.joined() + "\n"
    let sorted = drawing.points.sorted { $0.nanoseconds > $1.nanoseconds }
    let rows = sorted.prefix(top).map { point in
      let judgement = roofline == nil ? nil : drawing.judged(point)
      let cells = [
        point.kind, shortName(point.name), Text.time(point.nanoseconds),
        Words.percent(point.nanoseconds / max(profiled, 1)), Text.count(point.macs),
        Text.bytes(point.bytes), point.macs > 0 ? Text.significant(point.intensity) : "",
        point.macs > 0 ? Text.significant(point.rate / 1e9) : "",
      ]
      guard roofline != nil else { return cells }
      return cells + [
        judgement.map { Words.percent($0.share, 0) } ?? "", judgement?.limit.rawValue ?? "",
      ]
    }
    let heads = ["operator", "node", "time", "share", "MAC", "bytes", "MAC/B", "GMAC/s"]
    text += Text.table(
      heads + (roofline == nil ? [] : ["of limit", "limit"]),
      Array(rows),
      numeric: [2, 3, 4, 5, 6, 7, 8]
    )
    if sorted.count > top {
      let rest = sorted.dropFirst(top).reduce(0) { $0 + $1.nanoseconds }
      text += "\(sorted.count - top) more take \(Text.time(rest))\n"
    }
    text +=
      roofline == nil
      ? "\nwhat \(record.device) can do at most was not measured: shares of its limits are not told\n"
      : "\nlimits: float32 \(Words.significant(roofs.multiplyAdds32 / 1e9)) GMAC/s, "
        + (roofs.multiplyAdds8.map { "int8 \(Words.significant($0 / 1e9)) GMAC/s, " } ?? "")
        + "memory \(Words.significant(roofs.memoryBytes / 1e9)) GB/s, "
        + "cache \(Words.significant(roofs.cacheBytes / 1e9)) GB/s; \(roofs.source)\n"
    for reason in record.reasons { text += "\(reason)\n" }
    return text
  }

  /// A node's name as a table can hold it: exporters join the names of all that they fused.
  private func shortName(_ name: String) -> String {
    let first = String(name.split(separator: ";").first ?? "")
    return first.count <= 48 ? first : "…" + first.suffix(47)
  }

  var json: JSON {
    .object([
      "schema": "assay.profile/1", "answer": .string(answer),
      "facts": .array(facts.map { .string($0) }), "profiledNs": JSON(profiled),
      "macs": JSON(macs),
      "operators": .array(
        drawing.points.map { point in
          let judgement = roofline == nil ? nil : drawing.judged(point)
          return .object([
            "name": .string(point.name), "operator": .string(point.kind),
            "ns": JSON(point.nanoseconds), "macs": JSON(point.macs), "bytes": JSON(point.bytes),
            "macsPerByte": JSON(point.intensity), "macsPerSecond": JSON(point.rate),
            "limit": judgement.map { .string($0.limit.rawValue) } ?? .null,
            "shareOfLimit": judgement.map { JSON($0.share) } ?? .null,
            "placement": .string(point.placement),
          ])
        }
      ),
      "unplaced": .array(
        unplaced.map {
          .object([
            "kind": .string($0.kind), "node": .string($0.node), "ns": JSON($0.nanoseconds),
          ])
        }
      ),
      "roofline": roofline?.json ?? .null, "record": record.json,
    ])
  }
}
