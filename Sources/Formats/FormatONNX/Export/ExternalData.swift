import AssayBase

extension ONNXModel {
  /// Moves constants of some size to another file (ONNX's external data, offsets on page boundaries so
  /// that runtimes can map them).
  ///
  /// - Returns: the other file's bytes.
  mutating func moveConstants(to name: String, from least: Int = 1024) -> [ByteView] {
    let page = 4096
    var pieces: [ByteView] = []
    var offset = 0
    for index in graph.initializers.indices {
      let count = graph.initializers[index].raw.reduce(0) { $0 + $1.count }
      guard count >= least else { continue }
      let gap = (page - offset % page) % page
      if gap > 0 { pieces.append(ByteView([UInt8](repeating: 0, count: gap))) }
      offset += gap
      pieces += graph.initializers[index].raw
      graph.initializers[index].external = [
        "location": name, "offset": "\(offset)", "length": "\(count)",
      ]
      graph.initializers[index].isExternal = true
      graph.initializers[index].raw = []
      graph.initializers[index].hasRaw = false
      offset += count
    }
    return pieces
  }
}
