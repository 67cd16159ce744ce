import AssayBase
import AssayTensor
import AssayTestSupport
import Testing

@testable import AssayWeights

/// The header of `.safetensors` files and what it may not say.
@Suite struct SafeTensorsTests {
  static func file(_ header: String, _ content: [UInt8]) -> [UInt8] {
    let count = UInt64(header.utf8.count)
    return (0..<8).map { UInt8(truncatingIfNeeded: count >> ($0 * 8)) } + Array(header.utf8)
      + content
  }

  private func code(_ bytes: [UInt8]) -> String? {
    do {
      _ = try SafeTensors(ByteView(bytes))
      return nil
    } catch {
      return (error as? Diagnostic)?.code
    }
  }

  @Test func tensorsLieWhereTheHeaderSays() throws {
    let header = """
      {"__metadata__":{"format":"pt"},"b":{"dtype":"I8","shape":[2],"data_offsets":[4,6]},\
      "a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}
      """
    let file = try SafeTensors(ByteView(Self.file(header, [0, 0, 128, 63, 1, 255])))
    #expect(file.entries.map(\.name) == ["a", "b"])
    #expect(file.metadata.map(\.text) == ["pt"])
    #expect(try file.tensor(file.entries[0]).floats() == [1])
    #expect(try file.tensor(file.entries[1]).integers() == [1, -1])
  }

  @Test func holesOverlapsAndOverrunsAreRefused() {
    func row(_ name: String, _ start: Int, _ end: Int) -> String {
      "\"\(name)\":{\"dtype\":\"U8\",\"shape\":[\(end - start)],\"data_offsets\":[\(start),\(end)]}"
    }
    let four = [UInt8](repeating: 0, count: 4)
    #expect(code(Self.file("{\(row("a", 0, 4))}", four)) == nil)
    for header in [
      "{\(row("a", 0, 2)),\(row("b", 3, 4))}", "{\(row("a", 0, 3)),\(row("b", 2, 4))}",
      "{\(row("a", 1, 4))}", "{\(row("a", 0, 3))}", "{\(row("a", 0, 5))}",
      "{\(row("a", 0, 2)),\(row("a", 2, 4))}",
      #"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,4]}}"#,
      #"{"a":{"dtype":"U8","shape":[-4],"data_offsets":[0,4]}}"#,
      #"{"a":{"dtype":"U8","shape":[4],"data_offsets":[4,0]}}"#,
      #"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0]}}"#,
      #"{"a":{"shape":[4],"data_offsets":[0,4]}}"#,
      #"{"a":{"dtype":"U8","shape":[4611686018427387904,4611686018427387904],"data_offsets":[0,4]}}"#,
    ] {
      #expect(code(Self.file(header, four)) == "WGT003", "\(header)")
    }
  }

  @Test func brokenHeadersAreRefused() {
    #expect(code([1, 2, 3]) == "WGT002")
    #expect(code([255, 255, 255, 255, 255, 255, 255, 255, 123]) == "WGT002")
    #expect(code([16, 0, 0, 0, 0, 0, 0, 0, 123, 125]) == "WGT002")
    #expect(code(Self.file("[]", [])) == "WGT002")
    #expect(code(Self.file("{", [])) == "WGT002")
    // Nested deeper than any header is.
    let deep = "{\"a\":" + String(repeating: "[", count: 200_000) + "}"
    #expect(code(Self.file(deep, [])) == "WGT002")
  }

  @Test func unknownTypesAreNamedWhenTheyAreRead() throws {
    let header = #"{"a":{"dtype":"F7","shape":[4],"data_offsets":[0,4]}}"#
    let file = try SafeTensors(ByteView(Self.file(header, [0, 0, 0, 0])))
    let error = #expect(throws: Diagnostic.self) { try file.tensor(file.entries[0]) }
    #expect(error?.code == "WGT004" && error?.summary.contains("F7") == true)
  }
}
