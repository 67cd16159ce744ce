import AssayBase
import AssayHost
import AssayStore
import AssayTestSupport
import Testing

@testable import AssayJobs

/// One job at a time for each device and meter.
@Suite struct LeaseTests {
  private func withStore(_ body: (any Store, String) throws -> Void) throws {
    let folder = try Host.makeTemporaryFolder("lease")
    defer { try? Host.remove(folder) }
    let url = "sqlite:" + folder + "/store.sqlite"
    try body(openStore(url), url)
  }

  @Test func whatAnotherJobUsesIsWaitedFor() throws {
    try withStore { store, url in
      let first = try DeviceLease.take(["device ssh:pi", "meter monsoon"], in: store, holder: "a")
      #expect(first.names == ["device ssh:pi", "meter monsoon"])
      // Another device is free, through another connection too.
      let other = try openStore(url)
      let second = try DeviceLease.take(["device ssh:orin"], in: other, holder: "b")
      var waits: [String] = []
      let fault = #expect(throws: Diagnostic.self) {
        try DeviceLease.take(
          ["device ssh:tx2", "meter monsoon"],
          in: other,
          seconds: 1,
          holder: "b",
          isGone: { _ in false },
          sleep: { _ in },
          waits: { waits.append($0) }
        )
      }
      #expect(fault?.code == "DEV030" && fault?.cause?.contains("held by a") == true)
      #expect(waits.first?.contains("meter monsoon") == true)
      // What was taken on the way was given back.
      let third = try DeviceLease.take(["device ssh:tx2"], in: store, seconds: 0, holder: "c")
      first.release()
      let fourth = try DeviceLease.take(["meter monsoon"], in: store, seconds: 0, holder: "c")
      #expect(fourth.renew())
      for lease in [second, third, fourth] { lease.release() }
      // Leases are nobody's sweep.
      #expect(try store.sweeps() == [])
    }
  }

  /// A job that ended without a word holds up nobody.
  @Test func theLeaseOfAProcessThatIsGoneIsFree() throws {
    try withStore { store, _ in
      let lost = try DeviceLease.take(["device ssh:pi"], in: store, holder: "gone")
      let taken = try DeviceLease.take(
        ["device ssh:pi"],
        in: store,
        seconds: 0,
        holder: "b",
        isGone: { $0 == "gone" }
      )
      #expect(taken.names == ["device ssh:pi"])
      // It comes back too late: it takes nothing away.
      lost.release()
      #expect(throws: Diagnostic.self) {
        try DeviceLease.take(["device ssh:pi"], in: store, seconds: 0, holder: "c")
      }
      withExtendedLifetime(taken) {}
    }
  }
}
