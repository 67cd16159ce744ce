/// An object that is in a picture, as a person marked it.
public struct TruthObject: Sendable, Equatable {
  /// The index of its class.
  public var category: Int
  /// Where it is.
  public var box: Box
  /// Its pixels, where they are known.
  public var mask: Mask?
  /// Its area as the annotation gives it, in square pixels: it decides who counts as small or large.
  public var area: Double
  /// Whether it stands for a crowd: what is found in it counts neither for nor against.
  public var isCrowd: Bool

  /// Makes an object; its area is that of the mask, else of the box, unless told.
  public init(
    category: Int,
    box: Box,
    mask: Mask? = nil,
    area: Double? = nil,
    isCrowd: Bool = false
  ) {
    self.category = category
    self.box = box
    self.mask = mask
    self.area = area ?? mask.map { Double($0.area) } ?? box.area
    self.isCrowd = isCrowd
  }
}

/// An object that a network found.
public struct FoundObject: Sendable, Equatable {
  /// The index of its class.
  public var category: Int
  /// How sure the network is.
  public var score: Double
  /// Where it is.
  public var box: Box
  /// Its pixels, where the network tells.
  public var mask: Mask?

  /// Makes a find.
  public init(category: Int, score: Double, box: Box, mask: Mask? = nil) {
    self.category = category
    self.score = score
    self.box = box
    self.mask = mask
  }
}

/// A picture's objects and what was found in it.
public struct DetectedImage: Sendable, Equatable {
  /// What is there.
  public var truths: [TruthObject]
  /// What was found, in the network's order.
  public var found: [FoundObject]

  /// Makes a picture.
  public init(truths: [TruthObject] = [], found: [FoundObject] = []) {
    self.truths = truths
    self.found = found
  }
}
