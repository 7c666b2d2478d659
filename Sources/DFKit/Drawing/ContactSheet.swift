import DeepfakeCore
import FaceDetect

/// A picture that summarises a video: a grid of small frames with the faces in their tracks'
/// colours, and below it a row for each person with a crop and the times when they were seen.
///
/// Frames are added one at a time and scaled down at once, so memory does not grow with the video.
struct ContactSheet {
  /// A person in the legend: their track, and the crop of their highest-scoring face once its frame
  /// was added.
  struct Person {
    let track: Track
    var crop: Image?
  }

  let report: DetectionReport
  private let layout: Layout
  private let timeline: Timeline
  private let shown: [Int]
  private var cells: [Image] = []
  private var people: [Person]

  /// The largest number of frames and of people shown. Of more frames, an evenly spread selection
  /// is shown; of more people, those seen in the most frames.
  static let frameLimit = 48
  static let personLimit = 24

  /// An empty sheet for the frames of `report`; call `add` with each frame.
  init(_ report: DetectionReport) {
    self.report = report
    timeline = Timeline(report)
    shown =
      report.frames.isEmpty
      ? [] : EvenSpread.indices(Self.frameLimit, of: report.frames.count)
    layout = Layout(
      frames: shown.count, width: report.frames.first?.width ?? 16,
      height: report.frames.first?.height ?? 9)
    people = report.tracks
      .sorted { ($1.sightings.count, $0.id) < ($0.sightings.count, $1.id) }
      .prefix(Self.personLimit).sorted { $0.id < $1.id }
      .map { Person(track: $0) }
  }

  /// Adds frame number `frame` (from 0). Frames must come in order.
  mutating func add(_ image: Image, frame: Int) {
    for index in people.indices where people[index].track.surest.frame == frame {
      people[index].crop = Recipe.Crop().cut(people[index].track.surest.face, from: image)
        .resized(width: LegendRow.side, height: LegendRow.side, method: .area)
    }
    guard cells.count < shown.count, shown[cells.count] == frame else { return }
    cells.append(cell(image, report.frames[frame]))
  }

  /// A frame scaled down for the grid, with its faces and time drawn on it.
  private func cell(_ image: Image, _ frame: DetectionReport.Frame) -> Image {
    let scale = min(
      Float(layout.cellWidth) / Float(image.width),
      Float(layout.cellHeight) / Float(image.height))
    let small = image.resized(
      width: max(1, Int((Float(image.width) * scale).rounded())),
      height: max(1, Int((Float(image.height) * scale).rounded())), method: .area)
    let faces = frame.faces.map {
      TrackedFace(face: $0.face.scaled(x: scale, y: scale), track: $0.track)
    }
    var cell = small.drawing(faces, scale: 2)
    if let time = frame.time {
      cell.drawLabel(
        time.clock(decimals: timeline.decimals), x: Float(cell.width), y: Float(cell.height),
        scale: layout.cellWidth >= 200 ? 2 : 1)
    }
    return cell
  }

  /// The finished sheet with the frames added so far.
  func image() -> Image {
    let rows = max(1, cells.count.dividedRoundingUp(by: layout.columns))
    let top = Layout.margin + Layout.titleHeight
    let gridBottom = top + rows * (layout.cellHeight + Layout.gap)
    let left = report.tracks.count - people.count
    let lines = people.isEmpty || left > 0 ? 1 : 0
    let legendHeight =
      people.count * (LegendRow.height) + lines * Layout.titleHeight + LegendRow.axisHeight
    var sheet = Image(width: layout.width, height: gridBottom + legendHeight + Layout.margin) {
      $0.update(repeating: Layout.background.red)
    }
    sheet.drawText(title, x: Layout.margin, y: Layout.margin, within: layout.width)
    for (index, cell) in cells.enumerated() {
      let column = index % layout.columns
      let row = index / layout.columns
      sheet.paste(
        cell,
        x: layout.gridLeft + column * (layout.cellWidth + Layout.gap)
          + (layout.cellWidth - cell.width) / 2,
        y: top + row * (layout.cellHeight + Layout.gap) + (layout.cellHeight - cell.height) / 2)
    }
    var y = gridBottom
    if !people.isEmpty { LegendRow.drawAxis(timeline, on: &sheet, y: y) }
    y += LegendRow.axisHeight
    for person in people {
      LegendRow(person: person, timeline: timeline).draw(on: &sheet, y: y)
      y += LegendRow.height
    }
    if lines > 0 {
      let text = people.isEmpty ? "no faces" : "and \(left) more"
      sheet.drawText(text, x: Layout.margin, y: y, within: layout.width)
    }
    return sheet
  }

  private var title: String {
    let name = report.file.split(separator: "/").last.map(String.init) ?? report.file
    let frames = report.frames.count
    let people = report.tracks.count
    return "\(name)  \(frames) frame\(frames == 1 ? "" : "s")"
      + (shown.count < frames ? " (\(shown.count) shown)" : "")
      + "  \(people) \(people == 1 ? "person" : "people")"
  }
}

extension ContactSheet {
  /// The sizes and positions of the sheet's grid, in pixels.
  struct Layout {
    static let margin = 12
    static let gap = 6
    static let titleHeight = 28
    static let background = Color(red: 24, green: 24, blue: 24)
    private static let leastWidth = 800

    let columns: Int
    let cellWidth: Int
    let cellHeight: Int
    let width: Int
    let gridLeft: Int

    /// A grid for `frames` pictures of `width` by `height` pixels, with an overall aspect ratio of
    /// about 8 to 5.
    init(frames: Int, width: Int, height: Int) {
      let longer =
        switch frames {
        case ...1: 960
        case ...4: 640
        case ...9: 480
        case ...25: 320
        default: 240
        }
      // Tiny frames are enlarged 4 times at most, since more would only blur them.
      let scale = min(4, Double(longer) / Double(max(width, height)))
      cellWidth = max(48, Int((Double(width) * scale).rounded()))
      cellHeight = max(27, Int((Double(height) * scale).rounded()))
      let wanted = (Double(max(1, frames)) * 1.6 * Double(cellHeight) / Double(cellWidth))
        .squareRoot()
      columns = min(max(1, Int(wanted.rounded())), max(1, frames))
      let grid = columns * (cellWidth + Self.gap) - Self.gap
      self.width = max(grid + 2 * Self.margin, Self.leastWidth)
      gridLeft = (self.width - grid) / 2
    }
  }
}

extension Image {
  /// Draws one line of text in white on the sheet's background colour, cut off at the column
  /// `width`.
  mutating func drawText(_ text: String, x: Int, y: Int, scale: Int = 2, within width: Int) {
    let letter = Image.labelSize("00").width - Image.labelSize("0").width
    let room = max(0, (width - x) * 2 / (letter * scale))
    drawLabel(
      String(text.prefix(room)), x: Float(x), y: Float(y), scale: scale,
      background: ContactSheet.Layout.background)
  }
}
