import AssayBase
import AssayCodec
import AssayTensor

extension IRNetwork {
  /// Reads a network of version 10 or 11.
  ///
  /// - Parameter weights: the bytes of the `.bin` file, asked for when there is a constant.
  /// - Throws: `Diagnostic` OVI002 (no IR, or of another version), OVI003 (broken), XML00x.
  init(reading xml: ByteView, weights: () throws -> ByteView) throws {
    let root = try XMLReader.root(xml)
    guard root.name == "net", let version = root["version"].flatMap({ Int($0) }) else {
      throw Diagnostic("OVI002", "this is no OpenVINO network")
    }
    guard Self.versions.contains(version) else {
      throw Diagnostic(
        "OVI002",
        "IR version \(version) is not read",
        remedy: "convert the original network again with OpenVINO 2021 or later"
      )
    }
    self.init(name: root["name"] ?? "network", version: version)
    description =
      root.child("rt_info")?.child("conversion")?["value"] ?? root.child("meta_data")?
      .child("MO_version")?["value"] ?? ""
    let elements = root.child("layers")?.all("layer") ?? []
    var file: ByteView?
    var places: [Int: Int] = [:]
    var ports: [LayerPorts] = []
    var read: [IRLayer] = []
    for element in elements {
      let place = "layer '\(element["name"] ?? element["id"] ?? "?")'"
      try locating(place) {
        guard let id = element["id"].flatMap({ Int($0) }), let type = element["type"],
          places.updateValue(read.count, forKey: id) == nil
        else { throw Self.broken("a layer has no id or type, or two have one id") }
        var layer = IRLayer(
          name: element["name"] ?? "layer_\(id)",
          type: type,
          opset: element["version"] ?? "opset1"
        )
        layer.attributes = element.child("data")?.attributes ?? []
        let port = try LayerPorts(element)
        layer.outputs = port.types
        layer.tensorNames = port.names
        if type == "Const" {
          let bytes = try file ?? weights()
          file = bytes
          layer.constant = try layer.readConstant(bytes)
        }
        read.append(layer)
        ports.append(port)
      }
    }
    for edge in root.child("edges")?.all("edge") ?? [] {
      guard let numbers = edge.numbers(["from-layer", "from-port", "to-layer", "to-port"]),
        let from = places[numbers[0]], let to = places[numbers[2]],
        let output = ports[from].outputs.firstIndex(of: numbers[1]),
        let input = ports[to].inputs.firstIndex(of: numbers[3]), ports[to].sources[input] == nil
      else { throw Self.broken("an edge joins what is not there, or what is joined already") }
      ports[to].sources[input] = IRValue(layer: from, output: output)
    }
    for index in read.indices {
      let sources = ports[index].sources
      guard !sources.contains(nil) else {
        throw Self.broken("an input leads nowhere").inside("layer '\(read[index].name)'")
      }
      read[index].inputs = sources.compactMap { $0 }
    }
    layers = try Self.ordered(read)
  }

  static func broken(_ what: String) -> Diagnostic {
    Diagnostic("OVI003", "the network is broken: \(what)")
  }

  /// The layers in an order in which each stands after those that it reads.
  private static func ordered(_ layers: [IRLayer]) throws -> [IRLayer] {
    let isOrdered = layers.enumerated().allSatisfy { index, layer in
      layer.inputs.allSatisfy { $0.layer < index }
    }
    if isOrdered { return layers }
    var missing = layers.map(\.inputs.count)
    var readers = [[Int]](repeating: [], count: layers.count)
    for (index, layer) in layers.enumerated() {
      for input in layer.inputs { readers[input.layer].append(index) }
    }
    var places = [Int](repeating: 0, count: layers.count)
    var order: [Int] = []
    var ready = layers.indices.filter { missing[$0] == 0 }
    while !ready.isEmpty {
      var next: [Int] = []
      for index in ready {
        places[index] = order.count
        order.append(index)
        for reader in readers[index] {
          missing[reader] -= 1
          if missing[reader] == 0 { next.append(reader) }
        }
      }
      ready = next
    }
    guard order.count == layers.count else { throw broken("layers read one another in a circle") }
    return order.map { index in
      var layer = layers[index]
      layer.inputs = layer.inputs.map { IRValue(layer: places[$0.layer], output: $0.output) }
      return layer
    }
  }
}

