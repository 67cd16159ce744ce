import AssayBase
import AssayHost
import AssayTestSupport
import Testing

@testable import VendorPhone

/// 10,000 damaged outputs: no parser may crash, and no figure may come out that is not in the text.
@Suite(.enabled(if: TestData.shared != nil, "set ASSAY_TEST_DATA to the folder of real outputs"))
struct MutationTests {
  /// All figures that the parsers find in a text.
  private static func figures(_ text: String) -> [Printed] {
    var all = BenchmarkModelRun.all(in: text).flatMap { run in
      _ = run.findings(run.impliedRequest, end: .exited(0))
      _ = run.placement(run.impliedRequest)
      return run.figures + run.stated.map(\.figure)
    }
    all += (try? OperatorProfile(csv: text))?.figures ?? []
    all += (try? LiteRTBenchmark(parsing: text)).map { Array($0.milliseconds.values) } ?? []
    all += (try? SNPE.Diagnosis(parsing: text))?.figures ?? []
    all += (try? SNPE.Throughput(parsing: text))?.figures ?? []
    _ = try? SNPE.NetRun(parsing: text)
    all += (try? QNN.Profile(parsing: text))?.figures ?? []
    return all
  }

  /// The longest runs of characters that numbers are made of.
  private static func numbers(_ text: String) -> Set<String> {
    let signs = Set("0123456789.+-eE".utf8)
    return Set(
      text.utf8.split { !signs.contains($0) }.map { String(decoding: $0, as: UTF8.self) }
    )
  }

  /// Whether the text has the number, not as a part of a longer one.
  private static func holds(_ numbers: Set<String>, _ figure: Printed) -> Bool {
    if numbers.contains(figure.text) { return true }
    // What stands beside it may be of the same characters: `1.398ms.`, `e5`.
    return numbers.contains { run in
      guard let range = run.range(figure.text) else { return false }
      let before = run[..<range.lowerBound].last
      let after = run[range.upperBound...].first
      return before.map { !$0.isNumber } ?? true && after.map { !$0.isNumber } ?? true
    }
  }

  private static func damage(_ bytes: [UInt8], _ rng: inout SeededRNG) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<rng.int(1...4) where !bytes.isEmpty {
      let at = rng.int(0...bytes.count - 1)
      switch rng.int(0...7) {
      case 0: bytes[at] ^= 1 << UInt8(rng.int(0...7))
      case 1: bytes[at] = UInt8(rng.int(0...255))
      case 2: bytes.removeSubrange(at..<min(bytes.count, at + rng.int(1...40)))
      case 3: bytes.removeSubrange(at...)
      case 4:
        let part = Array(bytes[at..<min(bytes.count, at + rng.int(1...60))])
        bytes.insert(contentsOf: part, at: rng.int(0...bytes.count))
      case 5: bytes.insert(contentsOf: Array(rng.pick(words).utf8), at: at)
      case 6:
        // A digit becomes another, or another sign.
        if let digit = bytes[at...].firstIndex(where: { (0x30...0x39).contains($0) }) {
          bytes[digit] = rng.pick(Array("0123456789.-+eE, \n\t".utf8))
        }
      default:
        var lines = bytes.split(separator: 10, omittingEmptySubsequences: false).map { Array($0) }
        lines.swapAt(rng.int(0...lines.count - 1), rng.int(0...lines.count - 1))
        bytes = Array(lines.joined(separator: [10]))
      }
    }
    return bytes
  }

  private static let words = [
    "count=", "nan", "inf", "1e999", "-", "99999999999999999999", "\u{FF11}", "avg=", ": [", "]",
    "STARTING!\n", "us", " ms", "Inference (avg): ", "\0", "(all same)", "=====", "\t", "%",
  ]

  @Test func noFigureIsMadeUp() throws {
    var texts: [[UInt8]] = []
    for folder in ["benchmark_model", "snpe", "qnn"] {
      let path = try #require(TestData.sharedFile("fixtures/\(folder)"))
      for name in try Host.list(path) {
        texts.append(try MappedFile(path: "\(path)/\(name)").view.array)
      }
    }
    var rng = SeededRNG(seed: 7)
    var count = 0
    var found = 0
    while count < 10_000 {
      for text in texts {
        // The long ones less often: they are of the same few lines.
        if text.count > 8000, rng.int(0...9) > 0 { continue }
        let damaged = String(decoding: Self.damage(text, &rng), as: UTF8.self)
        let figures = Self.figures(damaged)
        count += 1
        found += figures.count
        let numbers = Self.numbers(damaged)
        for figure in figures {
          try #require(figure.value.isFinite)
          try #require(Self.holds(numbers, figure), "\(figure) in run \(count)")
        }
      }
    }
    // A test that finds no figures would prove nothing.
    #expect(found > 50_000)
  }
}
