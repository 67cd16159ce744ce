import AssayBase
import AssayCodec
import AssayTensor
import AssayTestSupport
import FormatPyTorch
import Testing

/// State dictionaries and modules as data, and pickles that would harm whoever ran them.
@Suite struct TorchCheckpointTests {
  private func text(_ text: String) -> [UInt8] { Array(text.utf8) }

  private func word(_ text: String) -> [UInt8] {
    [0x8C, UInt8(text.utf8.count)] + Array(text.utf8)
  }

  /// A tensor of two floats in the storage `0`.
  private var tensor: [UInt8] {
    text("ctorch._utils\n_rebuild_tensor_v2\n((") + word("storage") + text("ctorch\nFloatStorage\n")
      + word("0") + word("cpu") + text("K") + [2] + text("tQK") + [0] + text("K") + [2, 0x85]
      + text("K") + [1, 0x85, 0x89] + text("NtR")
  }

  private func archive(_ pickle: [UInt8]) throws -> ByteView {
    var writer = ZipWriter()
    try writer.add("m/data.pkl", [ByteView([0x80, 2] + pickle)])
    try writer.add("m/data/0", [ByteView([0, 0, 128, 63, 0, 0, 0, 64])])
    return ByteView(writer.finish().flatMap(\.array))
  }

  /// An object of a class, with the state that the bytes make.
  private func instance(_ name: String, _ state: [UInt8]) -> [UInt8] {
    text("c" + name + "\n)") + [0x81] + state + text("b")
  }

  private func module(_ parameters: [UInt8], _ modules: [UInt8]) -> [UInt8] {
    instance(
      "evil\nNet",
      text("}(") + word("_parameters") + parameters + word("_modules") + modules + text("u")
    )
  }

  @Test func modulesGiveTheirNames() throws {
    let inner = module(text("}(") + word("weight") + tensor + text("u"), text("}"))
    let outer = module(text("}"), text("}(") + word("conv") + inner + text("u"))
    let checkpoint = try TorchCheckpoint(
      archive(text("}(") + word("model") + outer + word("license") + word("MIT") + text("u."))
    )
    #expect(checkpoint.entries.map(\.name) == ["conv.weight"])
    #expect(checkpoint.facts.map(\.text) == ["MIT"] && checkpoint.classes == ["evil.Net"])
    #expect(try checkpoint.tensor(checkpoint.entries[0]).floats() == [1, 2])
  }

  @Test func nothingIsCalled() throws {
    // {'weight': tensor, 'x': os.system('touch …')}: the call stays a name.
    let pickle =
      text("}(") + word("weight") + tensor + word("x") + text("cos\nsystem\n") + word("rm -rf /")
      + [0x85] + text("Ru.")
    #expect(try TorchCheckpoint(archive(pickle)).entries.map(\.name) == ["weight"])
  }

  @Test func sharedModulesCannotGrowWithoutBound() throws {
    // Each of 40 modules holds the one before it twice: 2^40 names.
    var pickle = module(text("}"), text("}")) + text("q") + [0]
    for level in 1...40 {
      let before = text("h") + [UInt8(level - 1)]
      pickle +=
        text("0")
        + module(text("}"), text("}(") + word("a") + before + word("b") + before + text("u"))
        + text("q") + [UInt8(level)]
    }
    let error = #expect(throws: Diagnostic.self) {
      try TorchCheckpoint(archive(pickle + text(".")))
    }
    #expect(error?.code == "PYT011")
  }

  @Test func modulesThatHoldThemselvesAreRefused() throws {
    let pickle =
      text("cevil\nNet\n)") + [0x81] + text("q") + [0] + text("}(") + word("_modules") + text("}(")
      + word("self") + text("h") + [0] + text("uubh") + [0] + text(".")
    let error = #expect(throws: Diagnostic.self) { try TorchCheckpoint(archive(pickle)) }
    #expect(error?.code == "PYT011")
  }

  @Test func brokenTensorsAreNamed() throws {
    let bad = tensor.map { $0 }
    // A size of 200 elements in a storage of two.
    let place = try #require(bad.lastIndex(of: 0x85).map { bad[..<$0].lastIndex(of: 0x85) ?? 0 })
    var large = bad
    large[place - 1] = 200
    let checkpoint = try TorchCheckpoint(archive(text("}") + word("w") + large + text("s.")))
    let error = #expect(throws: Diagnostic.self) {
      try checkpoint.tensor(checkpoint.entries[0])
    }
    #expect(error?.code == "PYT006" && error?.location == ["tensor 'w'"])
    for (pickle, code) in [
      (text("}."), "PYT011"), (text("N."), "PYT011"), (text("K") + [1, 46], "PYT011"),
      (text("}") + word("w") + text("ctorch._utils\n_rebuild_odd\n)Rs."), "PYT008"),
    ] {
      let error = #expect(throws: Diagnostic.self) { try TorchCheckpoint(archive(pickle)) }
      #expect(error?.code == code)
    }
  }

  @Test func barePicklesAndOldFormatsAreRefusedByName() {
    let bare = #expect(throws: Diagnostic.self) {
      try TorchCheckpoint(ByteView([0x80, 2, 78, 46]))
    }
    #expect(bare?.code == "PYT010" && bare?.summary.contains("pickle") == true)
    let other = #expect(throws: Diagnostic.self) { try TorchCheckpoint(ByteView([1, 2, 3])) }
    #expect(other?.code == "PYT010")
  }
}
