import AssayBase
import AssayFuzzTargets
import AssayTestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Every input that fuzzing started from or once found, in the normal build.
@Suite struct ReplayTests {
  @Test(arguments: FuzzTarget.all.map(\.name))
  func corpusIsRefusedOrRead(name: String) throws {
    let target = try #require(FuzzTarget.all.first { $0.name == name })
    let files = Self.files(in: TestData.package + "/Fuzz/Corpus/" + name)
    try #require(!files.isEmpty, "Fuzz/Corpus/\(name) has no seed")
    for path in files {
      let bytes = try MappedFile(path: path).view.array
      #expect(throws: Never.self, "\(path)") { try target.run(bytes) }
      // The damage that a download or a disk does: cut short, and single bits flipped.
      for length in Self.cuts(bytes.count) {
        #expect(throws: Never.self, "\(path), first \(length) bytes") {
          try target.run(Array(bytes.prefix(length)))
        }
      }
      var rng = SeededRNG(seed: UInt64(bytes.count))
      for _ in 0..<32 where !bytes.isEmpty {
        var flipped = bytes
        let bit = Int.random(in: 0..<bytes.count * 8, using: &rng)
        flipped[bit / 8] ^= 1 << UInt8(bit % 8)
        #expect(throws: Never.self, "\(path), bit \(bit) flipped") { try target.run(flipped) }
      }
    }
  }

  /// A few lengths at which to cut, near both ends and in between.
  private static func cuts(_ count: Int) -> [Int] {
    let some = (0..<16).map { count * $0 / 16 } + [1, 4, 8, count - 1, count - 4]
    return Set(some).filter { 0..<max(count, 1) ~= $0 }.sorted()
  }

  private static func files(in folder: String) -> [String] {
    guard let handle = unsafe opendir(folder) else { return [] }
    defer { unsafe closedir(handle) }
    var names: [String] = []
    while let entry = unsafe readdir(handle) {
      let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if !name.hasPrefix(".") { names.append(folder + "/" + name) }
    }
    return names.sorted()
  }
}
