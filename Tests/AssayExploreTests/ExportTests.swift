import AssayBase
import AssayHost
import Testing

@testable import AssayExplore

/// The exported site's files.
@Suite struct ExportTests {
  private func explorer(_ table: ExplorerTable = smallTable()) throws -> Explorer {
    try Explorer(.table(table, name: "small"))
  }

  @Test func filesAreWholeAndSayThatThereIsNoServer() throws {
    let folder = try Host.makeTemporaryFolder("site")
    defer { try? Host.remove(folder) }
    let site = Host.join(folder, "site")
    let made = try explorer().export(to: site)
    #expect(made.fileCount == ExplorerPages.all.count + 2 + 3 * made.labelCount)
    let page = try MappedFile(path: Host.join(site, "index.html")).view.utf8 ?? ""
    #expect(page.contains("<html data-site lang"))
    let text = try MappedFile(path: Host.join(site, "data/table.json")).view.utf8 ?? ""
    let data = try JSON(parsing: text)
    #expect(data["table"]?["isStatic"] == true && data["columns"]?.array?.count == 2)
    #expect(data["hasLabels"]?.bool == (made.labelCount > 0))
    // Each row has its label, unless the drawing's libraries are missing, which is told.
    #expect(made.labelCount == 6 || made.withoutLabels?.remedy != nil)
    if made.labelCount > 0 {
      let labels = Host.join(site, "data/labels")
      #expect(
        try MappedFile(path: Host.join(labels, "5.pdf")).view.array.starts(with: "%PDF-".utf8)
      )
      let label = try MappedFile(path: Host.join(labels, "5.svg")).view.utf8 ?? ""
      #expect(label.contains("<svg") && !label.contains("<img"))
    }
    // Written again in its place; not over something else.
    #expect(try explorer().export(to: site).fileCount == made.fileCount)
    #expect(throws: Diagnostic.self) { try explorer().export(to: folder) }
    #expect(try Host.list(folder) == ["site"])
  }

  @Test func aTableTooLargeForAPageIsRefused() throws {
    let folder = try Host.makeTemporaryFolder("site")
    defer { try? Host.remove(folder) }
    let large = try explorer(.made(Explorer.exportLimit + 1))
    #expect(throws: Diagnostic.self) { try large.export(to: Host.join(folder, "site")) }
  }
}
