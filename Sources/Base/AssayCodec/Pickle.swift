import AssayBase

/// One object of a pickle; containers hold references, so that an object that comes twice is one.
///
/// The graph of objects may have cycles: who walks it bounds the depth.
public final class PickledObject {
  /// What the object is.
  public enum Content {
    case none
    case bool(Bool)
    case int(Int)
    case float(Double)
    case string(String)
    case bytes(ByteView)
    case list([PickledObject])
    case tuple([PickledObject])
    case dictionary([(key: PickledObject, value: PickledObject)])
    /// The name of a class or function; it is never looked up.
    case global(module: String, name: String)
    /// What a call would have made; it is never made.
    case call(function: PickledObject, arguments: PickledObject)
    /// What lies outside the pickle, by its identifier.
    case persistent(PickledObject)
  }

  /// What the object is.
  public fileprivate(set) var content: Content
  /// What was to be set on the object once it was made: the attributes of an instance.
  public fileprivate(set) var state: PickledObject?

  fileprivate init(_ content: Content) { self.content = content }

  /// The text, when this is one.
  public var string: String? {
    guard case .string(let text) = content else { return nil }
    return text
  }

  /// The whole number, when this is one.
  public var int: Int? {
    guard case .int(let number) = content else { return nil }
    return number
  }

  /// The elements of a list or tuple.
  public var elements: [PickledObject]? {
    switch content {
    case .list(let elements), .tuple(let elements): elements
    default: nil
    }
  }

  /// The entries of a dictionary.
  public var entries: [(key: PickledObject, value: PickledObject)]? {
    guard case .dictionary(let entries) = content else { return nil }
    return entries
  }

  /// The name of a class or function as `module.name`.
  public var globalName: String? {
    guard case .global(let module, let name) = content else { return nil }
    return "\(module).\(name)"
  }
}

/// Python's pickle as data: an allow-list of opcodes of protocols 2 to 5 (PEP 3154, PEP 574) is decoded;
/// nothing is imported, called or executed.
public final class Pickle {
  /// The object; it and what it refers to are whole only as long as the pickle lives.
  public private(set) var root = PickledObject(.none)
  /// Every object: they are let go one by one, since the chains between them may be longer than the
  /// stack is deep, and closed.
  fileprivate var objects: [PickledObject] = []

  /// Whether bytes begin like a pickle of protocol 2 or later.
  public static func sniff(_ bytes: ByteView) -> Bool {
    guard let first = try? bytes.load(UInt8.self, at: 0),
      let version = try? bytes.load(UInt8.self, at: 1)
    else { return false }
    return first == 0x80 && (2...5).contains(version)
  }

  /// Decodes a pickle.
  ///
  /// - Throws: `Diagnostic` PKL001 for bytes that end early or do not make an object, PKL002 for an
  ///   opcode that is not in the list.
  public init(_ bytes: ByteView) throws {
    do {
      var machine = PickleMachine(bytes, self)
      root = try machine.run()
    } catch is ByteView.OutOfBounds {
      throw Diagnostic("PKL001", "the pickle is cut short")
    }
  }

  deinit {
    for object in objects {
      object.content = .none
      object.state = nil
    }
  }
}

/// The stack on which a pickle makes its objects.
private struct PickleMachine {
  private let bytes: ByteView
  private let owner: Pickle
  private var offset = 0
  private var stack: [PickledObject] = []
  private var marks: [Int] = []
  private var memo: [Int: PickledObject] = [:]

  init(_ bytes: ByteView, _ owner: Pickle) {
    self.bytes = bytes
    self.owner = owner
  }

  mutating func run() throws -> PickledObject {
    while true {
      let opcode = try take(UInt8.self)
      if opcode == UInt8(ascii: ".") { return try pop() }
      try step(opcode)
    }
  }

  private var broken: Diagnostic { Diagnostic("PKL001", "the pickle does not make an object") }

