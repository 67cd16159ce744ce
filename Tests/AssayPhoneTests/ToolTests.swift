import AssayBase
import AssayCodec
import AssayHost
import AssayTestSupport
import Testing

@testable import AssayPhone

/// An ELF executable's headers, for a processor and with a loader.
func elf(machine: UInt8, is64: Bool = true, loader: String? = "/system/bin/linker64") -> [UInt8] {
  var bytes = [UInt8](repeating: 0, count: 64 + 56)
  bytes.replaceSubrange(0..<4, with: [0x7F] + Array("ELF".utf8))
  bytes[4] = is64 ? 2 : 1
  bytes[5] = 1
  bytes[18] = machine
  let header = is64 ? 64 : 52
  bytes[is64 ? 32 : 28] = UInt8(header)
  bytes[is64 ? 54 : 42] = is64 ? 56 : 32
  bytes[is64 ? 56 : 44] = loader == nil ? 0 : 1
  bytes[header] = 3
  let place = header + (is64 ? 56 : 32)
  bytes = Array(bytes.prefix(place))
  bytes[header + (is64 ? 8 : 4)] = UInt8(place)
  if let loader {
    bytes[header + (is64 ? 32 : 16)] = UInt8(loader.utf8.count + 1)
    bytes += Array(loader.utf8) + [0]
  }
  return bytes
}

@Suite struct ToolTests {
  private func withFolder(_ body: (String) throws -> Void) throws {
    let folder = try Host.makeTemporaryFolder("assay-tools")
    defer { try? Host.remove(folder) }
    try body(folder)
  }

  private func write(_ bytes: [UInt8], _ path: String) throws -> String {
    try AtomicFile.write([ByteView(bytes)], to: path)
    return path
  }

  private func archive(_ names: [String]) throws -> [UInt8] {
    var writer = ZipWriter()
    for name in names { try writer.add(name, [ByteView(Array(name.utf8))]) }
    return writer.finish().flatMap(\.array)
  }

  @Test func toolsAreToldFromTheirBytes() throws {
    try withFolder { folder in
      let names: [(UInt8, Bool, String)] = [
        (183, true, "arm64-v8a"), (40, false, "armeabi-v7a"), (62, true, "x86_64"),
        (3, false, "x86"),
      ]
      for (machine, is64, abi) in names {
        let bytes = elf(
          machine: machine,
          is64: is64,
          loader: is64 ? "/system/bin/linker64" : "/system/bin/linker"
        )
        let path = try write(bytes, folder + "/android_\(abi)_benchmark_model")
        #expect(try ToolFile(path: path) == ToolFile(kind: .benchmarkModel, abis: [abi]))
      }
      let lite = try write(elf(machine: 183), folder + "/benchmark_litert_model")
      #expect(try ToolFile(path: lite).kind == .benchmarkLiteRT)
      let app = try write(
        archive(["AndroidManifest.xml", "classes.dex", "lib/arm64-v8a/libx.so", "lib/x86/libx.so"]),
        folder + "/app.apk"
      )
      #expect(try ToolFile(path: app) == ToolFile(kind: .benchmarkAPK, abis: ["arm64-v8a", "x86"]))
      let qnn = try write(
        archive([
          "qairt/2.26.0/bin/aarch64-android/qnn-net-run",
          "qairt/2.26.0/bin/aarch64-android/snpe-net-run",
          "qairt/2.26.0/bin/x86_64-linux-clang/qnn-net-run",
        ]),
        folder + "/v2.26.0.240828.zip"
      )
      #expect(
        try ToolFile(path: qnn)
          == ToolFile(kind: .qnn, abis: ["arm64-v8a"], version: "2.26.0.240828")
      )
      #expect(try ToolFile(path: qnn, kind: .snpe).kind == .snpe)
    }
  }

  @Test func otherFilesAreRefusedWithTheirReason() throws {
    try withFolder { folder in
      func code(_ bytes: [UInt8], _ name: String, _ kind: ToolFile.Kind? = nil) -> String? {
        do {
          let path = try write(bytes, folder + "/" + name)
          _ = try ToolFile(path: path, kind: kind)
          return nil
        } catch {
          return (error as? Diagnostic)?.code
        }
      }
      let glibc = elf(machine: 62, loader: "/lib64/ld-linux-x86-64.so.2")
      #expect(code(glibc, "benchmark_model") == "TOL002")
      #expect(code(elf(machine: 8), "benchmark_model") == "TOL002")
      #expect(code(Array(elf(machine: 183).prefix(40)), "benchmark_model") == "TOL002")
      #expect(code(elf(machine: 183), "program") == "TOL001")
      #expect(code(elf(machine: 183), "program", .benchmarkModel) == nil)
      #expect(code(Array("hello".utf8), "benchmark_model") == "TOL001")
      let bare = try archive(["a/b"])
      #expect(code(bare, "x.zip") == "TOL001")
      let app = try archive(["AndroidManifest.xml", "classes.dex"])
      #expect(code(app, "x.apk") == "TOL001")
      forAll(count: 300) { rng in
        var bytes = elf(machine: 183)
        for _ in 0..<4 { bytes[rng.int(4...bytes.count - 1)] = UInt8(rng.int(0...255)) }
        _ = try? ToolFile.abi(of: ByteView(Array(bytes.prefix(rng.int(5...bytes.count)))))
      }
    }
  }

  @Test func theShelfRemembersAndPicks() throws {
    try withFolder { folder in
      var shelf = try ToolShelf(home: folder)
      #expect(shelf.entries.isEmpty)
      let arm = try write(elf(machine: 183), folder + "/benchmark_model_arm64")
      let old = try write(
        elf(machine: 40, is64: false, loader: "/system/bin/linker"),
        folder + "/benchmark_model_arm"
      )
      #expect(try shelf.add(old).name == "benchmark_model-armeabi-v7a")
      #expect(try shelf.add(arm).name == "benchmark_model-arm64-v8a")
      shelf = try ToolShelf(home: folder)
      #expect(shelf.entries.count == 2)
      let phone = ["arm64-v8a", "armeabi-v7a"]
      #expect(try shelf.pick([.benchmarkModel], abis: phone).path == arm)
      #expect(try shelf.pick([.benchmarkModel], abis: ["armeabi-v7a"]).path == old)
      let missing = #expect(throws: Diagnostic.self) {
        try shelf.pick([.benchmarkModel], abis: ["x86_64"])
      }
      #expect(missing?.code == "TOL005")
      #expect(missing?.cause?.contains("is for arm64-v8a") == true)
      // A file that has changed is not what was noted.
      _ = try write(elf(machine: 183) + [1], arm)
      #expect(try shelf.pick([.benchmarkModel], abis: phone).path == old)
      #expect(try shelf.add(arm).name == "benchmark_model-arm64-v8a")
      #expect(shelf.entries.count == 2)
      try shelf.remove("benchmark_model-arm64-v8a")
      #expect(try ToolShelf(home: folder).entries.map(\.path) == [old])
      #expect(throws: Diagnostic.self) { try shelf.remove("benchmark_modl") }
    }
  }
}
