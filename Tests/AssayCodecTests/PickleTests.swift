import AssayBase
import AssayCodec
import AssayTestSupport
import Testing

/// Pickles as data.
@Suite struct PickleTests {
  private func pickle(_ bytes: [UInt8]) throws -> Pickle {
    try Pickle(ByteView([0x80, 2] + bytes))
  }

  private func text(_ text: String) -> [UInt8] { Array(text.utf8) }

  @Test func valuesAndContainers() throws {
    // {'a': (1, 1.5, None), 'b': [True, -2]}
    let bytes: [UInt8] =
      text("}(X") + [1, 0, 0, 0] + text("aK") + [1] + text("G") + [0x3F, 0xF8, 0, 0, 0, 0, 0, 0]
      + text("N") + [0x87] + text("X") + [1, 0, 0, 0] + text("b](") + [0x88] + text("J")
      + [0xFE, 0xFF, 0xFF, 0xFF] + text("eu.")
    let pickle = try pickle(bytes)
    let entries = try #require(pickle.root.entries)
    #expect(entries.map(\.key.string) == ["a", "b"])
    let tuple = try #require(entries[0].value.elements)
    #expect(tuple.count == 3 && tuple[0].int == 1)
    if case .float(let number) = tuple[1].content { #expect(number == 1.5) } else { Issue.record() }
    #expect(entries[1].value.elements?.last?.int == -2)
  }

  @Test func callsAreKeptAsNames() throws {
    let pickle = try pickle(text("cos\nsystem\n(X") + [2, 0, 0, 0] + text("lstR."))
    guard case .call(let function, let arguments) = pickle.root.content else {
      Issue.record("\(pickle.root.content)")
      return
    }
    #expect(function.globalName == "os.system" && arguments.elements?.first?.string == "ls")
  }

  @Test func longNumbers() throws {
    let numbers: [([UInt8], Int)] = [([], 0), ([0, 0x80], -32768), ([0, 0x80, 0], 32768)]
    for (digits, number) in numbers {
      let pickle = try pickle([0x8A, UInt8(digits.count)] + digits + text("."))
      #expect(pickle.root.int == number)
    }
    #expect(throws: Diagnostic.self) { try pickle([0x8A, 9] + [UInt8](repeating: 1, count: 9)) }
  }

  @Test func whatIsNoDataIsRefused() {
    // INST, OBJ, EXT1, PERSID, BUILD without a target, an unknown memo, an empty stack, no end.
    let bad: [[UInt8]] = [
      text("(ios\nsystem\n."), text("(cos\nsystem\no."), [0x82, 1, 46], text("Pid\n."),
      text("b."), text("h") + [7, 46], text("."), text("N"), text("(t"), text("(u."), text("K"),
      text("X") + [255, 255, 255, 255], [0x8D] + [UInt8](repeating: 255, count: 8), text("Ne."),
      text("}(Nu."), text("t."), [0x87, 46],
    ]
    for bytes in bad { #expect(throws: Diagnostic.self, "\(bytes)") { try pickle(bytes) } }
  }

  @Test func deepAndClosedChainsAreLetGo() throws {
    // A tuple in a tuple, a million times over; a list that holds itself.
    let deep = text("N") + [UInt8](repeating: 0x85, count: 1_000_000) + text(".")
    let chain = try pickle(deep)
    #expect(chain.root.elements?.count == 1)
    let circle = try pickle(text("]q") + [0] + text("h") + [0] + text("a."))
    #expect(circle.root.elements?.first === circle.root)
  }

  @Test func noBytesMakeItTrap() {
    forAll(count: 300) { rng in
      let opcodes: [UInt8] =
        Array("().0NJKMGXTCBc]}ltdaseuRbQqrhj".utf8) + [0x80, 0x85, 0x86, 0x94]
      let bytes = (0..<rng.int(0...60)).map { _ in
        rng.bool() ? rng.pick(opcodes) : UInt8(truncatingIfNeeded: rng.next())
      }
      _ = try? Pickle(ByteView([0x80, 2] + bytes))
    }
  }
}
