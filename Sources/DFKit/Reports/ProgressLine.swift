/// Makes the text of a progress bar.
package enum ProgressLine {
  /// One line, shorter than `width` columns: a bar, the files done, the time left and the current
  /// file. The time left is shown after one second and 2 % of the work.
  package static func text(_ progress: JobProgress, elapsed: Double, width: Int) -> String {
    let part = min(max(progress.overall, 0), 1)
    let barWidth = max(10, min(30, width / 4))
    let filled = Int(part * Double(barWidth))
    let bar =
      String(repeating: "#", count: filled) + String(repeating: ".", count: barWidth - filled)
    var line = "[\(bar)] \(Int(part * 100)) %  \(progress.done)/\(progress.total)"
    let own = part - min(part, progress.overallBefore)
    if own > 0.02, elapsed > 1 {
      line += "  \(clock(elapsed * (1 - part) / own)) left"
    }
    line += "  " + TextTable.printable(progress.file)
    return line.count < width ? line : String(line.prefix(max(0, width - 1)))
  }

  /// The time as minutes and seconds, with hours from one hour on.
  static func clock(_ seconds: Double) -> String {
    let whole = Int(min(max(seconds, 0), 360_000).rounded(.up))
    let (minutes, rest) = (whole / 60, whole % 60)
    let tail = rest < 10 ? "0\(rest)" : "\(rest)"
    guard minutes >= 60 else { return "\(minutes):\(tail)" }
    let left = minutes % 60
    return "\(minutes / 60):\(left < 10 ? "0" : "")\(left):\(tail)"
  }
}
