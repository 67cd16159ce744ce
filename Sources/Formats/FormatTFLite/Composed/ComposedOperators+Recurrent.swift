import AssayBase
import AssayCodec
import AssayGraph
import AssayTensor

/// Recurrent layers. What they keep from one run of a file to the next begins with zeros in each run
/// of a Graph.
extension ComposedOperators {
  static let recurrent: [BuiltinOperator: Reader] = [
    "UNIDIRECTIONAL_SEQUENCE_LSTM": { op, importer in
      let inputs = LSTMInputs(weights: 1, recurrent: 5, peepholes: 9, bias: 12, projection: 16)
      try sequence(op, &importer, timeMajor: try op.options.bool(3)) { x, importer in
        guard try !op.options.bool(5), importer.inputCount(op, from: 20) == 0 else { return nil }
        return try lstm(inputs, x, op, &importer)
      }
    },
    "LSTM": { op, importer in
      if try op.options.int8(3) == 1 { return try basicLSTM(op, &importer) }
      let inputs = LSTMInputs(weights: 1, recurrent: 5, peepholes: 9, bias: 12, projection: 16)
      try step(op, &importer) { x, importer in
        guard importer.inputCount(op, from: 20) == 0 else { return nil }
        return try lstm(inputs, x, op, &importer)
      }
    },
    "BIDIRECTIONAL_SEQUENCE_LSTM": { op, importer in
      let forward = LSTMInputs(weights: 1, recurrent: 5, peepholes: 9, bias: 12, projection: 16)
      let backward = LSTMInputs(
        weights: 18,
        recurrent: 22,
        peepholes: 26,
        bias: 29,
        projection: 33
      )
      let isTimeMajor = try op.options.table?.bool(4, default: true) ?? true
      try bidirectional(
        op,
        &importer,
        timeMajor: isTimeMajor,
        merges: try op.options.bool(3),
        auxiliary: 39
      ) { isBackward, x, importer in
        try lstm(
          isBackward ? backward : forward,
          x,
          op,
          &importer,
          isReversed: isBackward
        )
      }
    },
    "RNN": { op, importer in
      try step(op, &importer) { x, importer in
        try simple(1, x, op, &importer, activation: try op.options.activation(0))
      }
    },
    "UNIDIRECTIONAL_SEQUENCE_RNN": { op, importer in
      try sequence(op, &importer, timeMajor: try op.options.bool(0)) { x, importer in
        try simple(1, x, op, &importer, activation: try op.options.activation(1))
      }
    },
    "BIDIRECTIONAL_SEQUENCE_RNN": { op, importer in
      try bidirectional(
        op,
        &importer,
        timeMajor: try op.options.bool(0),
        merges: try op.options.bool(2),
        auxiliary: 9
      ) { isBackward, x, importer in
        try simple(
          isBackward ? 5 : 1,
          x,
          op,
          &importer,
          activation: try op.options.activation(1),
          isReversed: isBackward
        )
      }
    },
  ]

  /// Where the inputs of one direction begin: four gates of weights, four of recurrent weights, three
  /// peepholes, four biases, a projection and its bias.
  private struct LSTMInputs {
    var weights: Int
    var recurrent: Int
    var peepholes: Int
    var bias: Int
    var projection: Int
  }

  private typealias Layer = (ValueID, inout TFLiteImporter) throws -> ValueID?

  /// A layer over sequences `[N, T, I]`, or `[T, N, I]`.
  private static func sequence(
    _ op: ImportedOperator,
    _ importer: inout TFLiteImporter,
    timeMajor: Bool,
    _ layer: Layer
  ) throws {
    var x = try importer.input(0, of: op)
    guard importer.type(x).shape.rank == 3 else {
      throw fault("\(importer.type(x)) is no sequence")
    }
    x = try real(x, op, &importer)
    if timeMajor { x = try importer.intermediate(Transpose([1, 0, 2]), [x], op) }
    guard let y = try layer(x, &importer) else {
      return try importer.addOpaque(op, because: unread)
    }
    try finish(y, timeMajor: timeMajor, op.record.outputs.first ?? -1, op, &importer)
  }

