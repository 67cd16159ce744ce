import AssayBase
import AssayGraph
import AssayTensor

extension Problem {
  /// The operators that pick, scatter, sort and sample; volumes and recurrent layers.
  static func lists() throws -> [Problem] {
    var result: [Problem] = []
    func add(
      _ name: String,
      _ shape: Shape,
      tolerance: Float = 1e-5,
      _ body: (inout ProblemMaker, ValueID) throws -> [ValueID]
    ) throws {
      var make = ProblemMaker(name)
      let x = make.input(shape)
      result.append(try make.problem(tolerance: tolerance) { try body(&$0, x) })
    }
    func integers(_ make: inout ProblemMaker, _ values: [Int32], _ shape: Shape) -> ValueID {
      make.graph.addConstant("indices", Tensor(values, shape))
    }
    try add("argmax", [2, 5, 3]) { [try $0.node("y", ArgReduce(.max, axis: 1), $1)] }
    try add("argmin_last", [2, 3, 4, 5]) {
      let op = ArgReduce(.min, axis: -1, keepsAxis: true, selectsLast: true, dtype: .int32)
      return [try $0.node("y", op, $1)]
    }
    try add("topk", [3, 7]) { try $0.graph.addNode("y", TopK(3, dtype: .int32), [$1]) }
    try add("topk_least", [2, 6, 3]) {
      try $0.graph.addNode("y", TopK(2, axis: 1, takesLargest: false), [$1])
    }
    try add("gather_nd", [3, 4, 5]) {
      let indices = integers(&$0, [0, 1, 2, 3, 1, 0], [3, 2])
      return [try $0.node("y", GatherND(), $1, indices)]
    }
    try add("gather_elements", [3, 4]) {
      let indices = integers(&$0, [0, 1, 3, 2, 1, 0], [3, 2])
      return [try $0.node("y", GatherElements(axis: 1), $1, indices)]
    }
    for reduction in [ScatterReduction.replace, .add, .multiply, .maximum, .minimum] {
      try add("scatter_nd_\(reduction)", [4, 3]) {
        let indices = integers(&$0, [2, 0], [2, 1])
        let updates = $0.constant("updates", [2, 3])
        return [try $0.node("y", ScatterND(reduction), $1, indices, updates)]
      }
      try add("scatter_elements_\(reduction)", [4, 3]) {
        let indices = integers(&$0, [2, 0, 1, 3], [2, 2])
        let updates = $0.constant("updates", [2, 2])
        return [try $0.node("y", ScatterElements(axis: 0, reduction), $1, indices, updates)]
      }
    }
    try add("cumsum", [2, 5]) { [try $0.node("y", CumulativeSum(axis: 1), $1)] }
    try add("cumsum_back", [2, 5]) {
      [try $0.node("y", CumulativeSum(axis: 0, isExclusive: true, isReversed: true), $1)]
    }
    try add("one_hot", [2, 4]) {
      let best = try $0.node("best", ArgReduce(.max, axis: 1), $1)
      let values = ($0.constant("on", []), $0.constant("off", []))
      return [try $0.node("y", OneHot(depth: 4, axis: 0), best, values.0, values.1)]
    }
    try add("tile", [1, 2, 3, 2]) { [try $0.node("y", Tile([2, 1, 2, 3]), $1)] }
    try add("broadcast", [1, 3, 1, 2]) { [try $0.node("y", BroadcastTo([2, 3, 4, 2]), $1)] }
    try add("depth_to_space", [1, 3, 2, 8]) { [try $0.node("y", DepthToSpace(blockSize: 2), $1)] }
    try add("space_to_depth", [1, 4, 6, 3]) { [try $0.node("y", SpaceToDepth(blockSize: 2), $1)] }
    try add("reverse", [1, 3, 4, 2]) { [try $0.node("y", Reverse(axes: [1, -1]), $1)] }
    try add("reverse_sequence", [2, 5, 3]) {
      let lengths = integers(&$0, [3, 5], [2])
      return [try $0.node("y", ReverseSequence(batchAxis: 0, timeAxis: 1), $1, lengths)]
    }
    try add("reverse_sequence_last", [3, 4, 2]) {
      let lengths = integers(&$0, [3, 1], [2])
      return [try $0.node("y", ReverseSequence(batchAxis: 2, timeAxis: 1), $1, lengths)]
    }
    try add("lrn", [1, 3, 3, 6]) {
      [try $0.node("y", LocalResponseNorm(size: 3, alpha: 0.3, beta: 0.6, bias: 1.2), $1)]
    }
    try add("lrn_rows", [4, 6]) {
      [try $0.node("y", LocalResponseNorm(size: 5, alpha: 0.3, beta: 0.6, bias: 1.2), $1)]
    }
    try add("band", [2, 4, 5]) { [try $0.node("y", BandPart(lowest: -1, highest: 2), $1)] }
    try add("band_lower", [4, 5]) { [try $0.node("y", BandPart(lowest: nil, highest: 0), $1)] }
    try add("log_softmax", [2, 3, 4, 5]) { [try $0.node("y", LogSoftmax(axis: 3), $1)] }
    for kind in [GridSample.Kind.linear, .nearest, .cubic] {
      try add("grid_\(kind)", [1, 4, 5, 3], tolerance: 1e-4) {
        let grid = $0.constant("grid", [1, 3, 2, 2], -1.2...1.2)
        return [try $0.node("y", GridSample(kind, border: .edge), $1, grid)]
      }
    }
    try add("roi_align", [1, 6, 5, 2], tolerance: 1e-4) {
      let regions = $0.graph.addConstant("rois", Tensor([Float(0.5), 0, 4, 5], [1, 4]))
      let images = integers(&$0, [0], [1])
      let op = RoIAlign(size: Size2D(2, 3), scale: 0.9, samples: 2)
      return [try $0.node("y", op, $1, regions, images)]
    }
    try add("any_all", [3, 4]) {
      let mark = try $0.node("mark", Binary(.greater), $1, $0.constant("bound", [], 0...0))
      return [
        try $0.node("any", Reduce(.any, axes: [1], keepsAxes: false), mark),
        try $0.node("all", Reduce(.all, axes: [0], keepsAxes: true), mark),
      ]
    }
    result += try volumes() + recurrent()
    let unstable: Set = ["conv3d_same", "conv3d_valid", "pool3d_same", "pool3d_valid", "one_hot"]
    for index in result.indices {
      let hasLayer = result[index].graph.nodes.contains { $0.op is Recurrent }
      result[index].isStable = !hasLayer && !unstable.contains(result[index].name)
    }
    return result
  }

