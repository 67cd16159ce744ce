import CImage

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

extension Image {
  /// Pillow's way: rows then columns, weights in whole numbers of 22 bits, rounded after each.
  func convolved(
    _ newWidth: Int,
    _ newHeight: Int,
    support: Double,
    _ kernel: (Double) -> Double
  ) -> [UInt8] {
    var levels = pixels
    // A side that keeps its length is not touched.
    if newWidth != width {
      let windows = Windows(from: width, to: newWidth, support: support, kernel)
      levels = unsafe made(newWidth * height * channels) { result in
        unsafe cimage_across(
          levels,
          Int32(width),
          Int32(height),
          Int32(channels),
          windows.first,
          windows.count,
          windows.weights,
          Int32(windows.longest),
          Int32(newWidth),
          result.baseAddress
        )
      }
    }
    if newHeight != height {
      let windows = Windows(from: height, to: newHeight, support: support, kernel)
      levels = unsafe made(newWidth * newHeight * channels) { result in
        unsafe cimage_down(
          levels,
          Int32(newWidth * channels),
          windows.first,
          windows.count,
          windows.weights,
          Int32(windows.longest),
          Int32(newHeight),
          result.baseAddress
        )
      }
    }
    return levels
  }

  private func made(
    _ count: Int,
    _ fill: (UnsafeMutableBufferPointer<UInt8>) -> Void
  ) -> [UInt8] {
    unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      unsafe fill(buffer)
      initialized = count
    }
  }
}

/// The pixels that each new pixel of a side is made of: the first, how many, and their weights.
private struct Windows {
  var first: [Int32] = []
  var count: [Int32] = []
  /// `longest` for each new pixel; zeros behind those that count.
  var weights: [Int32] = []
  var longest = 0

  init(from old: Int, to new: Int, support: Double, _ kernel: (Double) -> Double) {
    let scale = Double(old) / Double(new)
    let stretch = max(scale, 1)
    var all: [[Int32]] = []
    for index in 0..<new {
      let center = (Double(index) + 0.5) * scale
      let start = max(0, Int(center - support * stretch + 0.5))
      let end = max(min(old, Int(center + support * stretch + 0.5)), start + 1)
      var parts = (start..<end).map { kernel((Double($0) - center + 0.5) / stretch) }
      let sum = parts.reduce(0, +)
      if sum != 0 { parts = parts.map { $0 / sum } }
      first.append(Int32(start))
      count.append(Int32(parts.count))
      // The weights' sizes add up to less than 2, and 2 * 255 * 2^22 fits 32 bits.
      all.append(
        parts.map { Int32(($0 * 4_194_304 + ($0 < 0 ? -0.5 : 0.5)).rounded(.towardZero)) }
      )
    }
    longest = all.map(\.count).max() ?? 0
    weights.reserveCapacity(longest * new)
    for window in all {
      weights += window
      weights += [Int32](repeating: 0, count: longest - window.count)
    }
  }
}

func triangle(_ x: Double) -> Double { max(0, 1 - abs(x)) }

/// Keys's cubic convolution with a = -0.5.
func cubic(_ value: Double) -> Double {
  let x = abs(value)
  let a = -0.5
  if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
  if x < 2 { return (((x - 5) * x + 8) * x - 4) * a }
  return 0
}

func lanczos(_ x: Double) -> Double {
  func sinc(_ x: Double) -> Double { x == 0 ? 1 : sin(x * .pi) / (x * .pi) }
  return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0
}
