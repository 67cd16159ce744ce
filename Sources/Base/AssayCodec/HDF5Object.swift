import AssayBase
import AssayTensor

/// A group or a dataset of an HDF5 file.
public struct HDF5Object: Sendable {
  /// Where it was found, parts joined by `/`.
  public let path: String
  /// The names of a group's members, in the file's order.
  public let memberNames: [String]
  /// Whether it holds elements.
  public var isDataset: Bool { messages.contains { $0.kind == .layout } }

  let file: HDF5File
  let messages: [HDF5Message]
  private let members: [String: HDF5Link]
  /// The addresses of the groups on the way here, this one's included.
  private let ancestors: [Int]

  init(address: Int, path: String, in file: HDF5File, ancestors: [Int]) throws {
    guard ancestors.count < 64 else {
      throw HDF5.broken("groups are nested too deeply").inside(path)
    }
    self.path = path
    self.file = file
    self.ancestors = ancestors + [address]
    (messages, memberNames, members) = try locating(path) {
      try HDF5.checked {
        let messages = try file.source.messages(at: address)
        var names: [String] = []
        var members: [String: HDF5Link] = [:]
        for (name, link) in try file.source.links(messages) {
          guard members.updateValue(link, forKey: name) == nil else {
            throw HDF5.broken("two members have the name '\(name)'")
          }
          names.append(name)
        }
        return (messages, names, members)
      }
    }
  }

  /// The member of a group by name; `nil` when there is none.
  ///
  /// - Throws: `Diagnostic` HDF004 when a group lies within itself, or the member is in another file.
  public func member(_ name: String) throws -> HDF5Object? { try member(name, softLinks: 0) }

  /// The object at a path below this one; `nil` when there is none.
  public func object(_ path: String) throws -> HDF5Object? { try object(path, softLinks: 0) }

  private func object(_ path: String, softLinks: Int) throws -> HDF5Object? {
    var object = path.hasPrefix("/") && self.path != "/" ? try file.root() : self
    for part in path.split(separator: "/") where part != "." {
      guard let next = try object.member(String(part), softLinks: softLinks) else { return nil }
      object = next
    }
    return object
  }

  private func member(_ name: String, softLinks: Int) throws -> HDF5Object? {
    guard let link = members[name] else { return nil }
    let place = path == "/" ? "/" + name : path + "/" + name
    switch link {
    case .hard(let address):
      guard !ancestors.contains(address) else {
        throw Diagnostic("HDF004", "a group lies within itself", at: [place])
      }
      return try HDF5Object(address: address, path: place, in: file, ancestors: ancestors)
    case .soft(let target):
      guard softLinks < 16 else {
        throw Diagnostic("HDF004", "links lead to links without end", at: [place])
      }
      return try object(target, softLinks: softLinks + 1)
    case .external:
      throw Diagnostic("HDF004", "the member lies in another file", at: [place])
    }
  }
}

/// Where a member of a group is.
enum HDF5Link: Sendable {
  case hard(Int)
  case soft(String)
  case external
}
