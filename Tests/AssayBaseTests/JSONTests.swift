import AssayBase
import AssayTestSupport
import Testing

@Suite struct JSONTests {
  @Test func valuesAreRead() throws {
    let text = #" {"b": [1, -2.5, 1e3, true, null], "a": {"ü\n\u00e9\ud83d\ude00": ""}} "#
    let json = try JSON(parsing: text)
    #expect(json.pairs?.map(\.key) == ["b", "a"])
    #expect(json["b"]?.array == [1, -2.5, 1000.0, true, .null])
    #expect(json["b"]?.array?[0] == .integer(1))
    #expect(json["b"]?.array?[2] == .number(1000))
    #expect(json["a"]?["ü\né😀"] == "")
    #expect(json["c"] == nil)
  }

  @Test func whatPythonWritesForNonFiniteNumbersIsRead() throws {
    let json = try JSON(parsing: "[NaN, Infinity, -Infinity]")
    let values = try #require(json.array).map { try #require($0.double) }
    #expect(values[0].isNaN)
    #expect(values[1...] == [.infinity, -.infinity])
  }

  @Test(arguments: [
    "", "{", "[1", "[1,]", "{\"a\"}", "{\"a\":}", "{1:2}", "nul", "\"", "\"\\x\"", "\"\\u12\"",
    "\"\u{1}\"", "1 2", "[1 2]", "-", "1e", "{\"a\":1,}", "]",
  ])
  func faultsAreDiagnostics(text: String) {
    let fault = #expect(throws: Diagnostic.self) { try JSON(parsing: text) }
    #expect(fault?.code == "JSN001")
    #expect(fault?.location.first?.hasPrefix("byte ") == true)
  }

  @Test func bytesThatAreNoTextAreRefused() {
    #expect(throws: Diagnostic.self) { try JSON(parsing: [0x22, 0xFF, 0x22] as [UInt8]) }
  }

  @Test func depthIsLimited() throws {
    let deep = String(repeating: "[", count: 100_000)
    #expect(throws: Diagnostic.self) { try JSON(parsing: deep) }
    let nested = String(repeating: "[", count: 50) + String(repeating: "]", count: 50)
    _ = try JSON(parsing: nested)
    #expect(throws: Diagnostic.self) { try JSON(parsing: nested.utf8, maximumDepth: 48) }
  }

  @Test func whatIsWrittenIsReadBack() {
    forAll(count: 200) { rng in
      let json = random(&rng, depth: 4)
      try #require(try JSON(parsing: json.text()) == json)
      try #require(try JSON(parsing: json.text(pretty: true)) == json)
    }
  }

  private func random(_ rng: inout SeededRNG, depth: Int) -> JSON {
    switch rng.int(0...(depth > 0 ? 7 : 4)) {
    case 0: return .null
    case 1: return .bool(rng.bool())
    case 2: return .integer(Int64(bitPattern: rng.next()))
    case 3: return .number(Double(rng.normal()) * 1e20)
    case 4:
      let scalars = (0..<rng.int(0...6)).compactMap { _ in Unicode.Scalar(rng.int(1...0x2FFF)) }
      return .string(String(String.UnicodeScalarView(scalars)))
    case 5: return .array((0..<rng.int(0...4)).map { _ in random(&rng, depth: depth - 1) })
    default:
      var members = JSON.emptyObject
      for key in 0..<rng.int(0...4) { members["k\(key)"] = random(&rng, depth: depth - 1) }
      return members
    }
  }

  @Test func prettyTextPutsOneMemberOnALine() {
    let json = JSON.object(["a": [1, 2], "b": .object(["c": 0.5]), "d": .array([])])
    #expect(
      json.text(pretty: true) == """
        {
          "a": [1, 2],
          "b": {
            "c": 0.5
          },
          "d": []
        }
        """
    )
    #expect(json.text() == #"{"a":[1,2],"b":{"c":0.5},"d":[]}"#)
  }

  @Test func numbersKeepTheirKind() {
    #expect(JSON(1.0).text() == "1.0")
    #expect(JSON(Double.nan).isNull)
    #expect(JSON.number(.infinity).text() == "null")
    #expect(JSON.integer(.min).text() == "-9223372036854775808")
    #expect(JSON("1").double == nil)
    #expect(JSON.array([1, 2.5]).ints == nil)
    #expect(JSON.array([1, 2]).ints == [1, 2])
  }

  @Test func membersAreReplacedAndRemoved() {
    var json = JSON.object(["a": 1, "b": 2])
    json["a"] = 3
    json["b"] = nil
    json["c"] = 4
    #expect(json.text() == #"{"a":3,"c":4}"#)
  }

  /// Few members are looked through, many are indexed: both are a list of pairs.
  @Test func membersAreAListOfPairs() {
    var random = SeededRNG(seed: 7)
    for most in [3, 12, 13, 40] {
      var members = JSON.Members()
      var pairs: [(key: String, value: JSON)] = []
      for step in 0..<400 {
        let key = "key \(random.next() % UInt64(most))"
        let value: JSON? = random.next() % 3 == 0 ? nil : .integer(Int64(step))
        members[key] = value
        switch (pairs.firstIndex { $0.key == key }, value) {
        case (let place?, let value?): pairs[place].value = value
        case (let place?, nil): pairs.remove(at: place)
        case (nil, let value?): pairs.append((key, value))
        case (nil, nil): break
        }
        #expect(members[key] == value)
      }
      #expect(members.keys == pairs.map(\.key))
      #expect(members.pairs.map(\.value) == pairs.map(\.value))
      // How they came to be does not matter.
      var again = JSON.Members()
      for (key, value) in pairs { again[key] = value }
      #expect(again == members)
    }
  }

  @Test func numbersComeBackAsTheyWere() throws {
    let whole: [Int64] = [
      0, -1, 9, 10, 999_999_999_999_999_999, 1_000_000_000_000_000_000, .max, .min, -42,
    ]
    #expect(
      try JSON(parsing: JSON.array(whole.map { .integer($0) }).text()).array?.map(\.int)
        == whole.map { Int($0) }
    )
    #expect(
      JSON.array([.integer(.min), .number(-0.0), .number(1e16), .number(0.1)]).text()
        == "[-9223372036854775808,0.0,1e+16,0.1]"
    )
    #expect(try JSON(parsing: "9223372036854775808") == .number(9_223_372_036_854_775_808))
    #expect(try JSON(parsing: "007") == .integer(7))
  }

  @Test(arguments: ["plain", "\"", "a\\", "ü\u{1}ü", "\n\r\t\u{1F}", "before\"behind ü", "😀\\😀"])
  func stringsComeBackAsTheyWere(text: String) throws {
    #expect(try JSON(parsing: JSON.string(text).text()) == .string(text))
    #expect(try JSON(parsing: JSON.object([text: 1]).text(pretty: true)) == .object([text: 1]))
  }
}
