import AssayBase
import AssayCatalog
import AssayData
import AssayGraph
import AssayHost
import AssayQuantize
import AssayRecord
import AssayReport
import AssayVerify

/// Everything that one `assay try` found out.
struct TryResult {
  var plan: TryPlan
  var model: ImportedModel
  var data: TryData
  var variants: TryVariants
  var certificates: [Certificate]
  var records: [Record]
  var storeURL: String
  var command: [String]

  /// The comparison as tables and pages show it.
  func report() -> ComparisonReport {
    var original = ComparisonReport.Original(
      path: plan.model,
      sha256: sha256(model.bytes),
      byteCount: model.bytes.count
    )
    original.producer = model.producer
    original.parameterCount = model.graph.parameterCount
    original.macCount = model.graph.cost.macs
    original.accuracy = Judgement.original(data)
    var report = ComparisonReport(
      original: original,
      records: records,
      constraint: plan.constraint
    )
    report.variants =
      zip(variants.made, certificates).map { variant, certificate in
        ComparisonReport.Variant(
          name: variant.recipe.name,
          operatorCount: variant.graph.nodes.count,
          certificate: certificate.sentence,
          certificateJSON: certificate.json
        )
      }
      + variants.failed.map { failure in
        ComparisonReport.Variant(name: failure.recipe.name, failure: failure.reason)
      }
    report.data = data.source
    report.calibration = data.representative.map { "\($0.count) samples of \($0.path)" }
    report.preprocessing = data.evaluation.preprocessing.text
    report.command = command
    report.version = assayVersion
    report.store = storeURL
    report.madeAt = Host.wallNanoseconds()
    report.notes = model.diagnostics + variants.made.flatMap(\.diagnostics)
    return report
  }

  /// The whole result for scripts.
  func json(_ report: ComparisonReport, page: String) -> JSON {
    .object([
      "schema": "assay.try/1",
      "model": .object([
        "path": .string(plan.model), "sha256": .string(report.original.sha256),
        "bytes": JSON(model.bytes.count),
        "accuracy": report.original.accuracy?.fraction.map { JSON($0) } ?? .null,
      ]),
      "data": .string(data.source),
      "variants": .array(
        zip(variants.made, certificates).map { variant, certificate in
          .object([
            "name": .string(variant.recipe.name), "operators": JSON(variant.graph.nodes.count),
            "files": .array(variant.files.values.sorted().map { .string($0) }),
            "certificate": certificate.json,
            "diagnostics": .array(variant.diagnostics.map(\.json)),
          ])
        }
      ),
      "failed": .array(
        variants.failed.map {
          .object(["name": .string($0.recipe.name), "reason": $0.reason.json])
        }
      ),
      "recommendation": Recommendation(report).json,
      "report": .string(page),
      "store": .string(storeURL),
      "records": .array(records.map(\.json)),
    ])
  }
}

/// Writes the page, shows the table and says how the command ends.
func conclude(_ result: TryResult, _ console: Console) throws -> ExitStatus {
  let report = result.report()
  let page = Host.join(result.plan.folder, "report.html")
  try AtomicFile.write(renderReport(report), to: page)
  try AtomicFile.write(renderCSV(report), to: Host.join(result.plan.folder, "results.csv"))
  try console.result(
    result.json(report, page: page),
    text: renderTable(report, width: Console.width, color: Console.usesColor)
      + "\nreport: \(page)\nmodels: \(Host.join(result.plan.folder, "models"))\n"
      + "records: \(result.storeURL)\n"
  )
  let isSound = report.records.contains { $0.verdict == .valid }
  return isSound && Recommendation(report).pick != nil ? .done : .finding
}
