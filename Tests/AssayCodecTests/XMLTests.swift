import AssayBase
import AssayCodec
import AssayTestSupport
import Testing

@Suite struct XMLTests {
  private func read(_ text: String) throws -> XMLElement {
    try XMLReader.root(ByteView(Array(text.utf8)))
  }

  private func code(_ text: String) -> String? {
    do {
      _ = try read(text)
      return nil
    } catch { return (error as? Diagnostic)?.code ?? "?" }
  }

  @Test func whatIsWrittenIsRead() throws {
    let odd = "a<b>&\"c'\t\n\r ä 😀 ]]>"
    var writer = XMLWriter()
    writer.element("net", ["name": odd, "version": "11"]) { net in
      net.element("empty")
      net.element("dim", text: "3 & <4>")
      net.element("list", [("id", "1")]) { $0.element("inner", [("x", odd)]) }
    }
    let root = try XMLReader.root(writer.finish())
    #expect(root.name == "net" && root["name"] == odd && root["version"] == "11")
    #expect(root.children.map(\.name) == ["empty", "dim", "list"])
    #expect(root.child("dim")?.text == "3 & <4>")
    #expect(root.child("list")?.all("inner").first?["x"] == odd)
  }

  @Test func anyTextComesBack() {
    forAll { rng in
      let scalars = (0..<rng.int(0...20)).compactMap { _ in Unicode.Scalar(rng.int(32...0x2FFF)) }
      var text = ""
      text.unicodeScalars.append(contentsOf: scalars)
      var writer = XMLWriter()
      writer.element("a", ["t": text])
      let root = try XMLReader.root(writer.finish())
      try #require(root["t"] == text)
    }
  }

  @Test func charactersThatXMLHasNotAreReplaced() throws {
    var writer = XMLWriter()
    writer.element("a", ["t": "x\u{0}y\u{1F}z\u{FFFF}"])
    #expect(try XMLReader.root(writer.finish())["t"] == "x\u{FFFD}y\u{FFFD}z\u{FFFD}")
  }

  @Test func readsTheFormsOfOthers() throws {
    let root = try read(
      """
      \u{FEFF}<?xml version='1.0'?><!-- a <b> --><a x = '1"2' y="&#65;&#x42;&lt;" ><?p?>t<b/>\
      <![CDATA[<&]]><!-- no --></a >
      """
    )
    #expect(root["x"] == "1\"2" && root["y"] == "AB<")
    #expect(root.text == "t<&" && root.children.map(\.name) == ["b"])
  }

  @Test(arguments: [
    "", "text", "<a>", "<a></b>", "<a><b></a></b>", "<a", "<a x>", "<a x=1/>", "<a x='1' x='2'/>",
    "<a x='<'/>", "<a x='1'y='2'/>", "<a/><b/>", "<a/>text", "<a>&#0;</a>", "<a>&#xD800;</a>",
    "<a>&#99999999;</a>", "<a>&lt</a>", "<a><!-- </a>", "<a><![CDATA[ </a>", "<1/>", "< a/>",
  ]) func refusesWhatIsNotWellFormed(_ text: String) {
    #expect(code(text) == "XML001")
  }

  @Test func refusesTypesAndEntities() {
    #expect(code("<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>") == "XML002")
    #expect(code("<a>&x;</a>") == "XML002")
    #expect(code("<a><!ELEMENT b></a>") == "XML002")
  }

  @Test func refusesDepthAndNumber() throws {
    let deep = String(repeating: "<a>", count: 100_000)
    #expect(code(deep) == "XML003")
    let wide = "<r>" + String(repeating: "<a/>", count: 100) + "</r>"
    let fault = #expect(throws: Diagnostic.self) {
      try XMLReader.root(ByteView(Array(wide.utf8)), maximumElements: 50)
    }
    #expect(fault?.code == "XML003")
  }

  @Test func everyCutEndsInADiagnostic() throws {
    let text = Array("<?xml version=\"1.0\"?><a x=\"&amp;1\"><!-- c --><b>t</b></a>".utf8)
    for count in 0..<text.count {
      #expect(throws: Diagnostic.self) { try XMLReader.root(ByteView(text[..<count])) }
    }
  }
}
