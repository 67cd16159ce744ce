import AssayBase
import AssayGraph
import AssayTensor

extension OperatorCase {
  /// Every float operator in the forms that formats treat differently.
  public static func all() throws -> [OperatorCase] {
    try windows() + channels() + elementwise() + movement() + indexing() + reductions()
      + recurrent() + volumes() + boundary()
  }

  static func windows() throws -> [OperatorCase] {
    var cases: [OperatorCase] = []
    let image: Shape = [1, 7, 9, 4]
    let borders: [(String, Padding)] = [
      ("same", .same), ("valid", .valid),
      ("explicit", .explicit(top: 1, bottom: 2, left: 0, right: 1)),
    ]
    for (name, padding) in borders {
      for (stride, activation) in [(1, Activation.none), (2, .relu), (2, .relu6)] {
        let strides = Size2D(stride, stride)
        let suffix = "\(name)_s\(stride)_\(activation.rawValue)"
        cases.append(
          try weighted(
            "conv_\(suffix)",
            image,
            Conv2D(strides: strides, padding: padding, activation: activation),
            [[5, 3, 3, 4], [5]]
          )
        )
        cases.append(
          try weighted(
            "depthwise_\(suffix)",
            image,
            DepthwiseConv2D(strides: strides, padding: padding, activation: activation),
            [[1, 3, 3, 8], [8]]
          )
        )
        for kind in [Pool2D.Kind.max, .average] {
          cases.append(
            try one(
              "pool_\(kind.rawValue)_\(suffix)",
              image,
              Pool2D(
                kind,
                window: Size2D(3, 3),
                strides: strides,
                padding: padding,
                activation: activation
              )
            )
          )
        }
      }
    }
    cases += [
      try weighted(
        "conv_dilated",
        image,
        Conv2D(dilations: Size2D(2, 2), padding: .same, activation: .reluN1To1),
        [[3, 3, 3, 4]]
      ),
      try weighted("conv_grouped", image, Conv2D(padding: .same), [[6, 3, 3, 2], [6]]),
      try weighted("conv_1x1", image, Conv2D(), [[6, 1, 1, 4], [6]]),
      try weighted(
        "depthwise_uneven_steps",
        image,
        DepthwiseConv2D(strides: Size2D(1, 2), padding: .same),
        [[1, 3, 3, 4]]
      ),
      try weighted(
        "transposed_same",
        [1, 4, 5, 3],
        TransposeConv2D(strides: Size2D(2, 2), padding: .same, outputSize: Size2D(8, 10)),
        [[4, 3, 3, 3], [4]]
      ),
      try weighted(
        "transposed_valid",
        [1, 4, 5, 3],
        TransposeConv2D(strides: Size2D(2, 2), padding: .valid, outputSize: Size2D(9, 11)),
        [[4, 3, 3, 3], [4]]
      ),
      try weighted(
        "transposed_cut",
        [1, 4, 5, 3],
        TransposeConv2D(
          strides: Size2D(2, 2),
          padding: .explicit(top: 1, bottom: 0, left: 0, right: 1),
          outputSize: Size2D(8, 10)
        ),
        [[4, 3, 3, 3]]
      ),
      try one("resize_nearest", [1, 3, 4, 2], Resize2D(.nearest, size: Size2D(6, 8))),
      try one(
        "resize_bilinear_half",
        [1, 3, 4, 2],
        Resize2D(.bilinear, size: Size2D(6, 12), usesHalfPixels: true)
      ),
      try one(
        "resize_bilinear_odd",
        [1, 3, 4, 2],
        Resize2D(.bilinear, size: Size2D(5, 7), usesHalfPixels: true)
      ),
      try one(
        "resize_bilinear_corners",
        [1, 3, 4, 2],
        Resize2D(.bilinear, size: Size2D(5, 7), alignsCorners: true)
      ),
    ]
    return cases
  }

