import AssayGraph
import AssayTensor

extension SpaceToBatch: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let x = try arguments.input(0)
    let type = arguments.output
    let images = x.shape.dims[0]
    let strides = x.shape.strides
    let volume = block.reduce(1, *)
    var all: [Int] = []
    for place in 0..<volume {
      // The offset of each spatial axis within a block, the last axis fastest.
      var offsets = block
      var rest = place
      for axis in block.indices.reversed() {
        offsets[axis] = rest % block[axis]
        rest /= block[axis]
      }
      let axes = type.shape.dims.enumerated().map { axis, extent in
        guard axis > 0 else {
          return AxisSelection(coordinates: Array(0..<images), stride: strides[0])
        }
        guard axis <= block.count else {
          return AxisSelection(coordinates: Array(0..<extent), stride: strides[axis])
        }
        let limit = x.shape.dims[axis]
        let coordinates = (0..<extent).map { index in
          let source = index * block[axis - 1] + offsets[axis - 1] - before[axis - 1]
          return (0..<limit).contains(source) ? source : -1
        }
        return AxisSelection(coordinates: coordinates, stride: strides[axis])
      }
      all += positions(axes)
    }
    let fill = try tensor([0], TensorType(x.dtype, [1], quantization: x.quantization))
    return [try select(x, all, type, fill: fill)]
  }
}

extension BatchToSpace: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let x = try arguments.input(0)
    let type = arguments.output
    let strides = x.shape.strides
    let images = type.shape.dims[0]
    // Where the image of each place within a block begins, block axis after block axis.
    var steps = [Int](repeating: images * strides[0], count: block.count)
    for axis in block.indices.dropLast().reversed() {
      steps[axis] = steps[axis + 1] * block[axis + 1]
    }
    var all = (0..<images).map { $0 * strides[0] }
    for (axis, extent) in type.shape.dims.enumerated().dropFirst() {
      let offsets = (0..<extent).map { index in
        guard axis <= block.count else { return index * strides[axis] }
        let place = index + before[axis - 1]
        return place / block[axis - 1] * strides[axis] + place % block[axis - 1] * steps[axis - 1]
      }
      all = all.flatMap { base in offsets.map { base + $0 } }
    }
    return [try select(x, all, type)]
  }
}
