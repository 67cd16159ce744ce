import AssayBase
import AssayCodec
import AssayHost

/// A vendor's program or archive that the user has, as told from its bytes.
public struct ToolFile: Sendable, Equatable {
  /// What it is.
  public enum Kind: String, Sendable, CaseIterable {
    /// TensorFlow's command-line benchmark.
    case benchmarkModel = "benchmark_model"
    /// LiteRT's successor of it, which knows NPUs.
    case benchmarkLiteRT = "benchmark_litert_model"
    /// The same as an app.
    case benchmarkAPK = "benchmark-apk"
    /// Qualcomm's SNPE (with QAIRT, both).
    case snpe
    /// Qualcomm's QNN.
    case qnn
  }

  /// What it is.
  public var kind: Kind
  /// Interfaces for programs that it is for, such as `arm64-v8a`; empty for an archive of all.
  public var abis: [String]
  /// The version where the file tells it.
  public var version: String?

  /// Looks at a file, or at an unpacked folder of Qualcomm's.
  ///
  /// - Parameter kind: what the user says that it is; `nil` to tell from name and bytes.
  /// - Throws: `Diagnostic` TOL001 when it is none of the tools, TOL002 for another system's program.
  public init(path: String, kind: Kind? = nil) throws {
    let name = Host.name(of: path).lowercased()
    if Host.kind(of: path) == .folder {
      self = try ToolFile.archive(ToolFile.names(below: path), name, kind, path)
      return
    }
    let bytes = try MappedFile(path: path).view
    if bytes.starts(with: Array("\u{7F}ELF".utf8)) {
      let abi = try locating(path) { try ToolFile.abi(of: bytes) }
      let isLiteRT = name.contains("litert")
      self.kind = kind ?? (isLiteRT ? .benchmarkLiteRT : .benchmarkModel)
      guard self.kind != .benchmarkAPK, kind != nil || name.contains("benchmark") else {
        throw Diagnostic(
          "TOL001",
          "this program is not known by its name",
          at: [path],
          remedy: "say what it is: --kind \(Kind.allCases.map(\.rawValue).joined(separator: "|"))"
        )
      }
      abis = [abi]
      version = nil
      return
    }
    if ZipArchive.sniff(bytes) {
      let names = try locating(path) { try ZipArchive(bytes, limit: 1 << 31).entries.map(\.name) }
      if names.contains("AndroidManifest.xml") {
        guard kind == nil || kind == .benchmarkAPK else { throw ToolFile.unknown(path) }
        self.kind = .benchmarkAPK
        abis = Set(
          names.compactMap { entry -> String? in
            let parts = entry.split(separator: "/")
            return parts.count == 3 && parts[0] == "lib" ? String(parts[1]) : nil
          }
        ).sorted()
        version = nil
        guard !abis.isEmpty else {
          throw Diagnostic(
            "TOL001",
            "this app brings no native library: it is no benchmark of TensorFlow Lite",
            at: [path]
          )
        }
        return
      }
      self = try ToolFile.archive(names, name, kind, path)
      return
    }
    throw ToolFile.unknown(path)
  }

  private static func unknown(_ path: String) -> Diagnostic {
    Diagnostic(
      "TOL001",
      "this is no tool that assay drives",
      at: [path],
      remedy:
        "give benchmark_model or benchmark_litert_model built for Android, the benchmark's APK, or "
        + "the archive of Qualcomm's SNPE, QNN or QAIRT"
    )
  }

