import AssayBase

extension LabelMaps {
  /// ImageNet's 1000 classes of 2012 as WordNet's synsets and their words, in the order of the synsets'
  /// numbers, which is the order of all published networks.
  public static let imagenet: [(synset: String, name: String)] = {
    String(decoding: PackageResources.imagenet_txt, as: UTF8.self).split(separator: "\n").map {
      let parts = $0.split(separator: "\t", maxSplits: 1)
      return (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
    }
  }()

  /// The place of a synset such as `n01440764` among ImageNet's 1000.
  public static func imagenetIndex(ofSynset synset: String) -> Int? { places[synset] }

  private static let places: [String: Int] = Dictionary(
    imagenet.enumerated().map { ($0.element.synset, $0.offset) },
    uniquingKeysWith: { first, _ in first }
  )

  /// The names by which lists of class names are known here.
  public static let known = [
    "imagenet", "imagenet1001", "synsets", "coco", "coco90", "coco91", "voc",
  ]

  /// A known list of class names; `nil` for another name.
  ///
  /// `imagenet` are the first words of the 1000 classes, `imagenet1001` the same with a background in
  /// front, `synsets` their WordNet numbers; `coco` the 80 classes in a row, `coco90` and `coco91` with
  /// the places of the ids that were never annotated, 91 with the background in front; `voc` the
  /// background and the 20 classes.
  public static func classNames(_ name: String) -> [String]? {
    func first(_ words: String) -> String {
      String(words.split(separator: ",").first ?? Substring(words))
    }
    func spread(_ count: Int) -> [String] {
      (0..<count).map { place in
        cocoIndex(place, of: count).map { coco80[$0] }
          ?? (count == 91 && place == 0 ? "background" : "")
      }
    }
    switch name {
    case "imagenet": return imagenet.map { first($0.name) }
    case "imagenet1001": return ["background"] + imagenet.map { first($0.name) }
    case "synsets": return imagenet.map(\.synset)
    case "coco": return coco80
    case "coco90": return spread(90)
    case "coco91": return spread(91)
    case "voc": return voc21
    default: return nil
    }
  }
}