  private static func volumes() throws -> [Problem] {
    var result: [Problem] = []
    for padding in [Padding3D.same, .valid] {
      var make = ProblemMaker("conv3d_\(padding.text)")
      var x = make.input([1, 5, 6, 4, 2])
      let filter = make.constant("w", [3, 2, 3, 2, 2])
      let bias = make.constant("b", [3])
      let op = Conv3D(strides: Size3D(1, 2, 1), padding: padding, activation: .relu)
      result.append(try make.problem { [try $0.node("y", op, x, filter, bias)] })
      make = ProblemMaker("pool3d_\(padding.text)")
      x = make.input([1, 5, 6, 4, 2])
      let pools = [Pool2D.Kind.max, .average].map {
        Pool3D($0, window: Size3D(2, 3, 2), strides: Size3D(2, 2, 1), padding: padding)
      }
      result.append(
        try make.problem {
          [try $0.node("y", pools[0], x), try $0.node("z", pools[1], x)]
        }
      )
    }
    return result
  }

  private static func recurrent() throws -> [Problem] {
    try Recurrent.Cell.allCases.flatMap { cell in
      try [false, true].map { isReversed in
        var make = ProblemMaker("\(cell.rawValue)\(isReversed ? "_reversed" : "")")
        let x = make.input([2, 4, 3])
        let rows = cell.gates * 5
        let inputs: [ValueID?] = [
          x, make.constant("w", [rows, 3]), make.constant("r", [rows, 5]),
          make.constant("b", [rows]), make.constant("rb", [rows]), make.constant("h", [2, 5]),
          cell == .lstm ? make.constant("c", [2, 5]) : nil,
        ]
        let op = Recurrent(cell, isReversed: isReversed, resetsAfter: cell == .gru)
        return try make.problem(tolerance: 1e-4) { try $0.graph.addNode("y", op, inputs) }
      }
    }
  }
}
