import AssayBase

/// A network as a page draws it: boxes for inputs, operators and outputs, joined by what flows.
public struct NetworkDrawing: Sendable {
  /// What a box stands for; it decides the color.
  public enum Kind: String, Sendable, CaseIterable {
    case input, output, convolution, dense, normalization, activation, pooling, merging, shape
    case quantization, recurrent, attention, other
  }

  /// The statistics of a constant.
  public struct Statistics: Sendable, Equatable {
    public var low: Double
    public var high: Double
    public var mean: Double
    public var deviation: Double
    /// The part of elements that are zero.
    public var sparsity: Double
    /// Counts of elements in parts of equal width from `low` to `high`.
    public var histogram: [Int]

    /// Makes statistics of real numbers; `nil` when none is finite.
    public init?(of values: [Float], bins: Int = 32) {
      var (low, high) = (Float.infinity, -Float.infinity)
      var (sum, squares) = (0.0, 0.0)
      var (zeros, count) = (0, 0)
      for value in values where value.isFinite {
        low = min(low, value)
        high = max(high, value)
        sum += Double(value)
        squares += Double(value) * Double(value)
        if value == 0 { zeros += 1 }
        count += 1
      }
      guard count > 0 else { return nil }
      self.low = Double(low)
      self.high = Double(high)
      mean = sum / Double(count)
      deviation = max(0, squares / Double(count) - mean * mean).squareRoot()
      sparsity = Double(zeros) / Double(count)
      histogram = [Int](repeating: 0, count: high > low ? bins : 1)
      let scale = high > low ? Float(bins) / (high - low) : 0
      for value in values where value.isFinite {
        histogram[min(Int((value - low) * scale), histogram.count - 1)] += 1
      }
    }
  }

  /// What goes into a box or comes out of it.
  public struct Port: Sendable {
    /// The value's name.
    public var name: String
    /// Element type and shape in words.
    public var type: String
    /// Its quantization in words.
    public var quantization: String?
    /// What is known of a constant.
    public var statistics: Statistics?
    /// Whether it is a constant.
    public var isConstant: Bool

    /// Makes a port.
    public init(
      name: String,
      type: String,
      quantization: String? = nil,
      isConstant: Bool = false,
      statistics: Statistics? = nil
    ) {
      self.name = name
      self.type = type
      self.quantization = quantization
      self.isConstant = isConstant
      self.statistics = statistics
    }
  }

  /// A box.
  public struct Box: Sendable {
    public var kind: Kind
    /// The operator, or the name of an input or output.
    public var title: String
    /// What is most worth knowing, such as the window and the shape.
    public var detail: String
    /// The node's name.
    public var name: String
    public var attributes: [(name: String, value: String)] = []
    public var inputs: [Port] = []
    public var outputs: [Port] = []
    /// Multiply-accumulates.
    public var macs = 0
    /// Elements of constants that it reads.
    public var parameters = 0
    /// Bytes of constants that it reads.
    public var constantBytes = 0
    /// Bytes of values that it reads and makes.
    public var activationBytes = 0
    /// Measured time, nanoseconds.
    public var nanoseconds: Double?
    /// Joules of one inference, an estimate: the whole network's, shared out by time.
    public var joules: Double?
    /// Decibels by which its own error lies below its result, from a certificate.
    public var snrDb: Double?
    /// What the certificate says of it, in words.
    public var finding: String?
    /// Whether the certificate says that it computes something else.
    public var isSuspect = false
    /// What executed it.
    public var placement: String?

    /// Makes a box.
    public init(kind: Kind, title: String, detail: String, name: String) {
      self.kind = kind
      self.title = title
      self.detail = detail
      self.name = name
    }
  }

  /// What the page is called.
  public var title: String
  /// Facts about the network, in words.
  public var facts: [String]
  /// The boxes, each after those that it reads from.
  public var boxes: [Box]
  /// What flows from box to box.
  public var edges: [(from: Int, to: Int)]
  /// Where the times are from, in words.
  public var timing: String?
  /// What a profile tells of that is no box of the network, such as conversions between layouts.
  public var unplaced: [(kind: String, node: String, nanoseconds: Double)] = []
  /// Where the energy is from and how it was shared out, in words.
  public var energy: String?
  /// Where the quantization errors are from, in words.
  public var certificate: String?
  /// The program's version.
  public var version: String

  /// Makes a drawing.
  public init(title: String, facts: [String] = [], version: String = "") {
    self.title = title
    self.facts = facts
    self.version = version
    boxes = []
    edges = []
  }

  /// The drawing with boxes whose names begin alike put together.
  ///
  /// - Parameter depth: how many parts of a name (separated by `/`) make a group; groups of one box stay.
  public func grouped(depth: Int) -> NetworkDrawing {
    var keys: [String?] = []
    var counts: [String: Int] = [:]
    for box in boxes {
      let parts = box.name.split(separator: "/")
      let isGroup = parts.count > depth && box.kind != .input && box.kind != .output
      let key = isGroup ? parts.prefix(depth).joined(separator: "/") : nil
      keys.append(key)
      if let key { counts[key, default: 0] += 1 }
    }
    var result = self
    result.boxes = []
    result.edges = []
    var place: [String: Int] = [:]
    var new: [Int] = []
    var members: [[Int]] = []
    for (index, box) in boxes.enumerated() {
      guard let key = keys[index], counts[key, default: 0] > 1 else {
        new.append(result.boxes.count)
        result.boxes.append(box)
        members.append([index])
        continue
      }
      if let known = place[key] {
        new.append(known)
        members[known].append(index)
        result.boxes[known].take(box)
        continue
      }
      var group = Box(kind: box.kind, title: key, detail: "", name: key)
      group.take(box)
      place[key] = result.boxes.count
      new.append(result.boxes.count)
      result.boxes.append(group)
      members.append([index])
    }
    for index in result.boxes.indices where members[index].count > 1 {
      result.boxes[index].detail = "\(members[index].count) operators"
    }
    return result.joined(edges.map { (new[$0.from], new[$0.to]) })
  }

  /// The drawing with these edges, each once and from the box that comes first.
  ///
  /// Groups may read one another in turns; the layout needs an order, and takes that of their first
  /// operators.
  private func joined(_ edges: [(from: Int, to: Int)]) -> NetworkDrawing {
    var result = self
    var seen: Set<[Int]> = []
    for edge in edges where edge.from != edge.to {
      let pair = (from: min(edge.from, edge.to), to: max(edge.from, edge.to))
      if seen.insert([pair.from, pair.to]).inserted { result.edges.append(pair) }
    }
    return result
  }
}

extension NetworkDrawing.Box {
  /// Adds another box's costs to a group.
  fileprivate mutating func take(_ box: NetworkDrawing.Box) {
    macs += box.macs
    parameters += box.parameters
    constantBytes += box.constantBytes
    activationBytes += box.activationBytes
    if let more = box.nanoseconds { nanoseconds = (nanoseconds ?? 0) + more }
    if let more = box.joules { joules = (joules ?? 0) + more }
    if let other = box.snrDb { snrDb = min(snrDb ?? .infinity, other) }
    isSuspect = isSuspect || box.isSuspect
    if box.macs > 0, box.kind == .convolution || box.kind == .attention { kind = box.kind }
    attributes.append((box.title, box.name))
    if let there = box.placement {
      placement = placement == nil || placement == there ? there : "several"
    }
  }
}
