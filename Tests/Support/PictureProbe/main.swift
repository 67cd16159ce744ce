import AssayBase
import AssayData
import AssayHost
import AssayTensor

// Decodes and resizes every picture of a folder on one thread, and prints the processor's seconds: what
// Bench/measures/pictures.py compares with Pillow.
//
// usage: picture-probe FOLDER SIDE PREPROCESSING ROUNDS

let words = CommandLine.arguments
guard words.count == 5, let side = Int(words[2]), let rounds = Int(words[4]) else {
  throw Diagnostic("PRB001", "usage: picture-probe FOLDER SIDE PREPROCESSING ROUNDS")
}
let files = try Host.list(words[1]).map { Host.join(words[1], $0) }
let preprocessing = try Preprocessing.parse(words[3])
let input = TensorType(.float32, [1, side, side, 3])
var sum = 0
var best = (decoding: Double.infinity, all: Double.infinity)
for _ in 0..<rounds {
  var start = Host.ownBusyNanoseconds()
  for file in files { sum += Int(try Image.read(path: file).pixels[0]) }
  best.decoding = min(best.decoding, Double(Host.ownBusyNanoseconds() - start) / 1e9)
  start = Host.ownBusyNanoseconds()
  for file in files {
    sum += Int(try preprocessing.levels(Image.read(path: file), for: input).pixels[0])
  }
  best.all = min(best.all, Double(Host.ownBusyNanoseconds() - start) / 1e9)
}
print(
  JSON.object([
    "pictures": JSON(files.count), "decoding": JSON(best.decoding), "all": JSON(best.all),
    "sum": JSON(sum),
  ]).text()
)
