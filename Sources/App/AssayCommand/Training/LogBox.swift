/// Holds a log that closures add to.
final class LogBox {
  var log: TrainingLog
  init(_ log: TrainingLog) { self.log = log }
}
