import AssayBase
import AssayHost
import FormatTFLite
import VendorEdgeTPU

/// What `assay edgetpu` prints.
enum EdgeTPUText {
  // MARK: Predictions

  static func prediction(_ path: String, _ prediction: EdgeTPUPrediction) -> String {
    let total = prediction.fates.count
    var text = "\(path): a prediction, the compiler was not asked\n"
    if let refusal = prediction.refusal {
      text += "edgetpu_compiler would refuse it: \(refusal.summary)\n  -> \(refusal.mend)\n"
      return text
    }
    let parts = prediction.partCount == 1 ? "one part" : "\(prediction.partCount) parts"
    text +=
      "\(prediction.mappedCount) of \(total) operators would run on the Edge TPU, in \(parts); "
    text += "\(total - prediction.mappedCount) on the processor\n"
    let bytes = prediction.parameterBytes
    let room = EdgeTPUPrediction.chipBytes
    text += "parameters on the chip: \(Text.bytes(bytes))"
    text +=
      bytes > room
      ? ", more than its memory of \(Text.bytes(room))\n"
      : ", of \(Text.bytes(room)) that instructions and activations share\n"
    for note in prediction.notes {
      text += "\(note.severity.rawValue)[\(note.code)]: \(note.summary)\n"
      if let remedy = note.remedy { text += "  -> \(remedy)\n" }
    }
    return text + table(prediction.rows) + mends(prediction.rows)
  }

  /// Rows by kind and place.
  private static func table(_ rows: [PlacementRow]) -> String {
    var merged: [(kind: String, reason: PlacementReason?, count: Int)] = []
    for row in rows {
      let place = merged.firstIndex {
        $0.kind == row.kind && $0.reason?.code == row.reason?.code
          && $0.reason?.status == row.reason?.status
      }
      if let place {
        merged[place].count += row.count
      } else {
        merged.append((row.kind, row.reason, row.count))
      }
    }
    return "\n"
      + Text.table(
        ["operator", "count", "runs on", "why not"],
        merged.map { row in
          [
            row.kind, "\(row.count)", row.reason == nil ? "Edge TPU" : "processor",
            row.reason.map { "[\($0.code)] \(shortened($0.summary))" } ?? "",
          ]
        },
        numeric: [1]
      )
  }

  private static func shortened(_ text: String) -> String {
    text.count <= 90 ? text : String(text.prefix(87)) + "..."
  }

  /// Each mend once, with the operators that it helps.
  private static func mends(_ rows: [PlacementRow]) -> String {
    var order: [String] = []
    var kinds: [String: [String]] = [:]
    for row in rows {
      guard let reason = row.reason else { continue }
      if kinds[reason.mend] == nil { order.append(reason.mend) }
      if kinds[reason.mend]?.contains(row.kind) != true {
        kinds[reason.mend, default: []].append(row.kind)
      }
    }
    guard !order.isEmpty else { return "" }
    return "\nwhat to do\n"
      + order.map { mend in
        "  \((kinds[mend] ?? []).joined(separator: ", "))\n    -> \(mend)\n"
      }.joined()
  }

  static func comparison(_ twin: TwinComparison) -> String {
    var text = "\nagainst the compiled file: "
    text +=
      twin.disagreements.isEmpty
      ? "every operator's fate is as predicted"
      : "\(twin.disagreements.count) operators' fates are not as predicted"
    text += "; parameters \(twin.predictedBytes) bytes predicted, \(twin.compiledBytes) compiled"
    if let deviation = twin.deviation { text += " (\(signed(deviation)))" }
    return text + "\n" + twin.disagreements.map { "  \($0)\n" }.joined()
  }

  private static func signed(_ part: Double) -> String {
    (part > 0 ? "+" : "") + Words.percent(part, 2)
  }

  static func json(_ twin: TwinComparison) -> JSON {
    var object = JSON.object([
      "agrees": .bool(twin.disagreements.isEmpty),
      "disagreements": .array(twin.disagreements.map { .string($0) }),
      "predictedBytes": JSON(twin.predictedBytes), "compiledBytes": JSON(twin.compiledBytes),
    ])
    object["deviation"] = twin.deviation.map { JSON($0) }
    return object
  }

  // MARK: The compiler

  static func result(_ result: EdgeTPUCompiler.Result) -> String {
    var text = ""
    if let report = result.report { text += self.report(report) }
    if !result.failedParts.isEmpty {
      text += "\(result.failedParts.count) larger parts did not compile\n"
    }
    if let fault = result.fault { return text + "\(fault)\n" }
    return text + result.files.map { "written: \($0)\n" }.joined()
  }

  static func json(_ result: EdgeTPUCompiler.Result) -> JSON {
    var object = result.report?.json ?? .emptyObject
    object["compiled"] = .bool(result.isSuccess)
    object["end"] = .string(result.end?.text ?? "time limit")
    object["files"] = .array(result.files.map { .string($0) })
    if !result.failedParts.isEmpty {
      object["failedParts"] = .array(result.failedParts.map { .string($0) })
    }
    object["fault"] = result.fault?.json
    return object
  }

  static func report(_ report: CompilerReport) -> String {
    var text = "edgetpu_compiler \(report.version ?? "of unknown version"): "
    switch report.isSuccess {
    case true?: text += "compiled\n"
    case false?: text += "failed" + (report.failure.map { ", \($0)" } ?? "") + "\n"
    case nil: text += "a log of operators\n"
    }
    for complaint in report.complaints { text += "  \(Words.printable(complaint))\n" }
    if let advice = report.advice { text += "  -> \(advice)\n" }
    for model in report.models { text += describe(model) }
    return text
  }

