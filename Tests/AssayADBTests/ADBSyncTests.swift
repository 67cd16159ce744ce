import AssayBase
import AssayHost
import AssayTestSupport
import PhoneEmulation
import Synchronization
import Testing

@testable import AssayADB

@Suite struct ADBSyncTests {
  private static let versions = ["shell_v2,stat_v2,ls_v2,sendrecv_v2", "shell_v2"]

  @Test(arguments: versions)
  func filesGoThereAndBack(features: String) throws {
    try withPhone(features: features) { server, phone in
      var rng = SeededRNG(seed: 3)
      for size in [0, 1, 65_535, 65_536, 65_537, 400_000] {
        let bytes = (0..<size).map { _ in UInt8(truncatingIfNeeded: rng.next()) }
        let sync = try ADBSync(server, phone.serial)
        var told = 0
        try sync.push(ByteView(bytes), to: "/data/local/tmp/a b/file", mode: 0o755) { told = $0 }
        #expect(told == size)
        let deadline = Host.monotonicNanoseconds() + 5_000_000_000
        let status = try #require(try sync.status("/data/local/tmp/a b/file", until: deadline))
        #expect(status.isFile)
        #expect(status.size == UInt64(size))
        #expect(status.mode & 0o777 == 0o755)
        #expect(try sync.pull("/data/local/tmp/a b/file") == bytes)
        #expect(try sync.status("/data/local/tmp/none", until: deadline) == nil)
        let entries = try sync.list("/data/local/tmp", until: deadline)
        #expect(entries.keys.sorted() == ["a b"])
        #expect(entries["a b"]?.isFolder == true)
      }
    }
  }

  @Test(arguments: versions)
  func refusalsAreTheirWords(features: String) throws {
    try withPhone(features: features) { server, phone in
      let sync = try ADBSync(server, phone.serial)
      let fault = #expect(throws: Diagnostic.self) { try sync.pull("/data/local/tmp/none") }
      #expect(fault?.code == "ADB030")
      #expect(fault?.cause?.contains("No such file") == true)
      phone.faults.withLock { $0.storage = 1000 }
      let full = #expect(throws: Diagnostic.self) {
        try ADBSync(server, phone.serial).push(
          ByteView([UInt8](repeating: 1, count: 200_000)),
          to: "/data/local/tmp/x"
        )
      }
      #expect(full?.code == "ADB030")
      #expect(full?.remedy == "free storage on the phone")
    }
  }

  @Test func aCableThatIsDrawnInAPushIsALoss() throws {
    try withPhone { server, phone in
      phone.faults.withLock { $0.transferLimit = 100_000 }
      let sync = try ADBSync(server, phone.serial)
      let bytes = ByteView([UInt8](repeating: 7, count: 1 << 20))
      #expect(code { try sync.push(bytes, to: "/data/local/tmp/x", stall: 5) } == "ADB020")
      // Nothing more is asked on a broken connection.
      #expect(code { _ = try sync.pull("/data/local/tmp/x") } == "ADB020")
      phone.faults.withLock { $0.transferLimit = nil }
      try ADBSync(server, phone.serial).push(bytes, to: "/data/local/tmp/x")
      #expect(try ADBSync(server, phone.serial).pull("/data/local/tmp/x").count == 1 << 20)
    }
  }
}
