/// How far work is that takes long: the one shape in which jobs tell it. The work on one file,
/// image or member alone tells the part that is done, 0 to 1.
public struct JobProgress: Sendable, Equatable {
  /// Files that are done.
  public var done: Int
  /// All files.
  public var total: Int
  /// The file in work, or what else is being done.
  public var file: String
  /// The part of that file's work that is done, 0 to 1.
  public var fraction: Double
  /// The part of the file's work that was done before, by an earlier run.
  public var before = 0.0

  /// How far a job over several files is.
  public init(done: Int, total: Int, file: String, fraction: Double) {
    self.done = done
    self.total = total
    self.file = file
    self.fraction = fraction
  }

  /// How far a job is that is one piece of work.
  ///
  /// - Parameters:
  ///   - words: what is being done.
  ///   - part: the part of the whole that is done, 0 to 1.
  public init(_ words: String, part: Double) {
    self.init(done: 0, total: 1, file: words, fraction: part)
  }

  /// The part of the whole job that is done, 0 to 1, counting files as equal.
  public var overall: Double { overall(fraction) }

  /// The part of the whole job that an earlier run has done.
  package var overallBefore: Double { before == 0 ? 0 : overall(before) }

  private func overall(_ fraction: Double) -> Double {
    total == 0 ? 1 : (Double(done) + min(max(fraction, 0), 1)) / Double(total)
  }
}