  private mutating func take<T: BitwiseCopyable>(_ type: T.Type) throws -> T {
    let value = try bytes.load(type, at: offset)
    offset += MemoryLayout<T>.size
    return value
  }

  private mutating func take(_ count: Int) throws -> ByteView {
    let slice = try bytes.slice(offset, count)
    offset += count
    return slice
  }

  private mutating func pushText(_ count: Int) throws {
    guard let text = try take(count).utf8 else { throw broken }
    push(.string(text))
  }

  private mutating func line() throws -> String {
    var characters: [UInt8] = []
    while true {
      let character = try take(UInt8.self)
      if character == UInt8(ascii: "\n") { return String(decoding: characters, as: UTF8.self) }
      guard characters.count < 1024 else { throw broken }
      characters.append(character)
    }
  }

  private mutating func push(_ content: PickledObject.Content) {
    let object = PickledObject(content)
    owner.objects.append(object)
    stack.append(object)
  }

  private mutating func pop() throws -> PickledObject {
    guard stack.count > (marks.last ?? 0), let last = stack.popLast() else { throw broken }
    return last
  }

  private mutating func pop(_ count: Int) throws -> [PickledObject] {
    guard stack.count - (marks.last ?? 0) >= count else { throw broken }
    let taken = Array(stack.suffix(count))
    stack.removeLast(count)
    return taken
  }

  private mutating func popToMark() throws -> [PickledObject] {
    guard let mark = marks.popLast(), mark <= stack.count else { throw broken }
    let taken = Array(stack[mark...])
    stack.removeSubrange(mark...)
    return taken
  }

  private func top() throws -> PickledObject {
    guard stack.count > (marks.last ?? 0), let last = stack.last else { throw broken }
    return last
  }

  private mutating func step(_ opcode: UInt8) throws {
    switch opcode {
    case 0x80: _ = try take(UInt8.self)  // PROTO
    case 0x95: _ = try take(UInt64.self)  // FRAME
    case UInt8(ascii: "("): marks.append(stack.count)
    case UInt8(ascii: "0"): _ = try pop()
    case UInt8(ascii: "1"): _ = try popToMark()
    case UInt8(ascii: "N"): push(.none)
    case 0x88: push(.bool(true))
    case 0x89: push(.bool(false))
    case UInt8(ascii: "J"): push(.int(Int(try take(Int32.self))))
    case UInt8(ascii: "K"): push(.int(Int(try take(UInt8.self))))
    case UInt8(ascii: "M"): push(.int(Int(try take(UInt16.self))))
    case 0x8A: try pushLong()
    case UInt8(ascii: "G"):
      push(.float(Double(bitPattern: UInt64(bigEndian: try take(UInt64.self)))))
    case UInt8(ascii: "X"): try pushText(Int(take(UInt32.self)))
    case 0x8C: try pushText(Int(take(UInt8.self)))
    case 0x8D: try pushText(count(take(UInt64.self)))
    case UInt8(ascii: "U"): try pushText(Int(take(UInt8.self)))
    case UInt8(ascii: "T"): try pushText(Int(take(UInt32.self)))
    case UInt8(ascii: "C"): push(.bytes(try take(Int(take(UInt8.self)))))
    case UInt8(ascii: "B"): push(.bytes(try take(Int(take(UInt32.self)))))
    case 0x8E, 0x96: push(.bytes(try take(count(take(UInt64.self)))))
    case UInt8(ascii: "c"): push(.global(module: try line(), name: try line()))
    case 0x93:
      let parts = try pop(2)
      guard let module = parts[0].string, let name = parts[1].string else { throw broken }
      push(.global(module: module, name: name))
    default: try container(opcode)
    }
  }

