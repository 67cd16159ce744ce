import AssayBase
import AssayHost
import AssayRecord
import CFaultVFS
import Testing

@testable import AssayStore

/// Power that is lost at any moment: what was acknowledged is there afterwards.
@Suite struct PowerLossTests {
  @Test(arguments: [1, 5, 12, 23, 37, 60, 95, 131, 170, 222])
  func whatWasAcknowledgedIsThere(operation: Int) async throws {
    let folder = try StoreFolder()
    let (path, acks) = (folder.path + "/store.sqlite", folder.path + "/acks")
    await #expect(processExitsWith: .exitCode(powerStatus)) {
      [path = path as String, acks = acks as String, operation = operation as Int] in
      _ = faultvfs_install(UInt64(operation), Int32(FAULTVFS_POWER), Int64(operation), 0)
      let store = try openStore(path)
      for number in 0..<1000 {
        try store.append([sampleRecord("\(number)")])
        try Host.append(Array("\(number)\n".utf8), to: acks)
      }
    }
    let acknowledged = (Host.smallText(acks) ?? "").split(separator: "\n").map { String($0) }
    let store = try openStore(path)
    #expect(Set(acknowledged).isSubset(of: try store.records().map(\.id)))
    try store.append([sampleRecord("after")])
    #expect(
      try SQLiteConnection(path: path).run("PRAGMA integrity_check") == [[.text("ok")]]
    )
  }

  /// The shim finds what it is made for: without syncs, acknowledged records are lost.
  @Test func carelessWritingWouldBeFound() async throws {
    let folder = try StoreFolder()
    var losses = 0
    for operation in [40, 60, 80, 100, 120, 140] {
      let path = folder.path + "/careless\(operation).sqlite"
      let acks = path + ".acks"
      await #expect(processExitsWith: .exitCode(powerStatus)) {
        [path = path as String, acks = acks as String, operation = operation as Int] in
        _ = faultvfs_install(UInt64(operation), Int32(FAULTVFS_POWER), Int64(operation), 0)
        let store = try openStore(path) as? SQLStore
        try store?.withDatabase { _ = try $0.run("PRAGMA synchronous = OFF") }
        for number in 0..<1000 {
          try store?.append([sampleRecord("\(number)")])
          try Host.append(Array("\(number)\n".utf8), to: acks)
        }
      }
      let acknowledged = (Host.smallText(acks) ?? "").split(separator: "\n").map { String($0) }
      let there = (try? openStore(path).records().map(\.id)) ?? []
      if !Set(acknowledged).isSubset(of: there) { losses += 1 }
    }
    #expect(losses > 0)
  }
}

private let powerStatus = Int32(FAULTVFS_POWER_STATUS)
