import CFFmpeg
import CMediaShims

/// A correction that makes a stream's timestamps continue where they jump: where transport streams
/// were joined, a recorder was restarted, or a counter began again.
struct StreamClock {
  /// The number added to timestamps, in the stream's time base.
  private var offset: Int64 = 0
  /// The decoding time of the last packet after the correction.
  private var last: Int64?
  /// Whether the time jumped at the last packet.
  private(set) var hasJumped = false
  /// The approximate time from a frame to the next, in the stream's time base.
  private let step: Int64
  /// The largest step backwards of decoding times that is not a jump.
  private let backward: Int64
  /// The largest step forwards that is not a jump. Nil for containers whose clock never jumps: a
  /// large step is then a long time without a frame.
  private let forward: Int64?

  init(
    _ context: UnsafeMutablePointer<AVFormatContext>, _ stream: UnsafeMutablePointer<AVStream>
  ) {
    let second = 1 / av_q2d(stream.pointee.time_base)
    func units(_ seconds: Double) -> Int64 {
      Int64(exactly: (seconds * second).rounded()) ?? 1 << 40
    }
    let rate = av_q2d(stream.pointee.avg_frame_rate)
    let interval = rate.isFinite && rate > 0 ? min(1 / rate, 1) : 0.04
    step = max(1, units(interval))
    backward = units(max(0.1, 4 * interval))
    let jumps = context.pointee.iformat.map { $0.pointee.flags & AVFMT_TS_DISCONT != 0 } ?? false
    forward = jumps ? units(10) : nil
  }

  /// Changes a packet's timestamps so that they continue those of earlier packets.
  mutating func move(_ packet: Packet) {
    let none = df_av_no_time()
    let stamp = packet.pointer.pointee.dts
    hasJumped = false
    if stamp != none {
      if let last, jumps(from: last, to: stamp) {
        hasJumped = true
        offset =
          last.addingReportingOverflow(step).partialValue
          .subtractingReportingOverflow(stamp).partialValue
      }
      last = stamp.addingReportingOverflow(offset).partialValue
    }
    guard offset != 0 else { return }
    for part in [\AVPacket.dts, \AVPacket.pts] where packet.pointer.pointee[keyPath: part] != none {
      packet.pointer.pointee[keyPath: part] =
        packet.pointer.pointee[keyPath: part]
        .addingReportingOverflow(offset).partialValue
    }
  }

  private func jumps(from last: Int64, to stamp: Int64) -> Bool {
    let distance = Double(stamp) + Double(offset) - Double(last)
    if distance < -Double(backward) { return true }
    return forward.map { distance > Double($0) } ?? false
  }
}
