/// The progress of a long job. All jobs report their progress in this form, except work on one
/// file, one image or one ensemble member, which reports a fraction from 0 to 1.
public struct JobProgress: Sendable, Equatable {
  /// The number of finished files.
  public var done: Int
  /// The number of all files.
  public var total: Int
  /// The name of the file in work, or a description of other work.
  public var file: String
  /// The finished part of the work on `file`, 0 to 1.
  public var fraction: Double
  /// The part of the work on `file` that an earlier run had finished, 0 to 1.
  public var before = 0.0

  /// The progress of a job over several files.
  public init(done: Int, total: Int, file: String, fraction: Double) {
    self.done = done
    self.total = total
    self.file = file
    self.fraction = fraction
  }

  /// The progress of a job that is a single piece of work.
  ///
  /// - Parameters:
  ///   - words: A description of the work.
  ///   - part: The finished part, 0 to 1.
  public init(_ words: String, part: Double) {
    self.init(done: 0, total: 1, file: words, fraction: part)
  }

  /// The finished part of the whole job, 0 to 1. Every file counts the same; 1 if there are no
  /// files.
  public var overall: Double { overall(fraction) }

  /// The part of the whole job that an earlier run had finished; 0 if `before` is 0.
  package var overallBefore: Double { before == 0 ? 0 : overall(before) }

  private func overall(_ fraction: Double) -> Double {
    total == 0 ? 1 : (Double(done) + min(max(fraction, 0), 1)) / Double(total)
  }
}
