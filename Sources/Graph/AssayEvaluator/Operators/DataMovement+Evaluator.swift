import AssayBase
import AssayGraph
import AssayKernels
import AssayTensor

extension Reshape: EvaluatedOperator {
  func step(_ builder: StepBuilder) throws -> () throws -> Void { try builder.copying() }
}

extension StepBuilder {
  /// A copy of the first input, or nothing where the plan has given both one place.
  func copying() throws -> () -> Void {
    let (input, output) = (try input(0), output)
    if unsafe input.base == output.base { return {} }
    return { output.copy(input) }
  }

  /// A movement of the first input's elements.
  func moving(_ offsets: [[Int]], fill: Float = 0) throws -> () -> Void {
    let movement = Movement(outputShape, offsets: offsets)
    let (input, output) = (try input(0), output)
    return { movement.apply(input, into: output, fill: fill) }
  }
}

extension Transpose: EvaluatedOperator {
  func step(_ builder: StepBuilder) throws -> () throws -> Void {
    let shape = try builder.shape(0)
    let strides = shape.strides
    return try builder.moving(
      permutation.map { axis in (0..<shape[axis]).map { $0 * strides[axis] } }
    )
  }
}

extension Slice: EvaluatedOperator {
  func step(_ builder: StepBuilder) throws -> () throws -> Void {
    let strides = try builder.shape(0).strides
    return try builder.moving(
      strides.indices.map { axis in
        (0..<sizes[axis]).map { (begin[axis] + $0 * steps[axis]) * strides[axis] }
      }
    )
  }
}

extension Split: EvaluatedOperator {
  func step(_ builder: StepBuilder) throws -> () throws -> Void {
    let shape = try builder.shape(0)
    let axis = shape.normalized(axis: axis) ?? 0
    let inner = shape.strides[axis]
    let outer = shape.dims[..<axis].reduce(1, *)
    let input = try builder.input(0)
    let parts = zip(builder.outputs, sizes).map { ($0.buffer, $1 * inner) }
    let row = shape[axis] * inner
    return {
      var start = 0
      for (part, length) in parts {
        for index in 0..<outer {
          part.part(index * length, length).copy(input.part(index * row + start, length))
        }
        start += length
      }
    }
  }
}

extension Concat: EvaluatedOperator {
  func step(_ builder: StepBuilder) throws -> () throws -> Void {
    let shape = builder.outputShape
    let axis = shape.normalized(axis: axis) ?? 0
    let inner = shape.strides[axis]
    let outer = shape.dims[..<axis].reduce(1, *)
    let parts = try builder.inputs.indices.map { index in
      (try builder.input(index), try builder.shape(index)[axis] * inner)
    }
    let output = builder.output
    let row = shape[axis] * inner
    return {
      var start = 0
      for (part, length) in parts {
        for index in 0..<outer {
          output.part(index * row + start, length).copy(part.part(index * length, length))
        }
        start += length
      }
    }
  }
}

extension Pad: EvaluatedOperator {
  func step(_ builder: StepBuilder) throws -> () throws -> Void {
    let shape = try builder.shape(0)
    let strides = shape.strides
    return try builder.moving(
      shape.dims.indices.map { axis in
        let extent = shape.dims[axis]
        return (-before[axis]..<extent + after[axis]).map { index in
          source(index, extent).map { $0 * strides[axis] } ?? -1
        }
      },
      fill: value
    )
  }

  /// The element of an axis that stands at `index`, counted from the axis's first element.
  private func source(_ index: Int, _ extent: Int) -> Int? {
    if (0..<extent).contains(index) { return index }
    switch mode {
    case .constant: return nil
    case .edge: return min(max(index, 0), extent - 1)
    case .reflect: return index < 0 ? -index : 2 * extent - 2 - index
    case .symmetric: return index < 0 ? -index - 1 : 2 * extent - 1 - index
    }
  }
}

extension Gather: EvaluatedOperator {
  func step(_ builder: StepBuilder) throws -> () throws -> Void {
    let shape = try builder.shape(0)
    let axis = shape.normalized(axis: axis) ?? 0
    let inner = shape.strides[axis]
    let outer = shape.dims[..<axis].reduce(1, *)
    let extent = shape.dims[axis]
    let (input, chosen, output) = (try builder.input(0), try builder.input(1), builder.output)
    return {
      var start = 0
      for index in 0..<outer {
        for position in 0..<chosen.count {
          let slice = Int(exactly: chosen[position]) ?? -1
          guard (0..<extent).contains(slice) else {
            throw Diagnostic(
              "EVL015",
              "index \(chosen[position]) is outside the \(extent) slices of the gathered axis"
            )
          }
          output.part(start, inner).copy(input.part((index * extent + slice) * inner, inner))
          start += inner
        }
      }
    }
  }
}
