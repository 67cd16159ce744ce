import AssayBase
import AssayHost
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

extension EmulatedPhone {
  /// Kind, size and time of a path of this machine; `nil` when there is nothing.
  private static func status(_ path: String) -> (mode: UInt32, size: UInt64, time: Int64)? {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    return (UInt32(status.st_mode), UInt64(status.st_size), Int64(status.st_mtim.tv_sec))
  }

  /// Serves the sync protocol until the other side leaves.
  func serveFiles(_ wire: Wire) throws {
    if let limit = faults.withLock({ $0.transferLimit }) { wire.limit(limit) }
    while true {
      let id = String(decoding: try wire.read(4), as: UTF8.self)
      let length = Wire.value(try wire.read(4))
      let argument = String(decoding: try wire.read(length), as: UTF8.self)
      switch id {
      case "QUIT": return
      case "STAT":
        let found = EmulatedPhone.status(root + argument)
        try wire.write(
          Array("STAT".utf8) + Wire.word(found?.mode ?? 0)
            + Wire.word(UInt32(truncatingIfNeeded: found?.size ?? 0))
            + Wire.word(UInt32(truncatingIfNeeded: found?.time ?? 0))
        )
      case "STA2", "LST2":
        try wire.write(Array(id.utf8) + EmulatedPhone.long(EmulatedPhone.status(root + argument)))
      case "LIST", "LIS2": try list(argument, id, wire)
      case "SEND", "SND2": try receive(argument, id, wire)
      case "RECV", "RCV2": try send(argument, id, wire)
      default:
        try fail("unknown command \(id)", wire)
        return
      }
    }
  }

  private static func long(_ found: (mode: UInt32, size: UInt64, time: Int64)?) -> [UInt8] {
    let mode = found?.mode ?? 0
    let time = Wire.long(UInt64(bitPattern: found?.time ?? 0))
    return Wire.word(found == nil ? 2 : 0) + Wire.long(0) + Wire.long(0) + Wire.word(mode)
      + Wire.word(1) + Wire.word(0) + Wire.word(0) + Wire.long(found?.size ?? 0) + time + time
      + time
  }

  private func list(_ path: String, _ id: String, _ wire: Wire) throws {
    for name in [".", ".."] + ((try? Host.list(root + path)) ?? []) {
      let found = EmulatedPhone.status(Host.join(root + path, name))
      let bytes = Array(name.utf8)
      let count = Wire.word(UInt32(bytes.count))
      if id == "LIS2" {
        try wire.write(Array("DNT2".utf8) + EmulatedPhone.long(found) + count + bytes)
      } else {
        try wire.write(
          Array("DENT".utf8) + Wire.word(found?.mode ?? 0)
            + Wire.word(UInt32(truncatingIfNeeded: found?.size ?? 0)) + Wire.word(0) + count + bytes
        )
      }
    }
    try wire.write(Array("DONE".utf8) + [UInt8](repeating: 0, count: id == "LIS2" ? 72 : 16))
  }

  private func receive(_ argument: String, _ id: String, _ wire: Wire) throws {
    var path = argument
    var mode: UInt32 = 0o644
    if id == "SND2" {
      _ = try wire.read(4)
      mode = UInt32(Wire.value(try wire.read(4)))
      _ = try wire.read(4)
    } else if let comma = argument.lastIndex(of: ",") {
      path = String(argument[..<comma])
      mode = UInt32(argument[argument.index(after: comma)...]) ?? mode
    }
    let full = root + path
    try? Host.makeFolders(Host.folder(of: full))
    let file = unsafe open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    var isOpen = file >= 0
    defer { if isOpen { Glibc.close(file) } }
    var refusal = file < 0 ? "couldn't create file: \(lastSystemError())" : nil
    var total = 0
    while true {
      let word = String(decoding: try wire.read(4), as: UTF8.self)
      let length = Wire.value(try wire.read(4))
      if word == "DONE" { break }
      guard word == "DATA", length <= 65_536 else {
        try fail("oversize data message", wire)
        throw Wire.Cut()
      }
      let part = try wire.read(length)
      total += part.count
      if total > faults.withLock({ $0.storage }) {
        refusal = "write failed: No space left on device"
      } else if refusal == nil {
        unsafe _ = Glibc.write(file, part, part.count)
      }
    }
    if let refusal {
      try fail(refusal, wire)
      return
    }
    fchmod(file, mode_t(mode & 0o777))
    // Whoever is told that it is there may execute it at once.
    Glibc.close(file)
    isOpen = false
    Host.awaitWriters(of: full)
    try wire.write(Array("OKAY".utf8) + Wire.word(0))
  }

  private func send(_ path: String, _ id: String, _ wire: Wire) throws {
    if id == "RCV2" { _ = try wire.read(8) }
    guard Host.kind(of: root + path) == .file, let file = try? MappedFile(path: root + path) else {
      try fail("open failed: No such file or directory", wire)
      return
    }
    let bytes = file.view.array
    for start in stride(from: 0, to: bytes.count, by: 65_536) {
      let part = bytes[start..<min(start + 65_536, bytes.count)]
      try wire.write(Array("DATA".utf8) + Wire.word(UInt32(part.count)) + part)
    }
    try wire.write(Array("DONE".utf8) + Wire.word(0))
  }

  private func fail(_ reason: String, _ wire: Wire) throws {
    try wire.write(Array("FAIL".utf8) + Wire.word(UInt32(reason.utf8.count)) + Array(reason.utf8))
  }
}