  /// One step of a layer on `[N, I]`.
  private static func step(
    _ op: ImportedOperator,
    _ importer: inout TFLiteImporter,
    _ layer: Layer
  ) throws {
    var x = try importer.input(0, of: op)
    let shape = importer.type(x).shape
    guard shape.rank == 2 else { throw fault("\(importer.type(x)) is no step") }
    x = try real(x, op, &importer)
    x = try importer.intermediate(Reshape([shape[0], 1, shape[1]]), [x], op)
    guard let y = try layer(x, &importer) else {
      return try importer.addOpaque(op, because: unread)
    }
    let result = importer.type(y).shape
    let output = try importer.declaredType(op.record.outputs.count - 1, of: op)
    let last = op.record.outputs.last ?? -1
    let flat = Reshape([result[0], result[2]])
    guard let quantization = output.quantization else {
      return try importer.add(flat, [y], op, outputs: [last])
    }
    let real = try importer.intermediate(flat, [y], op)
    try importer.add(Quantize(output.dtype, quantization), [real], op, outputs: [last])
  }

  private static let unread = "it normalizes its gates or has weights that are computed"

  /// Two layers, the second of which reads from the end.
  private static func bidirectional(
    _ op: ImportedOperator,
    _ importer: inout TFLiteImporter,
    timeMajor: Bool,
    merges: Bool,
    auxiliary: Int,
    _ layer: (Bool, ValueID, inout TFLiteImporter) throws -> ValueID?
  ) throws {
    guard importer.inputCount(op, from: auxiliary) == 0 else {
      return try importer.addOpaque(op, because: "it has an auxiliary input")
    }
    var x = try importer.input(0, of: op)
    guard importer.type(x).shape.rank == 3, importer.type(x).dtype == .float32 else {
      return try importer.addOpaque(op, because: "it is computed for floats only")
    }
    if timeMajor { x = try importer.intermediate(Transpose([1, 0, 2]), [x], op) }
    guard let forward = try layer(false, x, &importer), let backward = try layer(true, x, &importer)
    else { return try importer.addOpaque(op, because: unread) }
    let outputs = op.record.outputs
    if merges {
      let both = try importer.intermediate(Concat(axis: 2), [forward, backward], op)
      return try finish(both, timeMajor: timeMajor, outputs.first ?? -1, op, &importer)
    }
    guard outputs.count == 2 else { throw fault("\(outputs.count) outputs of two directions") }
    try finish(forward, timeMajor: timeMajor, outputs[0], op, &importer)
    try finish(backward, timeMajor: timeMajor, outputs[1], op, &importer)
  }

  /// Makes an output tensor of a sequence of floats.
  private static func finish(
    _ y: ValueID,
    timeMajor: Bool,
    _ tensor: Int32,
    _ op: ImportedOperator,
    _ importer: inout TFLiteImporter
  ) throws {
    let shape = importer.type(y).shape
    let last: any Operator = timeMajor ? Transpose([1, 0, 2]) : Reshape(shape.dims)
    let type = try importer.type(of: importer.record(Int(tensor)))
    guard let quantization = type.quantization else {
      return try importer.add(last, [y], op, outputs: [tensor])
    }
    let moved = timeMajor ? try importer.intermediate(last, [y], op) : y
    try importer.add(Quantize(type.dtype, quantization), [moved], op, outputs: [tensor])
  }

  /// The input as floats; integers are what they stand for.
  private static func real(
    _ x: ValueID,
    _ op: ImportedOperator,
    _ importer: inout TFLiteImporter
  ) throws -> ValueID {
    guard importer.type(x).quantization != nil, importer.type(x).dtype.isInteger else { return x }
    importer.noteInexact(op)
    return try importer.intermediate(Dequantize(), [x], op)
  }

