import AssayBase
import AssayCodec

/// The objects of a program and how they hold one another, as a SavedModel (`SavedObjectGraph`) and its
/// checkpoint (`TrackableObjectGraph`) each keep them; the first is the root.
public struct TFObjectGraph: Sendable {
  /// An object.
  public struct Object: Sendable {
    /// The objects that it holds, by the name of the property.
    public var children: [(name: String, object: Int)] = []
    /// The names in the checkpoint of its values.
    public var checkpointKeys: [String] = []
    /// The names that those values had in the program, in the same order; empty where it is not told.
    public var checkpointNames: [String] = []
    /// Whether it is a variable, and the name that it has.
    public var variable: String?
  }

  /// The objects.
  public var objects: [Object] = []
  /// The objects behind the last inputs of functions, by the function's name.
  public var boundInputs: [String: [Int]] = [:]

  /// No objects.
  public init() {}

  /// Reads one message of either kind.
  ///
  /// - Throws: `Diagnostic` PRB… when it is malformed.
  public init(reading message: ProtobufReader) throws {
    var reader = message
    while let field = try reader.next() {
      switch field.number {
      case 1: objects.append(try Object(reading: try reader.message(field)))
      case 2:
        let (name, value) = try mapEntry(try reader.message(field))
        guard var function = value else { continue }
        var inputs: [Int64] = []
        while let part = try function.next() {
          if part.number == 2 { try part.append(to: &inputs) }
        }
        boundInputs[name] = inputs.map { Int($0) }
      default: break
      }
    }
  }

  /// The names in the checkpoint of objects' values: the objects of both graphs that stand at the same
  /// place belong together.
  public func checkpointKeys(in saved: TFObjectGraph) -> [Int: String] {
    var keys: [Int: String] = [:]
    var partner: [Int: Int] = [0: 0]
    var waiting = [0]
    var next = 0
    while next < waiting.count {
      let object = waiting[next]
      next += 1
      guard objects.indices.contains(object), let other = partner[object],
        saved.objects.indices.contains(other)
      else { continue }
      if let key = saved.objects[other].checkpointKeys.first { keys[object] = key }
      let places = Dictionary(saved.objects[other].children.map { ($0.name, $0.object) }) {
        first,
        _ in first
      }
      for (name, child) in objects[object].children where partner[child] == nil {
        guard let place = places[name] else { continue }
        partner[child] = place
        waiting.append(child)
      }
    }
    return keys
  }
}

extension TFObjectGraph.Object {
  fileprivate init(reading message: ProtobufReader) throws {
    var reader = message
    while let field = try reader.next() {
      switch (field.number, field.payload) {
      case (1, .bytes):
        var child = try reader.message(field)
        var name = ""
        var object: Int64 = 0
        while let part = try child.next() {
          if part.number == 1 { object = try part.integer() }
          if part.number == 2 { name = try part.string() }
        }
        children.append((name, Int(object)))
      case (2, .bytes):
        // A value of the checkpoint's graph; SavedModel's has no field of this number.
        var attribute = try reader.message(field)
        var name = ""
        var key: String?
        while let part = try attribute.next() {
          if part.number == 2 { name = try part.string() }
          if part.number == 3 { key = try part.string() }
        }
        if let key {
          checkpointKeys.append(key)
          checkpointNames.append(name)
        }
      case (7, .bytes):
        var inner = try reader.message(field)
        variable = ""
        while let part = try inner.next() { if part.number == 6 { variable = try part.string() } }
      default: break
      }
    }
  }
}