  static func channels() throws -> [OperatorCase] {
    var cases = [
      try weighted("dense", [2, 6], FullyConnected(activation: .relu), [[5, 6], [5]]),
      try weighted("dense_rank3", [1, 4, 6], FullyConnected(), [[5, 6], [5]]),
      try weighted("dense_rank4", [1, 2, 3, 6], FullyConnected(), [[5, 6]]),
      try weighted("matmul_constant", [1, 4, 6], MatMul(), [[6, 3]]),
      try two("matmul", [2, 4, 6], [2, 6, 3], MatMul()),
      try two("matmul_turned", [2, 4, 6], [2, 3, 6], MatMul(transposesB: true)),
      try two("matmul_rank4", [1, 2, 6, 4], [1, 2, 6, 3], MatMul(transposesA: true)),
      try one("softmax", [2, 3, 4], Softmax()),
      try one("softmax_image", [1, 3, 4, 5], Softmax(axis: 3, beta: 0.5)),
      try one("softmax_axis1", [2, 3, 4], Softmax(axis: 1)),
      try one("log_softmax", [2, 3, 4], LogSoftmax()),
      try one(
        "lrn",
        [1, 3, 4, 7],
        LocalResponseNorm(size: 5, alpha: 0.1, beta: 0.75, bias: 1)
      ),
      try one("depth_to_space", [1, 2, 3, 8], DepthToSpace(blockSize: 2)),
      try one("space_to_depth", [1, 4, 6, 2], SpaceToDepth(blockSize: 2)),
    ]
    for shape in [[2, 5], [1, 4, 5], [1, 3, 4, 5]] as [Shape] {
      cases.append(
        try weighted(
          "batchnorm_rank\(shape.rank)",
          shape,
          BatchNorm(epsilon: 1e-3),
          [[5], [5], [5], [5]],
          0.5...1.5
        )
      )
    }
    return cases
  }

  static func elementwise() throws -> [OperatorCase] {
    var cases: [OperatorCase] = []
    let tests: [Unary.Kind] = [.logicalNot, .isNaN, .isInfinite, .bitwiseNot]
    for kind in Unary.Kind.allCases where !tests.contains(kind) {
      let range: ClosedRange<Float> =
        switch kind {
        case .log, .sqrt, .rsqrt: 0.2...3
        case .acosh: 1.2...3
        case .asin, .acos, .atanh, .tan: -0.9...0.9
        case .round: -2.4...2.4
        default: -4...4
        }
      cases.append(
        try one("unary_\(kind.rawValue.lowercased())", [1, 3, 4, 5], Unary(kind), range)
      )
    }
    for kind in Binary.Kind.allCases where !kind.isBitwise {
      let logical: [Binary.Kind] = [.logicalAnd, .logicalOr, .logicalXor]
      if logical.contains(kind) || kind.isComparison {
        var make = OperatorCaseMaker("binary_\(kind.rawValue.lowercased())")
        let (a, b) = (make.input([1, 3, 4, 5]), make.input([1, 3, 4, 5], name: "x2"))
        let zero = make.graph.addConstant("zero", Tensor([Float(0)], []))
        var operands = [a, b]
        if logical.contains(kind) {
          operands = try zip(operands, ["p", "q"]).map {
            try make.graph.addNode($1, Binary(.greater), [$0, zero])[0]
          }
        }
        let truth = try make.graph.addNode("truth", Binary(kind), operands)[0]
        cases.append(try make.finished { try $0.addNode("y", Select(), [truth, a, b]) })
        continue
      }
      cases.append(
        try two(
          "binary_\(kind.rawValue.lowercased())",
          [1, 3, 4, 5],
          [1, 3, 4, 5],
          Binary(kind),
          0.5...3
        )
      )
    }
    let kinds: [Binary.Kind] = [.add, .subtract, .multiply, .divide, .maximum]
    for kind in kinds {
      for shape in [[], [5], [1, 1, 1, 5], [4, 5], [3, 1, 1]] as [Shape] {
        let suffix =
          "\(kind.rawValue.lowercased())_\(shape.dims.map(String.init).joined(separator: "x"))"
        cases.append(
          try weighted("constant_\(suffix)", [1, 3, 4, 5], Binary(kind), [shape], 0.5...2)
        )
      }
      var make = OperatorCaseMaker("constant_first_\(kind.rawValue.lowercased())")
      let x = make.input([1, 3, 4, 5], 0.5...2)
      let c = make.constant("c", [5], 0.5...2)
      cases.append(
        try make.finished {
          try $0.addNode(
            "y",
            Binary(kind, activation: kind == .maximum ? .none : .relu6),
            [c, x]
          )
        }
      )
    }
    cases += [
      try two("broadcast", [1, 3, 4, 5], [1, 1, 4, 1], Binary(.multiply)),
      try two("broadcast_ranks", [1, 3, 4, 5], [4, 5], Binary(.add)),
      try one("leaky", [1, 3, 4, 5], LeakyReLU(alpha: 0.3)),
      try weighted("prelu_channels", [1, 3, 4, 5], PReLU(), [[5]]),
      try weighted("prelu_shared", [1, 3, 4, 5], PReLU(), [[1, 1, 5]]),
      try weighted("prelu_all", [1, 3, 4, 5], PReLU(), [[3, 4, 5]]),
    ]
    return cases
  }