  private static func describe(_ model: CompilerReport.Model) -> String {
    var text = ""
    func size(_ size: CompilerReport.Size) -> String { "\(Words.short(size.value)) \(size.unit)" }
    if let input = model.input { text += "model   \(Words.printable(input))\n" }
    if let cached = model.cached {
      text += "parameters on the chip \(size(cached))"
      if let remaining = model.remaining { text += ", room for \(size(remaining)) more" }
      if let streamed = model.streamed { text += ", streamed \(size(streamed))" }
      text += "\n"
    }
    if let total = model.operations {
      text += "\(model.mapped ?? (model.unmapped == nil ? total : 0)) of \(total) operators mapped"
      if let parts = model.subgraphs { text += " in \(parts) part\(parts == 1 ? "" : "s")" }
      text += "\n"
    }
    if !model.rows.isEmpty {
      text += table(model.placement) + mends(model.placement)
    }
    if model.isPartialTable { text += "all other operators are mapped\n" }
    return text
  }

  // MARK: Compiled files

  static func description(_ path: String, _ byteCount: Int, _ packages: [EdgeTPUPackage]) -> String
  {
    var text = "\(path): \(Text.bytes(byteCount)), compiled for the Edge TPU"
    text += packages.count == 1 ? "\n" : " in \(packages.count) parts\n"
    for package in packages {
      text +=
        "\ncompiler \(package.compiler ?? "does not tell its version"), needs runtime version "
      text += "\(package.minimumRuntime)\n"
      text +=
        "parameters: \(package.cachedBytes) bytes cached on the chip, \(package.streamedBytes) "
      text += "streamed at each run\n"
      if let transfers = package.transfers {
        text += "one run sends \(transfers.toChip) bytes to the chip and \(transfers.fromChip) back"
        text += transfers.isWhole ? ", in \(transfers.count) planned transfers\n" : "\n"
      }
      if let cycles = package.estimatedCycles {
        text += "the compiler's estimate: \(cycles) cycles a run, "
        text += "\(Text.time(Double(cycles) * 4)) at the standard clock, "
        text += "\(Text.time(Double(cycles) * 2)) at the maximum, without the way to the chip\n"
      }
      text += "\n"
      text += Text.table(
        ["executable", "parameters", "instructions", "scratch", "cycles", "in", "out"],
        package.executables.map { executable in
          [
            executable.role?.text ?? "of unknown role", "\(executable.parameterBytes)",
            "\(executable.instructionBytes)", "\(executable.scratchBytes)",
            executable.estimatedCycles > 0 ? "\(executable.estimatedCycles)" : "-",
            shapes(executable.inputs), shapes(executable.outputs),
          ]
        },
        numeric: [1, 2, 3, 4]
      )
    }
    return text
  }

  private static func shapes(_ layers: [EdgeTPUExecutable.Layer]) -> String {
    layers.map { $0.extents.map { "\($0)" }.joined(separator: "x") }.joined(separator: " ")
  }

  static func json(_ path: String, _ packages: [EdgeTPUPackage]) -> JSON {
    .object([
      "schema": "assay.edgetpu/1", "model": .string(path),
      "packages": .array(packages.map { json($0) }),
    ])
  }

  private static func json(_ package: EdgeTPUPackage) -> JSON {
    var object = JSON.object([
      "bytes": JSON(package.byteCount), "minimumRuntime": JSON(package.minimumRuntime),
      "cachedBytes": JSON(package.cachedBytes), "streamedBytes": JSON(package.streamedBytes),
      "instructionBytes": JSON(package.instructionBytes),
    ])
    object["compiler"] = package.compiler.map { .string($0) }
    object["estimatedCycles"] = package.estimatedCycles.map { JSON($0) }
    object["executables"] = .array(package.executables.map { json($0) })
    return object
  }

  private static func json(_ executable: EdgeTPUExecutable) -> JSON {
    func layers(_ layers: [EdgeTPUExecutable.Layer]) -> JSON {
      .array(
        layers.map { layer in
          .object([
            "name": .string(layer.name), "extents": .array(layer.extents.map { JSON($0) }),
            "bytes": JSON(layer.byteCount),
          ])
        }
      )
    }
    var object = JSON.object([
      "role": .string(executable.role?.text ?? "unknown"), "batch": JSON(executable.batchSize),
      "parameterBytes": JSON(executable.parameterBytes),
      "instructionBytes": JSON(executable.instructionBytes),
      "bitstreams": JSON(executable.bitstreams), "scratchBytes": JSON(executable.scratchBytes),
      "narrowBytesPerTile": JSON(executable.narrowBytesPerTile),
      "inputs": layers(executable.inputs), "outputs": layers(executable.outputs),
    ])
    if executable.estimatedCycles > 0 {
      object["estimatedCycles"] = JSON(executable.estimatedCycles)
    }
    object["chip"] = executable.chip.map { .string($0) }
    if let transfers = executable.transfers {
      object["transfers"] = .object([
        "toChip": JSON(transfers.toChip), "parameters": JSON(transfers.parameters),
        "fromChip": JSON(transfers.fromChip), "count": JSON(transfers.count),
        "isWhole": .bool(transfers.isWhole),
      ])
    }
    return object
  }
}
