import AssayBase
import AssayCodec
import AssayDevice
import AssayHost

/// Programs and libraries of Qualcomm's SNPE or QNN, taken from the folder or archive that the user has
/// added, as far as a phone and this machine need them.
struct QualcommTools {
  /// One file of the package.
  struct Part: Equatable {
    /// Its name on the phone.
    var name: String
    /// Where it lies on this machine.
    var path: String
  }

  /// What a phone gets: programs and libraries, by name.
  let parts: [Part]
  /// Programs of this machine by name, such as `snpe-diagview`.
  let hostPrograms: [String: String]
  /// Their libraries' folder.
  let hostLibraries: String?

  /// Looks through a package.
  ///
  /// - Parameters:
  ///   - programs: what runs on the phone.
  ///   - host: what runs here.
  ///   - scratch: where files of an archive are unpacked.
  /// - Throws: `Diagnostic` QCM010 when a program for the phone's processor is not in it.
  init(
    _ entry: ToolShelf.Entry,
    abi: String,
    programs: [String],
    host: [String],
    scratch: String
  ) throws {
    let folder = abi == "arm64-v8a" ? "aarch64-android" : "arm-android"
    let machine = MachineInfo.current().architecture + "-linux"
    var source = try Source(entry.path, scratch)
    var parts: [Part] = []
    var hostPrograms: [String: String] = [:]
    var hostLibraries: String?
    for name in source.names {
      let words = name.split(separator: "/").map { String($0) }
      guard words.count >= 3 else { continue }
      let (kind, place, file) = (words[words.count - 3], words[words.count - 2], words.last ?? "")
      // Hexagon's own libraries lie one folder deeper: lib/hexagon-v73/unsigned/libQnnHtpV73Skel.so.
      let isSkeleton =
        words.count >= 4 && place == "unsigned" && words[words.count - 3].hasPrefix("hexagon-")
      let isProgram = kind == "bin" && programs.contains(file)
      let isLibrary = kind == "lib" && file.hasSuffix(".so")
      if (isProgram || isLibrary) && place.hasPrefix(folder) || isSkeleton {
        guard !parts.contains(where: { $0.name == file }) else { continue }
        parts.append(Part(name: file, path: try source.file(name)))
      } else if place.hasPrefix(machine), kind == "bin", host.contains(file) {
        hostPrograms[file] = try source.file(name)
      } else if place.hasPrefix(machine), kind == "lib", file.hasSuffix(".so") {
        hostLibraries = Host.folder(of: try source.file(name))
      }
    }
    for program in programs where !parts.contains(where: { $0.name == program }) {
      throw Diagnostic(
        "QCM010",
        "the package has no \(program) for \(abi)",
        at: [entry.path],
        remedy: "add the whole package of Qualcomm's: assay tools add FOLDER"
      )
    }
    self.parts = parts
    self.hostPrograms = hostPrograms
    self.hostLibraries = hostLibraries
  }

  /// Runs a program of this machine, such as the viewer of profiles.
  ///
  /// - Throws: `Diagnostic` QCM011 when the package has none, QCM012 with its words when it fails.
  func runHere(_ program: String, _ arguments: [String]) throws -> String {
    guard let path = hostPrograms[program] else {
      throw Diagnostic(
        "QCM011",
        "the package has no \(program) for this machine",
        remedy: "add the package for \(MachineInfo.current().architecture)-linux too"
      )
    }
    let libraries = hostLibraries.map { "LD_LIBRARY_PATH=\(Words.shell([$0])) " } ?? ""
    let words = Words.shell([path] + arguments)
    let result = try LocalDevice().run(
      "chmod u+x \(Words.shell([path])) 2>/dev/null; \(libraries)\(words) 2>&1",
      seconds: 120
    )
    guard result.status == 0 else {
      throw Diagnostic(
        "QCM012",
        "\(program) failed with status \(result.status)",
        at: [path],
        cause: String(result.output.suffix(2000))
      )
    }
    return result.output
  }

  /// Files of a folder, or of an archive that is unpacked one by one.
  private struct Source {
    let names: [String]
    private let root: String
    private let archive: ZipArchive?

    init(_ path: String, _ scratch: String) throws {
      if Host.kind(of: path) == .folder {
        archive = nil
        root = path
        var found: [String] = []
        func visit(_ below: String, _ depth: Int) {
          guard depth < 7, found.count < 100_000 else { return }
          for name in (try? Host.list(Host.join(path, below))) ?? [] {
            let child = below.isEmpty ? name : below + "/" + name
            if Host.kind(of: Host.join(path, child)) == .folder {
              visit(child, depth + 1)
            } else {
              found.append(child)
            }
          }
        }
        visit("", 0)
        names = found.sorted()
        return
      }
      let zip = try locating(path) { try ZipArchive(MappedFile(path: path).view, limit: 1 << 31) }
      archive = zip
      root = scratch
      names = zip.entries.map(\.name).sorted()
    }

    /// Where a file lies on this machine.
    mutating func file(_ name: String) throws -> String {
      guard let archive else { return Host.join(root, name) }
      // Names of an archive are not trusted: the file gets one of our own.
      let stem = name.split(separator: "/").last.map { String($0) } ?? "file"
      let folder = Host.join(root, String(sha256(Host.folder(of: name)).prefix(12)))
      let path = Host.join(folder, stem.filter { $0 != "/" && $0 != "\0" })
      if Host.exists(path) { return path }
      guard let entry = archive.entry(name) else {
        throw Diagnostic("QCM010", "the package has no \(name)")
      }
      try Host.makeFolders(folder)
      try AtomicFile.write([try archive.read(entry)], to: path, isSynced: false)
      return path
    }
  }
}
