import AssayBase
import AssayRate
import AssayRecord
import Testing

@testable import AssayFigures

/// Labels of made-up records.
@Suite(.enabled(if: DrawingLibrary.allCases.allSatisfy { $0.probe().isAvailable }))
struct LabelTests {
  private func record() -> Record {
    var record = Record(
      id: "01JC9Q4T8MZC3V5K-0003",
      session: "01JC9Q4T8MZC3V5K",
      finishedAt: 1_763_675_921_123_456_789,
      model: .init(path: "out/digits.static_int8.tflite", sha256: "9f2c", byteCount: 24_560),
      artefact: "tflite",
      variant: "static_int8",
      runtime: "litert",
      version: "2.3.0",
      provider: "cpu",
      device: "local",
      threads: 1
    )
    record.samples = (0..<60).map { 41_000 + Int64($0 % 7) * 100 }
    record.rounds = [20, 20, 20]
    record.verdict = .valid
    record.accuracy = .value(0.98)
    record.accuracyCount = 200
    record.environment = .object([
      "processor": "Example CPU", "host": "secret-host", "serial": "SN-12345",
    ])
    return record
  }

  private func label(_ record: Record, address: String? = nil) throws -> EnergyLabel {
    let scale = try Scale.named("image-classification")
    let subject = try #require(Subject.of([record]).first)
    return EnergyLabel(record, rating: scale.rate(subject), scale: scale, address: address)
  }

  @Test func eachFormIsWhatItSays() throws {
    let label = try label(record())
    let svg = String(decoding: try label.file(.svg), as: UTF8.self)
    #expect(svg.contains("<svg") && svg.contains("</svg>"))
    #expect(try label.file(.pdf).starts(with: Array("%PDF-".utf8)))
    let png = try label.file(.png, pixels: 180)
    #expect(png.starts(with: [0x89, 0x50, 0x4E, 0x47]))
    // Width and height of the header.
    #expect(Array(png[16..<24]) == [0, 0, 0, 180, 0, 0, 1, 24])
  }

  @Test func theSameRecordGivesTheSameBytes() throws {
    // Cairo numbers the parts of an SVG through the whole process.
    for format in [DrawingFormat.pdf, .png] {
      #expect(try label(record()).file(format) == label(record()).file(format), "\(format)")
    }
  }

  @Test func nothingNamesTheMachine() throws {
    var record = record()
    record.device = "ssh:secret-host"
    record.environment["processor"] = nil
    let label = try label(record)
    #expect(label.device == "remote machine")
    #expect(EnergyLabel.kind("adb:SN-12345") == "Android device")
    #expect(!label.link.contains("secret") && !label.link.contains("SN-"))
    #expect(label.link == "assay:01JC9Q4T8MZC3V5K-0003?sha256=9f2c")
    let pdf = String(decoding: try label.file(.pdf), as: UTF8.self)
    #expect(!pdf.contains("secret-host"))
  }

  @Test func figuresAreRoundedToWhatIsKnown() {
    let latency = Scale.Property("latency", group: "resource", unit: .seconds, comparison: .less)
    #expect(latency.rounded(Measured(0.0034567, .exact)) == "3.46 ms")
    let unsure = Measured(0.0034567, .relative(standardError: 0.1, freedom: .infinity))
    #expect(latency.rounded(unsure) == "3.5 ms")
    #expect(latency.reachText(unsure) == " ± 20 %")
    let accuracy = Scale.Property(
      "accuracy",
      group: "quality",
      unit: .fraction,
      comparison: .fraction
    )
    #expect(accuracy.rounded(Measured(0.63203, .counted(12_000))) == "63.2 %")
    let energy = Scale.Property("energy", group: "resource", unit: .joules, comparison: .less)
    #expect(energy.rounded(Measured(0.0123, .exact)) == "12.3 mJ")
  }

  @Test func colorsKeepTheirOrderInGreyscale() {
    let brightness = Letter.allCases.map(\.ink.brightness)
    #expect(zip(brightness, brightness.dropFirst()).allSatisfy { $1 - $0 > 0.08 })
    for letter in Letter.allCases {
      #expect(abs(letter.ink.brightness - letter.onInk.brightness) > 0.4)
    }
  }

  @Test func namesWithMarkupAndAnythingElseAreDrawn() throws {
    var record = record()
    record.model.path = "<script>&\"x\u{0}\u{202E}\(String(repeating: "long", count: 60)).tflite"
    let svg = String(decoding: try label(record).file(.svg), as: UTF8.self)
    #expect(!svg.contains("<script"))
    #expect(throws: Diagnostic.self) {
      _ = try label(record, address: String(repeating: "x", count: 3000)).file(.svg)
    }
  }
}