/// The ports of a layer as a file numbers them.
private struct LayerPorts {
  var inputs: [Int] = []
  var outputs: [Int] = []
  var types: [TensorType] = []
  var names: [[String]] = []
  var sources: [IRValue?] = []

  init(_ element: XMLElement) throws {
    for port in element.child("input")?.all("port") ?? [] {
      guard let id = port.numbers(["id"])?[0] else { throw IRNetwork.broken("a port has no id") }
      inputs.append(id)
    }
    sources = inputs.map { _ in nil }
    for port in element.child("output")?.all("port") ?? [] {
      guard let id = port.numbers(["id"])?[0] else { throw IRNetwork.broken("a port has no id") }
      outputs.append(id)
      let dims = try port.all("dim").map { dim in
        guard let extent = Int(dim.text), extent >= -1, extent < 1 << 40 else {
          throw IRNetwork.broken("an extent is '\(dim.text)'")
        }
        return extent
      }
      types.append(TensorType(DType(irPrecision: port["precision"] ?? "FP32"), Shape(dims)))
      names.append(port["names"].map(Self.split) ?? [])
    }
    guard inputs.count + outputs.count < 1 << 16, Set(inputs).count == inputs.count,
      Set(outputs).count == outputs.count
    else { throw IRNetwork.broken("ports have the same number") }
  }

  /// Names parted by commas; an escaped comma belongs to a name.
  private static func split(_ text: String) -> [String] {
    var names: [String] = [""]
    var isEscaped = false
    for character in text {
      if isEscaped {
        if character != "," { names[names.count - 1].append("\\") }
        names[names.count - 1].append(character)
        isEscaped = false
      } else if character == "\\" {
        isEscaped = true
      } else if character == "," {
        names.append("")
      } else {
        names[names.count - 1].append(character)
      }
    }
    if isEscaped { names[names.count - 1].append("\\") }
    return names.filter { !$0.isEmpty }
  }
}

extension IRLayer {
  /// An attribute.
  subscript(attribute: String) -> String? {
    attributes.first { $0.name == attribute }?.value
  }

  /// A list of whole numbers; empty for an empty attribute, `nil` for none.
  func ints(_ name: String) throws -> [Int]? {
    guard let text = self[name] else { return nil }
    return try text.split(separator: ",").map { part in
      guard let number = Int(part.filter { $0 != " " }) else {
        throw IRNetwork.broken("attribute '\(name)' is '\(text)'")
      }
      return number
    }
  }

  fileprivate func readConstant(_ file: ByteView) throws -> Tensor {
    guard let dtype = self["element_type"].flatMap(DType.init(irElementType:)) else {
      throw Diagnostic(
        "OVI004",
        "constants of type '\(self["element_type"] ?? "?")' are not read"
      )
    }
    guard let dims = try ints("shape"), dims.allSatisfy({ $0 >= 0 }),
      let offset = self["offset"].flatMap({ Int($0) }), let size = self["size"].flatMap({ Int($0) })
    else { throw IRNetwork.broken("a constant has no place") }
    do {
      return try Tensor(TensorType(dtype, Shape(dims)), bytes: try file.slice(offset, size))
    } catch is ByteView.OutOfBounds {
      throw Diagnostic(
        "OVI003",
        "the .bin file is cut short: bytes \(offset) to \(offset &+ size) are not in it",
        remedy: "copy both files again"
      )
    }
  }
}

extension XMLElement {
  /// Whole numbers of these attributes, when all are there.
  fileprivate func numbers(_ names: [String]) -> [Int]? {
    let values = names.compactMap { name in self[name].flatMap { Int($0) } }
    return values.count == names.count ? values : nil
  }
}

extension DType {
  /// The type that an `element_type` attribute names.
  init?(irElementType name: String) {
    guard let type = DType.allCases.first(where: { $0.irElementType == name }) else { return nil }
    self = type
  }

  /// The type that a port's `precision` names; float32 for one that is not known.
  fileprivate init(irPrecision name: String) {
    self = DType.allCases.first { $0.irPrecision == name && $0.irElementType != nil } ?? .float32
  }
}
