import CFFmpeg
import CMediaShims
import Foundation

/// What a video's packets say of its frames, before any is decoded.
package struct PacketIndex: Sendable {
  /// Packets that should yield a frame each.
  package private(set) var count = 0
  /// Of each packet in the file's order, where all have timestamps, no two the same; else nil.
  private var packets: [Entry]? = []

  /// Packets up to which they are noted one by one: 19 hours of 60 frames a second. A file made for
  /// it can hold as many as it has bytes.
  private static let longest = 1 << 22

  private struct Entry: Sendable {
    var stamp: Int64
    /// Whether decoding can begin here and be exact from here on.
    var begins: Bool
    /// Whether other frames may refer to this one.
    var isReferredTo: Bool

    var isNeededByOthers: Bool { begins || isReferredTo }
  }

  /// Reads all packets of a video.
  package static func read(_ video: Video) throws -> PacketIndex {
    let demuxer = try Demuxer(video.url)
    let packet = try Packet(file: demuxer.file)
    var index = PacketIndex()
    let units = H264Units(demuxer.stream)
    if units == nil { index.packets = nil }
    while demuxer.read(packet) {
      if video.isCancelled() { throw CancellationError() }
      index.add(packet.pointer.pointee, units)
    }
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

  /// How to decode the frames at `indices`, which ascend, and not all others; nil where only
  /// decoding all of them tells which these are.
  ///
  /// For H.264 only, whose packets say whether others need them.
  package func plan(for indices: [Int]) -> DecodePlan? {
    guard let packets, indices.count < packets.count, packets.first?.begins == true else {
      return nil
    }
    // Frames are shown in the order of their timestamps.
    let order = packets.indices.sorted { packets[$0].stamp < packets[$1].stamp }
    guard zip(order, order.dropFirst()).allSatisfy({ packets[$0].stamp < packets[$1].stamp }) else {
      return nil
    }
    var steps = [DecodePlan.Step](repeating: .leaveOut, count: packets.count)
    for index in indices { steps[order[index]] = .decode }
    // From each frame that is wanted back to where decoding can begin, it may refer to the others.
    var isNeeded = false
    for place in packets.indices.reversed() {
      if steps[place] == .decode {
        isNeeded = true
      } else if isNeeded {
        steps[place] = packets[place].isNeededByOthers ? .decode : .passOver
      }
      if packets[place].begins { isNeeded = false }
    }
    return DecodePlan(
      steps: steps,
      frames: indices.map { DecodePlan.Frame(index: $0, stamp: packets[order[$0]].stamp) })
  }
}

/// Which packets of a video to decode for the sake of some frames.
package struct DecodePlan: Sendable {
  /// What to do with a packet.
  package enum Step: Sendable {
    /// Its frame is wanted, or others may refer to it.
    case decode
    /// No frame refers to it.
    case passOver
    /// Nothing that is decoded after it refers to it or to what came before it.
    case leaveOut
  }

  /// A frame that is wanted.
  package struct Frame: Sendable {
    /// Its place in shown order.
    package var index: Int
    /// Its timestamp, the same as its packet's.
    package var stamp: Int64
  }

  /// One a packet, in the file's order.
  package let steps: [Step]
  /// In shown order.
  package let frames: [Frame]
}

/// Looks into H.264's packets.
private struct H264Units {
  /// What a packet's units say of its picture.
  struct Picture {
    /// Whether it refers to none before it, and none after it to one before it (IDR).
    var isRefresh = false
    /// Whether others may refer to it, or depend on what else is in the packet. True where that is
    /// not known.
    var isReferredTo = true
  }

  /// Bytes of a unit's length, of which each unit begins with one; nil where start codes divide
  /// units.
  private let lengthBytes: Int?

  /// nil for any other codec, and for interlaced video, whose frames may lie in two packets.
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

  /// What the packet says of its picture.
  func picture(_ packet: AVPacket) -> Picture {
    guard let data = packet.data else { return Picture() }
    let bytes = UnsafeBufferPointer(start: data, count: max(0, Int(packet.size)))
    let headers = lengthBytes.map { headersByLength(bytes, $0) } ?? headersByStartCode(bytes)
    // A unit's first byte: two bits that are 0 where no picture refers to it, five bits of its
    // type.
    let slices = headers.filter { (1...5).contains($0 & 0x1F) }
    guard let first = slices.first else { return Picture() }
    // Besides slices, what changes nothing later: messages, delimiters, ends, filling.
    let others = headers.filter { ![1, 2, 3, 4, 5, 6, 9, 10, 11, 12].contains($0 & 0x1F) }
    return Picture(
      isRefresh: first & 0x1F == 5,
      isReferredTo: !others.isEmpty || slices.contains { $0 & 0x60 != 0 })
  }

  /// The units' first bytes; none where the lengths do not add up.
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
