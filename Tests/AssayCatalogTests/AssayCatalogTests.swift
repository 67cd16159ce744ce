import AssayBase
import AssayCatalog
import AssayFormat
import AssayHost
import AssayRuntime
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

  @Test("names are found, misspelt ones guessed")
  func names() throws {
    #expect(try Catalog.runtime("litert").id == "litert")
    #expect(Catalog.format("onnx")?.id == "onnx")
    let fault = #expect(throws: (any Error).self) { try Catalog.runtime("onxruntime") }
    #expect("\(fault.map { "\($0)" } ?? "")".contains("did you mean onnxruntime?"))
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
