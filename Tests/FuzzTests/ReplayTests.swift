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

  /// Fuzzing without coverage, in the normal build, where the sanitizers' build is too much.
  ///
  /// ASSAY_MUTATIONS changed seeds of each target; the input at hand lies in ASSAY_MUTATION_FILE should
  /// it trap.
  @Test(
    .enabled(if: Self.number("ASSAY_MUTATIONS") != nil, "ASSAY_MUTATIONS is not set"),
    arguments: FuzzTarget.all.map(\.name)
  )
  func changedSeedsAreRefusedOrRead(name: String) throws {
    let target = try #require(FuzzTarget.all.first { $0.name == name })
    let seeds = try Self.files(in: TestData.package + "/Fuzz/Corpus/" + name).map {
      try MappedFile(path: $0).view.array
    }
    let kept = Self.variable("ASSAY_MUTATION_FILE")
    var rng = SeededRNG(seed: UInt64(Self.number("ASSAY_MUTATION_SEED") ?? 1))
    for _ in 0..<(Self.number("ASSAY_MUTATIONS") ?? 0) {
      var bytes = rng.pick(seeds)
      for _ in 0..<rng.int(1...6) { Self.change(&bytes, seeds, &rng) }
      if let kept { try AtomicFile.write([ByteView(bytes)], to: kept, isSynced: false) }
      #expect(throws: Never.self, "\(name)") { try target.run(bytes) }
    }
  }

  /// One change: of a bit, a byte, a number; a part left out, repeated, or taken from another seed.
  private static func change(_ bytes: inout [UInt8], _ seeds: [[UInt8]], _ rng: inout SeededRNG) {
    guard !bytes.isEmpty else { return bytes.append(UInt8(rng.int(0...255))) }
    let place = rng.int(0...bytes.count - 1)
    let end = min(bytes.count, place + rng.int(1...64))
    switch rng.int(0...6) {
    case 0: bytes[place] ^= 1 << UInt8(rng.int(0...7))
    case 1: bytes[place] = UInt8(rng.int(0...255))
    case 2:
      let number = rng.pick([0, 1, -1, 127, 128, 255, 65535, 1 << 31, Int.max, Int.min, 1 << 40])
      for index in place..<min(bytes.count, place + rng.pick([1, 2, 4, 8])) {
        bytes[index] = UInt8(truncatingIfNeeded: number >> (8 * (index - place)))
      }
    case 3: bytes.removeSubrange(place..<end)
    case 4: bytes.insert(contentsOf: bytes[place..<end], at: rng.int(0...bytes.count - 1))
    case 5:
      let other = rng.pick(seeds)
      guard !other.isEmpty else { return }
      let begin = rng.int(0...other.count - 1)
      bytes.replaceSubrange(place..<end, with: other[begin..<min(other.count, begin + 64)])
    default: bytes.removeSubrange(rng.int(1...bytes.count)...)
    }
  }

  private static func variable(_ name: String) -> String? {
    unsafe getenv(name).map { unsafe String(cString: $0) }
  }

  private static func number(_ name: String) -> Int? { variable(name).flatMap { Int($0) } }

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
