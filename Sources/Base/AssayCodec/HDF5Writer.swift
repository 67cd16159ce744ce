import AssayBase
import AssayTensor

/// Makes an HDF5 file that every version of libhdf5 reads: superblock 0, groups as symbol tables,
/// contiguous datasets, text of variable length.
///
/// Specification: HDF5 File Format Specification Version 3.0. The same content gives the same bytes:
/// no times are noted, members stand in the order of their names. Elements of datasets are passed
/// through uncopied.
public enum HDF5Writer {
  /// What an attribute holds.
  public enum Attribute: Sendable {
    /// One text.
    case text(String)
    /// A list of texts.
    case texts([String])
    /// Numbers; a tensor without axes is a scalar.
    case tensor(Tensor)
  }

  /// What a group holds under a name.
  public enum Member: Sendable {
    case group(Group)
    case dataset(Tensor)
  }

  /// A group: attributes and members.
  public struct Group: Sendable {
    /// The attributes, in the order in which they are written.
    public var attributes: [(name: String, value: Attribute)]
    /// The members by name.
    public private(set) var members: [String: Member] = [:]

    /// A group without members.
    public init(_ attributes: [(name: String, value: Attribute)] = []) {
      self.attributes = attributes
    }

    /// Puts a member at a path, parts joined by `/`; groups on the way are made.
    public mutating func add(_ path: String, _ member: Member) {
      add(path.split(separator: "/").map(String.init)[...], member)
    }

    private mutating func add(_ path: ArraySlice<String>, _ member: Member) {
      guard let first = path.first else { return }
      guard path.count > 1 else {
        members[first] = member
        return
      }
      var inner = Group()
      if case .group(let known) = members[first] { inner = known }
      inner.add(path.dropFirst(), member)
      members[first] = .group(inner)
    }
  }

  /// The file's bytes, in pieces to be written one after the other.
  ///
  /// - Throws: `Diagnostic` HDF020 for what the format cannot hold: attributes above 64 kB, elements
  ///   that are no numbers, empty names.
  public static func file(_ root: Group) throws -> [ByteView] {
    // Everything but the elements comes first. Its size does not depend on where they lie.
    var layout = HDF5Image(elementsStart: 0)
    try layout.write(root: root)
    var image = HDF5Image(elementsStart: layout.bytes.count)
    try image.write(root: root)
    return [ByteView(image.bytes)] + image.elements
  }
}

/// The metadata of a file being made, and the elements that follow it.
private struct HDF5Image {
  /// Children of a node of a group's tree are at most twice this many, by the superblock.
  private static let treeRank = 16
  /// Entries of a symbol table node are at most twice this many, by the superblock.
  private static let tableRank = 4
  private static let undefined = UInt64.max

  var bytes: [UInt8] = []
  private(set) var elements: [ByteView] = []
  private var elementsEnd: Int

  init(elementsStart: Int) { elementsEnd = elementsStart }

