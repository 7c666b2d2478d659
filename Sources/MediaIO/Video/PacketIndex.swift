import CFFmpeg
import CMediaShims
import Foundation

/// Information about a video's frames from its packets, without decoding.
package struct PacketIndex: Sendable {
  /// The number of packets that should give a frame each.
  package private(set) var count = 0
  /// The times at which the frames are shown, in seconds, in their order. Nil if they were not
  /// asked for or if a packet has no timestamp.
  package private(set) var times: [Double]?
  /// The packets in file order; nil if some have no timestamp or cannot be analysed.
  private var packets: [Entry]? = []

  /// The maximum number of packets to record: 19 hours at 60 frames per second. A malicious file
  /// can have as many packets as bytes.
  private static let longest = 1 << 22

  private struct Entry: Sendable {
    var stamp: Int64
    /// Whether decoding can start at this packet and is exact from here on.
    var begins: Bool
    /// Whether other frames may refer to this one.
    var isReferredTo: Bool

    var isNeededByOthers: Bool { begins || isReferredTo }
  }

  /// Reads all packets of a video, and the times of the frames if `withTimes`. Throws `MediaError`,
  /// or `CancellationError` if the video is cancelled.
  package static func read(_ video: Video, withTimes: Bool = false) throws -> PacketIndex {
    let demuxer = try Demuxer(video.url)
    let packet = try Packet(file: demuxer.file)
    var index = PacketIndex()
    let units = H264Units(demuxer.stream)
    if units == nil { index.packets = nil }
    var stamps: [Int64]? = withTimes ? [] : nil
    while demuxer.read(packet) {
      if video.isCancelled() { throw CancellationError() }
      index.add(packet.pointer.pointee, units)
      guard withTimes, packet.pointer.pointee.flags & AV_PKT_FLAG_DISCARD == 0 else { continue }
      if packet.pointer.pointee.pts == df_av_no_time() || index.count > longest { stamps = nil }
      stamps?.append(packet.pointer.pointee.pts)
    }
    index.times = stamps?.sorted().map(demuxer.seconds)
    if demuxer.readingProblem != nil { index.packets = nil }
    return index
  }

  private mutating func add(_ packet: AVPacket, _ units: H264Units?) {
    if packet.flags & AV_PKT_FLAG_DISCARD == 0 { count += 1 }
    let isPlain = packet.flags & (AV_PKT_FLAG_DISCARD | AV_PKT_FLAG_CORRUPT) == 0
    guard isPlain, packet.pts != df_av_no_time(), let units, count <= Self.longest else {
      packets = nil
      return
    }
    let picture = units.picture(packet)
    packets?.append(
      Entry(
        stamp: packet.pts,
        begins: packet.flags & AV_PKT_FLAG_KEY != 0 && picture.isRefresh,
        isReferredTo: picture.isReferredTo))
  }

  /// A plan to decode only the frames at `indices`, which must ascend, and the frames that they
  /// need. Nil if the whole video must be decoded to find these frames, or if nothing can be left
  /// out.
  ///
  /// Only H.264 is supported, because its packets state whether other frames need them.
  package func plan(for indices: [Int]) -> DecodePlan? {
    guard let packets, indices.count < packets.count, packets.first?.begins == true else {
      return nil
    }
    // Frames are shown in the order of their timestamps.
    let order = packets.indices.sorted { packets[$0].stamp < packets[$1].stamp }
    guard zip(order, order.dropFirst()).allSatisfy({ packets[$0].stamp < packets[$1].stamp }) else {
      return nil
    }
    var steps = [DecodePlan.Step](repeating: .omit, count: packets.count)
    for index in indices { steps[order[index]] = .decode }
    // A wanted frame may refer to any frame between it and the last packet where decoding can
    // start.
    var isNeeded = false
    for place in packets.indices.reversed() {
      if steps[place] == .decode {
        isNeeded = true
      } else if isNeeded {
        steps[place] = packets[place].isNeededByOthers ? .decode : .skip
      }
      if packets[place].begins { isNeeded = false }
    }
    return DecodePlan(
      steps: steps,
      frames: indices.map { DecodePlan.Frame(index: $0, stamp: packets[order[$0]].stamp) })
  }
}

