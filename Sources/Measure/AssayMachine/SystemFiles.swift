import AssayBase
import AssayHost

/// The files by which a system tells of itself (`/proc`, `/sys`), read below a root.
///
/// A test gives a folder of its own as the root; nothing of what is read there is trusted: a file that
/// is absent or holds something else is a fact that is not known.
public struct SystemFiles: Sendable, Equatable {
  /// What stands before every path; empty for the system's own root.
  public var root: String

  /// The files below `root`.
  public init(root: String = "") { self.root = root }

  /// The whole text of a small file.
  public func text(_ path: String) -> String? { Host.smallText(root + path) }

  /// The first line without what surrounds it; `nil` when that is empty.
  public func line(_ path: String) -> String? {
    guard let text = text(path) else { return nil }
    let first = text.split(whereSeparator: { $0 == "\n" || $0 == "\0" }).first ?? ""
    let line = first.trimmed
    return line.isEmpty ? nil : line
  }

  /// The whole number that the first line is.
  public func int(_ path: String) -> Int? { line(path).flatMap { Int($0) } }

  /// The names in a folder, sorted; empty when there is none.
  public func list(_ path: String) -> [String] { (try? Host.list(root + path)) ?? [] }

  /// The value behind `key` in lines `key value`, as control groups and vmstat write them.
  public func int(_ key: String, in text: String) -> Int? {
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      if words.count >= 2, words[0] == key { return Int(words[1]) }
    }
    return nil
  }
}

extension Substring {
  /// Without white space at both ends.
  var trimmed: String {
    var text = self
    while let first = text.first, first.isWhitespace { text.removeFirst() }
    while let last = text.last, last.isWhitespace { text.removeLast() }
    return String(text)
  }
}

/// Numbers of processors as the kernel writes them, `0-3,8`.
public enum ProcessorList {
  /// The numbers of a text; `nil` when it is no such list or names more than 4096.
  public static func parse(_ text: String) -> [Int]? {
    var numbers: Set<Int> = []
    for part in text.split(separator: ",") {
      let ends = part.trimmed.split(separator: "-", omittingEmptySubsequences: false).map {
        Int($0)
      }
      guard let first = ends.first ?? nil, let last = ends.last ?? nil, ends.count <= 2,
        first >= 0, last >= first, last < 4096
      else { return nil }
      numbers.formUnion(first...last)
    }
    return numbers.sorted()
  }

  /// The shortest text for some numbers.
  public static func text(_ numbers: [Int]) -> String {
    var parts: [String] = []
    var sorted = Set(numbers).sorted()[...]
    while let first = sorted.popFirst() {
      var last = first
      while let next = sorted.first, next == last + 1 {
        last = next
        sorted.removeFirst()
      }
      parts.append(last == first ? "\(first)" : "\(first)-\(last)")
    }
    return parts.joined(separator: ",")
  }
}
