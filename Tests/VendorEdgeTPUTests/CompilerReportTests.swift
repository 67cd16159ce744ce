import AssayBase
import AssayHost
import AssayTestSupport
import Testing
import VendorEdgeTPU

/// The compiler's words.
@Suite struct CompilerReportTests {
  private static let names = [
    "operation_log.log", "v15_no_timer.txt", "v16_all_mapped_s.txt", "v16_fail_activations.txt",
    "v16_fail_dynamic.txt", "v16_fail_not_quantized.txt", "v16_partial_no_s.txt",
    "v16_partial_s.txt", "v16_search_delegate_segment.txt",
  ]

  private func text(_ name: String) throws -> String {
    let file = try #require(TestData.sharedFile("fixtures/edgetpu_compiler/" + name))
    return try #require(MappedFile(path: file).view.utf8)
  }

  private func report(_ name: String) throws -> CompilerReport { try CompilerReport(text(name)) }

  @Test(.enabled(if: TestData.shared != nil)) func everyFixtureIsUnderstood() throws {
    let folder = try #require(TestData.sharedFile("fixtures/edgetpu_compiler"))
    #expect(try Host.list(folder).sorted() == Self.names)
    for name in Self.names {
      let report = try report(name)
      #expect(report.unknownLines == 0, "\(name)")
      #expect(report.version?.hasPrefix("1") == true, "\(name)")
    }
  }

  @Test(.enabled(if: TestData.shared != nil)) func aWholeSuccess() throws {
    let report = try report("v16_all_mapped_s.txt")
    #expect(report.isSuccess == true && report.failure == nil && report.advice == nil)
    let model = try #require(report.models.first)
    #expect(model.milliseconds == 1213 && model.operations == 66 && model.subgraphs == 1)
    #expect(model.cached == .init(value: 3.65, unit: "MiB"))
    #expect(model.streamed == .init(value: 0, unit: "B"))
    #expect(model.rows.count == 7 && model.rows.allSatisfy(\.isMapped))
    #expect(model.rows.reduce(0) { $0 + $1.count } == 66)
    #expect(model.output == "mnv2_int8_edgetpu.tflite")
  }

  @Test(.enabled(if: TestData.shared != nil)) func aPartialSuccess() throws {
    let report = try report("v16_partial_s.txt")
    let model = try #require(report.models.first)
    #expect(model.mapped == 96 && model.unmapped == 45 && model.operations == 141)
    #expect(model.rows.reduce(0) { $0 + $1.count } == 141)
    #expect(model.rows.filter(\.isMapped).reduce(0) { $0 + $1.count } == 96)
    // Every status has its reason and its mend, in the compiler's own words.
    for row in model.placement where row.reason != nil {
      let reason = try #require(row.reason)
      #expect(reason.code != "TPU100" && reason.basis == .compiler && !reason.mend.isEmpty)
    }
    let again = try JSON(parsing: report.json.text())
    #expect(again["schema"]?.string == placementSchema)
    #expect(again["models"]?.array?.first?["rows"]?.array?.count == 12)
  }

  @Test(.enabled(if: TestData.shared != nil)) func olderVersionsAndLogs() throws {
    let old = try report("v15_no_timer.txt")
    #expect(old.isSuccess == true && old.models.first?.rows.count == 2)
    let log = try report("operation_log.log")
    #expect(log.isSuccess == nil && log.models.first?.input == "tcn_int8.tflite")
    #expect(log.models.first?.rows.map(\.count) == [40, 11, 1])
    let silent = try report("v16_partial_no_s.txt")
    #expect(silent.models.first?.rows.isEmpty == true && silent.models.first?.mapped == 15)
  }

  @Test(.enabled(if: TestData.shared != nil)) func failures() throws {
    let large = try report("v16_fail_activations.txt")
    #expect(large.isSuccess == false && large.failure?.contains("large activation") == true)
    #expect(large.complaints.count == 1 && large.advice?.contains("--search") == true)
    let open = try report("v16_fail_dynamic.txt")
    #expect(open.advice?.contains("--shape") == true)
    let float = try report("v16_fail_not_quantized.txt")
    #expect(float.failure == "Model not quantized" && float.advice?.contains("static_int8") == true)
    #expect(float.models.first?.input == "mnv2_f32.tflite")
  }