  /// The real numbers of constant weights; `nil` when they are computed or absent.
  private static func weights(
    _ input: Int,
    _ op: ImportedOperator,
    _ importer: inout TFLiteImporter
  ) throws -> (values: [Float], shape: Shape)? {
    guard let index = importer.tensorIndex(input, of: op),
      let tensor = try importer.knownElements(index)
    else { return nil }
    if tensor.quantization != nil, tensor.dtype.isInteger { importer.noteInexact(op) }
    return (tensor.floats(), tensor.shape)
  }

  /// Constants of several gates one below the other; gates that are absent are zeros.
  private static func stacked(
    _ name: String,
    _ first: Int,
    _ count: Int,
    like model: Shape,
    _ op: ImportedOperator,
    _ importer: inout TFLiteImporter
  ) throws -> ValueID? {
    var all: [Float] = []
    for gate in 0..<count {
      if let part = try weights(first + gate, op, &importer) {
        guard part.shape == model else { throw fault("weights \(part.shape) and \(model)") }
        all += part.values
      } else {
        guard importer.tensorIndex(first + gate, of: op) == nil else { return nil }
        all += [Float](repeating: 0, count: model.count)
      }
    }
    var dims = model.dims
    dims[0] *= count
    return importer.addConstant(name, Tensor(all, Shape(dims)))
  }

  /// A layer of long short-term memory over `[N, T, I]`; `nil` for what is not understood.
  private static func lstm(
    _ inputs: LSTMInputs,
    _ x: ValueID,
    _ op: ImportedOperator,
    _ importer: inout TFLiteImporter,
    isReversed: Bool = false
  ) throws -> ValueID? {
    guard let forget = try weights(inputs.weights + 1, op, &importer),
      let recurrentForget = try weights(inputs.recurrent + 1, op, &importer),
      let bias = try weights(inputs.bias + 1, op, &importer),
      forget.shape.rank == 2, recurrentForget.shape.rank == 2
    else { return nil }
    guard
      let w = try stacked("weights", inputs.weights, 4, like: forget.shape, op, &importer),
      let r = try stacked(
        "recurrent_weights",
        inputs.recurrent,
        4,
        like: recurrentForget.shape,
        op,
        &importer
      ),
      let b = try stacked("bias", inputs.bias, 4, like: bias.shape, op, &importer)
    else { return nil }
    var arguments = [ValueID?](repeating: nil, count: Recurrent.Input.allCases.count)
    func set(_ input: Recurrent.Input, _ id: ValueID?) { arguments[input.rawValue] = id }
    set(.sequence, x)
    set(.weights, w)
    set(.recurrentWeights, r)
    set(.bias, b)
    if importer.tensorIndex(inputs.peepholes + 1, of: op) != nil {
      set(
        .peepholes,
        try stacked("peepholes", inputs.peepholes, 3, like: bias.shape, op, &importer)
      )
    }
    if let projection = try weights(inputs.projection, op, &importer) {
      set(
        .projection,
        importer.addConstant("projection", Tensor(projection.values, projection.shape))
      )
      if let bias = try weights(inputs.projection + 1, op, &importer) {
        set(
          .projectionBias,
          importer.addConstant("projection_bias", Tensor(bias.values, bias.shape))
        )
      }
    }
    func bound(_ field: Int) throws -> Float? {
      let value = try op.options.float(field)
      return value > 0 ? value : nil
    }
    importer.noteState(op)
    let cell = Recurrent(
      .lstm,
      isReversed: isReversed,
      activation: try op.options.activation(0).recurrent,
      coupling: importer.tensorIndex(inputs.weights, of: op) == nil ? .inputFollowsForget : .none,
      cellClip: try bound(1),
      projectionClip: try bound(2)
    )
    return try importer.intermediate(cell, trimmed(arguments), op)
  }

