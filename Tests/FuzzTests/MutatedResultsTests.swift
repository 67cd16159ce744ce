import AssayBase
import AssayFuzzTargets
import AssayTestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Outputs of tools with damage in them: no importer may crash, and none may tell a number that is not in
/// the text.
@Suite struct MutatedResultsTests {
  /// Small outputs of every tool, and where they are the larger ones of the shared data.
  private static let fixtures: [[UInt8]] = {
    var folders = [TestData.package + "/Fuzz/Corpus/foreign-results"]
    for name in ["trtexec", "openvino", "openvino/rep", "openvino/repj", "ncsdk", "vela"] {
      if let path = TestData.sharedFile("fixtures/" + name) { folders.append(path) }
    }
    return folders.flatMap(files).compactMap { path in
      let bytes = try? MappedFile(path: path).view.array
      // Long ones add time and nothing else.
      return bytes.flatMap { $0.count <= 8000 ? $0 : Array($0.prefix(8000)) }
    }
  }()

  @Test func tenThousandDamagedOutputsTellNothingThatIsNotThere() throws {
    let target = try #require(FuzzTarget.all.first { $0.name == "foreign-results" })
    let count = MutatedResultsTests.fixtures.count
    try #require(count >= 20)
    for bytes in MutatedResultsTests.fixtures {
      #expect(throws: Never.self) { try target.run(bytes) }
    }
    for seed in 0..<10_000 {
      var rng = SeededRNG(seed: UInt64(seed))
      let bytes = MutatedResultsTests.damaged(MutatedResultsTests.fixtures[seed % count], &rng)
      #expect(throws: Never.self, "seed \(seed)") { try target.run(bytes) }
    }
  }

  /// One to four of: a byte changed, bytes taken out, a part doubled, a number put in the place of
  /// another, the rest cut off.
  private static func damaged(_ original: [UInt8], _ rng: inout SeededRNG) -> [UInt8] {
    var bytes = original
    for _ in 0..<rng.int(1...4) where bytes.count > 4 {
      let place = rng.int(0...bytes.count - 1)
      let length = min(rng.int(1...40), bytes.count - place)
      switch rng.int(0...5) {
      case 0: bytes[place] = UInt8(truncatingIfNeeded: rng.next())
      case 1: bytes.removeSubrange(place..<place + length)
      case 2: bytes.insert(contentsOf: Array(bytes[place..<place + length]), at: place)
      case 3:
        let word = rng.pick(["1e308", "-0.0", "nan", "1e999", "0x1p3", "\"", ";", ",", "\u{1B}[0m"])
        bytes.replaceSubrange(place..<place + min(length, 4), with: Array(word.utf8))
      case 4: bytes.swapAt(place, rng.int(0...bytes.count - 1))
      default: bytes.removeSubrange(max(place, bytes.count / 2)..<bytes.count)
      }
    }
    return bytes
  }

  private static func files(in folder: String) -> [String] {
    guard let handle = unsafe opendir(folder) else { return [] }
    defer { unsafe closedir(handle) }
    var names: [String] = []
    while let entry = unsafe readdir(handle) {
      let isFolder = unsafe entry.pointee.d_type == UInt8(DT_DIR)
      let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if !name.hasPrefix("."), !isFolder { names.append(folder + "/" + name) }
    }
    return names.sorted()
  }
}