  private mutating func container(_ opcode: UInt8) throws {
    switch opcode {
    case UInt8(ascii: "]"): push(.list([]))
    case UInt8(ascii: ")"): push(.tuple([]))
    case UInt8(ascii: "}"): push(.dictionary([]))
    case UInt8(ascii: "l"): push(.list(try popToMark()))
    case UInt8(ascii: "t"): push(.tuple(try popToMark()))
    case UInt8(ascii: "d"): push(.dictionary(try pairs(popToMark())))
    case 0x85, 0x86, 0x87: push(.tuple(try pop(Int(opcode) - 0x84)))
    case UInt8(ascii: "a"):
      let objects = try pop(1)
      try append(objects)
    case UInt8(ascii: "e"):
      let objects = try popToMark()
      try append(objects)
    case UInt8(ascii: "s"):
      let objects = try pop(2)
      try insert(objects)
    case UInt8(ascii: "u"):
      let objects = try popToMark()
      try insert(objects)
    case UInt8(ascii: "R"), 0x81:
      let parts = try pop(2)
      // An ordered dictionary is filled like any other one.
      if parts[0].globalName == "collections.OrderedDict" {
        push(.dictionary([]))
      } else {
        push(.call(function: parts[0], arguments: parts[1]))
      }
    case 0x92:  // NEWOBJ_EX: a class, its arguments, and those by name
      let parts = try pop(3)
      push(.call(function: parts[0], arguments: parts[1]))
    case 0x8F: push(.list([]))  // A set is the list of its elements.
    case 0x90:
      let objects = try popToMark()
      try append(objects)
    case 0x91: push(.list(try popToMark()))
    case UInt8(ascii: "b"):
      let state = try pop()
      try top().state = state
    case UInt8(ascii: "Q"): push(.persistent(try pop()))
    default: try remember(opcode)
    }
  }

  private mutating func remember(_ opcode: UInt8) throws {
    switch opcode {
    case UInt8(ascii: "q"): memo[Int(try take(UInt8.self))] = try top()
    case UInt8(ascii: "r"): memo[Int(try take(UInt32.self))] = try top()
    case 0x94: memo[memo.count] = try top()
    case UInt8(ascii: "h"): try recall(Int(take(UInt8.self)))
    case UInt8(ascii: "j"): try recall(Int(take(UInt32.self)))
    default:
      throw Diagnostic(
        "PKL002",
        "the pickle's opcode \(opcode) at byte \(offset - 1) is not decoded",
        remedy: "a pickle may hold any program; only data are read from it"
      )
    }
  }

  private mutating func recall(_ index: Int) throws {
    guard let object = memo[index] else { throw broken }
    stack.append(object)
  }

  private mutating func pushLong() throws {
    let count = Int(try take(UInt8.self))
    guard count <= 8 else { throw broken }
    let digits = try take(count).array
    var bits = digits.enumerated().reduce(UInt64(0)) { $0 | UInt64($1.element) << (8 * $1.offset) }
    if count < 8, let last = digits.last, last >= 0x80 { bits |= ~UInt64(0) << (8 * count) }
    push(.int(Int(Int64(bitPattern: bits))))
  }

  private func count(_ value: UInt64) throws -> Int {
    guard let count = Int(exactly: value) else { throw broken }
    return count
  }

  private func pairs(
    _ objects: [PickledObject]
  ) throws -> [(key: PickledObject, value: PickledObject)] {
    guard objects.count % 2 == 0 else { throw broken }
    return stride(from: 0, to: objects.count, by: 2).map { (objects[$0], objects[$0 + 1]) }
  }

  private func append(_ objects: [PickledObject]) throws {
    let target = try top()
    guard case .list(var elements) = target.content else { throw broken }
    // Without a second owner the array grows in place.
    target.content = .none
    elements += objects
    target.content = .list(elements)
  }

  private func insert(_ objects: [PickledObject]) throws {
    let target = try top()
    guard case .dictionary(var entries) = target.content else { throw broken }
    let added = try pairs(objects)
    target.content = .none
    entries += added
    target.content = .dictionary(entries)
  }
}
