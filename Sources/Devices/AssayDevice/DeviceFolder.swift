import AssayBase
import AssayHost

/// Our folder on a device: files are brought there once by what is in them, and nothing stays there.
///
/// A small shell on the device keeps watch: when the way to it breaks for good, it removes the folder
/// after a time of grace, unless somebody has come back for it. What is to stay (an installed bundle)
/// lies outside, below `KEPT`.
public final class DeviceFolder {
  /// The folder's path on the device.
  public let path: String
  private let device: any ShellDevice
  private let grace: Double
  private let journal: DeviceJournal
  private var watch: (any DeviceStream)?
  /// Files that are there, by their hash.
  private var present: Set<String> = []

  /// Makes a folder on the device and sets the watch.
  ///
  /// - Parameter grace: seconds after which the device removes the folder when nobody is there any more.
  /// - Throws: `Diagnostic` DEV010, DEV011, or DEV012 when no folder can be made there.
  public init(
    _ device: any ShellDevice,
    journal: DeviceJournal,
    grace: Double = 60
  ) throws {
    self.device = device
    self.journal = journal
    self.grace = grace
    path = Host.join(device.scratchRoot, "assay-\(journal.session)")
    let folder = Words.shell([path])
    let made = try journal.note("folder") {
      try device.run("umask 077; mkdir -p \(folder)/files && echo made", seconds: 20)
    }
    guard made.status == 0, made.output.contains("made") else {
      throw DeviceFault.refused(
        device.address,
        "making a folder in \(device.scratchRoot)",
        made.errors
      )
    }
    try setWatch()
  }

  /// Starts the shell that removes the folder when we are gone.
  private func setWatch() throws {
    let turn = DeviceJournal.makeWord()
    let folder = Words.shell([path])
    let seconds = Int(min(max(grace, 1), 86_400).rounded(.up))
    // Only the last watch removes the folder: the one before it finds another's word.
    let stream = try device.open(
      """
      trap '' HUP; echo \(turn) >\(folder)/.watch && echo ready
      if read -r word && [ "$word" = done ]; then exit 0; fi
      exec >/dev/null 2>&1
      n=0; while [ $n -lt \(seconds) ]; do sleep 1; n=$((n+1)); \
      [ "$(cat \(folder)/.watch 2>/dev/null)" = \(turn) ] || exit 0; done
      rm -rf \(folder)
      """
    )
    let deadline = Host.monotonicNanoseconds() &+ 20_000_000_000
    guard case .line("ready") = stream.readLine(until: deadline) else {
      let words = stream.errorTail()
      stream.kill()
      throw DeviceFault.lost(device.address, "setting the watch on our folder", cause: words)
    }
    watch = stream
  }

  /// Takes the folder over again after the way to the device was lost.
  ///
  /// - Throws: `Diagnostic` DEV010 or DEV011; files that are gone are pushed again when they are wanted.
  public func takeOver() throws {
    watch?.kill()
    watch = nil
    present = []
    let folder = Words.shell([path])
    _ = try journal.note("folder") {
      try device.run("umask 077; mkdir -p \(folder)/files", seconds: 20)
    }
    try setWatch()
  }

  /// Brings a file there unless one with the same bytes is there, and verifies it.
  ///
  /// - Parameters:
  ///   - name: a suffix that programs want to see, such as `.tflite`.
  ///   - hash: SHA-256 of the file where it is known already.
  /// - Returns: its path on the device.
  public func push(
    _ file: String,
    suffix: String = "",
    isExecutable: Bool = false,
    hash: String? = nil
  ) throws -> String {
    let hash = try hash ?? sha256(try MappedFile(path: file).view)
    let target = "\(path)/files/\(hash.prefix(32))\(suffix)"
    if present.contains(target) { return target }
    let size = Host.byteCount(of: file) ?? 0
    let isThere = try journal.note("look") {
      try device.run(DeviceFolder.check(target, hash: hash, size: size), seconds: 60)
    }
    if !isThere.output.contains("same") {
      try journal.note("push") {
        try device.push(file, to: target, isExecutable: isExecutable, seconds: nil)
      }
      let check = try journal.note("verify") {
        try device.run(DeviceFolder.check(target, hash: hash, size: size), seconds: 60)
      }
      guard check.output.contains("same") else {
        throw Diagnostic(
          "DEV016",
          "a file did not arrive as it was sent",
          at: [device.address.text, Host.name(of: file)],
          remedy: "try again; look at the device's storage and at the way there",
          cause: check.output + check.errors
        )
      }
    }
    present.insert(target)
    return target
  }

  /// A script that prints `same` when a file has these bytes.
  ///
  /// Without a program for SHA-256 the size must do.
  static func check(_ path: String, hash: String, size: Int) -> String {
    let file = Words.shell([path])
    return """
      [ -f \(file) ] || { echo absent; exit 0; }
      h=$(sha256sum \(file) 2>/dev/null || toybox sha256sum \(file) 2>/dev/null)
      if [ -n "$h" ]; then case "$h" in \(hash)*) echo same;; *) echo "other $h";; esac; exit 0; fi
      [ "$(wc -c <\(file) | tr -d ' ')" = \(size) ] && echo same
      exit 0
      """
  }

  /// A path for a file that the device is to write.
  public func newPath(_ name: String) -> String { "\(path)/\(name)" }

  /// Says that a pushed file was moved away on the device.
  public func forget(_ path: String) { present.remove(path) }

  /// Removes a file of the folder.
  public func remove(_ path: String) throws {
    present.remove(path)
    _ = try journal.note("remove") {
      try device.run("rm -f \(Words.shell([path]))", seconds: 20)
    }
  }

  /// Removes the folder with all that is in it.
  ///
  /// - Returns: whether the device said that it is gone; when the way is broken its watch removes it.
  @discardableResult
  public func close() -> Bool {
    let folder = Words.shell([path])
    let result = try? device.run("rm -rf \(folder); [ -e \(folder) ] || echo gone", seconds: 60)
    let isGone = result?.output.contains("gone") ?? false
    if isGone {
      // It finds another word than its own, or this one: either way it ends without a trace.
      _ = watch?.write("done")
      _ = watch?.end(seconds: 5)
    } else {
      watch?.kill()
    }
    watch = nil
    return isGone
  }
}