/// A plan of the packets to decode for some frames of a video.
package struct DecodePlan: Sendable {
  /// The treatment of a packet.
  package enum Step: Sendable {
    /// Decode it: its frame is wanted, or other frames may refer to it.
    case decode
    /// Skip it: no frame refers to it.
    case skip
    /// Leave it out: no frame that is decoded later refers to it or to earlier packets.
    case omit
  }

  /// A wanted frame.
  package struct Frame: Sendable {
    /// The index in presentation order.
    package var index: Int
    /// The timestamp, equal to its packet's.
    package var stamp: Int64
  }

  /// One step for each packet, in file order.
  package let steps: [Step]
  /// The wanted frames, in presentation order.
  package let frames: [Frame]
}

/// A parser of H.264 packets.
private struct H264Units {
  /// Properties of a packet's picture, from the packet's units.
  struct Picture {
    /// Whether it refers to no earlier picture, and no later picture refers to one before it (IDR).
    var isRefresh = false
    /// Whether other pictures may refer to it, or depend on other data in the packet. True if
    /// unknown.
    var isReferredTo = true
  }

  /// The size in bytes of the length at the start of each unit; nil if start codes separate units.
  private let lengthBytes: Int?

  /// Nil for other codecs, and for interlaced video, whose frames may be split into two packets.
  init?(_ stream: UnsafeMutablePointer<AVStream>) {
    guard let parameters = stream.pointee.codecpar?.pointee,
      parameters.codec_id == AV_CODEC_ID_H264,
      parameters.field_order == AV_FIELD_PROGRESSIVE || parameters.field_order == AV_FIELD_UNKNOWN
    else { return nil }
    if let extra = parameters.extradata, parameters.extradata_size >= 7, extra[0] == 1 {
      lengthBytes = Int(extra[4] & 3) + 1
    } else {
      lengthBytes = nil
    }
  }

  /// The properties of a packet's picture.
  func picture(_ packet: AVPacket) -> Picture {
    guard let data = packet.data else { return Picture() }
    let bytes = UnsafeBufferPointer(start: data, count: max(0, Int(packet.size)))
    let headers = lengthBytes.map { headersByLength(bytes, $0) } ?? headersByStartCode(bytes)
    // The first byte of a unit contains two bits that are 0 if no picture refers to it, and five
    // bits with its type.
    let slices = headers.filter { (1...5).contains($0 & 0x1F) }
    guard let first = slices.first else { return Picture() }
    // Types that change nothing later, besides slices: messages, delimiters, end marks, filler
    // data.
    let others = headers.filter { ![1, 2, 3, 4, 5, 6, 9, 10, 11, 12].contains($0 & 0x1F) }
    return Picture(
      isRefresh: first & 0x1F == 5,
      isReferredTo: !others.isEmpty || slices.contains { $0 & 0x60 != 0 })
  }

  /// The first byte of each unit; empty if the lengths are not consistent.
  private func headersByLength(_ bytes: UnsafeBufferPointer<UInt8>, _ lengthBytes: Int) -> [UInt8] {
    var found: [UInt8] = []
    var place = 0
    while place + lengthBytes < bytes.count {
      let length = bytes[place..<place + lengthBytes].reduce(0) { $0 << 8 | Int($1) }
      place += lengthBytes
      guard length > 0, length <= bytes.count - place else { return [] }
      found.append(bytes[place])
      place += length
    }
    return place == bytes.count ? found : []
  }

  private func headersByStartCode(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8] {
    var found: [UInt8] = []
    var zeros = 0
    for place in bytes.indices {
      let byte = bytes[place]
      if byte == 1, zeros >= 2, place + 1 < bytes.count { found.append(bytes[place + 1]) }
      zeros = byte == 0 ? zeros + 1 : 0
    }
    return found
  }
}
