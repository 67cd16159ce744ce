import AssayBase

/// Where the operators of a model run, in one form for the prediction and for the compiler's own
/// answer: `assay.placement/1`.
public let placementSchema = "assay.placement/1"

/// Operators of one kind with one fate.
public struct PlacementRow: Sendable, Equatable {
  /// The schema's name of the operator.
  public var kind: String
  /// How many there are.
  public var count: Int
  /// Why they stay on the processor; `nil` when they run on the chip.
  public var reason: PlacementReason?

  /// The row as JSON.
  public var json: JSON {
    var object = JSON.object([
      "kind": .string(kind), "count": JSON(count),
      "place": .string(reason == nil ? "edgetpu" : "cpu"),
    ])
    object["status"] = .string(reason?.status ?? CompilerStatus.mapped)
    object["reason"] = reason?.json
    return object
  }
}

extension EdgeTPUPrediction {
  /// Operators by kind and fate, in the order in which they come first.
  public var rows: [PlacementRow] {
    var rows: [PlacementRow] = []
    var places: [String: Int] = [:]
    for fate in fates {
      let key = fate.kind + "\n" + (fate.reason.map { $0.code + $0.summary } ?? "")
      if let place = places[key] {
        rows[place].count += 1
      } else {
        places[key] = rows.count
        rows.append(PlacementRow(kind: fate.kind, count: 1, reason: fate.reason))
      }
    }
    return rows
  }

  /// The prediction as JSON, `assay.placement/1`.
  public var json: JSON {
    var object = JSON.object([
      "schema": .string(placementSchema), "origin": "prediction", "target": "edgetpu",
      "runtimeVersion": JSON(runtime), "allSubgraphs": .bool(compilesAllParts),
      "mapped": JSON(mappedCount), "total": JSON(fates.count), "subgraphs": JSON(partCount),
      "parameterBytes": JSON(parameterBytes),
    ])
    object["refusal"] = refusal?.json
    object["rows"] = .array(rows.map(\.json))
    object["operators"] = .array(
      fates.map { fate in
        var entry = JSON.object([
          "index": JSON(fate.index), "kind": .string(fate.kind), "output": .string(fate.output),
          "place": .string(fate.reason == nil ? "edgetpu" : "cpu"),
        ])
        if fate.parameterBytes > 0 { entry["parameterBytes"] = JSON(fate.parameterBytes) }
        entry["reason"] = fate.reason?.json
        return entry
      }
    )
    object["notes"] = .array(notes.map(\.json))
    return object
  }
}

extension CompilerReport {
  /// The report as JSON, `assay.placement/1`; a figure that the text does not state is absent.
  public var json: JSON {
    var object = JSON.object([
      "schema": .string(placementSchema), "origin": "compiler", "target": "edgetpu",
      "tool": "edgetpu_compiler",
    ])
    object["version"] = version.map { .string($0) }
    object["success"] = isSuccess.map { .bool($0) }
    object["failure"] = failure.map { .string($0) }
    if !complaints.isEmpty { object["complaints"] = .array(complaints.map { .string($0) }) }
    object["searchStep"] = searchStep.map { JSON($0) }
    if !attempts.isEmpty { object["attempts"] = .array(attempts.map { JSON($0) }) }
    object["models"] = .array(models.map(\.json))
    return object
  }

  /// What to do about a failure; `nil` when there was none or it is not known.
  public var advice: String? {
    guard isSuccess != true else { return nil }
    let words = ([failure ?? ""] + complaints).joined(separator: "\n")
    let known: [(String, String)] = [
      (
        "not quantized",
        "quantize the whole network: assay convert --recipe static_int8_uint8io"
      ),
      ("dynamic-sized", "fix the inputs' shapes: assay convert --shape INPUT=1xHxWxC"),
      (
        "Didn't find op for builtin opcode",
        "write the file anew with assay convert, which takes the oldest versions that will do"
      ),
      (
        "large activation tensors",
        "make the input smaller, or compile what fits: --search"
      ),
      (
        "Internal compiler error",
        "compile what the compiler stands: --search; or another --min-runtime"
      ),
      (
        "failed in Tflite interpreter",
        "run the file with assay run first: it says what is wrong"
      ),
    ]
    return known.first { words.utf8Contains($0.0) }?.1
  }
}

extension CompilerReport.Model {
  /// The table in the common form; empty where it was not asked for.
  public var placement: [PlacementRow] {
    rows.map { row in
      PlacementRow(
        kind: row.kind,
        count: row.count,
        reason: row.isMapped ? nil : CompilerStatus.reason(for: row.status)
      )
    }
  }

  var json: JSON {
    var object = JSON.emptyObject
    object["input"] = input.map { .string($0) }
    object["output"] = output.map { .string($0) }
    object["log"] = log.map { .string($0) }
    object["milliseconds"] = milliseconds.map { JSON($0) }
    object["inputSize"] = inputSize?.json
    object["outputSize"] = outputSize?.json
    object["cached"] = cached?.json
    object["remaining"] = remaining?.json
    object["streamed"] = streamed?.json
    object["subgraphs"] = subgraphs.map { JSON($0) }
    object["total"] = operations.map { JSON($0) }
    object["mapped"] = mapped.map { JSON($0) }
    object["unmapped"] = unmapped.map { JSON($0) }
    if !rows.isEmpty {
      object["rows"] = .array(placement.map(\.json))
      object["isPartialTable"] = .bool(isPartialTable)
    }
    return object
  }
}

extension String {
  /// Whether another text occurs in it.
  func utf8Contains(_ other: String) -> Bool {
    let needle = Array(other.utf8)
    let bytes = Array(utf8)
    guard !needle.isEmpty, bytes.count >= needle.count else { return needle.isEmpty }
    return (0...(bytes.count - needle.count)).contains { start in
      bytes[start] == needle[0] && bytes[start..<start + needle.count].elementsEqual(needle)
    }
  }
}
