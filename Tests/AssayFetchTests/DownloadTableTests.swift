import AssayBase
import AssayHost
import AssayTestSupport
import Testing

@testable import AssayFetch

/// The table of downloads, the package's and a user's.
@Suite struct DownloadTableTests {
  private func table(_ rows: String) throws -> DownloadTable {
    try DownloadTable(
      json: JSON(parsing: #"{"schema": "assay.downloads/1", "downloads": [\#(rows)]}"#)
    )
  }

  private static let good = """
    {"name": "a/x", "license": "MIT", "source": "https://x", "files": [{"url": "https://x/y.h5"}]}
    """

  @Test func thePackagesTableIsWhole() throws {
    let table = DownloadTable.published
    #expect(table.entries.count > 100)
    let coral = table.entries.filter { $0.name.hasPrefix("coral/") }
    // Models with the twin that runs on the Edge TPU.
    #expect(coral.count { $0.files.contains { $0.name.hasSuffix("_edgetpu.tflite") } } > 40)
    let keras = table.entries.filter { $0.name.hasPrefix("keras/") }
    #expect(Set(keras.compactMap(\.network)).count >= 35)
    for entry in table.entries {
      #expect(!entry.license.isEmpty && !entry.source.isEmpty, "\(entry.name)")
      for file in entry.files where file.sha256 != nil && entry.name.hasPrefix("coral/") {
        #expect(file.byteCount != nil, "\(file.url)")
      }
    }
    #expect(try DownloadTable(json: table.json) == table)
  }

  @Test func realFilesHaveThePinnedHashes() throws {
    guard let folder = TestData.sharedFile("models/coral") else { return }
    var checked = 0
    for entry in DownloadTable.published.entries {
      for file in entry.files {
        let path = Host.join(folder, file.name)
        guard let pinned = file.sha256, Host.kind(of: path) == .file else { continue }
        #expect(try sha256(MappedFile(path: path).view) == pinned, "\(file.name)")
        checked += 1
      }
    }
    #expect(checked >= 8)
  }

  @Test func namesAreFound() throws {
    let table = try table(
      Self.good
        + #", {"name": "b/x", "license": "MIT", "source": "s", "files": [{"url": "https://x/z"}]}"#
    )
    #expect(try table.entry(named: "A/X").files[0].name == "y.h5")
    let two = #expect(throws: Diagnostic.self) { try table.entry(named: "x") }
    #expect(two?.code == "FET011" && two?.remedy?.contains("'b/x'") == true)
    let none = #expect(throws: Diagnostic.self) { try table.entry(named: "quux") }
    #expect(none?.code == "FET011")
  }

  @Test func aUsersTableStandsAbove() throws {
    let folder = try Host.makeTemporaryFolder("assay-table")
    defer { try? Host.remove(folder) }
    let path = Host.join(folder, "mine.yaml")
    try AtomicFile.write(
      """
      schema: assay.downloads/1
      downloads:
        - name: a/x
          license: mine
          source: my shelf
          files:
            - url: https://example.org/other.h5
              sha256: \(String(repeating: "ab", count: 32))

      """,
      to: path
    )
    let both = try table(Self.good).extended(by: DownloadTable(path: path))
    #expect(both.entries.map(\.license) == ["mine"])
  }

  @Test(
    arguments: [
      (#"{"license": "MIT", "source": "s", "files": [{"url": "https://x/y"}]}"#, "name"),
      (#"{"name": "x", "source": "s", "files": [{"url": "https://x/y"}]}"#, "license"),
      (#"{"name": "x", "license": "MIT", "files": [{"url": "https://x/y"}]}"#, "source"),
      (#"{"name": "x", "license": "MIT", "source": "s", "files": []}"#, "files"),
      (
        #"{"name": "x", "license": "MIT", "source": "s", "files": [{"url": "http://evil.org/y"}]}"#,
        "https"
      ),
      (
        #"{"name": "x", "license": "MIT", "source": "s", "files": [{"url": "http://127.0.0.1.evil.org/y"}]}"#,
        "https"
      ),
      (
        #"{"name": "x", "license": "MIT", "source": "s", "files": [{"url": "file:///etc/x"}]}"#,
        "https"
      ),
      (
        #"{"name": "x", "license": "MIT", "source": "s", "files": [{"url": "https://x/y", "name": "../y"}]}"#,
        "name"
      ),
      (
        #"{"name": "x", "license": "MIT", "source": "s", "files": [{"url": "https://x/y", "sha256": "12"}]}"#,
        "hash"
      ),
    ]
  )
  func brokenEntriesAreRefused(row: String, word: String) throws {
    let error = #expect(throws: Diagnostic.self) { try table(row) }
    #expect(error?.code == "FET010" && error?.summary.contains(word) == true)
  }

  @Test func hashesOfTheStandard() throws {
    for (text, digest) in [
      ("", "d41d8cd98f00b204e9800998ecf8427e"), ("abc", "900150983cd24fb0d6963f7d28e17f72"),
      (
        "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
        "57edf4a22be3c955ac49da2e2107b67a"
      ),
    ] {
      #expect(try md5(ByteView(Array(text.utf8))) == digest)
    }
  }
}
