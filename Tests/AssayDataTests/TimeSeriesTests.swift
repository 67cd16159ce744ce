import AssayBase
import AssayCodec
import AssayTensor
import AssayTestSupport
import Testing

@testable import AssayData

struct TimeSeriesTests {
  private func read(
    _ text: String,
    _ change: (inout SeriesOptions) -> Void = { _ in }
  ) throws
    -> TimeSeries
  {
    var options = SeriesOptions()
    change(&options)
    return try TimeSeries.read(ByteView(Array(text.utf8)), options)
  }

  private func code(_ text: String, _ change: (inout SeriesOptions) -> Void = { _ in }) -> String? {
    do {
      _ = try read(text, change)
      return nil
    } catch let error as Diagnostic { return error.code } catch let error as Diagnostics {
      return error.all.map(\.code).joined(separator: " ")
    } catch { return "\(error)" }
  }

  @Test(
    "one channel is read however it is written",
    arguments: [
      "1\n2\n4.5\n", "value\n1\n2\n4.5", "\u{FEFF}value\r\n1\r\n2\r\n4.5\r\n",
      ",value\n0,1\n1,2\n2,4.5\n", "0,1\n1,2\n2,4.5\n", "time;value\n0;1\n10;2\n20;4.5\n",
      "2024-01-01,1\n2024-01-02,2\n2024-01-03,4.5\n", "\"t\",\"v\"\n\"0\",\"1\"\n1,2\n2,4.5\n",
      "date\tv\nMo\t 1\nTu\t2 \nWe\t4.5\n\n\n", "0 1\n1 2\n2 4.5\n", "1e0\n2E0\n+4.5\n",
    ]
  )
  func oneChannel(text: String) throws {
    let series = try read(text)
    #expect(series.values == [[1, 2, 4.5]], "\(text): \(series)")
    #expect(series.isAnomaly == nil && series.isIgnored == nil)
  }

  @Test("several channels with labels")
  func labelled() throws {
    let text = "time,a,b,is_anomaly,is_ignored\n0,1,5,0,1\n1,2,6,1,0\n2,3,7,1,0\n3,4,8,0,0\n"
    let series = try read(text)
    #expect(series.channels == ["a", "b"] && series.values == [[1, 2, 3, 4], [5, 6, 7, 8]])
    #expect(series.isAnomaly == [false, true, true, false])
    #expect(series.isIgnored == [true, false, false, false])
    #expect(series.events == [1..<3])
    #expect(try read(text) { $0.columns = ["b"] }.values == [[5, 6, 7, 8]])
    #expect(
      try read(text) { ($0.labelColumn, $0.columns) = ("is_ignored", ["a"]) }.events == [0..<1]
    )
  }

  @Test("gaps are refused, or filled when asked")
  func gaps() throws {
    let text = "t,v\n0,\n1,1\n2,\n3,nan\n4,4\n5,\n"
    #expect(code(text) == "DTC002")
    #expect(try read(text) { $0.gaps = .interpolate }.values == [[1, 1, 2, 3, 4, 4]])
    #expect(code("v\nnan\nnan\n") { $0.gaps = .interpolate } == "DTC002")
    #expect(code("t,v\n0,1\n1,2\n2,3\n5,4\n6,5\n") == "DTC002")
    #expect(code("v\n1\ninf\n") == "DTC002")
    // A lone column has no other sign of a gap than an empty line; behind the last row it is none.
    #expect(code("v\n1\n\n3\n") == "DTC002")
    #expect(try read("v\n1\n\n\n4\n\n\n") { $0.gaps = .interpolate }.values == [[1, 2, 3, 4]])
    #expect(try read("t,v\n0,1\n\n1,2\n").values == [[1, 2]])
    var stream = SeriesLines(channels: ["v"])
    #expect(throws: Diagnostic.self) { try stream.append(Array("v\n1\n\n3\n".utf8)) }
    var quiet = SeriesLines(channels: ["v"])
    #expect(try quiet.append(Array("v\n\n1\n2\n\n".utf8)) == [[1, 2]])
  }

  @Test("what is no series is told by code, with the place")
  func faults() {
    #expect(code("") == "DTC001")
    #expect(code("\n\n") == "DTC001")
    #expect(code("value\n") == "DTC001")
    #expect(code("a,b\n1,2\n3\n") == "DTC006")
    #expect(code("1;2\n3;4\n") { $0.delimiter = "," } == "DTC006")
    #expect(code("v\n1\nabc\n") == "DTC006")
    #expect(code("name,v\nx,1\ny,2\n") == "DTC006")
    #expect(code("a,b\n1,2\n") { $0.columns = ["c"] } == "DTC005")
    #expect(code("v,label\n1,0\n2,7\n") == "DTC002")
    #expect(code("is_anomaly\n1\n0\n") == "DTC001")
    #expect(
      throws: Diagnostics.self,
      performing: {
        try TimeSeries(channels: ["a", "b"], values: [[1, 1], [2, 2]]).check(leastCount: 9)
      }
    )
    do {
      try TimeSeries([3, 3, 3]).check(leastCount: 2)
      Issue.record("a constant is no series")
    } catch { #expect((error as? Diagnostic)?.code == "DTC003") }
  }

  @Test("arrays are read, alone and with labels")
  func arrays() throws {
    func bytes(_ parts: [ByteView]) -> ByteView { ByteView(parts.flatMap(\.array)) }
    let flat = Tensor([1.0, 2, 3], [3], dtype: .float64)
    #expect(try TimeSeries.read(bytes(NPY.write(flat))).values == [[1, 2, 3]])
    let column = Tensor([1, 2, 3] as [Float], [1, 3, 1])
    #expect(try TimeSeries.read(bytes(NPY.write(column))).values == [[1, 2, 3]])
    let table = Tensor([1, 2, 3, 4, 5, 6] as [Float], [3, 2])
    #expect(try TimeSeries.read(bytes(NPY.write(table))).values == [[1, 3, 5], [2, 4, 6]])
    let labels = Tensor([0, 1, 0] as [Int32], [3])
    let archive = bytes(try NPZ.write([("series", flat), ("labels", labels)]))
    let series = try TimeSeries.read(archive)
    #expect(series.values == [[1, 2, 3]] && series.isAnomaly == [false, true, false])
    let cube = Tensor([Float](repeating: 0, count: 12), [2, 3, 2])
    #expect(throws: Diagnostic.self) { try TimeSeries.read(bytes(NPY.write(cube))) }
  }

  @Test("no text makes the reader trap")
  func hostile() {
    let pieces = [
      "1", "-", ",", ";", "\n", "\r", "\"", "nan", " ", "\t", "is_anomaly", "e", ".", "time", "é",
      "0x",
    ]
    forAll(count: 300) { rng in
      let text = (0..<rng.int(0...40)).map { _ in rng.pick(pieces) }.joined()
      _ = try? TimeSeries.read(ByteView(Array(text.utf8)))
    }
  }
}