  /// A layer of simple cells over `[N, T, I]`; `nil` for what is not understood.
  private static func simple(
    _ first: Int,
    _ x: ValueID,
    _ op: ImportedOperator,
    _ importer: inout TFLiteImporter,
    activation: FusedActivation,
    isReversed: Bool = false
  ) throws -> ValueID? {
    var arguments: [ValueID?] = [x]
    for offset in 0..<3 {
      guard let part = try weights(first + offset, op, &importer) else { return nil }
      arguments.append(importer.addConstant("weights", Tensor(part.values, part.shape)))
    }
    importer.noteState(op)
    let cell = Recurrent(.simple, isReversed: isReversed, activation: activation.recurrent)
    return try importer.intermediate(cell, arguments, op)
  }

  /// The older LSTM, whose state is an input and an output and whose weights are one matrix of gates
  /// in the order input, candidate, forget, output.
  private static func basicLSTM(_ op: ImportedOperator, _ importer: inout TFLiteImporter) throws {
    let x = try importer.input(0, of: op)
    let shape = importer.type(x).shape
    guard importer.type(x).dtype == .float32, shape.rank == 2,
      let matrix = try weights(2, op, &importer), let bias = try weights(3, op, &importer),
      matrix.shape.rank == 2, matrix.shape[0] % 4 == 0, bias.values.count == matrix.shape[0],
      matrix.shape[1] > shape[1], op.record.outputs.count >= 2
    else { return try importer.addOpaque(op, because: unread) }
    let (units, width) = (matrix.shape[0] / 4, matrix.shape[1])
    let features = shape[1]
    var (w, r, b): ([Float], [Float], [Float]) = ([], [], [])
    for gate in [0, 2, 1, 3] {
      for unit in 0..<units {
        let row = (gate * units + unit) * width
        w += matrix.values[row..<row + features]
        r += matrix.values[row + features..<row + width]
        b.append(bias.values[gate * units + unit])
      }
    }
    let sequence = try importer.intermediate(Reshape([shape[0], 1, features]), [x], op)
    let arguments: [ValueID?] = [
      sequence, importer.addConstant("weights", Tensor(w, [4 * units, features])),
      importer.addConstant("recurrent_weights", Tensor(r, [4 * units, width - features])),
      importer.addConstant("bias", Tensor(b, [4 * units])), nil,
      try importer.input(1, of: op), try importer.input(4, of: op),
    ]
    let clip = try op.options.float(1)
    let cell = Recurrent(
      .lstm,
      activation: try op.options.activation(0).recurrent,
      cellClip: clip > 0 ? clip : nil
    )
    try importer.add(
      cell,
      arguments,
      op,
      outputs: [-1, op.record.outputs[0], op.record.outputs[1]]
    )
  }
}

extension FusedActivation {
  /// The function as a recurrent cell applies it.
  fileprivate var recurrent: RecurrentFunction {
    switch self {
    case .none: RecurrentFunction(.linear)
    case .relu: RecurrentFunction(.relu)
    case .reluN1To1: RecurrentFunction(.reluN1To1)
    case .relu6: RecurrentFunction(.relu6)
    case .tanh: .tanh
    }
  }
}

extension TFLiteImporter {
  /// The number of inputs from a place on that are present.
  fileprivate func inputCount(_ op: ImportedOperator, from first: Int) -> Int {
    op.record.inputs.dropFirst(first).count { $0 >= 0 }
  }

  /// Notes that an operator of integers is computed with the real numbers that they stand for.
  fileprivate mutating func noteInexact(_ op: ImportedOperator) {
    let summary = "\(op.name) of integers is computed with the real numbers that they stand for"
    guard !diagnostics.contains(where: { $0.summary == summary }) else { return }
    diagnostics.append(
      Diagnostic(
        "TFL029",
        summary,
        remedy: "results differ from TensorFlow Lite's by a few steps",
        severity: .warning
      )
    )
  }
}
