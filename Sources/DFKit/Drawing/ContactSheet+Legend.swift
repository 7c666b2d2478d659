import DeepfakeCore
import FaceDetect

/// The time range that a contact sheet's legend covers.
struct Timeline {
  /// In seconds: the time of the first frame, and the time of the last frame plus the mean time
  /// between frames. A single frame counts as one second.
  let first, last: Double
  private let times: [Double]

  init(_ report: DetectionReport) {
    times = report.frames.map { frame in frame.time.flatMap { $0.isFinite ? $0 : nil } ?? 0 }
    first = times.min() ?? 0
    let end = times.max() ?? 0
    last = end > first ? end + (end - first) / Double(times.count - 1) : end + 1
  }

  /// The number of decimals of seconds in time labels: 2 if frames are less than 0.2 s apart on
  /// average, otherwise 1.
  var decimals: Int { last - first < 0.2 * Double(max(1, times.count)) ? 2 : 1 }

  /// The part of the time range that a frame covers, 0 to 1: from its own time to that of the next
  /// frame.
  func span(of frame: Int) -> (from: Double, to: Double) {
    let next = frame + 1 < times.count ? times[frame + 1] : last
    return (place(times[frame]), place(max(next, times[frame])))
  }

  private func place(_ time: Double) -> Double {
    min(max((time - first) / (last - first), 0), 1)
  }
}

/// One person's row in a contact sheet's legend: a crop framed in the track's colour, the frame
/// count, mean score and times as text, and a bar of the times when the person was seen.
struct LegendRow {
  /// The side of the crop, in pixels.
  static let side = 64
  static let height = 80
  static let axisHeight = 26
  private static let border = 4
  private static let barLeft = 450
  private static let barHeight = 20

  let person: ContactSheet.Person
  let timeline: Timeline

  func draw(on sheet: inout Image, y: Int) {
    let left = ContactSheet.Layout.margin
    let track = person.track
    let color = Color.track(track.id)
    let framed = Self.side + 2 * Self.border
    sheet.fillRectangle(x: left, y: y, width: framed, height: framed, color: color)
    if let crop = person.crop {
      sheet.paste(crop, x: left + Self.border, y: y + Self.border)
    }
    let textLeft = left + framed + 12
    sheet.drawLabel(
      "\(track.id)", x: Float(textLeft), y: Float(y + 2), scale: 3,
      color: color.contrastingTextColor,
      background: color)
    let count = track.sightings.count
    let times = track.sightings.map(\.time)
    sheet.drawText(
      "\(count) frame\(count == 1 ? "" : "s")  score \(track.meanScore.fixed(2))",
      x: textLeft + 80, y: y + 6, within: Self.barLeft)
    sheet.drawText(
      [times.first, times.last].map { ($0 ?? 0).clock(decimals: timeline.decimals) }
        .joined(separator: " - "),
      x: textLeft + 80, y: y + 36, within: Self.barLeft)
    drawBar(on: &sheet, y: y + (framed - Self.barHeight) / 2, color)
  }

  private func drawBar(on sheet: inout Image, y: Int, _ color: Color) {
    let width = Self.barWidth(sheet)
    sheet.fillRectangle(
      x: Self.barLeft, y: y, width: width, height: Self.barHeight,
      color: Color(red: 64, green: 64, blue: 64))
    for sighting in person.track.sightings {
      let span = timeline.span(of: sighting.frame)
      let from = Int((span.from * Double(width)).rounded(.down))
      let to = Int((span.to * Double(width)).rounded(.up))
      sheet.fillRectangle(
        x: Self.barLeft + min(from, width - 2), y: y, width: max(2, min(width, to) - from),
        height: Self.barHeight, color: color)
    }
  }

  private static func barWidth(_ sheet: Image) -> Int {
    max(16, sheet.width - barLeft - ContactSheet.Layout.margin)
  }

  /// Writes the first and last time below the ends of the bars.
  static func drawAxis(_ timeline: Timeline, on sheet: inout Image, y: Int) {
    let end = timeline.last.clock(decimals: timeline.decimals)
    sheet.drawText(
      timeline.first.clock(decimals: timeline.decimals), x: barLeft, y: y, within: sheet.width)
    let width = Image.labelSize(end).width
    sheet.drawText(
      end, x: sheet.width - ContactSheet.Layout.margin - width, y: y, within: sheet.width)
  }
}