  static func movement() throws -> [OperatorCase] {
    [
      try two("concat_channels", [1, 3, 4, 2], [1, 3, 4, 3], Concat(axis: -1)),
      try two("concat_rows", [1, 3, 4, 2], [1, 2, 4, 2], Concat(axis: 1)),
      try two("concat_rank2", [2, 3], [2, 4], Concat(axis: 1)),
      try one("reshape_flatten", [2, 3, 4, 2], Reshape([2, 24])),
      try one("reshape_image", [1, 24], Reshape([1, 3, 4, 2])),
      try one("reshape_open", [2, 3, 4], Reshape([2, -1])),
      try one("transpose_rank4", [1, 3, 4, 5], Transpose([0, 3, 1, 2])),
      try one("transpose_rank3", [2, 3, 4], Transpose([0, 2, 1])),
      try one("pad_zeros", [1, 3, 4, 2], Pad(before: [0, 1, 2, 0], after: [0, 0, 1, 0])),
      try one("pad_rank3", [1, 5, 2], Pad(before: [0, 2, 0], after: [0, 1, 0])),
      try one(
        "pad_value",
        [1, 3, 4, 2],
        Pad(before: [0, 1, 0, 1], after: [0, 0, 1, 0], value: -1.5)
      ),
      try one(
        "pad_reflect",
        [1, 3, 4, 2],
        Pad(before: [0, 1, 2, 0], after: [0, 2, 1, 0], mode: .reflect)
      ),
      try one(
        "pad_symmetric",
        [1, 3, 4, 2],
        Pad(before: [0, 1, 2, 0], after: [0, 2, 1, 0], mode: .symmetric)
      ),
      try one("slice", [1, 5, 6, 4], Slice(begin: [0, 1, 2, 1], sizes: [1, 2, 3, 2])),
      try one("slice_crop", [1, 5, 6, 4], Slice(begin: [0, 1, 2, 0], sizes: [1, 2, 3, 4])),
      try one(
        "slice_steps",
        [1, 5, 6, 4],
        Slice(begin: [0, 4, 0, 3], sizes: [1, 5, 3, 2], steps: [1, -1, 2, -2])
      ),
      try split(),
      try one("tile", [1, 2, 3, 2], Tile([1, 2, 1, 3])),
      try one("broadcast_to", [1, 1, 3, 1], BroadcastTo([1, 2, 3, 4])),
      try one("reverse", [1, 3, 4, 2], Reverse(axes: [1, 3])),
    ]
  }

