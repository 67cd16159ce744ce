import AssayBase

/// The schema's name and number; docs/schema/certificate-1.schema.json describes it.
public let certificateSchema = "assay.certificate/1"

extension ErrorMetrics {
  /// The metrics as members of a JSON object; a ratio without any error is `null`.
  var members: [(String, JSON)] {
    [
      ("snrDb", JSON(snrDb)), ("cosine", JSON(cosine)), ("maxAbs", JSON(maxAbs)),
      ("relative", JSON(relative)), ("maxUlp", JSON(maxUlp)),
    ]
  }
}

extension Certificate {
  /// The certificate as `assay.certificate/1`.
  ///
  /// `snrDb` is `null` where there is no error at all (its ratio is infinite; `maxAbs` is 0 then).
  public var json: JSON {
    .object([
      "schema": .string(certificateSchema),
      "equal": .bool(equal),
      "tolerance": tolerance.json,
      "trials": .array(trials.map(\.json)),
      "outputs": .array(outputs.map(\.json)),
      "coverage": .object([
        "operators": JSON(coverage.operators), "compared": JSON(coverage.compared),
        "alone": JSON(coverage.alone),
      ]),
      "firstDivergence": firstDivergence?.json ?? .null,
      "suspects": .array(suspects.map { .string($0.node) }),
      "cutters": .array(cutters.map { .string($0.node) }),
      "losses": .array(losses.map { .string($0.node) }),
      "operators": .array(operators.map(\.json)),
    ])
  }

  /// The certificate in one sentence.
  public var sentence: String {
    let figures = outputs.map { "\($0.name) \($0.metrics.ratioText)" }
    let place = firstDivergence.map { ", first at \($0.op) '\($0.node)'" } ?? ""
    return (equal ? "equal within " : "NOT equal within ") + tolerance.text + ": "
      + figures.joined(separator: ", ") + place
  }

  /// The certificate as the terminal shows it.
  public var text: String {
    var lines = ["\(equal ? "equal" : "NOT equal") within \(tolerance.text)"]
    if equal, !suspects.isEmpty {
      // A loose limit on the outputs must not hide that the network is another one.
      lines[0] =
        suspects.count == 1
        ? "outputs " + lines[0] + ", but one operator computes something else"
        : "outputs " + lines[0] + ", but \(suspects.count) operators compute something else"
    }
    for output in outputs {
      lines.append("  \(output.name): \(output.metrics.text(steps: output.maxSteps))")
      for alarm in output.alarms { lines.append("    alarm: \(alarm.text)") }
    }
    let judged = trials.filter(\.isJudged).map(\.name)
    let watched = trials.filter { !$0.isJudged }.map(\.name)
    if !trials.isEmpty {
      lines.append(
        "  inputs: \(judged.joined(separator: ", "))"
          + (watched.isEmpty ? "" : "; for NaN only: \(watched.joined(separator: ", "))")
      )
    }
    if coverage.compared > 0 {
      lines.append(
        "  operators: \(coverage.compared) of \(coverage.operators) compared"
          + (coverage.alone > 0 ? ", \(coverage.alone) of them by themselves" : "")
      )
    }
    if let firstDivergence { lines.append("  first divergence: \(firstDivergence.text)") }
    func list(_ title: String, _ all: [OperatorResult]) {
      let others = all.filter { $0.value != firstDivergence?.value }
      for other in others.prefix(3) { lines.append("  \(title): \(other.text)") }
      if others.count > 3 { lines.append("  … and \(others.count - 3) more") }
    }
    list("computes something else", suspects)
    list("range too small for these inputs", cutters)
    if !losses.isEmpty {
      lines.append("  greatest losses:")
      for loss in losses { lines.append("    -\(Words.fixed(loss.loss, 1)) dB at \(loss.text)") }
    }
    return lines.joined(separator: "\n") + "\n"
  }
}

extension ErrorMetrics {
  func text(steps: Double?) -> String {
    let unit =
      steps.map { "\(Words.significant($0)) steps" } ?? "\(Words.significant(maxUlp)) ulp"
    return "\(ratioText), cosine \(Float(cosine)), max|a-b| \(Float(maxAbs))"
      + (isIdentical ? "" : " (\(unit))") + ", relative \(Float(relative))"
  }
}

extension Certificate.Tolerance {
  /// The limit and what it bounds.
  var json: JSON {
    switch self {
    case .relative(let bound): .object(["measure": "relative", "bound": JSON(bound)])
    case .snrDb(let bound): .object(["measure": "snrDb", "bound": JSON(bound)])
    }
  }

  /// The limit in words.
  public var text: String {
    switch self {
    case .relative(let bound): "max|a-b| / max|b| <= \(bound)"
    case .snrDb(let bound): "SNR >= \(Words.fixed(bound, 1)) dB"
    }
  }
}

extension Alarm {
  var json: JSON { .object(["kind": .string(name), "text": .string(text)]) }
}

extension Certificate.Trial {
  var json: JSON {
    var members = JSON.object(["name": .string(name), "judged": .bool(isJudged)])
    for (key, value) in worst.members { members[key] = value }
    return members
  }
}

extension Certificate.Output {
  var json: JSON {
    var members = JSON.object(["name": .string(name)])
    for (key, value) in metrics.members { members[key] = value }
    if let maxSteps { members["maxSteps"] = JSON(maxSteps) }
    members["alarms"] = .array(alarms.map(\.json))
    return members
  }
}

extension OperatorResult {
  var json: JSON {
    var members = JSON.object([
      "node": .string(node), "operator": .string(op), "value": .string(value),
      "original": .string(original), "matchedBy": .string(evidence.rawValue),
    ])
    for (key, value) in metrics.members { members[key] = value }
    if let step {
      members["step"] = JSON(step)
      members["maxSteps"] = JSON(metrics.maxAbs / step)
    }
    members["lossDb"] = JSON(loss)
    members["alarms"] = .array(alarms.map(\.json))
    members["alone"] = local?.json ?? .null
    return members
  }

  /// The operator and its figures in words.
  public var text: String {
    let alone = local.map { ", by itself \($0.metrics.ratioText)" } ?? ""
    let cut = cutsOff ? ", \(Words.percent(local?.clipped ?? 0)) cut off" : ""
    return "\(op) '\(clipped(node))' (\(metrics.ratioText)\(alone)\(cut))"
  }

  /// A name that leaves room for the figures; converters join the names of all that they fused.
  private func clipped(_ name: String) -> String {
    name.count <= 64 ? name : name.prefix(30) + "…" + name.suffix(33)
  }
}

extension OperatorResult.Local {
  var json: JSON {
    var json = JSON.object([
      "within": .bool(isWithin), "tolerance": tolerance.json, "clipped": JSON(clipped),
      "cutsOff": .bool(cutsOff),
    ])
    for (key, value) in metrics.members { json[key] = value }
    json["nodes"] = .array(nodes.map { .string($0) })
    return json
  }
}
