import AssayTensor

/// The order in which the axes of an image lie in the file.
///
/// A Graph's images are NHWC; the window operators of ONNX and OpenVINO take NCHW. A value that is
/// no image (not of four axes) has one order only and counts as `channelsLast`.
public enum Layout: Hashable, Sendable {
  /// NHWC.
  case channelsLast
  /// NCHW.
  case channelsFirst

  /// The permutation from the Graph's axes to this layout's.
  public var permutation: [Int] { self == .channelsLast ? [0, 1, 2, 3] : [0, 3, 1, 2] }

  /// Where the Graph's axis (not negative) lies in this layout.
  public func position(ofAxis axis: Int) -> Int {
    self == .channelsLast ? axis : [0, 2, 3, 1][axis]
  }

  /// Extents of the Graph's shape in this layout.
  public func arrange(_ dims: [Int]) -> [Int] {
    guard self == .channelsFirst, dims.count == 4 else { return dims }
    return permutation.map { dims[$0] }
  }

  /// The permutation that brings this layout to another; `nil` when they are the same.
  public func permutation(to other: Layout) -> [Int]? {
    switch (self, other) {
    case (.channelsLast, .channelsFirst): [0, 3, 1, 2]
    case (.channelsFirst, .channelsLast): [0, 2, 3, 1]
    default: nil
    }
  }
}

extension Shape {
  /// Whether the elements of an image lie in the same order in both layouts.
  public var isLayoutFree: Bool { rank == 4 && (dims[3] == 1 || dims[1] == 1 && dims[2] == 1) }
}

/// What a node asks of the layouts of its images.
public struct LayoutRule: Sendable {
  /// What one side of a node accepts.
  public enum Port: Sendable, Equatable {
    /// This one.
    case fixed(Layout)
    /// Either; ports of one node with the same number take the same layout.
    case free(Int)
  }

  /// The side of the images that it reads.
  public var input: Port
  /// The side of the images that it makes.
  public var output: Port
  /// Which inputs are images; all, if `nil`.
  public var imageInputs: [Int]?
  /// The better layout where both need as many transposes.
  public var preference: Layout

  /// Makes a rule.
  public init(
    input: Port,
    output: Port,
    imageInputs: [Int]? = nil,
    preference: Layout = .channelsFirst
  ) {
    self.input = input
    self.output = output
    self.imageInputs = imageInputs
    self.preference = preference
  }

  /// Reads and makes images as window operators of NCHW formats do; further inputs are parameters.
  public static let window = LayoutRule(
    input: .fixed(.channelsFirst),
    output: .fixed(.channelsFirst),
    imageInputs: [0]
  )
  /// Depends on the Graph's order of elements.
  public static let ordered = LayoutRule(
    input: .fixed(.channelsLast),
    output: .fixed(.channelsLast)
  )
  /// Works in either layout, the same on both sides.
  public static let agnostic = LayoutRule(input: .free(0), output: .free(0))
}

/// A layout for every node's images, chosen so that the file needs the fewest transposes.
///
/// Each value of four axes stands in the file in the layout in which its node makes it, and once
/// more in the other if somebody wants that. Choosing the free nodes' layouts so that the least
/// number of values stands twice is a minimum cut between what is fixed to one layout and what is
/// fixed to the other: for each value an edge from its maker that is cut once, however many readers
/// lie on the other side. Ties go to the smaller images, then to the nodes' preferences.
public struct LayoutPlan: Sendable {
  /// The layout in which each node reads its images.
  public private(set) var inputs: [Layout]
  /// The layout in which each node makes its images.
  public private(set) var outputs: [Layout]

  /// One image's maker and readers.
  public struct Image {
    /// The node that makes it; `nil` for an input of the graph.
    public var producer: Int?
    /// The nodes that read it as an image.
    public var consumers: [Int]
    /// Whether it leaves the graph.
    public var isOutput: Bool
    /// Its number of elements.
    public var elementCount: Int
    /// Whether both layouts have the elements in the same order, so that a reshape will do.
    public var isLayoutFree: Bool

    /// Makes an image.
    public init(
      producer: Int?,
      consumers: [Int] = [],
      isOutput: Bool = false,
      elementCount: Int,
      isLayoutFree: Bool
    ) {
      self.producer = producer
      self.consumers = consumers
      self.isOutput = isOutput
      self.elementCount = elementCount
      self.isLayoutFree = isLayoutFree
    }

    /// An image of this shape that is read by nobody yet.
    public init(producer: Int?, shape: Shape) {
      self.init(
        producer: producer,
        elementCount: shape.count,
        isLayoutFree: shape.isLayoutFree
      )
    }
  }

  /// Chooses layouts for nodes with these rules.
  public init(rules: [LayoutRule], images: [Image]) {
    var cut = MinimumCut(vertexCount: 2)
    let (first, last) = (0, 1)
    var free: [[Int: Int]] = []
    for rule in rules {
      var vertices: [Int: Int] = [:]
      for case .free(let number) in [rule.input, rule.output] where vertices[number] == nil {
        let vertex = cut.addVertex()
        vertices[number] = vertex
        switch rule.preference {
        case .channelsFirst: cut.addEdge(from: first, to: vertex, capacity: 1)
        case .channelsLast: cut.addEdge(from: vertex, to: last, capacity: 1)
        }
      }
      free.append(vertices)
    }
    func vertex(_ port: LayoutRule.Port, of node: Int) -> Int {
      switch port {
      case .fixed(.channelsFirst): first
      case .fixed(.channelsLast): last
      case .free(let number): free[node][number] ?? last
      }
    }
    for image in images {
      let maker = image.producer.map { vertex(rules[$0].output, of: $0) } ?? last
      var readers = Set(image.consumers.map { vertex(rules[$0].input, of: $0) })
      if image.isOutput { readers.insert(last) }
      readers.remove(maker)
      guard !readers.isEmpty else { continue }
      let cost = image.isLayoutFree ? 64 : 1 << 32 + min(image.elementCount, 1 << 30)
      let toLast = cut.addVertex()
      let toFirst = cut.addVertex()
      cut.addEdge(from: maker, to: toLast, capacity: cost)
      cut.addEdge(from: toFirst, to: maker, capacity: cost)
      for reader in readers {
        cut.addEdge(from: toLast, to: reader, capacity: .max)
        cut.addEdge(from: reader, to: toFirst, capacity: .max)
      }
    }
    let isFirst = cut.sourceSide(source: first, sink: last)
    func layout(_ port: LayoutRule.Port, of node: Int) -> Layout {
      isFirst[vertex(port, of: node)] ? .channelsFirst : .channelsLast
    }
    inputs = rules.indices.map { layout(rules[$0].input, of: $0) }
    outputs = rules.indices.map { layout(rules[$0].output, of: $0) }
  }
}
