import AssayBase

extension ErrorMetrics {
  /// The metrics as members of a JSON object; a ratio without any error is `null`.
  var members: [(String, JSON)] {
    [
      ("snrDb", JSON(snrDb)), ("cosine", JSON(cosine)), ("maxAbs", JSON(maxAbs)),
      ("relative", JSON(relative)),
    ]
  }
}

extension Certificate {
  /// The certificate as `{equal, tolerance, outputs, firstDivergence, losses}`.
  ///
  /// `snrDb` is `null` where there is no error at all (its ratio is infinite; `maxAbs` is 0 then).
  public var json: JSON {
    .object([
      "equal": .bool(equal),
      "tolerance": tolerance.json,
      "outputs": .array(outputs.map(\.json)),
      "firstDivergence": firstDivergence?.json ?? .null,
      "losses": .array(losses.map(\.json)),
    ])
  }

  /// The certificate as the terminal shows it.
  public var text: String {
    var lines = [
      "\(equal ? "equal" : "NOT equal") within \(tolerance.text)"
    ]
    for output in outputs {
      lines.append(
        "  \(output.name): \(output.metrics.ratioText), cosine \(Float(output.metrics.cosine)), "
          + "max|a-b| \(Float(output.metrics.maxAbs)), relative \(Float(output.metrics.relative))"
      )
      for alarm in output.alarms { lines.append("    alarm: \(alarm.text)") }
    }
    if let firstDivergence { lines.append("  first divergence: \(firstDivergence.text)") }
    if !losses.isEmpty {
      lines.append("  greatest losses:")
      for loss in losses { lines.append("    -\(tenths(loss.loss)) dB at \(loss.text)") }
    }
    return lines.joined(separator: "\n") + "\n"
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
    case .snrDb(let bound): "SNR >= \(tenths(bound)) dB"
    }
  }
}

extension Certificate.Output {
  var json: JSON {
    var members = JSON.object(["name": .string(name)])
    for (key, value) in metrics.members { members[key] = value }
    members["alarms"] = .array(
      alarms.map { .object(["kind": .string($0.name), "text": .string($0.text)]) }
    )
    return members
  }
}

extension Divergence {
  var json: JSON {
    var members = JSON.object([
      "value": .string(value), "node": .string(node), "operator": .string(op),
    ])
    for (key, value) in metrics.members { members[key] = value }
    members["lossDb"] = JSON(loss)
    return members
  }

  /// The operator and its figures in words.
  public var text: String {
    "\(op) '\(node)' (value '\(value)', \(metrics.ratioText))"
  }
}
