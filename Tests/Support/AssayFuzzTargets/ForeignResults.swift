import AssayBase
import AssayImports
import AssayRecord
import VendorTools

extension FuzzTarget {
  /// Takes the bytes for a file of every tool whose results are imported.
  static func importEverywhere(_ bytes: [UInt8]) throws {
    let text = String(decoding: bytes, as: UTF8.self)
    let stated = numbers(in: text)
    for importer in ResultImporter.all {
      for (source, known) in sources(importer.name, bytes) {
        let context = ImportContext(
          format: importer.name,
          file: "input",
          sha256: source.sha256,
          by: "fuzzer",
          at: 1
        )
        guard let results = try? importer.read(source) else { continue }
        for result in results {
          let report = result.report
          let figures =
            report.figures + report.operators.flatMap { ($0.time.map { [$0] } ?? []) + $0.figures }
          // An escape may hide a digit: then the text as it stands does not show the number.
          if !text.contains("\\u") {
            for value in figures.map(\.value) + report.samples
            where !stated.contains(value) && !known.contains(value) {
              throw Finding("\(importer.name) tells \(value), which is not in the text")
            }
          }
          let record = result.record(context)
          guard let again = try? Record(json: record.json), again.json.text() == record.json.text()
          else { throw Finding("a record of \(importer.name) does not survive writing") }
        }
      }
    }
  }

  /// What an importer may find the bytes in, and the numbers that are there beside them.
  private static func sources(
    _ name: String,
    _ bytes: [UInt8]
  ) -> [(source: ImportSource, known: Set<Double>)] {
    guard name == "edge-acc" else {
      return [(ImportSource(path: "input", files: ["input": bytes]), [])]
    }
    let results = Array(#"{"duration_ms": 71, "validation_size": 3}"#.utf8)
    return [
      (ImportSource(path: "run", files: ["validation_results.json": bytes]), []),
      (
        ImportSource(
          path: "run",
          files: ["validation_results.json": results, "emissions.csv": bytes]
        ), [71, 3]
      ),
    ]
  }

  /// Every number of a text: the longest runs of characters that numbers are made of.
  static func numbers(in text: String) -> Set<Double> {
    let parts = text.utf8.split { byte in
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"),
        UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"):
        false
      default: true
      }
    }
    return Set(parts.compactMap { Double(String(decoding: Array($0), as: UTF8.self)) })
  }
}