  @Test(.enabled(if: TestData.shared != nil)) func itsOwnSearch() throws {
    let report = try report("v16_search_delegate_segment.txt")
    #expect(report.searchStep == 10 && report.attempts == [84])
    #expect(report.models.first?.rows.count == 2)
  }

  @Test func anOpenTableAndSeveralModels() throws {
    let report = try CompilerReport(
      """
      Edge TPU Compiler version 16.0.384591198\r
      Model compiled successfully in 7 ms.
      Input model: a.tflite
      Operator                       Count      Status

      CONV_2D                        3          Operation not supported
      ... All other operators were mapped successfully. See a_edgetpu.log.
      Model compiled successfully in 9 ms.
      Input model: b.tflite
      A line of a version to come
      Compilation succeeded!
      """
    )
    #expect(report.models.map(\.milliseconds) == [7, 9])
    #expect(report.models.map(\.input) == ["a.tflite", "b.tflite"])
    #expect(report.models[0].isPartialTable && !report.models[1].isPartialTable)
    #expect(report.unknownLines == 1 && report.isSuccess == true)
  }

  @Test func otherTextsAreRefused() {
    for text in ["", "hello", "Operator Count", "ERROR: cannot open"] {
      #expect(
        performing: { _ = try CompilerReport(text) },
        throws: { ($0 as? Diagnostic)?.code == "TPU003" }
      )
    }
  }

  /// Damaged texts: none crashes, and every number of the result stands in the text.
  @Test(.enabled(if: TestData.shared != nil)) func mutatedTextsGiveNoNewNumbers() throws {
    let texts = try Self.names.map { Array(try text($0).utf8) }
    var rng = SeededRNG(seed: 20)
    var read = 0
    for round in 0..<10_000 {
      var bytes = texts[round % texts.count]
      mutate(&bytes, &rng)
      let text = String(decoding: bytes, as: UTF8.self)
      guard let report = try? CompilerReport(text) else { continue }
      read += 1
      let stated = numbers(text)
      for number in found(report) where !stated.contains(number) {
        Issue.record("\(number) is not in round \(round)")
        return
      }
    }
    #expect(read > 5000)
  }

  private func mutate(_ bytes: inout [UInt8], _ rng: inout SeededRNG) {
    for _ in 0..<Int.random(in: 1...6, using: &rng) where !bytes.isEmpty {
      let place = Int.random(in: 0..<bytes.count, using: &rng)
      switch Int.random(in: 0..<6, using: &rng) {
      case 0: bytes[place] = UInt8.random(in: 0...255, using: &rng)
      case 1: bytes[place] = UInt8(ascii: "0") + UInt8.random(in: 0...9, using: &rng)
      case 2: bytes.remove(at: place)
      case 3: bytes.insert(Array("9.e-:\n \r".utf8).randomElement(using: &rng) ?? 0, at: place)
      case 4: bytes.removeLast(bytes.count - place)
      default:
        let end = min(place + Int.random(in: 1...80, using: &rng), bytes.count)
        bytes.insert(
          contentsOf: bytes[place..<end],
          at: Int.random(in: 0...bytes.count, using: &rng)
        )
      }
    }
  }

  /// Runs of digits and points of a text, as numbers.
  private func numbers(_ text: String) -> Set<Double> {
    Set(
      text.utf8.split { !((0x30...0x39).contains($0) || $0 == UInt8(ascii: ".")) }
        .flatMap { run -> [Double] in
          let text = String(Substring(run))
          // A full stop may end a sentence behind a number.
          return [
            text, String(text.drop { $0 == "." }),
            String(text.reversed().drop { $0 == "." }.reversed()),
          ]
          .compactMap { Double($0) }
        }
    )
  }

  private func found(_ report: CompilerReport) -> [Double] {
    var numbers =
      report.attempts.map { Double($0) } + [report.searchStep].compactMap { $0 }.map { Double($0) }
    for model in report.models {
      numbers += [
        model.milliseconds, model.subgraphs, model.operations, model.mapped, model.unmapped,
      ].compactMap { $0 }.map { Double($0) }
      numbers += [model.inputSize, model.outputSize, model.cached, model.remaining, model.streamed]
        .compactMap { $0?.value }
      numbers += model.rows.map { Double($0.count) }
    }
    return numbers
  }
}
