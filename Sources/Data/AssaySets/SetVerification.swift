import AssayBase
import AssayData
import AssayHost
import Synchronization

/// Looks into every picture of a set: its extents, its hash, whether it can be decoded at all.
///
/// What was seen is kept in a journal, so that a run that was interrupted goes on where it stopped; a file
/// whose content has changed since is looked at again.
public struct SetVerification: Sendable {
  /// The journal's name in the set's folder.
  public static let journal = "verified.jsonl"
  private let folder: String
  private let threads: Int

  /// A verification that keeps its journal in a folder.
  public init(folder: String, threads: Int) {
    self.folder = folder
    self.threads = threads
  }

  private struct Seen: Sendable {
    var sha256: String
    var width: Int
    var height: Int
    var fault: String?
  }

  /// Verifies a set.
  ///
  /// - Parameters:
  ///   - skipsBroken: whether broken pictures are left out and listed, and not a reason to stop.
  ///   - progress: told after each batch how many pictures are done.
  /// - Returns: the set with extents and hashes, without broken pictures, and what is odd about it.
  /// - Throws: `Diagnostics` DST009 with the broken pictures, DST010 for extents that are not those of
  ///   the annotations.
  public func run(
    _ set: LabelledSet,
    skipsBroken: Bool,
    progress: (Int) -> Void
  ) throws -> (set: LabelledSet, findings: [Diagnostic]) {
    guard set.task != .text else { return (set, duplicates(set)) }
    var seen = try unchanged(of: set, replayed())
    let path = Host.join(folder, SetVerification.journal)
    let missing = set.items.indices.filter { seen[key(set.items[$0])] == nil }
    var done = set.items.count - missing.count
    progress(done)
    let batch = 64 * max(threads, 1)
    for start in stride(from: 0, to: missing.count, by: batch) {
      let part = Array(missing[start..<min(start + batch, missing.count)])
      let slots = Mutex<[Int: Seen]>([:])
      Host.forEach(below: part.count, threads: threads) { offset in
        let result = SetVerification.look(at: set.items[part[offset]])
        slots.withLock { $0[offset] = result }
      }
      let results = slots.withLock { $0 }
      var lines = ""
      for (offset, index) in part.enumerated() {
        guard let result = results[offset] else { continue }
        let key = key(set.items[index])
        seen[key] = result
        lines +=
          JSON.object([
            "key": .string(key), "sha256": .string(result.sha256), "width": JSON(result.width),
            "height": JSON(result.height), "fault": JSON(result.fault),
          ]).text() + "\n"
      }
      try Host.append(Array(lines.utf8), to: path)
      done += part.count
      progress(done)
    }
    return try judged(set, seen, skipsBroken)
  }

  /// What a journal says of files that are as they were then: their hashes are taken again, which is quick
  /// beside decoding them.
  private func unchanged(of set: LabelledSet, _ seen: [String: Seen]) -> [String: Seen] {
    let kept = Mutex<[String: Seen]>([:])
    Host.forEach(below: seen.isEmpty ? 0 : set.items.count, threads: threads) { index in
      let item = set.items[index]
      let key = key(item)
      guard let known = seen[key], let bytes = try? MappedFile(path: item.path).view,
        sha256(bytes) == known.sha256
      else { return }
      kept.withLock { $0[key] = known }
    }
    return kept.withLock { $0 }
  }

  private func judged(
    _ set: LabelledSet,
    _ seen: [String: Seen],
    _ skipsBroken: Bool
  ) throws -> (LabelledSet, [Diagnostic]) {
    var result = set
    var faults: [Diagnostic] = []
    result.items = []
    for item in set.items {
      guard let found = seen[key(item)] else { continue }
      if let fault = found.fault {
        if skipsBroken {
          result.skipped.append(LabelledSet.Skipped(name: item.name, reason: fault))
        } else if faults.count < 50 {
          faults.append(
            Diagnostic(
              "DST009",
              "the picture '\(item.name)' cannot be read",
              at: [item.path],
              remedy: "replace it, or leave out all that are broken with --skip-broken",
              cause: fault
            )
          )
        }
        continue
      }
      if item.width > 0, item.width != found.width || item.height != found.height {
        if faults.count < 50 {
          faults.append(
            Diagnostic(
              "DST010",
              "the picture is of \(found.width) x \(found.height), its annotations are of "
                + "\(item.width) x \(item.height)",
              at: [item.path],
              remedy: "are these the pictures that the annotations were made for?"
            )
          )
        }
        continue
      }
      var verified = item
      verified.sha256 = found.sha256
      verified.width = found.width
      verified.height = found.height
      result.items.append(verified)
    }
    try Diagnostics(faults).throwIfErrors()
    guard !result.items.isEmpty else {
      throw Diagnostic("DST003", "no picture can be read", at: [set.source])
    }
    return (result, duplicates(result))
  }

  /// Items of equal content, which count twice, and above all those whose labels differ.
  private func duplicates(_ set: LabelledSet) -> [Diagnostic] {
    var first: [String: Int] = [:]
    var findings: [Diagnostic] = []
    var more = 0
    for (index, item) in set.items.enumerated() {
      guard let other = first[item.sha256] else {
        first[item.sha256] = index
        continue
      }
      guard findings.count < 20 else {
        more += 1
        continue
      }
      let twin = set.items[other]
      let words =
        twin.label == item.label
        ? "has the same content as '\(twin.name)'"
        : "has the same content as '\(twin.name)', but another label"
      findings.append(
        Diagnostic("DST011", "'\(item.name)' \(words)", at: [set.source], severity: .warning)
      )
    }
    if more > 0 {
      findings.append(
        Diagnostic("DST011", "and \(more) more duplicates", at: [set.source], severity: .warning)
      )
    }
    return findings
  }

  private static func look(at item: LabelledSet.Item) -> Seen {
    do {
      let bytes = try MappedFile(path: item.path).view
      let image = try Image.decode(bytes, name: item.path)
      return Seen(sha256: sha256(bytes), width: image.width, height: image.height)
    } catch let error as Diagnostic {
      let words = [error.summary, error.cause].compactMap(\.self).joined(separator: ": ")
      return Seen(sha256: "", width: 0, height: 0, fault: words)
    } catch {
      return Seen(sha256: "", width: 0, height: 0, fault: "\(error)")
    }
  }

  /// A picture's place and size.
  private func key(_ item: LabelledSet.Item) -> String {
    "\(item.path)\t\(Host.byteCount(of: item.path) ?? -1)"
  }

  /// What a journal holds; a last line that was cut off is left out.
  ///
  /// Broken files are looked at again:
  /// they may have been replaced.
  private func replayed() throws -> [String: Seen] {
    let path = Host.join(folder, SetVerification.journal)
    guard Host.kind(of: path) == .file, let text = try MappedFile(path: path).view.utf8 else {
      return [:]
    }
    var seen: [String: Seen] = [:]
    for line in text.split(separator: "\n") {
      guard let json = try? JSON(parsing: String(line)), let key = json["key"]?.string,
        let sha256 = json["sha256"]?.string, !sha256.isEmpty, let width = json["width"]?.int,
        let height = json["height"]?.int
      else { continue }
      seen[key] = Seen(sha256: sha256, width: width, height: height)
    }
    return seen
  }
}
