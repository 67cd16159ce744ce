import AssayGraph
import AssayTensor

extension Conv3D: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let volume = try arguments.input(0).shape
    let filter = try arguments.input(1).shape
    let output = arguments.output.shape
    let taps = filter[4]
    let outputsOfGroup = max(filter[0] / max(volume[4] / taps, 1), 1)
    let windows = WindowPositions(
      window: Size3D(filter[1], filter[2], filter[3]),
      strides: strides,
      dilations: dilations,
      padding: padding,
      over: volume
    )
    return try sumsOfProducts(arguments, activation: activation, groups: volume[0]) { x, weights in
      var sums: [Double] = []
      sums.reserveCapacity(output.count)
      windows.forEach(output) { positions in
        for o in 0..<output[4] {
          let firstChannel = o / outputsOfGroup * taps
          var sum = 0.0
          for (tap, position) in positions {
            let voxel = position * volume[4] + firstChannel
            let weight = (o * windows.count + tap) * taps
            for c in 0..<taps { sum += x[voxel + c] * weights[weight + c] }
          }
          sums.append(sum)
        }
      }
      return sums
    }
  }
}

/// Where the taps of a window lie in a volume `[N, D, H, W, C]`, for each place of the window.
struct WindowPositions {
  let window: Size3D
  let strides: Size3D
  let dilations: Size3D
  let start: Size3D
  let volume: Shape

  init(
    window: Size3D,
    strides: Size3D,
    dilations: Size3D,
    padding: Padding3D,
    over volume: Shape
  ) {
    self.window = window
    self.strides = strides
    self.dilations = dilations
    self.volume = volume
    start = padding.start(volume, window: window, strides: strides, dilations: dilations)
  }

  /// The number of taps.
  var count: Int { window.depth * window.height * window.width }

  /// Calls `body` for each place of the window, in row-major order of `output`: the taps that lie
  /// inside the volume, each with the index of its voxel (counted without channels).
  func forEach(_ output: Shape, _ body: ([(tap: Int, position: Int)]) -> Void) {
    for n in 0..<output[0] {
      for d in 0..<output[1] {
        for y in 0..<output[2] {
          for x in 0..<output[3] { body(taps(n, d, y, x)) }
        }
      }
    }
  }

  private func taps(_ n: Int, _ d: Int, _ y: Int, _ x: Int) -> [(tap: Int, position: Int)] {
    var result: [(tap: Int, position: Int)] = []
    for kd in 0..<window.depth {
      let plane = d * strides.depth + kd * dilations.depth - start.depth
      guard (0..<volume[1]).contains(plane) else { continue }
      for ky in 0..<window.height {
        let row = y * strides.height + ky * dilations.height - start.height
        guard (0..<volume[2]).contains(row) else { continue }
        for kx in 0..<window.width {
          let column = x * strides.width + kx * dilations.width - start.width
          guard (0..<volume[3]).contains(column) else { continue }
          let position = ((n * volume[1] + plane) * volume[2] + row) * volume[3] + column
          result.append(((kd * window.height + ky) * window.width + kx, position))
        }
      }
    }
    return result
  }
}