  /// Qualcomm's archives are told by the programs in them.
  private static func archive(
    _ names: [String],
    _ name: String,
    _ kind: Kind?,
    _ path: String
  ) throws -> ToolFile {
    let hasSNPE = names.contains { $0.hasSuffix("/snpe-net-run") }
    let hasQNN = names.contains { $0.hasSuffix("/qnn-net-run") }
    guard let found = kind ?? (hasSNPE && !hasQNN ? .snpe : hasQNN ? .qnn : nil),
      found == .snpe ? hasSNPE : found == .qnn ? hasQNN : false
    else { throw unknown(path) }
    let program = found == .snpe ? "/snpe-net-run" : "/qnn-net-run"
    let abis = Set(
      names.filter { $0.hasSuffix(program) }.compactMap { entry -> String? in
        let folder = entry.dropLast(program.count).split(separator: "/").last ?? ""
        if folder.hasPrefix("aarch64-android") { return "arm64-v8a" }
        if folder.hasPrefix("arm-android") { return "armeabi-v7a" }
        return nil
      }
    )
    // The longest run of digits and dots in the archive's name, such as `v2.26.0.240828.zip`.
    let numbers = name.split { !($0.isASCII && $0.isNumber) && $0 != "." }.map {
      $0.split(separator: ".").joined(separator: ".")
    }
    let version = numbers.max { $0.count < $1.count }
    var tool = ToolFile(kind: found, abis: abis.sorted())
    tool.version = version.flatMap { $0.contains(".") ? $0 : nil }
    return tool
  }

  /// Makes a description.
  public init(kind: Kind, abis: [String], version: String? = nil) {
    self.kind = kind
    self.abis = abis
    self.version = version
  }

  /// The interface for programs that an ELF executable is for.
  ///
  /// - Throws: `Diagnostic` TOL002 unless it is for Android.
  static func abi(of bytes: ByteView) throws -> String {
    func fault(_ what: String) -> Diagnostic {
      Diagnostic(
        "TOL002",
        "this program is not for Android: \(what)",
        remedy: "take the build for Android, such as android_aarch64_benchmark_model"
      )
    }
    do {
      let is64 = try bytes.load(UInt8.self, at: 4) == 2
      guard try bytes.load(UInt8.self, at: 5) == 1 else { throw fault("it is big-endian") }
      let machine = try UInt16(littleEndian: bytes.load(at: 18))
      let abi: String
      switch (machine, is64) {
      case (183, true): abi = "arm64-v8a"
      case (40, false): abi = "armeabi-v7a"
      case (62, true): abi = "x86_64"
      case (3, false): abi = "x86"
      default: throw fault("its processor is number \(machine)")
      }
      // The loader that it asks for tells the C library; a static program asks for none.
      let offset =
        is64
        ? Int(clamping: try UInt64(littleEndian: bytes.load(at: 32)))
        : Int(try UInt32(littleEndian: bytes.load(at: 28)))
      let size = Int(try UInt16(littleEndian: bytes.load(at: is64 ? 54 : 42)))
      let count = Int(try UInt16(littleEndian: bytes.load(at: is64 ? 56 : 44)))
      guard offset < bytes.count, size >= (is64 ? 56 : 32) else { return abi }
      for index in 0..<min(count, 128) {
        let header = try bytes.slice(offset, bytes.count - offset).slice(index * size, size)
        guard try UInt32(littleEndian: header.load(at: 0)) == 3 else { continue }
        let start =
          is64
          ? Int(clamping: try UInt64(littleEndian: header.load(at: 8)))
          : Int(try UInt32(littleEndian: header.load(at: 4)))
        let length =
          is64
          ? Int(clamping: try UInt64(littleEndian: header.load(at: 32)))
          : Int(try UInt32(littleEndian: header.load(at: 16)))
        let name = try bytes.slice(start, min(length, 256)).array.prefix { $0 != 0 }
        let loader = String(decoding: name, as: UTF8.self)
        guard loader.hasPrefix("/system/bin/linker") else {
          throw fault("it wants the loader \(Words.printable(loader))")
        }
      }
      return abi
    } catch is ByteView.OutOfBounds {
      throw Diagnostic("TOL002", "the program's file is cut short")
    }
  }

  private static func names(below folder: String) -> [String] {
    var names: [String] = []
    func visit(_ path: String, _ depth: Int) {
      guard depth < 6, names.count < 100_000 else { return }
      for name in (try? Host.list(Host.join(folder, path))) ?? [] {
        let child = path.isEmpty ? name : path + "/" + name
        if Host.kind(of: Host.join(folder, child)) == .folder {
          visit(child, depth + 1)
        } else {
          names.append(child)
        }
      }
    }
    visit("", 0)
    return names
  }
}