  mutating func write(root: HDF5Writer.Group) throws {
    bytes = [UInt8](repeating: 0, count: 96)
    let place = try write(root, path: "/")
    align()
    var head: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 0, 0, 8, 8, 0]
    head.put(UInt16(Self.tableRank), UInt16(Self.treeRank))
    head.put(UInt32(0))
    head.put(UInt64(0), Self.undefined, UInt64(elementsEnd), Self.undefined)
    // The root's entry: no name, its header, and where its members are.
    head.put(UInt64(0), UInt64(place.header))
    head.put(UInt32(1), UInt32(0))
    head.put(UInt64(place.tree), UInt64(place.heap))
    bytes.replaceSubrange(0..<96, with: head)
  }

  private mutating func align() {
    while bytes.count % 8 != 0 { bytes.append(0) }
  }

  // MARK: Groups

  private struct GroupPlace {
    var header: Int
    var tree: Int
    var heap: Int
  }

  private mutating func write(_ group: HDF5Writer.Group, path: String) throws -> GroupPlace {
    var entries: [(name: String, header: Int, group: GroupPlace?)] = []
    let sorted = group.members.sorted {
      $0.key.utf8.lexicographicallyPrecedes($1.key.utf8)
    }
    for (name, member) in sorted {
      let inner = path == "/" ? "/\(name)" : "\(path)/\(name)"
      guard !name.isEmpty, name != ".", !name.utf8.contains(0) else {
        throw Diagnostic("HDF020", "a member cannot have the name '\(name)'", at: [path])
      }
      switch member {
      case .group(let child):
        let place = try write(child, path: inner)
        entries.append((name, place.header, place))
      case .dataset(let tensor):
        entries.append((name, try locating(inner) { try write(tensor) }, nil))
      }
    }
    // Names, each ended by zero; the first is empty.
    var names = [UInt8](repeating: 0, count: 8)
    var offsets: [Int] = []
    for entry in entries {
      offsets.append(names.count)
      names += Array(entry.name.utf8) + [0]
      while names.count % 8 != 0 { names.append(0) }
    }
    align()
    let heap = bytes.count
    bytes += Array("HEAP".utf8) + [0, 0, 0, 0]
    // 1 says that no part of the heap is free.
    bytes.put(UInt64(names.count), UInt64(1), UInt64(heap + 32))
    bytes += names
    let tree = writeTree(entries, offsets)
    var message: [UInt8] = []
    message.put(UInt64(tree), UInt64(heap))
    let attributes = try group.attributes.map { name, value in
      try locating("attribute '\(name)'") { try attribute(name, value) }
    }
    let header = try writeHeader([(0x11, message)] + attributes.map { (0x0C, $0) }, path: path)
    return GroupPlace(header: header, tree: tree, heap: heap)
  }

  /// Writes the symbol tables and the tree over them; gives the tree's root.
  private mutating func writeTree(
    _ entries: [(name: String, header: Int, group: GroupPlace?)],
    _ offsets: [Int]
  ) -> Int {
    // What lies below: its address, and the place of its last name.
    var below: [(address: Int, lastName: Int)] = []
    let perTable = 2 * Self.tableRank
    for start in stride(from: 0, to: entries.count, by: perTable) {
      let end = min(start + perTable, entries.count)
      align()
      below.append((bytes.count, offsets[end - 1]))
      bytes += Array("SNOD".utf8) + [1, 0]
      bytes.put(UInt16(end - start))
      for index in start..<end {
        bytes.put(UInt64(offsets[index]), UInt64(entries[index].header))
        let group = entries[index].group
        bytes.put(UInt32(group == nil ? 0 : 1), UInt32(0))
        bytes.put(UInt64(group?.tree ?? 0), UInt64(group?.heap ?? 0))
      }
      bytes += [UInt8](repeating: 0, count: (perTable - (end - start)) * 40)
    }
    var level: UInt8 = 0
    while true {
      let nodes = writeLevel(level, below)
      guard nodes.count > 1 else { return nodes[0].address }
      below = nodes
      level += 1
    }
  }

  /// Writes one level of a tree over `below`; gives its nodes.
  private mutating func writeLevel(
    _ level: UInt8,
    _ below: [(address: Int, lastName: Int)]
  ) -> [(address: Int, lastName: Int)] {
    let perNode = 2 * Self.treeRank
    let byteCount = 24 + (2 * perNode + 1) * 8
    align()
    let first = bytes.count
    let count = max((below.count + perNode - 1) / perNode, 1)
    var nodes: [(address: Int, lastName: Int)] = []
    for number in 0..<count {
      let start = number * perNode
      let children = below[start..<min(start + perNode, below.count)]
      let address = first + number * byteCount
      bytes += Array("TREE".utf8) + [0, level]
      bytes.put(UInt16(children.count))
      bytes.put(number == 0 ? Self.undefined : UInt64(address - byteCount))
      bytes.put(number + 1 == count ? Self.undefined : UInt64(address + byteCount))
      // A key before each child, which all its names come after; the last one's after it.
      var key = start == 0 ? 0 : below[start - 1].lastName
      for child in children {
        bytes.put(UInt64(key), UInt64(child.address))
        key = child.lastName
      }
      bytes.put(UInt64(key))
      bytes += [UInt8](repeating: 0, count: (perNode - children.count) * 16)
      nodes.append((address, key))
    }
    return nodes
  }

  // MARK: Headers

  private mutating func writeHeader(
    _ messages: [(type: UInt16, bytes: [UInt8])],
    path: String
  ) throws -> Int {
    var body: [UInt8] = []
    for (type, content) in messages {
      let padded = content + [UInt8](repeating: 0, count: (8 - content.count % 8) % 8)
      guard padded.count <= 0xFFF8 else {
        throw Diagnostic("HDF020", "an attribute takes more than 64 kB", at: [path])
      }
      body.put(type, UInt16(padded.count))
      body += [0, 0, 0, 0] + padded
    }
    align()
    let address = bytes.count
    bytes += [1, 0]
    bytes.put(UInt16(messages.count))
    bytes.put(UInt32(1), UInt32(body.count), UInt32(0))
    bytes += body
    return address
  }

  private mutating func write(_ tensor: Tensor) throws -> Int {
    let byteCount = tensor.bytes.count
    var place = Self.undefined
    if byteCount > 0 {
      let alignment = byteCount < 64 ? 8 : 64
      let gap = (alignment - elementsEnd % alignment) % alignment
      if gap > 0 { elements.append(ByteView([UInt8](repeating: 0, count: gap))) }
      place = UInt64(elementsEnd + gap)
      elements.append(tensor.bytes)
      elementsEnd += gap + byteCount
    }
    var layout: [UInt8] = [3, 1]
    layout.put(place, UInt64(byteCount))
    return try writeHeader(
      [
        (0x01, dataspace(tensor.shape.dims)), (0x03, try datatype(tensor.dtype)),
        // No fill value is defined; space was allocated late, as it is for contiguous elements.
        (0x05, [2, 2, 2, 1, 0, 0, 0, 0]), (0x08, layout),
      ],
      path: ""
    )
  }

  private func dataspace(_ dims: [Int]) -> [UInt8] {
    var message: [UInt8] = [1, UInt8(clamping: dims.count), 0, 0, 0, 0, 0, 0]
    for dim in dims { message.put(UInt64(dim)) }
    return message
  }

  private func datatype(_ dtype: DType) throws -> [UInt8] {
    let byteCount = UInt32(dtype.bitWidth / 8)
    var message: [UInt8] = []
    func float(_ sign: UInt8, _ exponent: [UInt8], _ bias: UInt32) {
      // Version 1, class 1; the highest bit of the mantissa is implied.
      message = [0x11, 0x20, sign, 0]
      message.put(byteCount)
      message.put(UInt16(0), UInt16(dtype.bitWidth))
      message += exponent
      message.put(bias)
    }
    switch dtype {
    case .float16: float(15, [10, 5, 0, 10], 15)
    case .bfloat16: float(15, [7, 8, 0, 7], 127)
    case .float32: float(31, [23, 8, 0, 23], 127)
    case .float64: float(63, [52, 11, 0, 52], 1023)
    case .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64:
      let isSigned = [.int8, .int16, .int32, .int64].contains(dtype)
      message = [0x10, isSigned ? 8 : 0, 0, 0]
      message.put(byteCount)
      message.put(UInt16(0), UInt16(dtype.bitWidth))
    case .bool:
      return try datatype(.uint8)
    default: throw Diagnostic("HDF020", "elements of type \(dtype.rawValue) cannot be written")
    }
    return message
  }

  // MARK: Attributes

  private mutating func attribute(
    _ name: String,
    _ value: HDF5Writer.Attribute
  ) throws -> [UInt8] {
    let type: [UInt8]
    let space: [UInt8]
    let data: [UInt8]
    // Text of variable length in UTF-8, which stands in a heap.
    let textType: [UInt8] =
      [0x19, 0x01, 0x01, 0, 16, 0, 0, 0] + [0x10, 0, 0, 0, 1, 0, 0, 0, 0, 0, 8, 0]
    switch value {
    case .text(let text):
      (type, space, data) = (textType, dataspace([]), writeTexts([text]))
    case .texts(let texts):
      (type, space, data) = (textType, dataspace([texts.count]), writeTexts(texts))
    case .tensor(let tensor):
      type = try datatype(tensor.dtype)
      (space, data) = (dataspace(tensor.shape.dims), tensor.bytes.array)
    }
    let title = Array(name.utf8) + [0]
    guard title.count <= 0xFFFF else { throw Diagnostic("HDF020", "the name is too long") }
    var message: [UInt8] = [1, 0]
    message.put(UInt16(title.count), UInt16(type.count), UInt16(space.count))
    for field in [title, type, space] {
      message += field + [UInt8](repeating: 0, count: (8 - field.count % 8) % 8)
    }
    return message + data
  }

  /// Writes texts to heaps of their own; gives the references to them.
  private mutating func writeTexts(_ texts: [String]) -> [UInt8] {
    var references: [UInt8] = []
    // A heap counts its objects in 16 bits.
    for start in stride(from: 0, to: texts.count, by: 0xFFFE) {
      let part = texts[start..<min(start + 0xFFFE, texts.count)]
      align()
      let address = bytes.count
      var objects: [UInt8] = []
      for (index, text) in part.enumerated() {
        let content = Array(text.utf8)
        references.put(UInt32(content.count))
        references.put(UInt64(address))
        references.put(UInt32(index + 1))
        objects.put(UInt16(index + 1), UInt16(0))
        objects.put(UInt32(0))
        objects.put(UInt64(content.count))
        objects += content + [UInt8](repeating: 0, count: (8 - content.count % 8) % 8)
      }
      // A heap is at least 4096 bytes long; object 0 is what is free of it, its head included.
      let free = max(4096 - 16 - objects.count, 16)
      bytes += Array("GCOL".utf8) + [1, 0, 0, 0]
      bytes.put(UInt64(16 + objects.count + free))
      bytes += objects
      bytes.put(UInt64(0), UInt64(free))
      bytes += [UInt8](repeating: 0, count: free - 16)
    }
    return references
  }
}

extension [UInt8] {
  /// Adds little-endian numbers.
  fileprivate mutating func put<T: FixedWidthInteger>(_ values: T...) {
    for value in values {
      for shift in 0..<T.bitWidth / 8 {
        append(UInt8(truncatingIfNeeded: value >> T(shift * 8)))
      }
    }
  }
}