  private static func split() throws -> OperatorCase {
    var make = OperatorCaseMaker("split")
    let x = make.input([1, 3, 4, 6])
    let parts = try make.graph.addNode(
      "y",
      Split(axis: 3, sizes: [1, 2, 3]),
      [x],
      outputNames: ["first", "second", "third"]
    )
    return make.finished(parts)
  }

  static func indexing() throws -> [OperatorCase] {
    var table = OperatorCaseMaker("embedding")
    let ids = table.input(Tensor([Int32(3), 0, 4, 1], [1, 4]), name: "ids")
    let rows = table.constant("rows", [5, 3])
    let embedding = try table.finished { try $0.addNode("y", Gather(axis: 0), [rows, ids]) }
    var hot = OperatorCaseMaker("one_hot")
    let classes = hot.input(Tensor([Int32(3), 0, 4, 1], [1, 4]), name: "ids")
    let on = hot.graph.addConstant("on", Tensor([Float(1)], []))
    let off = hot.graph.addConstant("off", Tensor([Float(0)], []))
    let oneHot = try hot.finished { try $0.addNode("y", OneHot(depth: 5), [classes, on, off]) }
    var scatter = OperatorCaseMaker("scatter_nd")
    let data = scatter.input([4, 3])
    let places = scatter.graph.addConstant("at", Tensor([Int64(2), 0], [2, 1], dtype: .int64))
    let updates = scatter.input([2, 3], name: "updates")
    let scattered = try scatter.finished {
      try $0.addNode("y", ScatterND(), [data, places, updates])
    }
    var elements = OperatorCaseMaker("scatter_elements")
    let base = elements.input([3, 3])
    let columns = elements.graph.addConstant(
      "at",
      Tensor([Int64(2), 0, 1], [1, 3], dtype: .int64)
    )
    let values = elements.input([1, 3], name: "updates")
    let elementwise = try elements.finished {
      try $0.addNode("y", ScatterElements(axis: 0), [base, columns, values])
    }
    return [
      embedding, oneHot, scattered, elementwise,
      try indexed("gather", [1, 5, 3], Gather(axis: 1), [4, 0, 2], [3]),
      try indexed("gather_nd", [4, 5, 3], GatherND(), [0, 1, 3, 4], [2, 2]),
      try indexed(
        "gather_elements",
        [2, 4],
        GatherElements(axis: 1),
        [3, 0, 1, 1, 2, 0],
        [2, 3]
      ),
      try one("cumulative_sum", [1, 5, 3], CumulativeSum(axis: 1)),
      try one(
        "cumulative_sum_reversed",
        [1, 5, 3],
        CumulativeSum(axis: 1, isExclusive: true, isReversed: true)
      ),
      try one("band", [1, 4, 5], BandPart(lowest: nil, highest: 0)),
      try one("argmax", [1, 4, 5], ArgReduce(.max, axis: -1, dtype: .int32)),
      try one("argmin_kept", [1, 4, 5], ArgReduce(.min, axis: 1, keepsAxis: true)),
      try topK(),
      try two("grid_sample", [1, 5, 6, 3], [1, 4, 4, 2], GridSample()),
      try two(
        "grid_sample_nearest",
        [1, 5, 6, 3],
        [1, 4, 4, 2],
        GridSample(.nearest, border: .edge, alignsCorners: true)
      ),
    ]
  }

  private static func topK() throws -> OperatorCase {
    var make = OperatorCaseMaker("top_k")
    let x = make.input([1, 9])
    return try make.finished {
      try $0.addNode(
        "y",
        TopK(3, dtype: .int32),
        [x],
        outputNames: ["scores", "places"]
      )
    }
  }

