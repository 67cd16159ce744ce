import AssayBase
import AssayCodec
import Testing

@Suite(.enabled(if: YAML.probe().isAvailable, "libyaml is not installed: make setup"))
struct YAMLTests {
  @Test("mappings, sequences and scalars become JSON values")
  func values() throws {
    let value = try YAML.read(
      """
      model: net.h5   # a comment
      threads: [1, 2]
      max-drop: 1%
      scale: 0.5
      quick: true
      nothing:
      text: "1"
      nested:
        - a: -3
        - .5
      """
    )
    let expected = JSON.object([
      "model": "net.h5", "threads": [1, 2], "max-drop": "1%", "scale": 0.5, "quick": true,
      "nothing": .null, "text": "1", "nested": [.object(["a": -3]), 0.5],
    ])
    #expect(value == expected)
  }

  @Test("everything in a document knows its line")
  func lines() throws {
    let text = """
      # a remark
      name: x
      list: [1,
        2]
      deep:
        - {a: 1, b: 2}
        -
          a: 3
      """
    let marked = try YAML.readMarked(text)
    #expect(try marked.value == YAML.read(text))
    #expect(
      marked.lines == [
        "": 2, "name": 2, "list": 3, "list[0]": 3, "list[1]": 4, "deep": 5, "deep[0]": 6,
        "deep[0].a": 6, "deep[0].b": 6, "deep[1]": 8, "deep[1].a": 8,
      ]
    )
  }

  @Test("an empty text is null")
  func empty() throws { #expect(try YAML.read("") == .null) }

  @Test(
    "broken, recursive, doubled and deep texts are refused with their line",
    arguments: [
      "a: [1, 2", "a: &x [*x]", "a: 1\na: 2", "? [1]\n: 2",
      String(repeating: "[", count: 100) + String(repeating: "]", count: 100),
    ]
  )
  func refusals(text: String) {
    let error = #expect(throws: Diagnostic.self) { try YAML.read(text) }
    #expect(error?.code == "YML001")
    #expect(error?.location.first?.hasPrefix("line ") == true)
  }
}
