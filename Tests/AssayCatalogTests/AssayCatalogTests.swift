import AssayBase
import AssayCatalog
import AssayFormat
import AssayGraph
import AssayHost
import AssayRuntime
import AssayTensor
import AssayTestSupport
import Testing

struct CatalogTests {
  @Test("docs/operators.md says what the code can do")
  func operators() {
    #expect(Golden.mismatch(OperatorMatrix.markdown, "docs/operators.md") == nil)
  }

  @Test("every folder of a format and of a runtime has its row in the catalog")
  func rows() throws {
    let formats = try Host.list(TestData.package + "/Sources/Formats").filter {
      $0.hasPrefix("Format")
    }
    let known = Set(Catalog.formats.map { "format" + $0.id })
    for folder in formats {
      #expect(known.contains(folder.lowercased()), "\(folder) has no row in Catalog.formats")
    }
    let runtimes = try Host.list(TestData.package + "/Sources/Run").filter {
      $0.hasPrefix("Runtime")
    }
    let ids = Set(Catalog.runtimes.map { "runtime" + $0.id })
    for folder in runtimes {
      #expect(ids.contains(folder.lowercased()), "\(folder) has no row in Catalog.runtimes")
    }
  }

  @Test("the reference runs all that is read")
  func referenceFormats() throws {
    #expect(
      Set(try Catalog.runtime("reference").formats) == Set(Catalog.formats.map(\.id))
    )
  }

  @Test("names are found, misspelt ones guessed")
  func names() throws {
    #expect(try Catalog.runtime("litert").id == "litert")
    #expect(Catalog.format("onnx")?.id == "onnx")
    let fault = #expect(throws: (any Error).self) { try Catalog.runtime("onxruntime") }
    #expect("\(fault.map { "\($0)" } ?? "")".contains("did you mean onnxruntime?"))
  }

  @Test("extents that are asked for are those of the network, or the reason is said")
  func shapes() throws {
    let path = TestData.package + "/Examples/digits/model.h5"
    let input = try #require(
      try importModel(path: path).graph.inputs.first.map {
        try importModel(path: path).graph[$0]
      }
    )
    func fault(_ shapes: [String: Shape]) throws -> Diagnostic? {
      do {
        _ = try importModel(path: path, options: ImportOptions(shapes: shapes))
        return nil
      } catch let fault as Diagnostic {
        return fault
      }
    }
    #expect(try fault([input.name: input.type.shape]) == nil)
    // The only input needs no name.
    #expect(try fault(["": input.type.shape]) == nil)
    #expect(try fault(["": [1, 300, 300, 1]])?.summary.contains("'\(input.name)'") == true)
    let larger = try fault([input.name: [1, 300, 300, 1]])
    #expect(larger?.code == "CAT006" && larger?.location.first == path)
    #expect(larger?.summary.contains("fixes it as \(input.type.shape)") == true)
    let misspelt = try fault([input.name + "s": input.type.shape.dims.isEmpty ? [] : [9, 9]])
    #expect(misspelt?.code == "CAT006")
    #expect(misspelt?.remedy == "did you mean '\(input.name)'?")
  }

  @Test("each probe says how it stands, and how to mend it")
  func probes() {
    for row in Catalog.probes().flatMap(\.rows) {
      if case .unavailable(let reason, let remedy) = row.availability {
        #expect(!reason.isEmpty && !remedy.isEmpty, "\(row.name)")
      }
    }
  }
}
