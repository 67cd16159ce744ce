/// Orders of classes that networks of the field share.
public enum LabelMaps {
  /// The 80 classes of COCO in the order of their ids.
  public static let coco80 = """
    person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,stop sign,\
    parking meter,bench,bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe,backpack,umbrella,\
    handbag,tie,suitcase,frisbee,skis,snowboard,sports ball,kite,baseball bat,baseball glove,\
    skateboard,surfboard,tennis racket,bottle,wine glass,cup,fork,knife,spoon,bowl,banana,apple,\
    sandwich,orange,broccoli,carrot,hot dog,pizza,donut,cake,chair,couch,potted plant,bed,\
    dining table,toilet,tv,laptop,mouse,remote,keyboard,cell phone,microwave,oven,toaster,sink,\
    refrigerator,book,clock,vase,scissors,teddy bear,hair drier,toothbrush
    """.split(separator: ",").map { String($0) }

  /// The ids of COCO's 80 classes: 1 to 90 without the ten that were never annotated.
  public static let cocoIDs: [Int] = (1...90).filter {
    ![12, 26, 29, 30, 45, 66, 68, 69, 71, 83].contains($0)
  }

  /// The background and the 20 classes of Pascal VOC.
  public static let voc21 = """
    background,aeroplane,bicycle,bird,boat,bottle,bus,car,cat,chair,cow,diningtable,dog,horse,\
    motorbike,person,pottedplant,sheep,sofa,train,tvmonitor
    """.split(separator: ",").map { String($0) }

  /// The color that stands for a class in Pascal VOC's pictures of regions: the bits of the number,
  /// three at a time, are the highest bits of red, green and blue, then the next.
  public static func vocColor(_ label: Int) -> (r: UInt8, g: UInt8, b: UInt8) {
    var (r, g, b) = (0, 0, 0)
    for bit in 0..<8 {
      let part = label >> (3 * bit)
      r |= (part & 1) << (7 - bit)
      g |= (part >> 1 & 1) << (7 - bit)
      b |= (part >> 2 & 1) << (7 - bit)
    }
    return (UInt8(r), UInt8(g), UInt8(b))
  }

  /// What a detector's class number means among `count` classes of COCO: networks have the 80 in a row,
  /// or 90 or 91 places with gaps (counted from 0 or from 1, the latter with the background in front).
  ///
  /// - Returns: the place among the 80; `nil` for a gap or the background.
  public static func cocoIndex(_ category: Int, of count: Int) -> Int? {
    switch count {
    case 80: return (0..<80).contains(category) ? category : nil
    case 90: return cocoIDs.firstIndex(of: category + 1)
    case 91: return cocoIDs.firstIndex(of: category)
    default: return nil
    }
  }

  /// How much a classifier's numbers of classes lie above the labels', told from labelled samples: some
  /// networks have a background in front of ImageNet's 1000 classes.
  ///
  /// An offset counts as found when it is right on at least a tenth of the samples, on at least five, and
  /// at least three times as often as no offset.
  ///
  /// - Parameter pairs: the class that came first and the label of each sample.
  public static func offset(_ pairs: [(predicted: Int, label: Int)]) -> Int? {
    func hits(_ shift: Int) -> Int { pairs.count { $0.predicted == $0.label + shift } }
    let plain = hits(0)
    let best = [-1, 1].map { (shift: $0, hits: hits($0)) }.max { $0.hits < $1.hits }
    guard let best, best.hits >= 5, best.hits * 10 >= pairs.count, best.hits >= 3 * max(plain, 1)
    else { return nil }
    return best.shift
  }
}
