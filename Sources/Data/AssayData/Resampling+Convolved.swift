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
    let across = Windows(from: width, to: newWidth, support: support, kernel)
    let down = Windows(from: height, to: newHeight, support: support, kernel)
    guard across.longest > 0 || down.longest > 0 else { return pixels }
    let count = newWidth * newHeight * channels
    return unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      let isDone = unsafe cimage_resample(
        pixels,
        Int32(width),
        Int32(height),
        Int32(channels),
        across.first,
        across.count,
        across.weights,
        Int32(across.longest),
        Int32(newWidth),
        down.first,
        down.count,
        down.weights,
        Int32(down.longest),
        Int32(newHeight),
        buffer.baseAddress
      )
      precondition(isDone != 0, "no memory for a few rows")
      initialized = count
    }
  }
}

/// The pixels that each new pixel of a side is made of: the first, how many, and their weights.
private struct Windows {
  var first: [Int32] = []
  var count: [Int32] = []
  /// `longest` for each new pixel; zeros behind those that count.
  var weights: [Int32]
  /// 0 for a side that keeps its length: its pixels are not touched.
  let longest: Int

  init(from old: Int, to new: Int, support: Double, _ kernel: (Double) -> Double) {
    guard old != new else {
      (weights, longest) = ([], 0)
      return
    }
    let scale = Double(old) / Double(new)
    let stretch = max(scale, 1)
    // As wide as a window can be, with a part of a pixel at either end.
    longest = min(old, Int((support * stretch).rounded(.up)) * 2 + 1)
    weights = [Int32](repeating: 0, count: longest * new)
    first.reserveCapacity(new)
    count.reserveCapacity(new)
    var parts = [Double](repeating: 0, count: longest)
    for index in 0..<new {
      let center = (Double(index) + 0.5) * scale
      let start = max(0, Int(center - support * stretch + 0.5))
      let length = max(min(old, Int(center + support * stretch + 0.5)) - start, 1)
      var sum = 0.0
      for tap in 0..<length {
        parts[tap] = kernel((Double(start + tap) - center + 0.5) / stretch)
        sum += parts[tap]
      }
      first.append(Int32(start))
      count.append(Int32(length))
      // The weights' sizes add up to less than 2, and 2 * 255 * 2^22 fits 32 bits.
      for tap in 0..<length {
        let part = sum != 0 ? parts[tap] / sum : parts[tap]
        weights[index * longest + tap] = Int32(part * 4_194_304 + (part < 0 ? -0.5 : 0.5))
      }
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
