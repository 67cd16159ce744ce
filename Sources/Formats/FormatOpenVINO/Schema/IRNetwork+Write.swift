import AssayBase
import AssayCodec
import AssayTensor

extension IRNetwork {
  /// The bytes of the `.xml` file and of the `.bin` file; constants are passed through uncopied.
  func encoded() -> (xml: ByteView, weights: [ByteView]) {
    var weights = IRWeights()
    var writer = XMLWriter()
    writer.element("net", ["name": name, "version": "\(version)"]) { net in
      net.element("layers") { list in
        for (index, layer) in layers.enumerated() {
          write(layer, id: index, to: &list, &weights)
        }
      }
      net.element("edges") { list in
        for (index, layer) in layers.enumerated() {
          for (port, input) in layer.inputs.enumerated() {
            list.element(
              "edge",
              [
                "from-layer": "\(input.layer)",
                "from-port": "\(layers[input.layer].inputs.count + input.output)",
                "to-layer": "\(index)", "to-port": "\(port)",
              ]
            )
          }
        }
      }
      guard !description.isEmpty else { return }
      if version < 11 {
        net.element("meta_data") { $0.element("MO_version", ["value": description]) }
      } else {
        net.element("rt_info") { $0.element("conversion", ["value": description]) }
      }
    }
    return (writer.finish(), weights.pieces)
  }

  private func write(
    _ layer: IRLayer,
    id: Int,
    to writer: inout XMLWriter,
    _ weights: inout IRWeights
  ) {
    var attributes = layer.attributes
    if let tensor = layer.constant {
      let place = weights.add(tensor.bytes)
      attributes = [
        ("element_type", tensor.dtype.irElementType ?? ""), ("shape", ir(tensor.shape.dims)),
        ("offset", "\(place)"), ("size", "\(tensor.bytes.count)"),
      ]
    }
    writer.element(
      "layer",
      ["id": "\(id)", "name": layer.name, "type": layer.type, "version": layer.opset]
    ) { content in
      if !attributes.isEmpty { content.element("data", attributes) }
      if layer.isDecompression, version >= 11 {
        content.element("rt_info") {
          $0.element("attribute", ["name": "decompression", "version": "0"])
        }
      }
      if !layer.inputs.isEmpty {
        content.element("input") { ports in
          for (port, input) in layer.inputs.enumerated() {
            write(layers[input.layer].outputs[input.output], [], port: port, to: &ports)
          }
        }
      }
      guard !layer.outputs.isEmpty else { return }
      content.element("output") { ports in
        for (output, type) in layer.outputs.enumerated() {
          let names = layer.tensorNames.indices.contains(output) ? layer.tensorNames[output] : []
          write(type, names, port: layer.inputs.count + output, to: &ports)
        }
      }
    }
  }

  private func write(
    _ type: TensorType,
    _ names: [String],
    port: Int,
    to writer: inout XMLWriter
  ) {
    var attributes: [(name: String, value: String)] = [
      ("id", "\(port)"), ("precision", type.dtype.irPrecision),
    ]
    if !names.isEmpty {
      // A comma parts names; one inside a name is escaped.
      let escaped = names.map { name in
        name.split(separator: ",", omittingEmptySubsequences: false).joined(separator: "\\,")
      }
      attributes.append(("names", escaped.joined(separator: ",")))
    }
    guard type.shape.rank > 0 else { return writer.element("port", attributes) }
    writer.element("port", attributes) { port in
      for dim in type.shape.dims { port.element("dim", text: "\(dim)") }
    }
  }
}

/// A list of numbers as attributes have it.
func ir(_ values: [Int]) -> String { values.map { "\($0)" }.joined(separator: ", ") }

/// The `.bin` file.
private struct IRWeights {
  var pieces: [ByteView] = []
  private var count = 0

  /// Adds bytes at an address that fits any element and a vector register, and gives that.
  mutating func add(_ bytes: ByteView) -> Int {
    let alignment = bytes.count < 64 ? 8 : 64
    let gap = (alignment - count % alignment) % alignment
    if gap > 0 { pieces.append(ByteView([UInt8](repeating: 0, count: gap))) }
    let place = count + gap
    pieces.append(bytes)
    count = place + bytes.count
    return place
  }
}
