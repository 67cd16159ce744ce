import AssayBase

/// Operators under the roofs of the machine that ran them: what each achieves over its arithmetic
/// intensity (Williams, Waterman, Patterson: Roofline, 2009).
public struct RooflineDrawing: Sendable {
  /// One operator of one inference.
  public struct Point: Sendable, Equatable {
    /// The node's name.
    public var name: String
    /// The operator.
    public var kind: String
    /// Time, nanoseconds.
    public var nanoseconds: Double
    /// Multiply-adds.
    public var macs: Int
    /// Bytes of constants and values that it reads and makes.
    public var bytes: Int
    /// Whether it computes on 8-bit integers.
    public var isInteger: Bool
    /// What executed it.
    public var placement: String

    /// Makes a point.
    public init(
      name: String,
      kind: String,
      nanoseconds: Double,
      macs: Int,
      bytes: Int,
      isInteger: Bool,
      placement: String = ""
    ) {
      self.name = name
      self.kind = kind
      self.nanoseconds = nanoseconds
      self.macs = macs
      self.bytes = bytes
      self.isInteger = isInteger
      self.placement = placement
    }

    /// Multiply-adds a byte.
    public var intensity: Double { bytes > 0 ? Double(macs) / Double(bytes) : 0 }
    /// Multiply-adds a second.
    public var rate: Double { nanoseconds > 0 ? Double(macs) / nanoseconds * 1e9 : 0 }
    /// Bytes a second.
    public var byteRate: Double { nanoseconds > 0 ? Double(bytes) / nanoseconds * 1e9 : 0 }
  }

  /// What the machine can do at best, with as many threads as the network had.
  public struct Roofs: Sendable, Equatable {
    /// Multiply-adds a second, in single precision and on 8-bit integers.
    public var multiplyAdds32: Double
    public var multiplyAdds8: Double?
    /// Bytes a second, out of memory and out of a core's own cache.
    public var memoryBytes: Double
    public var cacheBytes: Double
    /// Where they are from, in words.
    public var source: String

    /// Makes roofs.
    public init(
      multiplyAdds32: Double,
      multiplyAdds8: Double?,
      memoryBytes: Double,
      cacheBytes: Double,
      source: String
    ) {
      self.multiplyAdds32 = multiplyAdds32
      self.multiplyAdds8 = multiplyAdds8
      self.memoryBytes = memoryBytes
      self.cacheBytes = cacheBytes
      self.source = source
    }

    /// The greatest rate on registers.
    public func peak(isInteger: Bool) -> Double {
      isInteger ? multiplyAdds8 ?? multiplyAdds32 : multiplyAdds32
    }
  }

  /// What keeps an operator from being faster.
  public enum Limit: String, Sendable {
    /// The multiply-adds themselves.
    case compute
    /// Bytes out of memory.
    case memory
    /// Bytes out of the caches: it is faster than memory could feed it.
    case cache
  }

  /// The operators, in the network's order.
  public var points: [Point]
  /// The roofs.
  public var roofs: Roofs
  /// What is drawn, such as the network and the runtime.
  public var title: String

  /// Makes a drawing.
  public init(title: String, points: [Point], roofs: Roofs) {
    self.title = title
    self.points = points
    self.roofs = roofs
  }

  /// What limits an operator, and the part of that limit which it reaches.
  ///
  /// An operator without multiply-adds is measured by its bytes alone. `nil` where it neither
  /// multiplies nor moves, or took no time.
  public func judged(_ point: Point) -> (limit: Limit, share: Double)? {
    guard point.nanoseconds > 0, point.bytes > 0 else { return nil }
    let byMemory = point.byteRate / roofs.memoryBytes
    let byCache = point.byteRate / roofs.cacheBytes
    let peak = roofs.peak(isInteger: point.isInteger)
    let byPeak = peak > 0 ? point.rate / peak : 0
    // Under the roof of the memory: the tighter of the two limits. Above it the caches feed it.
    if byMemory <= 1 { return byPeak >= byMemory ? (.compute, byPeak) : (.memory, byMemory) }
    return byPeak >= byCache ? (.compute, byPeak) : (.cache, byCache)
  }

  /// Multiply-adds a second of the whole network.
  public var rate: Double {
    let time = points.reduce(0) { $0 + $1.nanoseconds }
    return time > 0 ? points.reduce(0.0) { $0 + Double($1.macs) } / time * 1e9 : 0
  }
}
