import AssayBase
import AssayHost
import AssayTensor
import Testing

@testable import AssayRuntime

@Suite("Where runtimes are found") struct RuntimeLibraryTests {
  @Test func theNewestInstalledOneComesFirst() throws {
    let home = try Host.makeTemporaryFolder()
    defer { try? Host.remove(home) }
    for version in ["1.9.0", "1.31.1", "notes"] {
      try Host.makeFolders(home + "/runtimes/x/" + version)
    }
    let old = home + "/runtimes/x/1.9.0/"
    try AtomicFile.write("", to: old + "libx.so.1.9.0")
    let new = home + "/runtimes/x/1.31.1/"
    try AtomicFile.write("", to: new + "libfoo.so")
    try AtomicFile.write(
      #"{"name":"x","version":"1.31.1","wheel":"x.whl","sha256":"ab","library":"libfoo.so"}"#,
      to: new + "runtime.json"
    )
    let found = RuntimeLibrary.candidates(
      id: "x",
      variable: "ASSAY_TEST_NO_SUCH_VARIABLE",
      stem: "libx.so",
      home: home
    )
    #expect(
      found == [
        RuntimeLibrary(
          path: new + "libfoo.so",
          version: "1.31.1",
          wheel: "x.whl",
          wheelSHA256: "ab"
        ),
        RuntimeLibrary(path: old + "libx.so.1.9.0"), RuntimeLibrary(path: "libx.so"),
      ]
    )
  }

  @Test func brokenNotesAreNotTrusted() throws {
    let home = try Host.makeTemporaryFolder()
    defer { try? Host.remove(home) }
    let folder = home + "/runtimes/x/1/"
    try Host.makeFolders(folder)
    try AtomicFile.write(#"{"library": 5"#, to: folder + "runtime.json")
    let found = RuntimeLibrary.candidates(
      id: "x",
      variable: "ASSAY_TEST_NO_SUCH_VARIABLE",
      stem: "libx.so",
      home: home
    )
    #expect(found == [RuntimeLibrary(path: "libx.so")])
  }

  @Test func versionsAreComparedNumberByNumber() {
    #expect(RuntimeLibrary.isNewer("1.31.1", than: "1.9.0"))
    #expect(!RuntimeLibrary.isNewer("2.0", than: "2.0.1"))
  }
}

@Suite("Names of ports") struct PortNameTests {
  @Test(arguments: [
    ("serving_default_input_1:0", "input_1"), ("input", "input"), ("a:b", "a:b"),
    ("StatefulPartitionedCall:12", "StatefulPartitionedCall"),
    ("serving_default_", "serving_default_"),
  ])
  func decorationIsTakenOff(raw: String, plain: String) { #expect(plainPortName(raw) == plain) }

  @Test func namesStayDistinct() {
    #expect(plainPortNames(["a:0", "b:0"]) == ["a", "b"])
    #expect(plainPortNames(["a:0", "a:1"]) == ["a:0", "a:1"])
  }
}

@Suite("The null session") struct NullSessionTests {
  @Test func whatGoesInComesOut() throws {
    let session = try NullRuntime().load(path: "", options: SessionOptions())
    try session.write(Tensor([2.5], [1]), toInput: 0)
    try session.runOnce()
    #expect(try session.output(0).floats() == [2.5])
  }
}

@Suite("Operator profiles") struct OperatorProfileTests {
  @Test func theQuieterHalfOfTheRunsCounts() {
    var profile = OperatorProfile()
    for (run, times) in [(0, (1.0, 10.0)), (1, (900, 10)), (2, (3, 14)), (3, (1, 800))] {
      profile.add(kind: "A", node: "a", run: run, nanoseconds: times.0)
      profile.add(kind: "B", node: "b", run: run, nanoseconds: times.1)
    }
    #expect(
      profile.means == [
        OperatorTime(kind: "A", node: "a", nanoseconds: 2),
        OperatorTime(kind: "B", node: "b", nanoseconds: 12),
      ]
    )
  }

  @Test func runsThatWereDisturbedAreLeftOutOfTheQuieterHalf() {
    var profile = OperatorProfile()
    for (run, time) in [10.0, 12, 500, 900, 900, 900].enumerated() {
      profile.add(kind: "A", node: "a", run: run, nanoseconds: time)
    }
    #expect(profile.means == [OperatorTime(kind: "A", node: "a", nanoseconds: 11)])
  }

  @Test func timesOfOneRunAddUp() {
    var profile = OperatorProfile()
    profile.add(kind: "A", node: "a", run: 0, nanoseconds: 3)
    profile.add(kind: "A", node: "a", run: 0, nanoseconds: 4)
    #expect(profile.means.map(\.nanoseconds) == [7])
    #expect(profile.runs(kind: "A", node: "a") == 1 && OperatorProfile().means.isEmpty)
  }
}