  static func reductions() throws -> [OperatorCase] {
    let kinds: [Reduce.Kind] = [.mean, .sum, .max, .min, .product]
    return try kinds.flatMap { kind in
      try [
        one(
          "reduce_\(kind.rawValue)_image",
          [1, 3, 4, 5],
          Reduce(kind, axes: [1, 2], keepsAxes: true)
        ),
        one(
          "reduce_\(kind.rawValue)_flat",
          [1, 3, 4, 5],
          Reduce(kind, axes: [1, 2], keepsAxes: false)
        ),
        one(
          "reduce_\(kind.rawValue)_channels",
          [1, 3, 4, 5],
          Reduce(kind, axes: [-1], keepsAxes: true)
        ),
        one(
          "reduce_\(kind.rawValue)_series",
          [2, 4, 3],
          Reduce(kind, axes: [1], keepsAxes: false)
        ),
      ]
    }
  }

  static func recurrent() throws -> [OperatorCase] {
    var cases: [OperatorCase] = []
    for cell in Recurrent.Cell.allCases {
      for isReversed in [false, true] {
        let count = cell.gates * 4
        cases.append(
          try weighted(
            "\(cell.rawValue.lowercased())\(isReversed ? "_reversed" : "")",
            [1, 5, 3],
            Recurrent(cell, isReversed: isReversed, resetsAfter: isReversed),
            [[count, 3], [count, 4], [count]]
          )
        )
      }
    }
    var make = OperatorCaseMaker("gru_two_biases")
    let x = make.input([1, 5, 3])
    let weights = [
      make.constant("w", [12, 3]), make.constant("r", [12, 4]), make.constant("b", [12]),
      make.constant("rb", [12]),
    ]
    let op = Recurrent(.gru, resetsAfter: true)
    let outputs = try make.graph.addNode("y", op, [x] + weights.map { $0 })
    cases.append(make.finished([outputs[0]]))
    var last = OperatorCaseMaker("lstm_last")
    let series = last.input([1, 5, 3])
    let parameters = [
      last.constant("w", [16, 3]), last.constant("r", [16, 4]), last.constant("b", [16]),
    ]
    let states = try last.graph.addNode("y", Recurrent(.lstm), [series] + parameters.map { $0 })
    cases.append(last.finished([states[1]]))
    return cases
  }

  static func volumes() throws -> [OperatorCase] {
    let volume: Shape = [1, 4, 5, 6, 2]
    return [
      try weighted(
        "conv3d",
        volume,
        Conv3D(strides: Size3D(1, 2, 1), padding: .same, activation: .relu),
        [[3, 3, 3, 3, 2], [3]]
      ),
      try weighted("conv3d_valid", volume, Conv3D(), [[3, 2, 3, 1, 2]]),
      try weighted(
        "transposed3d",
        [1, 2, 3, 2, 3],
        TransposeConv3D(
          strides: Size3D(2, 2, 2),
          padding: .same,
          outputSize: Size3D(4, 6, 4)
        ),
        [[2, 3, 3, 3, 3], [2]]
      ),
      try one(
        "max_pool3d",
        volume,
        Pool3D(.max, window: Size3D(2, 2, 2), strides: Size3D(2, 2, 2))
      ),
      try one(
        "average_pool3d",
        volume,
        Pool3D(
          .average,
          window: Size3D(2, 3, 2),
          strides: Size3D(1, 2, 2),
          padding: .same
        )
      ),
    ]
  }

  /// Networks whose inputs and outputs are special.
  static func boundary() throws -> [OperatorCase] {
    var through = OperatorCaseMaker("boundary_through")
    let x = through.input([1, 3])
    let y = try through.graph.addNode("y", Unary(.relu), [x])[0]
    let passed = through.finished([x, y])
    var names = OperatorCaseMaker("boundary_names")
    let a = names.input([1, 2, 2, 3], name: "serving_default_a,b:0")
    let b = try names.graph.addNode("block/<1>&\"q\"", Unary(.tanh), [a])[0]
    let c = try names.graph.addNode("inner", Unary(.abs), [b])[0]
    names.graph.outputNames[c] = "Identity:0"
    return [passed, names.finished([b, c])]
  }
}
