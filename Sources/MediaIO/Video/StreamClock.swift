import CFFmpeg
import CMediaShims

/// Makes a stream's timestamps run on where they jump: where transport streams were joined, a
/// recorder was started again, or a counter began anew.
struct StreamClock {
  /// What is added to timestamps, in units of the stream's.
  private var offset: Int64 = 0
  /// The decoding time of the last packet, moved.
  private var last: Int64?
  /// Whether time jumped with the last packet.
  private(set) var hasJumped = false
  /// Units from a frame to the next, about.
  private let step: Int64
  /// Units by which decoding times may go back; more is a jump.
  private let backward: Int64
  /// Units by which they may go forward; nil where the container's clock never jumps, so that a
  /// long time without a frame is one.
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

  /// Moves a packet's timestamps so that they follow those before it.
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
